/** Size of a JSON text, estimated from its bytes before the text is parsed. */
import { randomInt } from 'node:crypto';
import { stringEnd } from '../../core/exact-json.ts';
import { maxNumberLength, numberTooLong } from '../../core/json.ts';

/** A body of 16 MB can be 8 million values, which take seconds and gigabytes to make. */
export const maxValues = 500_000;
/**
 * Different names of members. Each new name takes V8 twenty times what a known one takes, and
 * 900,000 of them take a second.
 */
export const maxNames = 50_000;
/** A name, its quotes, a colon, a value and a comma: shorter texts hold too few names to count. */
const minBytesToCountNames = 5 * maxNames;

export interface JsonBounds {
  values?: number;
  depth?: number;
  /** Characters of all numbers together. */
  numerals?: number;
}

const quote = 0x22;

/**
 * Why a JSON text is too large to be parsed: more values or levels than the bounds, more than
 * 50,000 different names, or a number of more than 1,000 characters. Null for others.
 */
export function jsonSizeProblem(bytes: Uint8Array, bounds: JsonBounds = {}): string | null {
  const {
    values: maxOfValues = maxValues,
    depth: maxDepth = Number.POSITIVE_INFINITY,
    numerals: maxNumerals = Number.POSITIVE_INFINITY,
  } = bounds;
  const names = bytes.length < minBytesToCountNames ? null : new Set<number>();
  let values = 0;
  let depth = 0;
  let numerals = 0;
  /** Start of the last string. */
  let start = 0;
  let end = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    switch (byte) {
      case quote:
        start = at;
        end = stringEnd(bytes, at);
        at = end - 1;
        break;
      case 0x3a: // :
        names?.add(hashOf(bytes, start, end));
        break;
      case 0x5b: // [
      case 0x7b: // {
        values += 1;
        depth += 1;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
        break;
      default:
        if (isFirstOfNumber[byte] === 1) {
          const begin = at;
          while (isNumeral[bytes[at + 1] as number] === 1) at += 1;
          const length = at + 1 - begin;
          if (length > maxNumberLength) return numberTooLong;
          numerals += length;
        }
    }
    if (values > maxOfValues) return `must hold at most ${told(maxOfValues)} values`;
    if (depth > maxDepth) return `must be nested at most ${maxDepth} levels deep`;
    if (names && names.size > maxNames) {
      return `must hold at most ${told(maxNames)} different names`;
    }
    if (numerals > maxNumerals) {
      return `must have at most ${told(maxNumerals)} characters of numbers`;
    }
  }
  return null;
}

const told = (count: number) => count.toLocaleString('en');

const tableOf = (characters: string) =>
  Uint8Array.from({ length: 256 }, (_, code) =>
    Number(characters.includes(String.fromCharCode(code))),
  );
const isFirstOfNumber = tableOf('-0123456789');
const isNumeral = tableOf('-0123456789+.eE');

/** Odd, and known to nobody: names that count as one cannot be made up. */
const factor = randomInt(2 ** 31) * 2 + 1;

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash, factor) + (bytes[at] as number);
  return hash | 0;
}
