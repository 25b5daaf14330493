/** Failures in the words of OpenAI's API: https://platform.openai.com/docs/guides/error-codes */
import { BadUserInput } from '../../core/errors.ts';
import { againAfter, neverAgain } from '../http/retry-headers.ts';
import type { RouteError, WordFailure } from '../http/route-error.ts';

/** `{"error": {message, type, param, code}}`, whose last two are null or a text. */
export const wordOpenAiError: WordFailure = (failure) => {
  const { status, type, code, headers } = shapeOf(failure);
  const { param, code: given } = failure.details;
  const [issue] = failure.cause instanceof BadUserInput ? failure.cause.issues : [];
  const error = {
    message: failure.message,
    type,
    param: textOrNull(param) ?? (issue?.path || null),
    code: textOrNull(given) ?? code,
  };
  return { status, headers: headers ?? {}, body: { error } };
};

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

interface Shape {
  status: number;
  type: string;
  code: string | null;
  headers?: Readonly<Record<string, string>>;
}

const invalid = 'invalid_request_error';
const limited = { status: 429, type: 'requests', code: 'rate_limit_exceeded' };

function shapeOf(failure: RouteError): Shape {
  const { status, code } = failure;
  switch (code) {
    case 'UNAUTHENTICATED':
      return { status, type: invalid, code: 'invalid_api_key' };
    case 'BAD_USER_INPUT':
    case 'BAD_REQUEST':
      return { status, type: invalid, code: 'invalid_value' };
    case 'IDEMPOTENCY_CONFLICT':
      return { status, type: 'idempotency_error', code: null, headers: neverAgain };
    case 'CONFLICT':
      return { status, type: invalid, code: null, headers: neverAgain };
    case 'RATE_LIMITED':
    case 'TOO_MANY_REQUESTS':
      return { ...limited, headers: againAfter(failure, 1) };
    case 'BUDGET_EXCEEDED':
      return {
        status,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        headers: neverAgain,
      };
    case 'LIMIT_EXCEEDED':
      return {
        status: 429,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        headers: neverAgain,
      };
    case 'QUOTA_EXHAUSTED':
      return {
        status: 429,
        type: 'insufficient_quota',
        code: 'insufficient_quota',
        headers: { ...neverAgain, ...againAfter(failure, 60) },
      };
    case 'SHUTTING_DOWN':
      return { status, type: 'server_error', code: null, headers: againAfter(failure, 1) };
    case 'PROVIDER_UNAVAILABLE':
      return {
        status: 503,
        type: 'server_error',
        code: null,
        headers: againAfter(failure, 5),
      };
    case 'DATABASE_UNAVAILABLE':
      return { status: 503, type: 'server_error', code: null, headers: { 'retry-after': '2' } };
    case 'STORAGE_FULL':
      return { status: 507, type: 'server_error', code: null, headers: neverAgain };
    case 'TIMEOUT':
      return { status: 504, type: 'server_error', code: null };
    case 'INTERNAL_SERVER_ERROR':
      return { status: 500, type: 'server_error', code: null };
    default:
      return { status, type: invalid, code: null };
  }
}
