/** The one HTTP server: GraphQL and GraphiQL, GraphQL over WebSocket on the same port and path, and the streaming routes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { operationOf, requestOf } from '../../app/stored-operation.ts';
import { createUploadSubmit } from '../../app/submit.ts';
import { type Config, isLoopback } from '../../config.ts';
import { StartFailure } from '../../core/errors.ts';
import type { Asking, Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import { createGraphiQLPage, wantsPage } from '../console/page.ts';
import type { Services } from '../graphql/context.ts';
import { createMask } from '../graphql/mask.ts';
import { attachSockets } from '../graphql/sockets.ts';
import { createGraphQL, needsKey } from '../graphql/yoga.ts';
import { answerHealth } from '../rest/health-route.ts';
import { answerOutput } from '../rest/output-route.ts';
import { answerUpload } from '../rest/upload-route.ts';
import { createAuthenticate } from './auth.ts';
import { allowOrigin, answerPreflight } from './cors.ts';
import { letRunOut, limitPace, strangerBytes } from './received.ts';
import { requestIdOf } from './request-id.ts';
import { RouteError, sendRouteError } from './route-error.ts';

/** How often connections that have become idle are looked for while the server closes. */
const idleSweepMs = 50;
/** Node's own limit of 5 min would cut a large upload over a slow line; what is too slow altogether, the upload cuts itself. */
const requestTimeoutMs = 3_600_000;
/** Of a path that somebody made up. */
const maxLoggedPath = 200;

export interface Server {
  /** Resolves with the URL the server is reached at, without a trailing slash. */
  listen(): Promise<string>;
  /**
   * Takes nothing new, cuts off subscriptions, waits for requests under way for up to `graceMs`.
   * Called again with less it hurries up.
   */
  close(graceMs: number): Promise<void>;
}

export function createHttpServer({
  config,
  services,
  db,
  log,
}: {
  config: Config;
  services: Services;
  /** What the health is asked of, apart from all requests. */
  db: Pick<Database, 'sql'>;
  log: Log;
}): Server {
  const authenticate = createAuthenticate(config.apiKeys);
  const trusts = createTrust(config);
  const mask = createMask(log);
  const yoga = createGraphQL({
    services,
    introspection: config.introspection,
    publicUrl: config.publicUrl,
    onStream,
    mask,
    log,
  });
  const graphiql = config.graphiql
    ? createGraphiQLPage({ withKeys: config.apiKeys.size > 0 })
    : null;

  const http = createServer((request, response) => {
    const asking: Asking = { requestId: requestIdOf(request.headers) };
    response.setHeader('x-request-id', asking.requestId);
    void handle(request, response, asking).catch((error: unknown) => {
      sendRouteError(response, error, { asking, log });
      letRunOut(request, asking.owner === undefined ? strangerBytes : undefined);
    });
  });
  http.requestTimeout = requestTimeoutMs;
  const serveSockets = () =>
    attachSockets({
      http,
      yoga,
      mask,
      authenticate,
      trusts,
      log,
    });

  let sockets: ReturnType<typeof attachSockets> | null = null;
  let closing: Promise<void> | null = null;

  /**
   * Cut off when the server closes: a stream that completed would look as if its batch had ended,
   * and its client would not come back.
   */
  const streams = new Set<ServerResponse>();

  function onStream(response: ServerResponse): void {
    if (closing !== null) {
      response.destroy();
      return;
    }
    if (response.closed) return;
    streams.add(response);
    response.once('close', () => streams.delete(response));
  }

  async function handle(
    request: IncomingMessage,
    response: ServerResponse,
    asking: Asking,
  ): Promise<void> {
    if (!trusts(request)) {
      throw new RouteError(
        403,
        'FORBIDDEN',
        'This server has no keys, so it serves this machine only',
      );
    }
    allowOrigin(request, response);
    if (answerPreflight(request, response)) return;
    const url = readUrl(request);
    asking.path = url.pathname.slice(0, maxLoggedPath);
    const ownerOf = (): string => {
      const owner = authenticate(request.headers.authorization);
      if (owner === null) throw new RouteError(401, 'UNAUTHENTICATED', needsKey);
      asking.owner = owner;
      return owner;
    };
    const isGraphQL = url.pathname === '/graphql' || url.pathname === '/graphql/';
    const isPage = graphiql !== null && isGraphQL && wantsPage(request);
    const output = /^\/batches\/([^/]+)\/output$/.exec(url.pathname);
    // What is open to everybody: the page, which holds nothing, and whether the server lives.
    if (isPage) {
      await graphiql(request, response, config.publicUrl ?? addressOf(url));
      return;
    }
    if (url.pathname === '/' && graphiql && request.method === 'GET') {
      response.writeHead(302, { location: '/graphql' }).end();
      return;
    }
    if (url.pathname === '/health') {
      await answerHealth(request, response, db);
      return;
    }
    if (output?.[1]) {
      await answerOutput({
        request,
        response,
        accessOf: (owner) => services.line.of(owner),
        links: services.links,
        operationOf,
        requestOf: (batch) => (row) => requestOf(batch, row, services.preparePlan),
        ownerOf,
        batchId: output[1],
        query: url.searchParams,
      });
      return;
    }
    if (url.pathname === '/files') {
      const owner = ownerOf();
      const access = services.line.of(owner);
      await answerUpload({
        request,
        response,
        services: access,
        owner,
        query: url.searchParams,
        submit: createUploadSubmit({ ...services, ...access, owner, log }),
      });
      return;
    }
    if (isGraphQL) {
      const owner = authenticate(request.headers.authorization);
      if (owner === null) {
        refuseQuery(request, response, new RouteError(401, 'UNAUTHENTICATED', needsKey));
        letRunOut(request, strangerBytes);
        return;
      }
      asking.owner = owner;
      limitPace(request, (late) => {
        if (response.headersSent) {
          request.destroy();
          return;
        }
        response.once('finish', () => request.destroy());
        refuseQuery(request, response, late);
      });
      await yoga(request, response, { asking });
      return;
    }
    ownerOf();
    throw new RouteError(404, 'NOT_FOUND', 'There is nothing here; GraphQL is at /graphql');
  }

  return {
    async listen() {
      await new Promise<void>((resolve, reject) => {
        http.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, config)));
        http.listen(config.port, config.host, () => {
          http.removeAllListeners('error');
          resolve();
        });
      });
      // Only now, or a port that is in use is told by the socket server's own complaint.
      sockets = serveSockets();
      const { port } = http.address() as AddressInfo;
      const host = reachable(config.host);
      return config.publicUrl ?? `http://${host}:${port}`;
    },

    close(graceMs) {
      closing ??= close();
      const timer = setTimeout(() => http.closeAllConnections(), graceMs);
      return closing.finally(() => clearTimeout(timer));
    },
  };

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => http.close(() => resolve()));
    services.progress.stop();
    for (const stream of streams) stream.destroy();
    // A connection that is kept alive is idle only after its last answer.
    const sweep = setInterval(() => http.closeIdleConnections(), idleSweepMs);
    await sockets?.dispose();
    await closed;
    clearInterval(sweep);
  }
}

