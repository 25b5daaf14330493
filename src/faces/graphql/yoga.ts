/** GraphQL over HTTP by Yoga: errors have a code and a path; foreign web pages are refused. */
import type { ServerResponse } from 'node:http';
import {
  type ExecutionArgs,
  GraphQLError,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
} from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { createResultCounter } from '../../app/parse-results.ts';
import type { Asking, Log } from '../../core/log.ts';
import { createCheckTime } from '../../operations/check-time.ts';
import type { Bearer } from '../http/auth.ts';
import type { Keyring } from '../http/keyring.ts';
import { whenGone } from '../http/when-gone.ts';
import { limitAnswers } from './answer-size.ts';
import { createBudgets } from './budget.ts';
import type { Context, Services } from './context.ts';
import { costProblem } from './cost.ts';
import { createDocumentCache, limitDocuments } from './document.ts';
import { untilKeyEnds } from './key-end.ts';
import { type Mask, maskResults } from './mask.ts';
import { explainNotAcceptable, maxBodyBytes, readRequests } from './requests.ts';
import { schema } from './schema.ts';
import { shareEvents } from './shared-events.ts';
import { tellOperations } from './tell-operations.ts';
import { describeVariableErrors } from './variables.ts';

/** Context that the WebSocket server passes in place of an HTTP request. */
export interface SocketContext {
  bearer: Bearer;
  asking: Asking;
  /** The server as the client named it. */
  origin: string;
  signal: AbortSignal;
}

export interface YogaOptions {
  services: Services;
  introspection: boolean;
  /** Where clients reach the server, if not where they ask. */
  publicUrl: string | null;
  /** Told of each response that a subscription is about to stream into. */
  onStream: (response: ServerResponse) => void;
  keyring: Pick<Keyring, 'watch'>;
  mask: Mask;
  log: Log;
}

/** Context that the WebSocket server or node:http passes with the request. */
interface ServerContext {
  socket?: SocketContext;
  res?: ServerResponse;
  /** Log fields of a request over HTTP. */
  asking?: Asking;
  /** Who asks over HTTP: the server has checked the key. */
  bearer?: Bearer;
  /** The server as the client named it over HTTP. */
  origin?: string;
}

export type Yoga = YogaServerInstance<ServerContext, Context>;

export function createGraphQL({
  services,
  introspection,
  publicUrl,
  onStream,
  keyring,
  mask,
  log,
}: YogaOptions): Yoga {
  const resultCounter = createResultCounter();
  const budgets = createBudgets();
  /** Limits of one execution. */
  const allowances = (owner: string) => ({
    time: createCheckTime(),
    budget: budgets.begin(owner),
  });
  return createYoga<ServerContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    // The server serves GraphiQL itself: compressed, cached, and without a CDN.
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    maxRequestBodySize: maxBodyBytes,
    // It would log every error that a client is shown; what nobody foresaw is logged by the mask.
    logging: false,
    parserAndValidationCache: {
      documentCache: createDocumentCache(),
      errorCache: createDocumentCache(),
    },
    // The server sees to origins, on every route alike.
    cors: false,
    // It does not know whose errors it masks; see maskResults.
    maskedErrors: false,
    context: ({ socket, res, asking, bearer, origin }) => {
      if (socket) {
        const { origin: named, bearer: holder, ...asked } = socket;
        const { line, modelsOf } = services;
        return {
          ...services,
          ...modelsOf(holder.owner),
          ...line.of(holder.owner),
          ...asked,
          ...holder,
          baseUrl: publicUrl ?? named,
          log,
          ...allowances(holder.owner),
          resultCounter,
        };
      }
      if (!asking || !bearer || !origin) throw new Error('nobody knows who asks');
      const { owner } = bearer;
      return {
        ...services,
        ...services.modelsOf(owner),
        ...services.line.of(owner),
        ...bearer,
        asking,
        baseUrl: publicUrl ?? origin,
        signal: whenGone(res),
        log,
        ...allowances(owner),
        resultCounter,
      };
    },
    plugins: [
      readRequests,
      explainNotAcceptable,
      limitDocuments,
      codedVariableErrors,
      shareEvents((context) => ({ ...context, ...allowances(context.owner) })),
      nameOperation,
      tellOperations(services.events),
      handOver(onStream),
      endStreamsWithTheirClient,
      endStreamsWithTheirKey(keyring),
      endReadsWithTheirClient,
      endBudgets,
      limitSubscriptions,
      limitAnswers,
      maskResults(mask),
      ...(introspection ? [] : [withoutIntrospection]),
    ] as Plugin[],
  }) as Yoga;
}

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
  const described = ({ path, extensions: { code, issues } }: GraphQLError) =>
    path !== undefined || issues !== undefined || (code !== undefined && code !== 'BAD_USER_INPUT');
  if (errors.some(described)) return null;
  return describeVariableErrors(args);
}

