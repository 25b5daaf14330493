/** The one HTTP server: it lets requests in, and hands each to the face whose route it is. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Config, isLoopback } from '../../config.ts';
import { LimitExceeded } from '../../core/errors.ts';
import type { Asking, Log } from '../../core/log.ts';
import type { Telling } from '../../telemetry/events.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import { authorizationOf, type Bearer, requireScope } from './auth.ts';
import { clientAddress, clientScheme } from './client-address.ts';
import { allowOrigin, answerPreflight } from './cors.ts';
import { createDoor } from './door.ts';
import { createDrain } from './drain.ts';
import type { Face, Manner } from './face.ts';
import type { Keyring } from './keyring.ts';
import { listen } from './listen.ts';
import { nothingAt } from './missing-path.ts';
import { letRunOut, strangerBytes } from './received.ts';
import { requestIdOf } from './request-id.ts';
import type { RequestRate } from './request-rate.ts';
import { RouteError, sendRouteError } from './route-error.ts';
import { tellRequest } from './tell-request.ts';

/** Node's 5 min would cut a large slow upload; what is too slow, the upload cuts itself. */
export const requestTimeoutMs = 3_600_000;
/** Winnow's own calls to providers have this header. */
const hopHeader = 'x-winnow-hop';
/** Where a balancer gets time to notice an end: of refusals at least. */
const longestLingerMs = 1_000;
const isLoop =
  'This request comes from a Winnow server, so it would go round in a circle: the base URL of its provider must be the address of a model server';
/** Most characters in the log of a path that somebody made up. */
const maxLoggedPath = 200;

export interface Server {
  /** Resolves with the URL the server is reached at, without a trailing slash. */
  listen(): Promise<string>;
  /**
   * Answers 503 to what is new but for probes, cuts off subscriptions, and waits for requests under
   * way for up to `graceMs`. Called again with less it hurries up.
   */
  drain(graceMs: number): Promise<void>;
  /**
   * Takes no connection. Requests that came with the last ones are turned away as long as a drain
   * lingers; then all are cut off.
   */
  close(): Promise<void>;
}

