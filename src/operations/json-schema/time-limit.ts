/**
 * A user's schema can take exponential time on some answer: by a `pattern` that backtracks, or by alternatives that
 * refer to themselves. Only running it shows that, so it runs under a clock that can stop it.
 */
import { createContext, Script } from 'node:vm';
import { InvalidOutput } from '../../errors.ts';

const LIMIT_MS = 200;
/** So that a batch does not stop for 200 ms at every one of its items. */
const MAX_OVERRUNS = 3;

export type TimeLimit = <Result>(work: () => Result) => Result;

/**
 * Runs work that may take 200 ms, at 100 microseconds more than it would cost by itself. Throws InvalidOutput when the
 * time is up, and after the third time without running the work at all.
 */
export function createTimeLimit(): TimeLimit {
  const script = new Script('work()');
  const sandbox: { work?: () => unknown } = createContext({});
  let overruns = 0;

  return (work) => {
    if (overruns >= MAX_OVERRUNS) {
      throw new InvalidOutput('The answer takes too long to check against its schema.');
    }
    try {
      // Functions of this realm are stopped too: the limit is on the thread, not on the context.
      sandbox.work = work;
      return script.runInContext(sandbox, { timeout: LIMIT_MS });
    } catch (error) {
      if (!isTimeout(error)) {
        throw error;
      }
      overruns += 1;
      const message = 'The answer takes too long to check against its schema.';
      throw new InvalidOutput(message, { cause: error });
    }
  };
}

// Of another realm, so that instanceof does not know it.
function isTimeout(error: unknown): boolean {
  return Object(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
