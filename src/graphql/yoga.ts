/** GraphQL over HTTP: Yoga, with errors that carry a code and a path, and nothing that a foreign web page could forge. */
import type { ServerResponse } from 'node:http';
import { type ExecutionArgs, GraphQLError, NoSchemaIntrospectionCustomRule } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { Authenticate } from '../auth.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Context, Services } from './context.ts';
import { presentError } from './errors.ts';
import { schema } from './schema.ts';
import { describeVariableErrors } from './variables.ts';

/** What the WebSocket server hands over instead of an HTTP request. */
export interface SocketContext {
  owner: string;
  signal: AbortSignal;
}

export interface YogaOptions {
  services: Services;
  authenticate: Authenticate;
  /** Null: this origin gets no CORS headers. */
  allowOrigin: (origin: string) => boolean;
  introspection: boolean;
  log: Log;
}

/** Beside the request: what the WebSocket server or node:http hand over. */
interface ServerContext {
  socket?: SocketContext;
  res?: ServerResponse;
}

export type Yoga = YogaServerInstance<ServerContext, Context>;

export function createGraphQL({
  services,
  authenticate,
  allowOrigin,
  introspection,
  log,
}: YogaOptions): Yoga {
  return createYoga<ServerContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    // The server serves GraphiQL itself: compressed, cached, and without a CDN.
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    logging: {
      debug: () => undefined,
      info: () => undefined,
      warn: (...args: unknown[]) => log.warn({ said: args.map(withoutSource) }, 'graphql'),
      error: (...args: unknown[]) => log.error({ said: args.map(withoutSource) }, 'graphql'),
    },
    cors: (request) => {
      const origin = request.headers.get('origin');
      if (!origin || !allowOrigin(origin)) return false;
      return { origin, credentials: false, methods: ['GET', 'POST'], maxAge: 600 };
    },
    maskedErrors: { maskError: (error) => maskError(error, log) },
    context: ({ request, socket, res }) => {
      if (socket) return { ...services, ...socket };
      const owner = authenticate(request.headers.get('authorization'));
      if (owner === null) throw unauthenticated();
      return { ...services, owner, signal: whenGone(res) };
    },
    plugins: [
      refuseFormPosts,
      codedVariableErrors,
      ...(introspection ? [] : [withoutIntrospection]),
    ] as Plugin[],
  }) as Yoga;
}

/** Aborted when the client goes before its answer is complete. */
function whenGone(response: ServerResponse | undefined): AbortSignal {
  const gone = new AbortController();
  response?.once('close', () => {
    if (!response.writableEnded) gone.abort(new Error('the client has gone'));
  });
  return gone.signal;
}

/** A GraphQLError prints the document it stands in, and that may hold anybody's text. */
function withoutSource(said: unknown): string {
  return said instanceof Error ? said.message : String(said);
}

export function unauthenticated(): GraphQLError {
  return new GraphQLError('This server needs a key: Authorization: Bearer <key>', {
    extensions: {
      code: 'UNAUTHENTICATED',
      http: { status: 401, headers: { 'www-authenticate': 'Bearer' } },
    },
  });
}

/** Expected failures are shown as they are; everything else is logged, and shown to nobody. */
function maskError(error: unknown, log: Log): GraphQLError {
  const original = error instanceof GraphQLError ? originalOf(error) : error;
  const position =
    error instanceof GraphQLError
      ? { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path }
      : {};
  if (original instanceof AppError) {
    const { message, extensions } = presentError(original);
    return new GraphQLError(message, { ...position, extensions });
  }
  if (original instanceof GraphQLError) {
    if (original.extensions.code !== undefined) return error as GraphQLError;
    return new GraphQLError(original.message, {
      ...position,
      extensions: { ...original.extensions, code: 'BAD_USER_INPUT', issues: [] },
    });
  }
  log.error({ err: original }, 'a resolver failed in an unforeseen way');
  return new GraphQLError('Something failed on the server; its log says what', {
    ...position,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

function originalOf(error: GraphQLError): unknown {
  let inner: unknown = error;
  while (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
  return inner;
}

/** A form on any web page can post these without asking first; JSON makes the browser ask. */
const refuseFormPosts: Plugin = {
  onRequest({ request, fetchAPI, endResponse }) {
    if (/^application\/x-www-form-urlencoded/i.test(request.headers.get('content-type') ?? '')) {
      const body = {
        errors: [{ message: 'Send application/json', extensions: { code: 'BAD_REQUEST' } }],
      };
      endResponse(
        new fetchAPI.Response(JSON.stringify(body), {
          status: 415,
          headers: {
            'content-type': 'application/json; charset=utf-8',
            accept: 'application/json',
          },
        }),
      );
    }
  },
};

const codedVariableErrors: Plugin = {
  onExecute: () => ({
    onExecuteDone({ result, setResult, args }) {
      const described = describeIfRefused(result, args);
      if (described) setResult({ errors: [described] });
    },
  }),
  onSubscribe: () => ({
    onSubscribeResult({ result, setResult, args }) {
      const described = describeIfRefused(result, args);
      if (described) setResult({ errors: [described] });
    },
  }),
};

/** GraphQL refuses variables before it runs anything: errors without data and without a path. */
function describeIfRefused(result: unknown, args: ExecutionArgs): GraphQLError | null {
  const { errors, data } = result as { errors?: readonly GraphQLError[]; data?: unknown };
  if (!errors || errors.length === 0 || data !== undefined) return null;
  if (errors.some(({ path, extensions }) => path || extensions.code)) return null;
  return describeVariableErrors(args);
}

const withoutIntrospection: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(NoSchemaIntrospectionCustomRule);
  },
};
