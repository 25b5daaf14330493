/** Where a text breaks that was to be JSON, and what should stand there: for whoever wrote it by hand. */

type Wanted = 'value' | 'element' | 'key' | 'member' | 'colon' | 'next';

const words: Readonly<Record<Exclude<Wanted, 'next'>, string>> = {
  value: 'a value',
  element: 'a value or ]',
  key: 'a key in double quotes',
  member: 'a key in double quotes or }',
  colon: 'a colon',
};

/** What others write for a value that JSON has not. */
const foreign = /[-+]?(NaN|Infinity|undefined|None|nan|inf)\b/y;
const scalar = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const scalarEnd = /[\s,\]}:]|$/y;

/** Null for JSON (RFC 8259). Characters are counted from 1, each as people see it. */
export function jsonProblem(text: string): string | null {
  const closings: string[] = [];
  let wanted = 'value' as Wanted;
  let at = skipSpace(text, 0);
  for (;;) {
    const char = text[at];
    const closing = closings.at(-1);
    if (wanted === 'next') {
      if (closing === undefined) {
        if (char === undefined) return null;
        return `something follows its end at character ${placeOf(text, at)}`;
      }
      if (char === ',') wanted = closing === ']' ? 'value' : 'key';
      else if (char === closing) closings.pop();
      else return `character ${placeOf(text, at)} should be , or ${closing}`;
      at += 1;
    } else if ((wanted === 'element' || wanted === 'member') && char === closing) {
      closings.pop();
      wanted = 'next';
      at += 1;
    } else if (wanted === 'colon') {
      if (char !== ':') return problemAt(text, at, wanted);
      wanted = 'value';
      at += 1;
    } else if (char === '"') {
      const end = stringEnd(text, at + 1);
      if (end.problem !== null) return end.problem;
      wanted = wanted === 'key' || wanted === 'member' ? 'colon' : 'next';
      at = end.at;
    } else if (wanted === 'key' || wanted === 'member') {
      return problemAt(text, at, wanted);
    } else if (char === '[' || char === '{') {
      closings.push(char === '[' ? ']' : '}');
      wanted = char === '[' ? 'element' : 'member';
      at += 1;
    } else {
      const end = matchEnd(scalar, text, at);
      if (end < 0 || matchEnd(scalarEnd, text, end) < 0) return problemAt(text, at, wanted);
      wanted = 'next';
      at = end;
    }
    at = skipSpace(text, at);
  }
}

function problemAt(text: string, at: number, wanted: Exclude<Wanted, 'next'>): string {
  const isValue = wanted === 'value' || wanted === 'element';
  const end = isValue ? matchEnd(foreign, text, at) : -1;
  const hint = end < 0 ? '' : ` (${text.slice(at, end)} is none, null is)`;
  const quote = text[at] === "'" || text[at] === '“' ? `, and is ${text[at]}` : '';
  return `character ${placeOf(text, at)} should be ${words[wanted]}${hint}${quote}`;
}

function stringEnd(
  text: string,
  start: number,
): { at: number; problem: null } | { problem: string } {
  for (let at = start; ; at += 1) {
    const char = text[at];
    if (char === '"') return { at: at + 1, problem: null };
    if (char === undefined) {
      return {
        problem: `the text that begins at character ${placeOf(text, start - 1)} has no end`,
      };
    }
    if (char < ' ') {
      const name =
        char === '\n' || char === '\r'
          ? 'a line break, which is \\n in JSON'
          : 'a control character';
      return { problem: `character ${placeOf(text, at)} is ${name}` };
    }
    if (char !== '\\') continue;
    if (!/^(["\\/bfnrt]|u[0-9a-f]{4})/i.test(text.slice(at + 1, at + 6))) {
      return {
        problem: `character ${placeOf(text, at)} begins no escape that JSON has; \\\\ is a backslash`,
      };
    }
    at += 1;
  }
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at += 1;
  return at;
}

/** Where a match at this very place ends; -1 where there is none. */
function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function placeOf(text: string, at: number): number {
  let place = 1;
  for (const char of text.slice(0, at)) place += char.length > 0 ? 1 : 0;
  return place;
}
