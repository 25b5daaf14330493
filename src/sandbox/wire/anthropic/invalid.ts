/**
 * What Anthropic says of a request body that is wrong: the path, a colon, what it should have been.
 */
import { ApiError } from '../api-error.ts';

export function invalid(path: string, why: string): ApiError {
  return new ApiError(`${path}: ${why}`);
}

export const REQUIRED = 'Field required';
export const OBJECT = 'Input should be an object';
export const LIST = 'Input should be a valid list';
export const STRING = 'Input should be a valid string';
