/** Up to 16 pairs of strings that a client hangs on a batch. */

import { isObject } from '../../rules/json-schema.ts';
import { ApiError } from '../api-error.ts';

const MAX_PAIRS = 16;
const MAX_KEY = 64;
const MAX_VALUE = 512;

/** Throws the 400 where they are none, or too many, or too long. */
export function readMetadata(stated: unknown): Record<string, string> | null {
  if (stated === undefined || stated === null) return null;
  if (!isObject(stated)) throw invalid('metadata', 'expected an object', 'invalid_type');
  const pairs = Object.entries(stated);
  if (pairs.length > MAX_PAIRS)
    throw invalid(
      'metadata',
      `too many properties. Expected an object with at most ${MAX_PAIRS} properties, but got an object with ${pairs.length} properties instead`,
      'object_above_max_properties',
    );
  for (const [key, value] of pairs) {
    if (key.length > MAX_KEY) throw tooLong('metadata', key, MAX_KEY);
    if (typeof value !== 'string')
      throw invalid(`metadata.${key}`, 'expected a string', 'invalid_type');
    if (value.length > MAX_VALUE) throw tooLong(`metadata.${key}`, value, MAX_VALUE);
  }
  return stated as Record<string, string>;
}

function tooLong(param: string, { length }: string, most: number): ApiError {
  return invalid(
    param,
    `string too long. Expected a string with maximum length ${most}, but got a string with length ${length} instead`,
    'string_above_max_length',
  );
}

function invalid(param: string, why: string, code: string): ApiError {
  return new ApiError(`Invalid '${param}': ${why}.`, { param, code });
}
