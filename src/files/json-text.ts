/** JSON text as it is stored, which has been checked to be JSON: looked at, never changed. */
import { scalarEnd, stringEnd } from '../core/exact-json.ts';

const quoteCode = 0x22;

/** The members of an object in order, as texts, with names that come twice. */
export function jsonMembers(text: string): [name: string, value: string][] {
  const members: [string, string][] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text.charCodeAt(at) === quoteCode) {
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

/** The same JSON without line breaks, which only stand between tokens: a record is a line. */
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

function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === quoteCode) return stringEnd(text, start);
  if (first !== 0x7b && first !== 0x5b) return scalarEnd(text, start);
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === quoteCode) {
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
