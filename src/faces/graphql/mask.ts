/** The last look at every GraphQL answer: no error leaves that was not meant to be seen. */
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { AppError, type InputIssue, LimitExceeded } from '../../core/errors.ts';
import { type Asking, type Log, somethingFailed } from '../../core/log.ts';
import { databaseFailedRequest, databaseFailure } from '../../db/driver/failure.ts';
import type { Telling } from '../../telemetry/events.ts';
import { isTooCostly } from './cost.ts';
import { presentError } from './errors.ts';
import { limitErrors } from './limit-errors.ts';

/** The errors of one answer as its client may see them. */
export type Mask = (errors: readonly unknown[], asking: Asking) => GraphQLError[];

/** The libraries' codes in our words; what is not named here is ours, or GraphQL's own. */
const translatedCodes = new Map<unknown, string>([
  ['OPERATION_RESOLUTION_FAILURE', 'BAD_REQUEST'],
  ['REQUEST_ENTITY_TOO_LARGE', 'PAYLOAD_TOO_LARGE'],
]);

/**
 * Shows expected failures as they are, with a code. Everything else is logged alone. Each error
 * names the request.
 */
export function createMask(log: Log, events: Pick<Telling, 'emit'>): Mask {
  return (errors, asking) => {
    const part = { asking, log, events };
    const shown = limitErrors(errors.map((error) => named(masked(error, part), asking)));
    const codes = new Set(shown.map(({ extensions }) => String(extensions.code ?? '')));
    events.emit('error.answered', { asking, codes: [...codes].filter(Boolean) });
    return shown;
  };
}

/** A new error: GraphQL keeps those of a document for the next request that sends it. */
function named(error: GraphQLError, { requestId }: Asking): GraphQLError {
  const { message, nodes, source, positions, path, originalError, extensions } = error;
  return new GraphQLError(message, {
    nodes,
    source,
    positions,
    path,
    originalError,
    extensions: { ...extensions, requestId },
  });
}

function masked(
  error: unknown,
  { asking, log, events }: { asking: Asking; log: Log; events: Pick<Telling, 'emit'> },
): GraphQLError {
  const original = error instanceof GraphQLError ? originalOf(error) : error;
  const position =
    error instanceof GraphQLError
      ? { nodes: error.nodes, source: error.source, positions: error.positions, path: error.path }
      : {};
  if (error instanceof GraphQLError && error.extensions.code === 'GRAPHQL_VALIDATION_FAILED') {
    // What a scalar threw at a literal is its word to the caller, which GraphQL has given a
    // place.
    return new GraphQLError(error.message, { ...position, extensions: error.extensions });
  }
  const failure = original instanceof AppError ? original : databaseFailure(original);
  const refuse = (reason: 'cost' | 'limit' | 'size') =>
    events.emit('request.refused', { reason, owner: asking.owner ?? null });
  if (isTooCostly(original) || isTooCostly(error)) refuse('cost');
  if (failure) {
    if (failure instanceof LimitExceeded) refuse('limit');
    else if (failure.code === 'PAYLOAD_TOO_LARGE') refuse('size');
    if (failure !== original) {
      log.warn({ ...linesOf(asking, error), err: original }, databaseFailedRequest);
    }
    const { message, extensions } = presentError(failure);
    return new GraphQLError(message, { ...position, extensions });
  }
  if (original instanceof GraphQLError) {
    const { code, originalError, ...extensions } = original.extensions;
    const translated = translatedCodes.get(code);
    if ((translated ?? code) === 'PAYLOAD_TOO_LARGE') refuse('size');
    if (code !== undefined && originalError === undefined && translated === undefined) {
      return error as GraphQLError;
    }
    return new GraphQLError(original.message, {
      ...position,
      extensions:
        code === undefined
          ? { ...extensions, code: 'BAD_USER_INPUT', issues: [issueOf(error as GraphQLError)] }
          : { ...extensions, code: translated ?? code },
    });
  }
  log.error({ err: original, ...linesOf(asking, error) }, 'a resolver failed in an unforeseen way');
  return new GraphQLError(somethingFailed(asking), {
    ...position,
    extensions: { code: 'INTERNAL_SERVER_ERROR' },
  });
}

function originalOf(error: GraphQLError): unknown {
  let inner: unknown = error;
  while (inner instanceof GraphQLError && inner.originalError) inner = inner.originalError;
  return inner;
}

/** GraphQL's complaint about an argument names it in words; only the field can be pointed to. */
function issueOf({ path, message }: GraphQLError): InputIssue {
  return { path: (path ?? []).join('.'), message };
}

/** Log fields of a request, with the path of the field that failed. */
function linesOf(asking: Asking, error: unknown): Asking {
  const path = error instanceof GraphQLError ? error.path?.join('.') : undefined;
  return path === undefined ? asking : { ...asking, path };
}

/** Masks what goes out over HTTP: one answer, or each event of a stream. */
export function maskResults(mask: Mask): Plugin {
  return {
    onResultProcess({ result, setResult, serverContext }) {
      const { asking } = serverContext as unknown as { asking: Asking };
      if (Symbol.asyncIterator in result) setResult(maskEvents(result as Events, mask, asking));
      else setResult(maskResult(result as ExecutionResult, mask, asking));
    },
  };
}

type Events = AsyncIterable<ExecutionResult>;

export function maskResult<Result extends ExecutionResult>(
  result: Result,
  mask: Mask,
  asking: Asking,
): Result {
  const { errors } = result;
  return errors ? { ...result, errors: mask(errors, asking) } : result;
}

function maskEvents(events: Events, mask: Mask, asking: Asking): Events {
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.asyncIterator]();
      return {
        async next() {
          const next = await iterator.next();
          return next.done ? next : { done: false, value: maskResult(next.value, mask, asking) };
        },
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
