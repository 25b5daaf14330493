/** The form of the keys that Winnow makes: `wnw_`, 8 public and 32 secret characters. */
import { createHash, randomInt } from 'node:crypto';

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const publicLength = 8;
const secretLength = 32;
const form = /^wnw_([0-9A-Za-z]{8})[0-9A-Za-z]{32}$/;

/** A new key with its public part, by which it is named. */
export function newApiKey(): { id: string; key: string } {
  const id = randomLetters(publicLength);
  return { id, key: `wnw_${id}${randomLetters(secretLength)}` };
}

/** The public part of a key; null for what no table of keys can hold. */
export function publicPartOf(key: string): string | null {
  return form.exec(key)?.[1] ?? null;
}

/** The stored form of a key: the SHA-256 of all of it, in hexadecimal digits. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

function randomLetters(length: number): string {
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join('');
}
