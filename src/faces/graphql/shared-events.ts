/**
 * One execution for all subscribers of the same thing. A batch that changes is read once, and
 * everybody who watches it gets the same record; where owner, document and variables are the same
 * too, so is the answer, and it is made once.
 */
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { limitAnswer } from './answer-size.ts';
import type { Context } from './context.ts';

type EventAnswer = Promise<ExecutionResult>;

/**
 * Has every event of a subscription executed once for those who ask the same of it. `begin` gives
 * each of them a context of its own: what one request may take, one event may.
 */
export function shareEvents(begin: (context: Context) => Context): Plugin {
  /** By event. An event is dropped when the last subscriber has had it, and its answers with it. */
  const answers = new WeakMap<object, Map<string, EventAnswer>>();
  /** Equal texts are parsed to one document, which is what the document cache is for. */
  const documents = new WeakMap<DocumentNode, number>();
  let documentCount = 0;

  function keyOf({ document, contextValue, variableValues, operationName }: ExecutionArgs): string {
    let number = documents.get(document);
    if (number === undefined) {
      number = documentCount++;
      documents.set(document, number);
    }
    const { owner, baseUrl } = contextValue as Context;
    return JSON.stringify([number, owner, baseUrl, operationName ?? null, variableValues ?? null]);
  }

  async function subscribe(
    args: ExecutionArgs,
  ): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
    const events = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in events)) return events;
    const key = keyOf(args);
    return mapEvents(events, (event) => {
      if (typeof event !== 'object' || event === null) {
        return executeEvent(args, event);
      }
      let known = answers.get(event);
      if (!known) {
        known = new Map();
        answers.set(event, known);
      }
      const answer = known.get(key) ?? executeEvent(args, event);
      known.set(key, answer);
      return answer;
    });
  }

  async function executeEvent(args: ExecutionArgs, event: unknown): EventAnswer {
    const contextValue = begin(args.contextValue as Context);
    try {
      return limitAnswer(await execute({ ...args, rootValue: event, contextValue }));
    } finally {
      contextValue.budget.end();
    }
  }

  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
  } as Plugin;
}

/** Ends when `events` end, and ends them when its reader goes. */
function mapEvents(
  events: AsyncIterable<unknown>,
  answer: (event: unknown) => EventAnswer,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = events[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await iterator.next();
      return done ? { done, value: undefined } : { done: false, value: await answer(value) };
    },
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
    async throw(error: unknown) {
      await iterator.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
