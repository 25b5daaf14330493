/** Event streams end with the key that began them. A socket is closed by sockets.ts. */
import { type ExecutionResult, GraphQLError } from 'graphql';
import { refusals } from '../http/door.ts';
import type { Keyring } from '../http/keyring.ts';
import type { Context } from './context.ts';

/** The same events, until the key is revoked or expires: then one error more, and the end. */
export function untilKeyEnds(
  events: AsyncIterable<ExecutionResult>,
  context: Context,
  { watch }: Pick<Keyring, 'watch'>,
): AsyncIterableIterator<ExecutionResult> {
  const source = events[Symbol.asyncIterator]();
  let state: 'open' | 'refused' | 'done' = 'open';
  let wake = () => {};
  const endWatch = watch(context, () => {
    if (state === 'open') state = 'refused';
    wake();
  });

  async function finish(): Promise<IteratorResult<ExecutionResult>> {
    const wasRefused = state === 'refused';
    state = 'done';
    endWatch();
    // It closes a channel, and may wait for an event that nobody wants any more.
    void source.return?.().catch(() => undefined);
    return wasRefused
      ? { done: false, value: { errors: [endedKey()] } }
      : { done: true, value: undefined };
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (state !== 'open') return await finish();
      const woken = new Promise<null>((resolve) => {
        wake = () => resolve(null);
      });
      const next = await Promise.race([woken, source.next()]);
      if (next === null) return await finish();
      if (next.done) endWatch();
      return next;
    },
    async return() {
      state = 'done';
      endWatch();
      await source.return?.();
      return { done: true, value: undefined };
    },
  };
}

function endedKey(): GraphQLError {
  return new GraphQLError(refusals.ended, { extensions: { code: 'UNAUTHENTICATED' } });
}
