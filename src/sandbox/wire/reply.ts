/** Writes answers, good and bad, to the wire. */
import type { ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import type { Dialect, ErrorDetails } from './dialect.ts';
import type { Exchange } from './exchange.ts';
import type { RateLimitedFault, StatusFault, TransportFault } from './faults.ts';

export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** The pieces of a file are sent as they lie in memory. */
  body: string | readonly Buffer[];
}

export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  if (typeof body === 'string') {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
    return;
  }
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(status, { ...headers, 'content-length': length });
  for (const piece of body) response.write(piece);
  response.end();
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  };
}

/**
 * Fails as told. `good` is the answer that would have been given, for faults in the middle of one.
 */
export function fail(
  { response, requestId, dialect }: Exchange,
  fault: TransportFault,
  good: () => Reply,
): void {
  const id = { [dialect.requestIdHeader]: requestId };
  switch (fault.kind) {
    case 'stall':
      if (fault.at === 'body') half(response, good());
      return;
    case 'drop':
      if (fault.at === 'body') half(response, good(), () => response.socket?.resetAndDestroy());
      else response.socket?.resetAndDestroy();
      return;
    case 'rate_limited':
    case 'status': {
      const { status, error } = faultError(fault, dialect);
      const headers =
        fault.kind === 'status'
          ? (fault.headers ?? {})
          : { ...dialect.rateLimitHeaders, ...retryHeaders(fault) };
      send(
        response,
        json(status, dialect.errorBody(status, error, requestId), { ...id, ...headers }),
      );
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
      send(response, { status, headers: { ...type, ...id, ...headers }, body });
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
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.concat(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => then?.());
}

/** The status and the error that a fault stands for. */
export function faultError(
  fault: RateLimitedFault | StatusFault,
  dialect: Dialect,
): { status: number; error: ErrorDetails } {
  if (fault.kind === 'rate_limited') {
    const message = 'Rate limit reached for rules on requests per min. Please try again later.';
    const type = dialect.errorType(429);
    return { status: 429, error: { message, type, param: null, code: 'rate_limit_exceeded' } };
  }
  const { status, message = `The sandbox was told to answer ${status}.` } = fault;
  const { type = dialect.errorType(status), param = null, code = null } = fault;
  return { status, error: { message, type, param, code } };
}

function retryHeaders({ retryAfter = 1, retryAfterMs, headers = {} }: RateLimitedFault) {
  const after = retryAfter instanceof Date ? retryAfter.toUTCString() : retryAfter;
  return {
    ...(after === null ? {} : { 'retry-after': String(after) }),
    ...(retryAfterMs === undefined ? {} : { 'retry-after-ms': String(retryAfterMs) }),
    ...headers,
  };
}

/** The provider's shape for an ApiError; anything else is a bug of ours, and a 500. */
export function errorReply(error: unknown, requestId: string, dialect: Dialect): Reply {
  const id = { [dialect.requestIdHeader]: requestId };
  if (error instanceof ApiError) {
    const body = dialect.errorBody(error.status, error.body.error, requestId);
    return json(error.status, body, { ...id, ...error.headers });
  }
  const message = 'The server had an error while processing your request.';
  const details = { message, type: dialect.errorType(500), param: null, code: null };
  return json(500, dialect.errorBody(500, details, requestId), id);
}
