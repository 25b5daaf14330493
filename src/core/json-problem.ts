/** Where a text breaks that was to be JSON, for a person who wrote it by hand. */

type Wanted = 'value' | 'element' | 'key' | 'member' | 'colon' | 'next';

const words: Readonly<Record<Exclude<Wanted, 'next'>, string>> = {
  value: 'a value',
  element: 'a value or ]',
  key: 'a key in double quotes',
  member: 'a key in double quotes or }',
  colon: 'a colon',
};

/** Other languages' words for a value that JSON has not. */
const foreign = /[-+]?(NaN|Infinity|undefined|None|nan|inf)\b/y;
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[\s,\]}:]|$)/y;
/** So far is a long text looked through: others wait meanwhile. */
const maxLooked = 1_000_000;

const quoteCode = 0x22;
const backslashCode = 0x5c;
const commaCode = 0x2c;
const openingCodes = [0x5b, 0x7b];

/** Null for JSON (RFC 8259). Characters are counted from 1, each as people see it. */
export function jsonProblem(text: string): string | null {
  const closings: number[] = [];
  let closing = 0;
  let wanted = 'value' as Wanted;
  let at = skipSpace(text, 0);
  while (at <= maxLooked) {
    const code = text.charCodeAt(at);
    if (wanted === 'next') {
      if (closings.length === 0) {
        if (at >= text.length) return null;
        return `something follows its end at character ${placeOf(text, at)}`;
      }
      if (code === closing) {
        closings.pop();
        closing = closings.at(-1) ?? 0;
      } else if (code === commaCode) wanted = closing === 0x5d ? 'value' : 'key';
      else {
        return `character ${placeOf(text, at)} should be , or ${String.fromCharCode(closing)}`;
      }
      at += 1;
    } else if ((wanted === 'element' || wanted === 'member') && code === closing) {
      closings.pop();
      closing = closings.at(-1) ?? 0;
      wanted = 'next';
      at += 1;
    } else if (wanted === 'colon') {
      if (code !== 0x3a) return problemAt(text, at, wanted);
      wanted = 'value';
      at += 1;
    } else if (code === quoteCode) {
      const end = stringEnd(text, at + 1);
      if (typeof end === 'string') return end;
      wanted = wanted === 'key' || wanted === 'member' ? 'colon' : 'next';
      at = end;
    } else if (wanted === 'key' || wanted === 'member') {
      return problemAt(text, at, wanted);
    } else if (openingCodes.includes(code)) {
      closing = code + 2;
      closings.push(closing);
      wanted = closing === 0x5d ? 'element' : 'member';
      at += 1;
    } else {
      const end = matchEnd(scalar, text, at);
      if (end < 0) return problemAt(text, at, wanted);
      wanted = 'next';
      at = end;
    }
    at = skipSpace(text, at);
  }
  return `it breaks behind character ${maxLooked.toLocaleString('en')}`;
}

function problemAt(text: string, at: number, wanted: Exclude<Wanted, 'next'>): string {
  const isValue = wanted === 'value' || wanted === 'element';
  const end = isValue ? matchEnd(foreign, text, at) : -1;
  const hint = end < 0 ? '' : ` (${text.slice(at, end)} is none, null is)`;
  const quote = text[at] === "'" || text[at] === '“' ? `, and is ${text[at]}` : '';
  return `character ${placeOf(text, at)} should be ${words[wanted]}${hint}${quote}`;
}

/** Where the text ends that begins at `start`, behind its quote; or what is wrong with it. */
function stringEnd(text: string, start: number): number | string {
  for (let at = start; at <= text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quoteCode) return at + 1;
    if (code < 0x20) {
      const isBreak = code === 0x0a || code === 0x0d;
      const name = isBreak ? 'a line break, which is \\n in JSON' : 'a control character';
      return `character ${placeOf(text, at)} is ${name}`;
    }
    if (code !== backslashCode) continue;
    if (!/^(["\\/bfnrt]|u[0-9a-f]{4})/i.test(text.slice(at + 1, at + 6))) {
      return `character ${placeOf(text, at)} begins no escape that JSON has; \\\\ is a backslash`;
    }
    at += 1;
  }
  return `the text that begins at character ${placeOf(text, start - 1)} has no end`;
}

function skipSpace(text: string, start: number): number {
  for (let at = start; ; at += 1) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
  }
}

/** Where a match at this very place ends; -1 without a match. */
function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** The second halves of surrogate pairs are no characters. */
function placeOf(text: string, at: number): number {
  let place = 1;
  for (let before = 0; before < at; before += 1) {
    if ((text.charCodeAt(before) & 0xfc00) !== 0xdc00) place += 1;
  }
  return place;
}
