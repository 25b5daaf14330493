/** The one HTTP server: GraphQL and GraphiQL, GraphQL over WebSocket on the same port and path, and the streaming routes. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { type Authenticate, createAuthenticate } from './auth.ts';
import { type Config, isLoopback } from './config.ts';
import { answerOutput } from './files/output-route.ts';
import { RouteError, sendRouteError } from './files/route-error.ts';
import type { Services } from './graphql/context.ts';
import { graphiqlTabs } from './graphql/graphiql.ts';
import { createGraphQL, type SocketContext, unauthenticated, type Yoga } from './graphql/yoga.ts';
import type { Log } from './log.ts';

/** Larger requests go over HTTP; a subscription is small. */
const maxSocketMessageBytes = 1_048_576;
/** A client that connects and says nothing is let go. */
const socketInitTimeoutMs = 3_000;

export interface Server {
  /** Resolves with the URL the server is reached at, without a trailing slash. */
  listen(): Promise<string>;
  /** Takes nothing new, ends subscriptions, waits for requests under way for up to `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export function createHttpServer({
  config,
  services,
  log,
}: {
  config: Config;
  services: Services;
  log: Log;
}): Server {
  const authenticate = createAuthenticate(config.apiKeys);
  const trusts = createTrust(config);
  const yoga = createGraphQL({
    services,
    authenticate,
    allowOrigin: (origin) => trusts.origin(origin),
    introspection: config.introspection,
    log,
  });
  const graphiql = config.graphiql ? createGraphiQLPage() : null;

  const http = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => sendRouteError(response, error, log));
  });
  const sockets = attachSockets(http, yoga, authenticate, trusts);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!trusts.request(request)) {
      throw new RouteError(
        403,
        'FORBIDDEN',
        'This server has no keys, so it serves this machine only',
      );
    }
    const url = new URL(request.url ?? '/', 'http://localhost');
    const output = /^\/batches\/([^/]+)\/output$/.exec(url.pathname);
    if (output?.[1]) {
      const owner = ownerOf(request, authenticate);
      await answerOutput({
        request,
        response,
        services,
        owner,
        batchId: output[1],
        query: url.searchParams,
      });
      return;
    }
    if (url.pathname === '/graphql' || url.pathname === '/graphql/') {
      if (graphiql && wantsPage(request, url)) await graphiql(request, response);
      else await yoga(request, response);
      return;
    }
    if (url.pathname === '/' && graphiql && request.method === 'GET') {
      response.writeHead(302, { location: '/graphql' }).end();
      return;
    }
    throw new RouteError(404, 'NOT_FOUND', 'There is nothing here; GraphQL is at /graphql');
  }

  return {
    async listen() {
      await new Promise<void>((resolve, reject) => {
        http.once('error', reject);
        http.listen(config.port, config.host, () => {
          http.off('error', reject);
          resolve();
        });
      });
      const { port } = http.address() as AddressInfo;
      const host = config.host.includes(':') ? `[${config.host}]` : config.host;
      return config.publicUrl ?? `http://${host}:${port}`;
    },

    async close(graceMs) {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      await sockets.dispose();
      http.closeIdleConnections();
      const timer = setTimeout(() => http.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
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
    if (open) return true;
    try {
      return trustsHost(new URL(origin).hostname);
    } catch {
      return false; // "null": a sandboxed frame or a file
    }
  };
  return {
    origin: trustsOrigin,
    request({ headers }: IncomingMessage): boolean {
      if (open) return true;
      const host = (headers.host ?? '').replace(/:\d+$/, '');
      return trustsHost(host) && (headers.origin === undefined || trustsOrigin(headers.origin));
    },
  };
}

function ownerOf(request: IncomingMessage, authenticate: Authenticate): string {
  const owner = authenticate(request.headers.authorization);
  if (owner === null) throw new RouteError(401, 'UNAUTHENTICATED', unauthenticated().message);
  return owner;
}

/** A browser that opens the URL, and is not a client that happens to accept anything. */
function wantsPage(request: IncomingMessage, url: URL): boolean {
  return (
    request.method === 'GET' &&
    (request.headers.accept ?? '').includes('text/html') &&
    !url.searchParams.has('query')
  );
}

/** GraphiQL with everything in one page of 9 MB: compressed once, and not sent again to a browser that has it. */
function createGraphiQLPage() {
  let made: Promise<{ page: Buffer; compressed: Buffer; etag: string }> | null = null;

  async function make() {
    const page = Buffer.from(
      renderGraphiQL({ title: 'Winnow', subscriptionsProtocol: 'WS', defaultTabs: graphiqlTabs }),
    );
    const compressed = await promisify(gzip)(page);
    const etag = `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`;
    return { page, compressed, etag };
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    made ??= make();
    const { page, compressed, etag } = await made;
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag,
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    };
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, headers).end();
    } else if ((request.headers['accept-encoding'] ?? '').includes('gzip')) {
      response.writeHead(200, { ...headers, 'content-encoding': 'gzip' }).end(compressed);
    } else {
      response.writeHead(200, headers).end(page);
    }
  };
}

interface SocketExtra {
  owner: string;
  closed: AbortController;
}

function attachSockets(
  http: ReturnType<typeof createServer>,
  yoga: Yoga,
  authenticate: Authenticate,
  trusts: ReturnType<typeof createTrust>,
) {
  const sockets = new WebSocketServer({
    server: http,
    path: '/graphql',
    maxPayload: maxSocketMessageBytes,
    verifyClient: ({ req }: { req: IncomingMessage }) => trusts.request(req),
  });

  return useServer<Record<string, unknown>, Partial<SocketExtra>>(
    {
      connectionInitWaitTimeout: socketInitTimeoutMs,
      onConnect: ({ connectionParams, extra }) => {
        const given = connectionParams?.Authorization ?? connectionParams?.authorization;
        const owner = authenticate(typeof given === 'string' ? given : null);
        if (owner === null) return false; // closes with 4403
        extra.owner = owner;
        extra.closed = new AbortController();
        return true;
      },
      onDisconnect: ({ extra }) => {
        extra.closed?.abort(new Error('the client has gone'));
      },
      onSubscribe: async ({ extra }, _id, params) => {
        const socket: SocketContext = {
          owner: extra.owner as string,
          signal: extra.closed?.signal as AbortSignal,
        };
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          socket,
          params,
        } as never);
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query) as ReturnType<typeof import('graphql').parse>,
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        const errors = validate(
          args.schema,
          args.document,
        ) as readonly import('graphql').GraphQLError[];
        return errors.length > 0 ? errors : args;
      },
      // The functions that Yoga's plugins have wrapped for this one operation.
      execute: (args) => (args.rootValue as Enveloped).execute(args) as never,
      subscribe: (args) => (args.rootValue as Enveloped).subscribe(args) as never,
    },
    sockets,
  );
}

interface Enveloped {
  execute: (args: unknown) => unknown;
  subscribe: (args: unknown) => unknown;
}
