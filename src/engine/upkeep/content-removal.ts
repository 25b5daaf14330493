/**
 * Deletes what batches were about: their answers are counted a last time, then it is hidden, and a
 * moment later blanked in steps.
 */
import { readBatchByKey } from '../../db/batches.ts';
import {
  blankBatchStep,
  blankFileStep,
  deleteBlankedFiles,
  deleteContent,
  dueAtOnce,
  listBlankable,
  listContentDue,
} from '../../db/content.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Nudges } from '../process/nudges.ts';
import { allSummaries } from '../summaries/all-summaries.ts';
import type { Summaries } from '../summaries/summaries.ts';
import { createRemovalShare } from './removal-share.ts';

export interface ContentRemoval {
  /**
   * Deletes the content that is due, and goes on with blanking, as far as there is time. Returns
   * how many batches lost theirs, and how many uploaded files went with the last of them.
   */
  remove(): Promise<{ batches: number; files: number }>;
  /** True where the last call has left something to do. */
  hasMore(): boolean;
}

/** `contentSeconds` null: nothing is due. `mayGoOn` is asked before each step. */
export function createContentRemoval({
  db,
  contentSeconds,
  summaries,
  nudges,
  mayGoOn,
}: {
  db: Database;
  contentSeconds: number | null;
  summaries: Summaries;
  nudges: Pick<Nudges, 'send'>;
  mayGoOn: () => boolean;
}): ContentRemoval {
  const share = createRemovalShare(db);
  const hasTime = async () => mayGoOn() && (await share.hasTime());
  let hasMore = false;

  async function deleteDue(): Promise<number> {
    if (contentSeconds === null) return 0;
    const due = await listContentDue(db.sql, contentSeconds);
    hasMore ||= due.length === dueAtOnce;
    let count = 0;
    for (const key of due) {
      if (!(await hasTime())) {
        hasMore = true;
        return count;
      }
      if (!(await share.spend(() => deleteOne(key)))) continue;
      count += 1;
      await nudges.send(key, 'progress');
    }
    return count;
  }

  /** Counts of answers are kept before the answers go. */
  async function deleteOne(key: bigint): Promise<boolean> {
    const batch = await readBatchByKey(db, key);
    if (!batch) return false;
    const counted = allSummaries(batch);
    for (const summary of counted) await summaries.read(db, batch, summary, { keep: true });
    const fields = counted.map(({ field }) => field);
    return await deleteContent(db.sql, { key, seq: batch.seq, summaries: fields });
  }

  async function blank(): Promise<void> {
    const { batches, files, isWaiting } = await listBlankable(db.sql);
    hasMore ||= isWaiting;
    const works = [
      ...batches.map((key) => () => blankBatchStep(db.sql, key)),
      ...files.map((key) => () => blankFileStep(db.sql, key)),
    ];
    for (const step of works) {
      while (true) {
        if (!(await hasTime())) return;
        if (!(await share.spend(step))) break;
      }
    }
  }

  return {
    async remove() {
      hasMore = false;
      const batches = await deleteDue();
      const files = await deleteBlankedFiles(db.sql);
      await blank();
      return { batches, files };
    },
    hasMore: () => hasMore,
  };
}
