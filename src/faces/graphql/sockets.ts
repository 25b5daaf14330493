/** GraphQL over WebSocket (graphql-transport-ws), at HTTP's port and path, by the same Yoga. */
import type { IncomingMessage, Server } from 'node:http';
import {
  type GraphQLError,
  type GraphQLFormattedError,
  getOperationAST,
  locatedError,
} from 'graphql';
import type { SubscribePayload } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../../core/errors.ts';
import type { Asking, Log } from '../../core/log.ts';
import { databaseFailure } from '../../db/driver/failure.ts';
import type { Bearer } from '../http/auth.ts';
import { refusals } from '../http/door.ts';
import type { Entrance } from '../http/face.ts';
import { hasProperHost } from '../http/host.ts';
import { requestIdOf } from '../http/request-id.ts';
import { RouteError } from '../http/route-error.ts';
import type { Context, Services } from './context.ts';
import { badRequest } from './errors.ts';
import { type Mask, maskResult } from './mask.ts';
import type { SocketContext, Yoga } from './yoga.ts';

/** Larger requests go over HTTP; a subscription is small. */
export const maxMessageBytes = 1_048_576;
/** Before it is known whose they are: an acknowledged connection may send larger ones. */
export const maxBytesBeforeAck = 8_192;
/** Operations of one socket at once. A page that shows more has another socket. */
export const maxOperations = 100;
/** Sockets of one owner in one process. A server without keys has one owner, and no limit. */
export const maxSockets = 50;
/** https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1 */
const messageTooBig = 1009;
/** Codes of graphql-transport-ws: no client comes again by itself after either. */
const noKey = 4403;
const tooMany = 4429;
/** Clients come again. */
const tryAgain = 1013;
/** A client that connects and says nothing is let go. */
export const initTimeoutMs = 3_000;
/** Most characters of an id; the others are for the number of the operation. */
const maxConnectionId = 111;
/** One that has stopped reading does not answer a goodbye either. */
const goodbyeMs = 1_000;

interface SocketOptions extends Entrance {
  http: Server;
  yoga: Yoga;
  mask: Mask;
  log: Log;
  services: Pick<Services, 'requestRate' | 'withKeys' | 'events' | 'tracing'>;
}

interface SocketExtra {
  bearer: Bearer;
  requestId: string;
  /** Operations that this connection has begun. */
  begun: number;
  closed: AbortController;
}

/** The functions that Yoga's plugins wrapped for one operation, as graphql-ws's root value. */
interface Enveloped {
  execute: (args: unknown) => unknown;
  subscribe: (args: unknown) => unknown;
}

