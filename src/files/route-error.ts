import type { ServerResponse } from 'node:http';
import type { AppErrorCode } from '../errors.ts';
import type { Log } from '../log.ts';

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

/** Answers {"error": {"code", "message"}}; a response that has begun can only be cut off, so that nobody takes it for whole. */
export function sendRouteError(response: ServerResponse, error: unknown, log: Log): void {
  if (response.headersSent) {
    if (!response.destroyed) log.warn({ err: error }, 'a response was cut off');
    response.destroy();
    return;
  }
  const known = error instanceof RouteError;
  if (!known) log.error({ err: error }, 'a route failed in an unforeseen way');
  const body = known
    ? { code: error.code, message: error.message, ...error.details }
    : {
        code: 'INTERNAL_SERVER_ERROR',
        message: 'Something failed on the server; its log says what',
      };
  response
    .writeHead(known ? error.status : 500, {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(known && error.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    })
    .end(`${JSON.stringify({ error: body })}\n`);
}
