/** Failures in the words of Anthropic's API: https://docs.anthropic.com/en/api/errors */
import { againAfter, neverAgain } from '../http/retry-headers.ts';
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

function shapeOf(failure: RouteError): Shape {
  const { status, code } = failure;
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
        headers: againAfter(failure, 1),
      };
    case 'BUDGET_EXCEEDED':
    case 'LIMIT_EXCEEDED':
      return { status: 402, type: 'billing_error', headers: neverAgain };
    case 'QUOTA_EXHAUSTED':
      return { status: 402, type: 'billing_error' };
    case 'SHUTTING_DOWN':
      return { status: 529, type: 'overloaded_error', headers: againAfter(failure, 1) };
    case 'PROVIDER_UNAVAILABLE':
      return {
        status: 529,
        type: 'overloaded_error',
        headers: againAfter(failure, 5),
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
