/** Failures in the words of Anthropic's API: https://docs.anthropic.com/en/api/errors */
import type { RouteError, WordFailure } from '../http/route-error.ts';

/** `{"type": "error", "error": {type, message}, "request_id"}` */
export const wordAnthropicError: WordFailure = (failure, { requestId }) => {
  const { status, type, headers } = shapeOf(failure);
  const error = { type, message: failure.message };
  return {
    status,
    headers: headers ?? {},
    body: { type: 'error', error, request_id: requestId },
  };
};

interface Shape {
  status: number;
  type: string;
  headers?: Readonly<Record<string, string>>;
}

/** Anthropic's package sends a 409 and a 5xx again where nothing says that this does not help. */
const neverAgain = { 'x-should-retry': 'false' };

function shapeOf({ status, code, details }: RouteError): Shape {
  switch (code) {
    case 'UNAUTHENTICATED':
      return { status, type: 'authentication_error' };
    case 'FORBIDDEN':
      return { status, type: 'permission_error' };
    case 'NOT_FOUND':
      return { status, type: 'not_found_error' };
    case 'CONFLICT':
    case 'IDEMPOTENCY_CONFLICT':
      return { status, type: 'invalid_request_error', headers: neverAgain };
    case 'PAYLOAD_TOO_LARGE':
      return { status, type: 'request_too_large' };
    case 'RATE_LIMITED':
    case 'TOO_MANY_REQUESTS':
      return {
        status: 429,
        type: 'rate_limit_error',
        headers: { 'retry-after': secondsOf(details, 1) },
      };
    case 'QUOTA_EXHAUSTED':
      return { status: 402, type: 'billing_error' };
    case 'PROVIDER_UNAVAILABLE':
      return {
        status: 529,
        type: 'overloaded_error',
        headers:
          details.helpsAgain === false ? neverAgain : { 'retry-after': secondsOf(details, 5) },
      };
    case 'DATABASE_UNAVAILABLE':
      return { status: 529, type: 'overloaded_error', headers: { 'retry-after': '2' } };
    case 'STORAGE_FULL':
      return { status: 507, type: 'api_error', headers: neverAgain };
    case 'TIMEOUT':
      return { status: 504, type: 'timeout_error' };
    case 'INTERNAL_SERVER_ERROR':
      return { status: 500, type: 'api_error' };
    default:
      return { status, type: 'invalid_request_error' };
  }
}

function secondsOf({ retryAfterSeconds }: RouteError['details'], usual: number): string {
  return String(typeof retryAfterSeconds === 'number' ? Math.ceil(retryAfterSeconds) : usual);
}
