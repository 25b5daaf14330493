import type { ServerResponse } from 'node:http';
import { AppError, type AppErrorCode, retryAfterSeconds, statusOf } from '../../core/errors.ts';
import { type Asking, type Log, somethingFailed } from '../../core/log.ts';
import { databaseFailure, databaseFailureCode } from '../../db/driver/failure.ts';

/** An expected failure of a plain HTTP route, with the same codes as GraphQL. */
export class RouteError extends Error {
  override readonly name = 'RouteError';
  readonly status: number;
  readonly code:
    | AppErrorCode
    | 'METHOD_NOT_ALLOWED'
    | 'BAD_REQUEST'
    | 'LENGTH_REQUIRED'
    | 'REQUEST_TIMEOUT'
    | 'UNSUPPORTED_MEDIA_TYPE';
  /** What else the caller is told, beside code and message. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: RouteError['code'],
    message: string,
    { details = {}, cause }: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** A RouteError 400 for what a client sent. */
export function badInput(message: string): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message);
}

/**
 * Answers {"error": {"code", "message"}}; a response that has begun can only be cut off, so that
 * nobody takes it for whole.
 */
export function sendRouteError(
  response: ServerResponse,
  error: unknown,
  { asking, log }: { asking: Asking; log: Log },
): void {
  if (response.destroyed || response.socket?.destroyed || error instanceof ClientGone) {
    log.debug(asking, 'a client left before its answer was whole');
    response.destroy();
    return;
  }
  if (response.headersSent) {
    if (databaseFailure(error)) tellOfDatabase(error, { asking, log });
    else log.warn({ err: error, ...asking }, 'a response was cut off');
    response.destroy();
    return;
  }
  const known = expected(error, { asking, log });
  if (!known) log.error({ err: error, ...asking }, 'a route failed in an unforeseen way');
  const body = known
    ? { code: known.code, message: known.message, ...known.details }
    : { code: 'INTERNAL_SERVER_ERROR', message: somethingFailed(asking) };
  const seconds = known && retryAfterSeconds(known.code);
  response
    .writeHead(known ? known.status : 500, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(known?.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...(seconds ? { 'retry-after': String(seconds) } : {}),
    })
    .end(`${JSON.stringify({ error: body })}\n`);
}

/** What may be told of a failure; null for one that nobody foresaw. */
function expected(error: unknown, told: { asking: Asking; log: Log }): RouteError | null {
  if (error instanceof RouteError) return error;
  const failure = error instanceof AppError ? error : databaseFailure(error);
  if (!failure) return null;
  if (failure !== error) tellOfDatabase(error, told);
  return new RouteError(statusOf(failure.code), failure.code, failure.message, { cause: error });
}

function tellOfDatabase(error: unknown, { asking, log }: { asking: Asking; log: Log }): void {
  log.warn({ ...asking, reason: databaseFailureCode(error) }, 'the database failed a request');
}

/** The client of a route does not read on. The client may do so: it is not a failure. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}
