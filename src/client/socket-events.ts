/** Subscriptions over a client of graphql-ws that the program has. */
import { type GraphQLAnswer, type GraphQLProblem, problemsAsError } from './answers.ts';
import { abortedBy, errorOf, lost, type WinnowError } from './errors.ts';
import type { Subscribe, SubscribePayload } from './subscribe-types.ts';

/** The server closes a socket without a right key with 4403, and a code in front of its reason. */
const refused = 4403;

/** The events of one subscription. Throws a WinnowError; ends with the subscription. */
export async function* readSocket(
  subscribe: Subscribe,
  payload: SubscribePayload,
  signal?: AbortSignal,
): AsyncGenerator<GraphQLAnswer, void> {
  if (signal?.aborted) throw abortedBy(signal);
  const queue = createQueue();
  const onAbort = () => signal && queue.end(abortedBy(signal));
  signal?.addEventListener('abort', onAbort);
  const leave = begin(subscribe, payload, queue);
  try {
    for (;;) {
      const next = await queue.next();
      if (next === null) return;
      yield next;
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    leave();
  }
}

/** Begins, and gives what ends it. */
function begin(subscribe: Subscribe, payload: SubscribePayload, queue: Queue): () => void {
  const begun = subscribe(payload, {
    next: (value) => queue.put(value as GraphQLAnswer),
    error: (error) => queue.end(toError(error)),
    complete: () => queue.end(null),
  });
  if (typeof begun === 'function') return begun;
  const events = begun[Symbol.asyncIterator]();
  void (async () => {
    try {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        queue.put(next.value as GraphQLAnswer);
      }
      queue.end(null);
    } catch (error) {
      queue.end(toError(error));
    }
  })();
  return () => void events.return?.()?.catch(() => undefined);
}

interface Queue {
  put(answer: GraphQLAnswer): void;
  /** Nothing comes after what is in it; an error is thrown then. The first end counts. */
  end(error: WinnowError | null): void;
  /** Null at the end. */
  next(): Promise<GraphQLAnswer | null>;
}

function createQueue(): Queue {
  const waiting: GraphQLAnswer[] = [];
  let ended: { error: WinnowError | null } | null = null;
  let wake: () => void = () => undefined;
  return {
    put(answer) {
      waiting.push(answer);
      wake();
    },
    end(error) {
      ended ??= { error };
      wake();
    },
    async next() {
      while (waiting.length === 0 && ended === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const answer = waiting.shift();
      if (answer) return answer;
      if (ended?.error) throw ended.error;
      return null;
    },
  };
}

/** graphql-ws gives errors of GraphQL as a list, and the end of a connection as a close event. */
function toError(thrown: unknown): WinnowError {
  if (Array.isArray(thrown)) return problemsAsError(thrown as GraphQLProblem[]);
  const { code, reason } = (thrown ?? {}) as { code?: unknown; reason?: unknown };
  if (code !== refused) return lost('The socket of the subscription was closed', thrown);
  const [, named = 'FORBIDDEN', message] = /^(?:([A-Z_]+): )?(.*)$/s.exec(String(reason)) ?? [];
  return errorOf({ code: named, message: message || 'The socket was refused', cause: thrown });
}
