/** Writes answers, good and bad, to the wire. */
import type { ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import type { RateLimitedFault, TransportFault } from './faults.ts';

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  };
}

/** Fails as told. `good` is the answer that would have been given, for faults in the middle of one. */
export function fail(
  response: ServerResponse,
  fault: TransportFault,
  requestId: string,
  good: () => Reply,
): void {
  switch (fault.kind) {
    case 'stall':
      if (fault.at === 'body') half(response, good());
      return;
    case 'drop':
      if (fault.at === 'body') half(response, good(), () => response.socket?.resetAndDestroy());
      else response.socket?.resetAndDestroy();
      return;
    case 'rate_limited':
      send(response, rateLimited(fault, requestId));
      return;
    case 'status': {
      const {
        status,
        headers = {},
        message = `The sandbox was told to answer ${status}.`,
        param = null,
      } = fault;
      const error = {
        message,
        type: fault.type ?? typeOf(status),
        param,
        code: fault.code ?? null,
      };
      send(response, json(status, { error }, { 'x-request-id': requestId, ...headers }));
      return;
    }
    case 'raw': {
      const {
        status = 200,
        contentType = 'text/html; charset=utf-8',
        body = '',
        headers = {},
      } = fault;
      const type: Record<string, string> =
        contentType === null ? {} : { 'content-type': contentType };
      send(response, { status, headers: { ...type, 'x-request-id': requestId, ...headers }, body });
      return;
    }
    default: {
      const never: never = fault;
      throw new TypeError(String(never));
    }
  }
}

/** Headers and the first half of the body, under a content-length that promises all of it. */
function half(response: ServerResponse, { status, headers, body }: Reply, then?: () => void): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => then?.());
}

function rateLimited(fault: RateLimitedFault, requestId: string): Reply {
  const { retryAfter = 1, retryAfterMs, headers = {} } = fault;
  const after = retryAfter instanceof Date ? retryAfter.toUTCString() : retryAfter;
  const error = {
    message: 'Rate limit reached for rules on requests per min. Please try again later.',
    type: 'requests',
    param: null,
    code: 'rate_limit_exceeded',
  };
  return json(
    429,
    { error },
    {
      'x-request-id': requestId,
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1s',
      ...(after === null ? {} : { 'retry-after': String(after) }),
      ...(retryAfterMs === undefined ? {} : { 'retry-after-ms': String(retryAfterMs) }),
      ...headers,
    },
  );
}

function typeOf(status: number): string {
  if (status >= 500) return 'server_error';
  return status === 429 ? 'requests' : 'invalid_request_error';
}

/** OpenAI's shape for an ApiError; anything else is a bug of ours, and a 500. */
export function errorReply(error: unknown, requestId: string): Reply {
  if (error instanceof ApiError)
    return json(error.status, error.body, { 'x-request-id': requestId, ...error.headers });
  const message = 'The server had an error while processing your request.';
  return json(
    500,
    { error: { message, type: 'server_error', param: null, code: null } },
    { 'x-request-id': requestId },
  );
}