/** Serves the upgrades of `http`. `dispose` closes every socket and waits only a short time. */
export function attachSockets({
  http,
  yoga,
  mask,
  door,
  keyring,
  trusts,
  originOf,
  log,
  services,
}: SocketOptions) {
  /** Request id of each connection, made once if the client sent none. */
  const requestIds = new WeakMap<IncomingMessage, string>();
  const idOf = (request: IncomingMessage): string => {
    const id = requestIds.get(request) ?? requestIdOf(request.headers);
    requestIds.set(request, id);
    return id;
  };
  const acknowledged = new WeakSet<IncomingMessage>();
  /** The asking of each operation, by what the client sent for it. */
  const askings = new WeakMap<SubscribePayload, Asking>();
  /** Open sockets by owner. */
  const open = new Map<string, number>();

  /** False, and closed, where its owner has too many. */
  function enter(socket: WebSocket, owner: string): boolean {
    // The client left while its key was looked at: its end has been told already.
    if (socket.readyState !== socket.OPEN) return false;
    const others = open.get(owner) ?? 0;
    if (others >= maxSockets) {
      services.events.emit('request.refused', { reason: 'limit', owner });
      const rule = `An owner must have at most ${maxSockets} sockets in a process`;
      socket.close(tooMany, `TOO_MANY_REQUESTS: ${rule}`);
      return false;
    }
    open.set(owner, others + 1);
    socket.once('close', () => {
      const left = (open.get(owner) ?? 1) - 1;
      if (left > 0) open.set(owner, left);
      else open.delete(owner);
    });
    return true;
  }

  const sockets = new WebSocketServer({
    server: http,
    path: '/graphql',
    maxPayload: maxMessageBytes,
    // Ten thousand messages that come together would keep everybody else waiting.
    allowSynchronousEvents: false,
    verifyClient: ({ req }: { req: IncomingMessage }, answer) => {
      const headers = { 'x-request-id': idOf(req) };
      if (!hasProperHost(req)) {
        answer(false, 400, undefined, headers);
        return;
      }
      const isTrusted = trusts(req);
      if (!isTrusted) services.events.emit('request.refused', { reason: 'origin', owner: null });
      answer(isTrusted, 403, undefined, headers);
    },
  });

  const server = useServer<Record<string, unknown>, Partial<SocketExtra>>(
    {
      // Else the reasons of a close hold the messages of errors that nobody foresaw.
      isProd: true,
      connectionInitWaitTimeout: initTimeoutMs,
      onConnect: async ({ connectionParams, extra }) => {
        const given = connectionParams?.Authorization ?? connectionParams?.authorization;
        const { socket, request } = extra;
        try {
          extra.bearer = await door.identify(request, typeof given === 'string' ? given : null);
        } catch (error) {
          // Before graphql-ws, which gives no reason.
          socket.close(...closingOf(error));
          return false;
        }
        if (services.withKeys && !enter(socket, extra.bearer.owner)) return false;
        endWithKey(socket, extra.bearer, keyring);
        acknowledged.add(extra.request);
        extra.requestId = idOf(extra.request);
        extra.closed = new AbortController();
        return true;
      },
      onDisconnect: ({ extra }) => {
        extra.closed?.abort(new Error('the client has gone'));
      },
      // An error thrown here would close the socket with all of its other subscriptions.
      onSubscribe: async ({ extra, subscriptions }, _id, params) => {
        const asking = beginAsking(extra, params.operationName);
        if (services.tracing) asking.trace = services.tracing.ofRequest(extra.request.headers);
        askings.set(params, asking);
        try {
          services.requestRate.take((extra.bearer as Bearer).owner);
          if (Object.keys(subscriptions).length > maxOperations) throw tooManyOperations();
          const socket: SocketContext = {
            bearer: extra.bearer as Bearer,
            asking,
            origin: originOf(extra.request),
            signal: extra.closed?.signal as AbortSignal,
          };
          const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped(
            { socket, params } as never,
          );
          const document = parse(params.query) as ReturnType<typeof import('graphql').parse>;
          const errors = validate(schema, document) as readonly GraphQLError[];
          if (errors.length > 0) return errors;
          if (!getOperationAST(document, params.operationName)) {
            return [badRequest('Could not determine what operation to execute.')];
          }
          return {
            schema,
            document,
            operationName: params.operationName,
            variableValues: params.variables,
            contextValue: await contextFactory(),
            rootValue: { execute, subscribe },
          };
        } catch (error) {
          // It is masked by onError, like the others.
          return [locatedError(error, undefined)];
        }
      },
      execute: (args) => (args.rootValue as Enveloped).execute(args) as never,
      subscribe: (args) => (args.rootValue as Enveloped).subscribe(args) as never,
      onNext: (_context, _id, _params, { contextValue }, result) => {
        const { asking } = contextValue as Context;
        const { errors } = maskResult(result, mask, asking);
        return errors ? { ...result, errors: errors.map(present) } : undefined;
      },
      // Also called with whatever a running subscription threw.
      onError: ({ extra }, _id, params, errors) => {
        const asking = askings.get(params) ?? beginAsking(extra, params.operationName);
        return mask(errors, asking).map(present);
      },
    },
    sockets,
  );
  sockets.on('headers', (headers, request) => headers.push(`x-request-id: ${idOf(request)}`));
  sockets.on('connection', (socket, request) => {
    services.events.emit('socket.changed', { opened: true });
    socket.once('close', () => services.events.emit('socket.changed', { opened: false }));
    let bytes = 0;
    const count = (piece: Buffer) => {
      bytes += piece.length;
      if (acknowledged.has(request)) request.socket.off('data', count);
      else if (bytes > maxBytesBeforeAck)
        socket.close(messageTooBig, 'connection_init must be shorter');
    };
    request.socket.on('data', count);
    // A client that breaks the protocol is its own fault; graphql-ws would print a stack for it.
    socket.removeAllListeners('error');
    socket.on('error', (error) =>
      log.debug(
        { requestId: idOf(request), reason: error.message },
        'a WebSocket client was cut off',
      ),
    );
  });
  return {
    async dispose() {
      const timer = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate();
      }, goodbyeMs);
      await server.dispose();
      clearTimeout(timer);
    },
  };
}

/** The way to close a socket whose key is not taken. Throws any other error. */
function closingOf(error: unknown): [code: number, reason: string] {
  if (error instanceof RouteError) {
    const { status, code, message } = error;
    return [status === 401 ? noKey : tooMany, `${code}: ${message}`];
  }
  const failure = error instanceof AppError ? error : databaseFailure(error);
  if (failure) return [tryAgain, failure.code];
  throw error;
}

/** Closes a socket when its key is revoked or expires. */
function endWithKey(socket: WebSocket, bearer: Bearer, keyring: Entrance['keyring']): void {
  if (socket.readyState !== socket.OPEN) return;
  keyring.noteUse(bearer);
  const endWatch = keyring.watch(bearer, () =>
    socket.close(noKey, `UNAUTHENTICATED: ${refusals.ended}`),
  );
  socket.once('close', endWatch);
}

/** Names the next operation of a connection: by its id and their number. */
function beginAsking(extra: Partial<SocketExtra>, name?: string | null): Asking {
  extra.begun = (extra.begun ?? 0) + 1;
  return {
    requestId: `${extra.requestId?.slice(0, maxConnectionId)}.${extra.begun}`,
    ...(extra.bearer === undefined ? {} : { owner: extra.bearer.owner }),
    ...(name ? { operationName: name.slice(0, 100) } : {}),
  };
}

function tooManyOperations(): AppError {
  const message = `A socket must have at most ${maxOperations} operations at once; end some, or open another socket`;
  return new AppError('TOO_MANY_REQUESTS', message);
}

/** Without what is meant for HTTP. */
function present(error: GraphQLError): GraphQLFormattedError {
  const { extensions: { http: _, ...extensions } = {}, ...rest } = error.toJSON();
  return { ...rest, extensions };
}
