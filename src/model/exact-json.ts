/**
 * JSON whose numbers are never changed. JavaScript keeps 53 bits of a number: 9007199254740993 comes back as 9007199254740992, and long decimals lose
 * their last digits. Such a number stands for its own text here.
 */

const quote = 0x22;
const backslash = 0x5c;

/** False for most JSON, and so for numbers that all come back as they were; true where one may not. */
export function mayRound(text: string): boolean {
  return /[\d.]{16}|\d[eE]/.test(text);
}

/** The value of JSON text. A number that JavaScript would change becomes a string of its own text. */
export function parseExact(text: string): unknown {
  return JSON.parse(mayRound(text) ? quoteNumbers(text, (number) => !isExact(number)) : text);
}

/** False for most JSON, and so for numbers that JavaScript writes as they stand there. */
export function mayRewrite(text: string): boolean {
  return mayRound(text) || /\.\d*0(?!\d)|0\.000000|-0/.test(text);
}

/** The value of JSON text. A number that JavaScript would write in another form, such as 1.50 or 1e3, becomes a string of its own text. */
export function parseAsWritten(text: string): unknown {
  return JSON.parse(quoteNumbers(text, (number) => String(Number(number)) !== number));
}

/**
 * The value of JSON text that is to be written as JSON again. A number that JavaScript would change stands for its own text, which
 * JSON.stringify gives back.
 */
export function parseKeepingNumbers(text: string): unknown {
  if (!mayRound(text)) return JSON.parse(text);
  const { rawJSON } = newerJson;
  if (!rawJSON) return parseExact(text);
  return newerJson.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && !isExact(source) ? rawJSON(source) : value,
  );
}

/** What stands for the text of a number, where JSON is written; the text itself where this Node knows of no such thing. */
export function numberOf(text: string): unknown {
  return newerJson.rawJSON?.(text) ?? text;
}

/** Whether a value of `parseKeepingNumbers` is a number that stands for its own text. */
export function isKeptNumber(value: unknown): boolean {
  return newerJson.isRawJSON?.(value) ?? false;
}

/** What Node has since version 21; before that, such numbers become strings. */
const newerJson = JSON as unknown as {
  parse(
    text: string,
    revive: (name: string, value: unknown, context: { source: string }) => unknown,
  ): unknown;
  rawJSON?: (text: string) => unknown;
  isRawJSON?: (value: unknown) => boolean;
};

function quoteNumbers(text: string, isQuoted: (number: string) => boolean): string {
  let exact = '';
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(text, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const end = scalarEnd(text, at);
      const number = text.slice(at, end);
      // What is no number is for the parser to refuse.
      if (numberPattern.test(number) && isQuoted(number)) {
        exact += `${text.slice(copied, at)}"${number}"`;
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  return exact + text.slice(copied);
}

const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Whether JavaScript writes a JSON number as the same number, if perhaps in another form. */
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
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  const dropped = digits.length - significant.length;
  return `${sign}${significant}e${Number(exponent) - fraction.length + dropped}`;
}

/** Behind the string whose opening quote is at `start`; the end of the text where it is not closed. */
export function stringEnd(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  for (; at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}

/** Behind the number, true, false or null that begins at `start`. */
export function scalarEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !',]} \t\r\n'.includes(text[at] as string)) at += 1;
  return at;
}
