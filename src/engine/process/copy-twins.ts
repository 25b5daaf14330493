/** Gives twins what was written for their leaders. */
import type { Sql } from '../../db/driver/client.ts';
import type { Recorded } from '../../db/results.ts';
import { recordTwins, type TwinPlace } from '../../db/twins.ts';
import { withEarlier } from './tell-recorded.ts';

/**
 * Records the twins of these leaders, or of all where that is null, as far as the leaders have
 * their results: a few thousand a statement, `onStep` is called after each. Returns what all of
 * them left behind; null when the batch had gone or ended before.
 */
export async function copyTwins(
  sql: Sql,
  { batchKey, leaders }: { batchKey: bigint; leaders: readonly number[] | null },
  onStep: () => void,
): Promise<Recorded | null> {
  let all: Recorded | null = null;
  let after: TwinPlace | undefined;
  for (;;) {
    const step = await recordTwins(sql, batchKey, { leaders, after });
    if (!step) return all; // ended by the step before
    const { next, ...written } = step;
    all = all === null ? written : withEarlier(written, all);
    onStep();
    if (!next) return all;
    after = next;
  }
}
