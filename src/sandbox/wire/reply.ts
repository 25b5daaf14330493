/** Writes answers, good and bad, to the wire. */
import type { ServerResponse } from 'node:http';
import { ApiError } from './api-error.ts';
import type { Dialect } from './dialect.ts';
import type { Exchange } from './exchange.ts';

export interface Reply {
  status: number;
  headers: Record<string, string>;
  /** The pieces of a file are sent as they lie in memory, those of a stream one by one. */
  body: string | readonly Buffer[] | Pieces;
}

/** The pieces of a stream, as text. */
export interface Pieces {
  pieces: readonly string[];
}

export function send(response: ServerResponse, { status, headers, body }: Reply): void {
  if (typeof body === 'string') {
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
    response.end(body);
    return;
  }
  if ('pieces' in body) {
    response.writeHead(status, headers);
    sendPieces(response, body, () => response.end());
    return;
  }
  const length = body.reduce((sum, piece) => sum + piece.length, 0);
  response.writeHead(status, { ...headers, 'content-length': length });
  for (const piece of body) response.write(piece);
  response.end();
}

/** Each in a turn of its own, so that a client that reads has one before the next. */
export function sendPieces(response: ServerResponse, { pieces }: Pieces, then: () => void): void {
  let at = 0;
  const next = (): void => {
    if (response.destroyed) return;
    const piece = pieces[at];
    at += 1;
    if (piece === undefined) then();
    else response.write(piece, () => setImmediate(next));
  };
  next();
}

/** A 200 with events. */
export function stream(pieces: readonly string[], headers: Record<string, string>): Reply {
  const type = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' };
  return { status: 200, headers: { ...type, ...headers }, body: { pieces } };
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(value),
  };
}

/** A 200 with JSON. */
export function ok({ dialect, requestId }: Exchange, value: object): Reply {
  return json(200, value, { [dialect.requestIdHeader]: requestId, ...dialect.headers });
}

/** A 200 with a file. */
export function file(
  { dialect, requestId }: Exchange,
  contentType: string,
  content: readonly Buffer[],
): Reply {
  const headers = { [dialect.requestIdHeader]: requestId, ...dialect.headers };
  return { status: 200, headers: { 'content-type': contentType, ...headers }, body: content };
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
