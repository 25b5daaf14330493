/** Writes the failures of a provider to the wire. */
import type { ServerResponse } from 'node:http';
import type { RowOutcome } from '../wire/batch/row.ts';
import type { Dialect, ErrorDetails } from '../wire/dialect.ts';
import type { Exchange } from '../wire/exchange.ts';
import { readJson } from '../wire/incoming.ts';
import { json, type Reply, send, sendPieces } from '../wire/reply.ts';
import type { RateLimitedFault, StatusFault, TransportFault } from './faults.ts';

/** Fails by a fault. `good` makes the answer that a fault breaks off in the middle. */
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
      const isLate = fault.kind === 'status' && fault.at === 'body';
      if (isLate) {
        half(response, good(), () =>
          response.end(dialect.errorEvent(dialect.errorBody(status, error, requestId))),
        );
        return;
      }
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

/** Headers and the first half of the body, which promise all of it. */
function half(response: ServerResponse, { status, headers, body }: Reply, then?: () => void): void {
  if (typeof body === 'object' && 'pieces' in body) {
    response.writeHead(status, headers);
    const pieces = body.pieces.slice(0, Math.ceil(body.pieces.length / 2));
    sendPieces(response, { pieces }, () => then?.());
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.concat(body);
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => then?.());
}

/** The status and the error that a fault stands for. */
function faultError(
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

/** The outcome of a row of a batch whose request has a fault. */
export function rowOutcome(fault: TransportFault, dialect: Dialect): RowOutcome {
  switch (fault.kind) {
    case 'rate_limited':
    case 'status':
      return { kind: 'refused', ...faultError(fault, dialect) };
    case 'stall':
    case 'drop':
      return { kind: 'timeout' };
    case 'raw': {
      const { body: text = '', status = 200 } = fault;
      const { body, malformed } = readJson(text);
      return { kind: 'raw', status, body: malformed ? text : body };
    }
    default: {
      const never: never = fault;
      throw new TypeError(String(never));
    }
  }
}
