/** The failure of a live call, as a failure of its request. */
import { CallFailure } from '../../core/errors.ts';
import { RouteError } from './route-error.ts';

/** A RouteError for a CallFailure; any other error as it is. */
export function presentCall(error: unknown): unknown {
  if (!(error instanceof CallFailure)) return error;
  const { message, retryAfterMs, param } = error;
  const [status, code, more] = shapeOf(error.code);
  const seconds = retryAfterMs === null ? {} : { retryAfterSeconds: retryAfterMs / 1_000 };
  const details = { ...(param === null ? {} : { param }), ...seconds, ...more };
  return new RouteError(status, code, message, { details, cause: error });
}

/** `helpsAgain` false: to send the request again would come to the same. */
function shapeOf(
  code: CallFailure['code'],
): [status: number, code: RouteError['code'], more?: Record<string, unknown>] {
  switch (code) {
    case 'UNKNOWN_MODEL':
      return [404, 'NOT_FOUND', { code: 'model_not_found', param: 'model' }];
    case 'RATE_LIMITED':
      return [429, 'RATE_LIMITED'];
    case 'QUOTA_EXHAUSTED':
      return [429, 'QUOTA_EXHAUSTED'];
    case 'INVALID_KEY':
      return [503, 'PROVIDER_UNAVAILABLE', { helpsAgain: false }];
    case 'PROVIDER_ERROR':
      return [503, 'PROVIDER_UNAVAILABLE'];
    case 'TIMEOUT':
      return [504, 'TIMEOUT'];
    case 'CONTEXT_TOO_LONG':
      return [400, 'BAD_USER_INPUT', { code: 'context_length_exceeded' }];
    case 'CONTENT_FILTERED':
      return [400, 'BAD_USER_INPUT', { code: 'content_filter' }];
    default:
      return [400, 'BAD_USER_INPUT'];
  }
}
