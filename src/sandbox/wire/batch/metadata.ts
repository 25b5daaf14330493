/** Up to 16 pairs of strings that a client hangs on a batch. */

import { isObject } from '../../rules/json-schema.ts';
import { ApiError } from '../api-error.ts';

const maxPairs = 16;
const maxKeyLength = 64;
const maxValueLength = 512;

/** Throws the 400 where they are none, or too many, or too long. */
export function readMetadata(stated: unknown): Record<string, string> | null {
  if (stated === undefined || stated === null) return null;
  if (!isObject(stated)) throw invalid('metadata', 'expected an object', 'invalid_type');
  const pairs = Object.entries(stated);
  if (pairs.length > maxPairs)
    throw invalid(
      'metadata',
      `too many properties. Expected an object with at most ${maxPairs} properties, but got an object with ${pairs.length} properties instead`,
      'object_above_max_properties',
    );
  for (const [key, value] of pairs) {
    if (key.length > maxKeyLength) throw tooLong('metadata', key, maxKeyLength);
    if (typeof value !== 'string')
      throw invalid(`metadata.${key}`, 'expected a string', 'invalid_type');
    if (value.length > maxValueLength) throw tooLong(`metadata.${key}`, value, maxValueLength);
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
