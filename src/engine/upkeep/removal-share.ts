/** The share of a process's time that the removal of rows takes. */
import type { Database } from '../../db/driver/client.ts';
import { holdWorkersChunks } from '../../db/workers.ts';
import { createWorkShare } from './work-share.ts';

/**
 * Three parts of a process remove rows, so all of them take 30 % of its time at most. A step keeps
 * a core of the database's: beside workers that need all of them, twice 3 % cost a batch as much.
 */
const shares = { idle: 0.1, besideWorkers: 0.03 };
/** About what one step takes. */
const keptMs = 100;
const lookMs = 1_000;

export interface RemovalShare {
  /** True where there is time for a step now. */
  hasTime(): Promise<boolean>;
  /** Milliseconds until there is. */
  waitMs(): number;
  /** Does a step, whose time is taken of the share. */
  spend<Result>(step: () => Promise<Result>): Promise<Result>;
}

/** The share of one part: smaller as long as workers hold items of any batch. */
export function createRemovalShare(
  { sql }: Pick<Database, 'sql'>,
  now: () => number = () => performance.now(),
): RemovalShare {
  let areWorking = true;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const shareNow = () => (areWorking ? shares.besideWorkers : shares.idle);
  const share = createWorkShare({ shareNow, keptMs }, now);
  return {
    async hasTime() {
      if (now() - lookedAt >= lookMs) {
        areWorking = await holdWorkersChunks(sql);
        lookedAt = now();
      }
      return share.hasTime();
    },
    waitMs: share.waitMs,
    spend: share.spend,
  };
}