function handOver(onStream: YogaOptions['onStream']): Plugin {
  return {
    onSubscribe({ args }) {
      const { res } = args.contextValue as ServerContext;
      if (res) onStream(res);
    },
  };
}

/** Yoga drops the stream of a client that goes before its answer begins, and does not end it. */
const endStreamsWithTheirClient: Plugin<Context> = {
  onSubscribe: ({ args: { contextValue } }) => ({
    onSubscribeResult({ result }) {
      const { res } = contextValue as ServerContext;
      if (!res || !(Symbol.asyncIterator in result)) return;
      const end = () => void result.return?.(); // closes a channel, and never rejects
      if (res.closed) end();
      else res.once('close', end);
    },
  }),
};

function endStreamsWithTheirKey(keyring: YogaOptions['keyring']): Plugin<Context> {
  return {
    onSubscribe: ({ args: { contextValue } }) => ({
      onSubscribeResult({ result, setResult }) {
        const { res } = contextValue as ServerContext;
        if (!res || !(Symbol.asyncIterator in result)) return;
        setResult(untilKeyEnds(result, contextValue, keyring));
      },
    }),
  };
}

const nameOperation: Plugin<Context> = {
  onExecute: ({ args }) => name(args),
  onSubscribe: ({ args }) => name(args),
};

function name({ document, operationName, contextValue }: ExecutionArgs): void {
  const operation = getOperationAST(document, operationName);
  if (!operation) return;
  const { asking } = contextValue as Context;
  asking.operationType = operation.operation;
  if (operation.name) asking.operationName = operation.name.value.slice(0, 100);
}

/**
 * Ends the reads of a query when its client leaves. A mutation finishes what it began, and an event
 * of a subscription serves all subscribers.
 */
const endReadsWithTheirClient: Plugin<Context> = {
  onExecute({ args, extendContext }) {
    const { line, owner, signal } = args.contextValue;
    if (getOperationAST(args.document, args.operationName)?.operation !== 'query') return;
    extendContext({ db: line.reads(owner, signal) });
  },
};

const endBudgets: Plugin<Context> = {
  onExecute: ({ args }) => ({ onExecuteDone: () => args.contextValue.budget.end() }),
};

/** Else its events would be counted one by one, and each refused. */
const limitSubscriptions: Plugin<Context> = {
  onSubscribe({ args, setResultAndStopExecution }) {
    const error = costProblem(args);
    if (error) setResultAndStopExecution({ errors: [error] });
  },
};

const withoutIntrospection: Plugin = {
  onValidate({ addValidationRule }) {
    addValidationRule(NoSchemaIntrospectionCustomRule);
    return ({ result, setResult }) => {
      setResult((result as readonly GraphQLError[]).map(withoutSuggestions));
    };
  },
};

/** GraphQL's own words name what is near to what was asked for: the schema, a name at a time. */
function withoutSuggestions(error: GraphQLError): GraphQLError {
  const message = error.message.replace(/ Did you mean .*\?$/s, '');
  if (message === error.message) return error;
  const { nodes, source, positions, path, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}
