/**
 * Differences between providers in every answer: the place of the key, the request's id, the shape
 * of an error.
 */
import type { IncomingMessage } from 'node:http';
import { ApiError, type ErrorBody } from './api-error.ts';

export type ErrorDetails = ErrorBody['error'];

export interface Dialect {
  /** The header of an answer that carries the request's id. */
  requestIdHeader: string;
  /** Headers of every answer but those of faults. */
  headers: Record<string, string>;
  /** Throws the 400 or 401 of a request without the headers that are demanded. */
  authorize(request: IncomingMessage, apiKey: string | undefined): void;
  /** The type that an error of this status has. */
  errorType(status: number): string;
  errorBody(status: number, error: ErrorDetails, requestId: string): object;
  /** An error in the middle of a stream, as text. */
  errorEvent(body: object): string;
  /** Headers of a 429 about the limits, beside Retry-After. */
  rateLimitHeaders: Record<string, string>;
}

export const openAiDialect: Dialect = {
  requestIdHeader: 'x-request-id',
  headers: { 'openai-version': '2020-10-01' },
  authorize(request, apiKey) {
    if (apiKey === undefined) return;
    const given = request.headers.authorization;
    if (given === `Bearer ${apiKey}`) return;
    if (given === undefined) {
      throw new ApiError(
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        { status: 401 },
      );
    }
    throw new ApiError('Incorrect API key provided.', { status: 401, code: 'invalid_api_key' });
  },
  errorType(status) {
    if (status >= 500) return 'server_error';
    return status === 429 ? 'requests' : 'invalid_request_error';
  },
  errorBody: (_status, error) => ({ error }),
  errorEvent: (body) => `data: ${JSON.stringify(body)}\n\n`,
  rateLimitHeaders: {
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': '1s',
  },
};