/** Serves these faces: a request goes to the first route that it matches. */
export function createHttpServer({
  config,
  keyring,
  requestRate,
  faces,
  log,
  events,
  tracing = null,
}: {
  config: Pick<Config, 'port' | 'host' | 'publicUrl' | 'shutdownDelayMs' | 'trustedProxies'>;
  keyring: Keyring;
  requestRate: Pick<RequestRate, 'take'>;
  faces: readonly Face[];
  log: Log;
  events: Telling;
  /** Null where traces are off. */
  tracing?: Pick<Tracing, 'ofRequest'> | null;
}): Server {
  const { trustedProxies } = config;
  const door = createDoor({ keyring, trustedProxies, log, events });
  const trusts = createTrust(config, keyring);
  const originOf = (request: IncomingMessage) =>
    `${clientScheme(request, trustedProxies)}://${request.headers.host ?? 'localhost'}`;
  const routes = faces.flatMap((face) => face.routes);
  const manners = faces.flatMap(({ manner }) => manner ?? []);

  const http = createServer((request, response) => {
    const manner = manners.find(({ covers }) => covers(request));
    const asking: Asking = { requestId: requestIdOf(request.headers, manner?.requestIdPrefix) };
    if (tracing) asking.trace = tracing.ofRequest(request.headers);
    response.setHeader('x-request-id', asking.requestId);
    if (manner?.requestIdHeader) response.setHeader(manner.requestIdHeader, asking.requestId);
    drain.add(response);
    const address = clientAddress(request, trustedProxies);
    tellRequest(events, { request, response, asking, address });
    void handle(request, response, asking, manner).catch((error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal) events.emit('request.refused', { reason: refusal, owner: asking.owner ?? null });
      sendRouteError(response, error, { asking, log, events, ...manner });
      letRunOut(request, asking.owner === undefined ? strangerBytes : undefined);
    });
  });
  http.requestTimeout = requestTimeoutMs;
  const lingerMs = Math.min(config.shutdownDelayMs, longestLingerMs);
  const drain = createDrain(http, lingerMs);
  let closingFaces: Promise<unknown> | null = null;

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    asking: Asking,
    manner: Manner | undefined,
  ): Promise<void> {
    const isTrusted = trusts(request);
    if (isTrusted) {
      allowOrigin(request, response);
      if (answerPreflight(request, response)) return;
    }
    const url = readUrl(request, originOf(request));
    asking.path = url.pathname.slice(0, maxLoggedPath);
    const route = routes.find(({ matches }) => matches({ request, url }));
    const reason = isTrusted
      ? route?.untilExit
        ? null
        : drain.refusal(response)
      : new RouteError(
          403,
          'FORBIDDEN',
          'Requests from other machines are refused until the server has a key',
        );
    if (reason) {
      if (!isTrusted) events.emit('request.refused', { reason: 'origin', owner: null });
      if (!route?.refuse) throw reason;
      route.refuse({ request, response, asking }, reason);
      return;
    }
    if (manner && request.headers[hopHeader] !== undefined) {
      throw new RouteError(403, 'FORBIDDEN', isLoop);
    }
    const identify = async (): Promise<Bearer> => {
      const bearer = await door.identify(request, authorizationOf(request.headers));
      asking.owner = bearer.owner;
      requestRate.take(bearer.owner);
      response.once('close', () => keyring.noteUse(bearer));
      return bearer;
    };
    const ownerOf = async (): Promise<string> => {
      const bearer = await identify();
      admit(bearer, request);
      return bearer.owner;
    };
    const visit = { request, response, url, asking, identify, ownerOf };
    if (route) {
      await route.answer(visit);
      return;
    }
    await ownerOf();
    throw nothingAt(url.pathname, { otherwise: 'GraphQL is at /graphql' });
  }

  function admit(bearer: Bearer, { method }: IncomingMessage): void {
    try {
      requireScope(bearer, method === 'GET' || method === 'HEAD' ? 'READ' : 'SUBMIT');
    } catch (error) {
      events.emit('request.refused', { reason: 'scope', owner: bearer.owner });
      throw error;
    }
  }

  return {
    async listen() {
      const url = await listen(http, { host: config.host, port: config.port, variable: 'PORT' });
      // Only now, or a port that is in use is told by the socket server's own complaint.
      for (const { attach } of faces) attach?.(http, { door, keyring, trusts, originOf });
      return config.publicUrl ?? url;
    },

    async drain(graceMs) {
      const drained = drain.begin(graceMs);
      closingFaces ??= Promise.all(faces.map(({ close }) => close?.()));
      await Promise.all([drained, closingFaces]);
    },

    close: () =>
      new Promise((resolve) => {
        door.stop();
        const timer = setTimeout(() => http.closeAllConnections(), lingerMs);
        http.close(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/**
 * Without keys everything on this machine may use the server, and nothing else: a web page from
 * elsewhere is told by its Origin, and one whose host name was pointed at this machine by the Host
 * it asks for.
 */
function createTrust({ publicUrl }: Pick<Config, 'publicUrl'>, keyring: Pick<Keyring, 'isOpen'>) {
  const publicHost = publicUrl ? new URL(publicUrl).hostname : null;
  const trustsHost = (hostname: string) => isLoopback(hostname) || hostname === publicHost;
  const trustsOrigin = (origin: string) => {
    try {
      return trustsHost(new URL(origin).hostname);
    } catch {
      return false; // "null": a sandboxed frame or a file
    }
  };
  return ({ method, headers }: IncomingMessage): boolean => {
    if (!keyring.isOpen()) return true;
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    if (!trustsHost(host)) return false;
    if (headers.origin !== undefined) return trustsOrigin(headers.origin);
    // An image or a script of a page from elsewhere, which has no Origin; a person who follows a
    // link comes for a page.
    const isNavigation = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
    return headers['sec-fetch-site'] !== 'cross-site' || isNavigation;
  };
}

/** Why a request that failed so was turned away; null where it was not. */
function refusalOf(error: unknown): 'limit' | 'size' | null {
  const { cause, code } = (error ?? {}) as { cause?: unknown; code?: unknown };
  if (error instanceof LimitExceeded || cause instanceof LimitExceeded) return 'limit';
  return code === 'PAYLOAD_TOO_LARGE' ? 'size' : null;
}

/** Path and query. Refuses what is asked of a proxy or a bad host: Yoga would show a stack. */
function readUrl({ url = '' }: IncomingMessage, origin: string): URL {
  try {
    if (url.startsWith('/')) return new URL(`${origin}${url}`);
  } catch {
    // Told below.
  }
  throw new RouteError(400, 'BAD_REQUEST', 'The address of the request is not valid');
}
