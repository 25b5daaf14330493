/** Numbers of an answer as they were written, where JavaScript would write others. */
import { ItemFailure } from '../core/errors.ts';
import { isExact, numberOf } from '../core/exact-json.ts';
import { isRecord, type JsonRecord } from '../core/json.ts';
import { ownValue } from './answer.ts';
import { type FoundJson, readJson } from './answer-json.ts';
import type { Place } from './json-schema/place.ts';

/** Any JSON object that an answer holds. Throws InvalidOutput. */
export function readJsonObject(answer: string): JsonRecord {
  return readJson(answer, ({ value, exact }) => withExactNumbers(value, exact));
}

/**
 * The value with the numbers of `exact` that JavaScript would change standing for their own text.
 * Throws ItemFailure where the schema, whose root is `place`, wants an integer: most readers of
 * JSON would change it, and asking again would bring the same.
 */
export function withExactNumbers(
  value: JsonRecord,
  exact: FoundJson['exact'],
  place: Place | null = null,
): JsonRecord {
  return exact === null ? value : (restore(value, exact, { place, path: [] }) as JsonRecord);
}

function restore(
  value: unknown,
  exact: unknown,
  { place, path }: { place: Place | null; path: readonly (string | number)[] },
): unknown {
  if (typeof value === 'number' && typeof exact === 'string') {
    if (isExact(exact)) return value;
    if (place?.types.has('integer') && !place.types.has('number')) throw tooLong(path);
    return numberOf(exact);
  }
  if (Array.isArray(value) && Array.isArray(exact)) {
    return value.map((child, at) =>
      restore(child, exact[at], { place: place?.entry(at) ?? null, path: [...path, at] }),
    );
  }
  if (!isRecord(value) || !isRecord(exact)) return value;
  const entries = Object.entries(value).map(([name, child]) => {
    const next = { place: place?.member(name) ?? null, path: [...path, name] };
    return [name, restore(child, ownValue(exact, name), next)] as const;
  });
  return Object.fromEntries(entries);
}

function tooLong(path: readonly (string | number)[]): ItemFailure {
  return new ItemFailure(
    'INVALID_OUTPUT',
    `The model's answer is not valid: ${path.join('/')} is a whole number beyond 2^53, which JSON readers round; write it as a string: give the field the type string`,
  );
}
