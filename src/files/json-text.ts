/** JSON text as it is stored, looked at without changing what it says. All of it has been checked to be JSON when it came in. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The members of an object in order, values as the text they are. A name that comes twice is there twice; JSON.parse keeps the last. */
export function jsonMembers(text: string): [name: string, value: string][] {
  const members: [string, string][] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(text, at);
    const key = text.slice(at + 1, keyEnd - 1);
    const name = key.includes('\\') ? (JSON.parse(`"${key}"`) as string) : key;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    members.push([name, text.slice(start, end)]);
    at = skipSpace(text, skipSpace(text, end) + 1);
  }
  return members;
}

/**
 * The value of JSON text. A number that JavaScript would change (more than 15 digits that do not come back, or too large) becomes a
 * string of its own text.
 */
export function parseExact(text: string): unknown {
  return JSON.parse(/\d{16}|\d[eE]/.test(text) ? quoteInexactNumbers(text) : text);
}

/**
 * The value of JSON text that is to be written as JSON again. A number that JavaScript would change stands for its own text, which
 * JSON.stringify gives back.
 */
export function parseKeepingNumbers(text: string): unknown {
  const { rawJSON } = newerJson;
  if (!rawJSON || !/\d{16}|\d[eE]/.test(text)) return JSON.parse(text);
  return newerJson.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && !isExact(source) ? rawJSON(source) : value,
  );
}

/** What Node has since version 21; before that, numbers are rounded. */
const newerJson = JSON as unknown as {
  parse(
    text: string,
    revive: (name: string, value: unknown, context: { source: string }) => unknown,
  ): unknown;
  rawJSON?: (text: string) => unknown;
};

function quoteInexactNumbers(text: string): string {
  let exact = '';
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const end = scalarEnd(text, at);
      const number = text.slice(at, end);
      if (!isExact(number)) {
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

function isExact(number: string): boolean {
  const value = Number(number);
  if (!Number.isFinite(value)) return false;
  if (String(value) === number) return true;
  const digits = number
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  // 15 significant digits always survive a double, unless it is too small to have them.
  return digits.length <= 15 && (digits === '' || Math.abs(value) >= 2.3e-308);
}

/** The same JSON without a line break, which can only stand between its tokens: for formats that have a record per line. */
export function oneLine(json: string): string {
  return json.includes('\n') || json.includes('\r') ? json.replace(/[\r\n]/g, ' ') : json;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); ) {
    at += 1;
    code = text.charCodeAt(at);
  }
  return at;
}

/** Behind the string whose opening quote is at `start`. */
function stringEnd(text: string, start: number): number {
  let at = text.indexOf('"', start + 1);
  for (; at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}

function scalarEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && !',]} \t\r\n'.includes(text[at] as string)) at += 1;
  return at;
}

function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return stringEnd(text, start);
  if (first !== 0x7b && first !== 0x5b) return scalarEnd(text, start);
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
      continue;
    }
    if (code === 0x7b || code === 0x5b) depth += 1;
    if (code === 0x7d || code === 0x5d) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return text.length;
}
