/**
 * JSON whose numbers are never changed. JavaScript keeps 53 bits of a number: 9007199254740993
 * comes back as 9007199254740992, and long decimals lose their last digits. Such a number stands
 * for its own text here.
 */

import { randomUUID } from 'node:crypto';

const quote = 0x22;
const backslash = 0x5c;

/** Numbers of 15 digits and no exponent all come back. */
const mayBeRounded = /[\d.]{16}|\d[eE]/;
const mayBeRewritten = /[\d.]{16}|\d[eE]|\.\d*0(?!\d)|0\.000000|-0/;

/** The value of JSON text. A number that JavaScript would change becomes a string of its text. */
export function parseExact(text: string): unknown {
  return JSON.parse(
    quoteNumbers(text, mayBeRounded, (number) => (isExact(number) ? null : number)),
  );
}

/** False for most JSON, and so for numbers that JavaScript writes as they stand there. */
export function mayRewrite(text: string): boolean {
  return mayBeRewritten.test(text);
}

/**
 * The value of JSON text. A number that JavaScript would write in another form, such as 1.50 or
 * 1e3, becomes a string of its own text.
 */
export function parseAsWritten(text: string): unknown {
  const isAsIs = (number: string) => String(Number(number)) === number;
  return JSON.parse(
    quoteNumbers(text, mayBeRewritten, (number) => (isAsIs(number) ? null : number)),
  );
}

/**
 * The value of JSON text that is to be written as JSON again. A number that JavaScript would change
 * stands for its own text, which JSON.stringify gives back.
 */
export function parseKeepingNumbers(text: string): unknown {
  const { rawJSON } = newerJson;
  if (!rawJSON) return parseExact(text);
  // Not by a reviver, which is asked about every value: of a million it takes a second.
  const marked = quoteNumbers(text, mayBeRounded, (number) =>
    isExact(number) ? null : mark + number,
  );
  const value: unknown = JSON.parse(marked);
  return marked === text ? value : unmarked(value, rawJSON);
}

/** No text that comes from outside begins so. */
const mark = `${randomUUID()}:`;

/**
 * The value with the numbers for the marked texts in it. A list of what is still to be looked at,
 * because a value may be deeper than the stack.
 */
function unmarked(value: unknown, rawJSON: (text: string) => unknown): unknown {
  const whole = { value };
  const pending: object[] = [whole];
  for (let parent = pending.pop(); parent; parent = pending.pop()) {
    for (const [name, child] of Object.entries(parent) as [string, unknown][]) {
      if (typeof child === 'object' && child !== null) pending.push(child);
      if (typeof child !== 'string' || !child.startsWith(mark)) continue;
      // Defined, not assigned: `__proto__` is a name like any other.
      Object.defineProperty(parent, name, { value: rawJSON(child.slice(mark.length)) });
    }
  }
  return whole.value;
}

/** A number as JSON.stringify writes its text; the text itself where Node has no such. */
export function numberOf(text: string): unknown {
  return newerJson.rawJSON?.(text) ?? text;
}

/** True where a value of `parseKeepingNumbers` is a number that stands for its own text. */
export function isKeptNumber(value: unknown): boolean {
  return newerJson.isRawJSON?.(value) ?? false;
}

/** The functions that Node has since version 21; before that, such numbers become strings. */
const newerJson = JSON as unknown as {
  rawJSON?: (text: string) => unknown;
  isRawJSON?: (value: unknown) => boolean;
};

/** The JSON text with `quoted` texts for numbers that look like `hint`; null leaves a number. */
function quoteNumbers(
  text: string,
  hint: RegExp,
  quoted: (number: string) => string | null,
): string {
  if (!hint.test(text)) return text;
  const seek = new RegExp(`"|${hint.source}`, 'g');
  let made = '';
  let copied = 0;
  for (let match = seek.exec(text); match; match = seek.exec(text)) {
    if (match[0] === '"') {
      seek.lastIndex = stringEnd(text, match.index);
      continue;
    }
    let start = match.index;
    while (start > copied && numeral.test(text[start - 1] as string)) start -= 1;
    const end = scalarEnd(text, match.index);
    const number = text.slice(start, end);
    seek.lastIndex = end;
    // As it is, for the parser to refuse: 25 MB of numbers without commas are six million of them.
    if (!numberPattern.test(number) || !isBehindValue(text, end)) return text;
    const replaced = quoted(number);
    if (replaced === null) continue;
    made += `${text.slice(copied, start)}"${replaced}"`;
    copied = end;
  }
  return made + text.slice(copied);
}

/** True where a value of JSON may end at `at`. */
function isBehindValue(text: string, at: number): boolean {
  let to = at;
  while (' \t\r\n'.includes(text[to] ?? '.')) to += 1;
  return to === text.length || ',]}'.includes(text[to] as string);
}

const numeral = /[\d.eE+-]/;
const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** True where JavaScript writes a JSON number as the same number, if perhaps in another form. */
export function isExact(number: string): boolean {
  const value = Number(number);
  if (!Number.isFinite(value)) return false;
  const written = String(value);
  return written === number || decimal(written) === decimal(number);
}

/** A number by its digits and its exponent, the same for all forms of it. */
function decimal(number: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = withoutEndingZeros(digits);
  if (significant === '') return '0';
  const dropped = digits.length - significant.length;
  return `${sign}${significant}e${Number(exponent) - fraction.length + dropped}`;
}

/** Not by /0+$/, which looks for the end again from each zero of a run. */
function withoutEndingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

/** Behind the string in JSON whose opening quote is at `start`; the JSON's end without another. */
export function stringEnd(json: string | Uint8Array, start: number): number {
  let at = start;
  do {
    at = typeof json === 'string' ? json.indexOf('"', at + 1) : json.indexOf(quote, at + 1);
    if (at < 0) return json.length;
  } while (isEscaped(json, at));
  return at + 1;
}

/** True where an odd number of backslashes stands before `at`. */
function isEscaped(json: string | Uint8Array, at: number): boolean {
  let before = at - 1;
  const isBackslash = () =>
    (typeof json === 'string' ? json.charCodeAt(before) : json[before]) === backslash;
  while (isBackslash()) before -= 1;
  return (at - before) % 2 === 0;
}

const scalarEnds = new Uint8Array(128);
for (const one of ',]} \t\r\n') scalarEnds[one.charCodeAt(0)] = 1;

/** Behind the number, true, false or null that begins at `start`. */
export function scalarEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && scalarEnds[text.charCodeAt(at)] !== 1) at += 1;
  return at;
}
