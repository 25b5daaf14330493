/** One request and its answer, as every route sees them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import type { Dialect } from './dialect.ts';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  requestId: string;
  dialect: Dialect;
  /** Answers in the provider's shape: an ApiError as it is, a bug of the sandbox as a 500. */
  refuse(error: unknown): void;
}

export function unknownUrl({ request, path }: Exchange): ApiError {
  return new ApiError(`Unknown request URL: ${request.method} ${path}.`, {
    status: 404,
    code: 'unknown_url',
  });
}

/** A request's path as it stands, and its query. */
export function readUrl(url: string): { path: string; query: URLSearchParams } {
  const at = url.indexOf('?');
  if (at < 0) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}
