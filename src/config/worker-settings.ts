/** The variables of work on batches. */
import { integer, oneOf } from './kinds.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const workerVariables = {
  ROLE: variable(
    '`api` serves and does not work, `worker` works and does not serve, `all` does both.',
    oneOf(['all', 'api', 'worker']).default('all'),
  ),
  WORKER_CONCURRENCY: variable(
    "Calls of this process in flight or not yet stored. A crash repeats at most this many. Twice a provider's `limits.concurrency` keeps that full.",
    integer(64, 1, 10_000),
  ),
  WORKER_LEASE_MS: variable(
    'Milliseconds after a crash until other workers take over.',
    integer(30_000, 1_000, 600_000),
  ),
};
