import type { ServerResponse } from 'node:http';
import {
  AppError,
  type AppErrorCode,
  detailsOf,
  retryAfterSeconds,
  statusOf,
} from '../../core/errors.ts';
import { type Asking, type Log, somethingFailed } from '../../core/log.ts';
import { databaseFailedRequest, databaseFailure } from '../../db/driver/failure.ts';
import type { Telling } from '../../telemetry/events.ts';

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
    | 'UNSUPPORTED_MEDIA_TYPE'
    | 'QUOTA_EXHAUSTED'
    | 'TIMEOUT'
    | 'SHUTTING_DOWN'
    | 'INTERNAL_SERVER_ERROR';
  /** Further details for the caller, beside code and message. */
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

/** An expected failure as a route tells it. */
export function routeErrorOf(failure: AppError, { cause }: { cause: unknown }): RouteError {
  const details = detailsOf(failure);
  return new RouteError(statusOf(failure.code), failure.code, failure.message, { details, cause });
}

/** A RouteError 400 for what a client sent. */
export function badInput(message: string): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message);
}

/** The answer to a request that failed: a body of JSON and headers beside the usual ones. */
export type WordFailure = (
  failure: RouteError,
  asking: Asking,
) => { status: number; headers: Readonly<Record<string, string>>; body: object };

/** {"error": {"code", "message", "requestId"}} */
const asRoute: WordFailure = ({ status, code, message, details }, { requestId }) => ({
  status,
  headers: challengeOf(status),
  body: { error: { code, message, requestId, ...details } },
});

/**
 * Answers with the failure. A response that has begun can only be cut off, so that nobody takes it
 * for whole, but for events: the last one tells of the failure.
 */
export function sendRouteError(
  response: ServerResponse,
  error: unknown,
  {
    asking,
    log,
    events,
    word = asRoute,
    wordLate,
  }: {
    asking: Asking;
    log: Log;
    events?: Pick<Telling, 'emit'>;
    word?: WordFailure;
    wordLate?: (body: object) => string;
  },
): void {
  if (response.destroyed || response.socket?.destroyed || error instanceof ClientGone) {
    log.debug(asking, 'a client left before its answer was whole');
    response.destroy();
    return;
  }
  if (response.headersSent && wordLate && isEventStream(response)) {
    const failure = failureOf(error, { asking, log });
    log.warn({ ...asking, reason: failure.message }, 'a stream was broken off');
    response.end(wordLate(word(failure, asking).body));
    return;
  }
  if (response.headersSent) {
    if (databaseFailure(error)) tellOfDatabase(error, { asking, log });
    else log.warn({ err: error, ...asking }, 'a response was cut off');
    response.destroy();
    return;
  }
  const failure = failureOf(error, { asking, log });
  events?.emit('error.answered', { asking, codes: [failure.code] });
  const { status, headers, body } = word(failure, asking);
  const seconds = secondsUntilAgain(failure);
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(seconds ? { 'retry-after': String(seconds) } : {}),
      ...headers,
    })
    .end(`${JSON.stringify(body)}\n`);
}

/** When it may go better, for the header Retry-After; null where nobody knows. */
export function secondsUntilAgain({ code, details }: RouteError): number | null {
  const { retryAfterSeconds: own } = details;
  return typeof own === 'number' ? Math.ceil(own) : retryAfterSeconds(code);
}

function isEventStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type')).startsWith('text/event-stream');
}

/** A client without a key is told how to send one. */
export function challengeOf(status: number): Readonly<Record<string, string>> {
  return status === 401 ? { 'www-authenticate': 'Bearer' } : {};
}

/** The part of a failure that may be told. What nobody foresaw is logged. */
function failureOf(error: unknown, { asking, log }: { asking: Asking; log: Log }): RouteError {
  if (error instanceof RouteError) return error;
  const failure = error instanceof AppError ? error : databaseFailure(error);
  if (!failure) {
    log.error({ err: error, ...asking }, 'a route failed in an unforeseen way');
    return new RouteError(500, 'INTERNAL_SERVER_ERROR', somethingFailed(asking), { cause: error });
  }
  if (failure !== error) tellOfDatabase(error, { asking, log });
  return routeErrorOf(failure, { cause: error });
}

function tellOfDatabase(error: unknown, { asking, log }: { asking: Asking; log: Log }): void {
  log.warn({ ...asking, err: error }, databaseFailedRequest);
}

/** The client of a route does not read on. The client may do so: it is not a failure. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}
