/** All that a worker reads of the database and writes to it: each is one statement. */
import { beginFailure, noteWaiting } from '../../db/batch-life.ts';
import { readBatchPlan, readHalted } from '../../db/batch-plans.ts';
import { claimWithin, pauseForBudget, readStanding } from '../../db/budgets.ts';
import {
  claimChunks,
  raiseSentMarks,
  releaseChunks,
  releaseUnknownChunks,
} from '../../db/chunks.ts';
import type { Database } from '../../db/driver/client.ts';
import { readOpenItems } from '../../db/items.ts';
import {
  limitOf,
  type OwnerLimits,
  pauseForOwner,
  readOwnerStanding,
} from '../../db/owner-limits.ts';
import { pausePreviews } from '../../db/previews.ts';
import { recordResults } from '../../db/results.ts';
import { releaseUnsent } from '../../db/unsent.ts';
import { copyTwins } from '../process/copy-twins.ts';

export type Statements = ReturnType<typeof statementsOf>;

/** `limits`: what owners may spend in a month. */
export function statementsOf(db: Database, limits: OwnerLimits) {
  const { sql } = db;
  return {
    claim: (claim: Omit<Parameters<typeof claimChunks>[1], 'limits'>) =>
      claimChunks(sql, { ...claim, limits }),
    claimWithin: (claim: Omit<Parameters<typeof claimWithin>[1], 'limits'>) =>
      claimWithin(sql, { ...claim, limits }),
    pauseForOwner: (key: bigint, message: string) => pauseForOwner(sql, key, message),
    readStanding: (key: bigint) => readStanding(sql, key),
    hasOwnerLimit: (owner: string) => limitOf(limits, owner) !== null,
    readOwnerStanding: (owner: string) => readOwnerStanding(sql, limits, owner),
    pauseForBudget: (key: bigint, pause: Parameters<typeof pauseForBudget>[2]) =>
      pauseForBudget(sql, key, pause),
    readPlan: (key: bigint) => readBatchPlan(db, key),
    readItems: (range: Parameters<typeof readOpenItems>[1]) => readOpenItems(sql, range),
    mark: (worker: string, marks: Parameters<typeof raiseSentMarks>[2]) =>
      raiseSentMarks(sql, worker, marks),
    record: (flush: Parameters<typeof recordResults>[1]) => recordResults(sql, flush),
    copyTwins: (copy: Parameters<typeof copyTwins>[1], onStep: () => void) =>
      copyTwins(sql, copy, onStep),
    pausePreview: async (key: bigint) => (await pausePreviews(sql, key)).length > 0,
    release: (release: Parameters<typeof releaseChunks>[1]) => releaseChunks(sql, release),
    releaseUnknown: (worker: string, known: Parameters<typeof releaseUnknownChunks>[2]) =>
      releaseUnknownChunks(sql, worker, known),
    releaseUnsent: (release: Parameters<typeof releaseUnsent>[1]) => releaseUnsent(sql, release),
    readHalted: (keys: readonly bigint[]) => readHalted(db, keys),
    noteWaiting: (key: bigint, waiting: Parameters<typeof noteWaiting>[2]) =>
      noteWaiting(db, key, waiting),
    beginFailure: (key: bigint, failure: Parameters<typeof beginFailure>[2]) =>
      beginFailure(db, key, failure),
  };
}
