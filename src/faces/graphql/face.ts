/** GraphQL as a face of the server: over HTTP, as server-sent events, and over WebSocket. */
import type { ServerResponse } from 'node:http';
import { AppError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { databaseFailure } from '../../db/driver/failure.ts';
import type { Bearer } from '../http/auth.ts';
import type { Face, Visit } from '../http/face.ts';
import type { Keyring } from '../http/keyring.ts';
import { letRunOut, limitPace, strangerBytes } from '../http/received.ts';
import { challengeOf, RouteError, routeErrorOf, secondsUntilAgain } from '../http/route-error.ts';
import type { Services } from './context.ts';
import { createMask } from './mask.ts';
import { attachSockets } from './sockets.ts';
import { createGraphQL } from './yoga.ts';

export function createGraphQLFace({
  services,
  keyring,
  introspection,
  publicUrl,
  log,
}: {
  services: Services;
  keyring: Pick<Keyring, 'watch'>;
  introspection: boolean;
  /** Where clients reach the server, if not where they ask. */
  publicUrl: string | null;
  log: Log;
}): Face {
  const mask = createMask(log, services.events);
  const streams = createStreams();
  const yoga = createGraphQL({
    services,
    introspection,
    publicUrl,
    onStream: streams.add,
    keyring,
    mask,
    log,
  });
  let sockets: ReturnType<typeof attachSockets> | null = null;

  return {
    routes: [
      {
        matches: ({ url }) => url.pathname === '/graphql' || url.pathname === '/graphql/',
        async answer({ request, response, url, asking, identify }) {
          let bearer: Bearer;
          try {
            bearer = await identify();
          } catch (error) {
            refuseStranger({ request, response, asking }, presentRefusal(error));
            return;
          }
          limitPace(request, (late) => {
            if (response.headersSent) {
              request.destroy();
              return;
            }
            response.once('finish', () => request.destroy());
            refuseQuery({ request, response, asking }, late);
          });
          await yoga(request, response, { asking, bearer, origin: url.origin });
        },
        refuse: refuseStranger,
      },
    ],
    attach(http, entrance) {
      sockets = attachSockets({ http, yoga, mask, ...entrance, log, services });
    },
    async close() {
      services.progress.stop();
      streams.cutOff();
      await sockets?.dispose();
    },
  };
}

/**
 * Responses that subscriptions stream into. They are cut off when the server closes: a stream that
 * completed would look as if its batch had ended, and its client would not come back.
 */
function createStreams() {
  const open = new Set<ServerResponse>();
  let closed = false;
  return {
    add(response: ServerResponse): void {
      if (closed) {
        response.destroy();
        return;
      }
      if (response.closed) return;
      open.add(response);
      response.once('close', () => open.delete(response));
    },
    cutOff(): void {
      closed = true;
      for (const response of open) response.destroy();
    },
  };
}

/** The refusal as the answer has it. Throws any other error. */
function presentRefusal(error: unknown): RouteError {
  if (error instanceof RouteError) return error;
  const failure = error instanceof AppError ? error : databaseFailure(error);
  if (failure) return routeErrorOf(failure, { cause: error });
  throw error;
}

type Refused = Pick<Visit, 'request' | 'response' | 'asking'>;

/** Refuses a request, and reads only as much of its body as lets the answer reach it. */
function refuseStranger(refused: Refused, reason: RouteError): void {
  refuseQuery(refused, reason);
  letRunOut(refused.request, strangerBytes);
}

/** Answers a query whose body was not read to its end as a client of GraphQL expects. */
function refuseQuery(
  { request, response, asking: { requestId } }: Refused,
  refusal: RouteError,
): void {
  const { status, code, message, details } = refusal;
  const seconds = secondsUntilAgain(refusal);
  const body = JSON.stringify({
    errors: [{ message, extensions: { code, requestId, ...details } }],
  });
  const { accept = '' } = request.headers;
  // One event for who follows a stream alone; who takes JSON too reads that with less trouble.
  const isStream = accept.includes('text/event-stream') && !accept.includes('json');
  response
    .writeHead(status, {
      'content-type': isStream ? 'text/event-stream' : 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(seconds === null ? {} : { 'retry-after': String(seconds) }),
      ...challengeOf(status),
    })
    .end(isStream ? `event: next\ndata: ${body}\n\nevent: complete\ndata:\n\n` : body);
}
