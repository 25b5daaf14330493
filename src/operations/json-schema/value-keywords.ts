/**
 * The keywords of JSON Schema about a value itself: its type, the values allowed, and the limits of
 * text and numbers.
 */
import { isRecord } from '../../core/json.ts';
import { createMembership } from './equality.ts';
import { createFormatCheck, formatWords } from './formats.ts';
import { type Check, fail, listed, mustBe } from './run.ts';

/** Makes the check of one keyword from its value in a schema. */
export type Keyword = (given: unknown) => Check | null;

/** A value that breaks one of these is not looked at any further. */
export const identityKeywords: Record<string, Keyword> = {
  enum(values) {
    if (!Array.isArray(values)) return null;
    const isOne = createMembership(values);
    const allowed = values.map((value) => JSON.stringify(value));
    const message = mustBe(allowed);
    return (value, run) => isOne(value) || fail(run, 'enum', message, allowed);
  },
  const(wanted) {
    const isIt = createMembership([wanted]);
    const allowed = [JSON.stringify(wanted)];
    return (value, run) => isIt(value) || fail(run, 'const', mustBe(allowed), allowed);
  },
  type(given) {
    const types = [given].flat().map(String);
    const message = `must be ${listed(types)}`;
    return (value, run) =>
      types.some((type) => isOfType(value, type)) || fail(run, 'type', message, types);
  },
};

export const valueKeywords: Record<string, Keyword> = {
  minimum: limit('minimum', '>=', (value, bound) => value >= bound),
  maximum: limit('maximum', '<=', (value, bound) => value <= bound),
  exclusiveMinimum: limit('exclusiveMinimum', '>', (value, bound) => value > bound),
  exclusiveMaximum: limit('exclusiveMaximum', '<', (value, bound) => value < bound),
  multipleOf: limit('multipleOf', 'multiple of', isMultipleOf),
  minLength: (given) => (value, run) =>
    typeof value !== 'string' ||
    hasAtLeast(value, Number(given)) ||
    fail(run, 'minLength', `must NOT have fewer than ${given} characters`),
  maxLength: (given) => (value, run) =>
    typeof value !== 'string' ||
    !hasAtLeast(value, Number(given) + 1) ||
    fail(run, 'maxLength', `must NOT have more than ${given} characters`),
  pattern(given) {
    const pattern = new RegExp(String(given), 'u');
    const message = `must match pattern ${JSON.stringify(given)}`;
    return (value, run) =>
      typeof value !== 'string' || pattern.test(value) || fail(run, 'pattern', message);
  },
  format(given) {
    const name = String(given);
    const hasFormat = createFormatCheck(name);
    return (
      hasFormat && ((value, run) => hasFormat(value) || fail(run, 'format', formatWords(name)))
    );
  },
};

function limit(
  keyword: string,
  words: string,
  holds: (value: number, bound: number) => boolean,
): Keyword {
  return (given) => (value, run) =>
    typeof value !== 'number' ||
    holds(value, Number(given)) ||
    fail(run, keyword, `must be ${words} ${given}`);
}

/**
 * Multiples of a step such as 0.01 are not exact in binary. They may differ by the error of the two
 * numbers and their quotient. Whole numbers must be exact.
 */
function isMultipleOf(value: number, step: number): boolean {
  if (value % step === 0) return true;
  if (Number.isInteger(value) && Number.isInteger(step)) return false;
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) <= Math.abs(quotient) * Number.EPSILON;
}

/** Characters are counted as people do, not in halves of surrogate pairs. */
function hasAtLeast(text: string, characters: number): boolean {
  if (text.length < characters) return false;
  if (text.length >= 2 * characters) return true;
  let count = 0;
  for (const _ of text) count += 1;
  return count >= characters;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isRecord(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
