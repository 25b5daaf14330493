import { createContext, Script } from 'node:vm';

/** For what hangs: far more than work needs that ends, also on a machine under load. */
const deadlineMs = 45_000;

/**
 * Does work that never waits, and returns its result. Throws at the deadline, where a test's own
 * time limit cannot reach: the work has the thread until it ends.
 */
export function ending<Result>(work: () => Result): Result {
  const context = createContext({ work });
  return new Script('work()').runInContext(context, { timeout: deadlineMs });
}
