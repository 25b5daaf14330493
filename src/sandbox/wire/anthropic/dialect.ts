/** Anthropic's headers and errors. Source: https://platform.claude.com/docs/en/api/errors. */
import { ApiError } from '../api-error.ts';
import type { Dialect } from '../dialect.ts';

const types = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [500, 'api_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
]);
/** Types of OpenAI's errors, which parts that serve both providers use. */
const foreign = new Set(['invalid_request_error', 'requests', 'tokens', 'server_error']);

function errorType(status: number): string {
  return types.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error');
}

export const anthropicDialect: Dialect = {
  requestIdHeader: 'request-id',
  headers: {},
  authorize({ headers }, apiKey) {
    if (headers['anthropic-version'] === undefined)
      throw new ApiError('anthropic-version: header is required');
    if (apiKey === undefined || headers['x-api-key'] === apiKey) return;
    const message =
      headers['x-api-key'] === undefined ? 'x-api-key header is required' : 'invalid x-api-key';
    throw new ApiError(message, { status: 401 });
  },
  errorType,
  errorBody: (status, { message, type }, requestId) => ({
    type: 'error',
    error: { type: foreign.has(type) ? errorType(status) : type, message },
    request_id: requestId,
  }),
  errorEvent: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
  rateLimitHeaders: {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '0',
  },
};
