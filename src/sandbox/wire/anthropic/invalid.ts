/** The words of Anthropic for a wrong request body: the path, a colon, the right value. */
import { ApiError } from '../api-error.ts';

export function invalid(path: string, why: string): ApiError {
  return new ApiError(`${path}: ${why}`);
}

export const fieldRequired = 'Field required';
export const wantsObject = 'Input should be an object';
export const wantsList = 'Input should be a valid list';
export const wantsString = 'Input should be a valid string';