/**
 * Without keys everything on this machine may use the server, and nothing else: a web page from elsewhere is told by its
 * Origin, and one whose host name was pointed at this machine by the Host it asks for.
 */
function createTrust({ apiKeys, publicUrl }: Config) {
  const open = apiKeys.size > 0;
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
    if (open) return true;
    const host = (headers.host ?? '').replace(/:\d+$/, '');
    if (!trustsHost(host)) return false;
    if (headers.origin !== undefined) return trustsOrigin(headers.origin);
    // An image or a script of a page from elsewhere, which has no Origin; a person who follows a
    // link comes for a page.
    const isNavigation = method === 'GET' && headers['sec-fetch-mode'] === 'navigate';
    return headers['sec-fetch-site'] !== 'cross-site' || isNavigation;
  };
}

/**
 * Answers a query whose body was not read, or not to its end, as a client of GraphQL is told of
 * errors.
 */
function refuseQuery(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { status, code, message }: RouteError,
): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const isStream = (headers.accept ?? '').includes('text/event-stream');
  response
    .writeHead(status, {
      'content-type': isStream ? 'text/event-stream' : 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    })
    .end(isStream ? `event: next\ndata: ${body}\n\nevent: complete\ndata:\n\n` : body);
}

/** Path and query. What is asked of a proxy, or of a host that is no name, is refused: Yoga would answer it with a stack. */
function readUrl({ url = '', headers }: IncomingMessage): URL {
  const address = `http://${headers.host ?? 'localhost'}${url}`;
  if (!url.startsWith('/') || !URL.canParse(address)) {
    throw new RouteError(400, 'BAD_REQUEST', 'The address of the request is not valid');
  }
  return new URL(address);
}

/**
 * Of an address in URLs. Every address of a machine is none that a browser opens; its own is one of
 * them.
 */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** Where a page was asked for, as it can stand in a command for a shell. */
function addressOf({ origin, host, port }: URL): string {
  // A host may have letters that a shell would read; nobody's server has such a name.
  return /^[\w.:[\]-]+$/.test(host) ? origin : `http://localhost:${port || 80}`;
}

function cannotListen(error: NodeJS.ErrnoException, { host, port }: Config): Error {
  const place = `${host}:${port}`;
  const sentence = (text: string) => new StartFailure(text, { cause: error });
  switch (error.code) {
    case 'EADDRINUSE':
      return sentence(`${place} is in use, perhaps by another Winnow; set PORT to another port`);
    case 'EACCES':
      return sentence(`This user may not listen on ${place}; set PORT to one of 1024 or more`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return sentence(`HOST ${host} is no address of this machine (${error.code})`);
    default:
      return error;
  }
}
