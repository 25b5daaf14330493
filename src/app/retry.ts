import { AppError } from '../core/errors.ts';
import { type BatchRecord, readBatch } from '../db/batches.ts';
import { type Retry, retryItems } from '../db/retries.ts';
import { giveBackItems, storeWithin, takingOf } from '../db/takings.ts';
import type { Caller } from './caller.ts';
import { needContent } from './need-content.ts';

/**
 * Puts items that failed, expired or were cancelled back in the queue. Returns how many items will
 * be asked again; 0 leaves the batch as it is. What succeeded is never asked again. Throws CONFLICT
 * for a batch that is being cancelled or has lost its rows, and LimitExceeded where a limit of its
 * owner leaves no room.
 */
export async function retryBatch(
  { db, nudges, limitsOf, asking }: Pick<Caller, 'db' | 'nudges' | 'limitsOf' | 'asking'>,
  retry: Retry,
): Promise<number> {
  const { owner, id } = retry;
  const limits = limitsOf(owner);
  const batch = limits === null ? null : await readBatch(db, owner, id);
  const items = batch === null ? 0 : mostRetried(batch, retry);
  const taking = items === 0 ? null : takingOf(limits, { owner, batch: id, items });
  const retried = await storeWithin(db.sql, taking, () => retryItems(db.sql, retry, taking));
  if (taking !== null) await giveBackItems(db.sql, owner, items - (retried?.retriedItems ?? 0));
  if (!retried) {
    const left = await readBatch(db, owner, id);
    if (left) needContent(left, 'a retry');
    if (left?.status !== 'CANCELLING') return 0;
    throw new AppError(
      'CONFLICT',
      'The batch must be CANCELLED before a retry; it is still CANCELLING',
    );
  }
  await nudges.send(retried.key, 'work', asking);
  return retried.retriedItems;
}

/** Items that a retry starts at most; what it did not is given back to its owner's day. */
function mostRetried(batch: BatchRecord, { customIds, errorCodes }: Retry): number {
  const { total, succeeded, failed, cancelled, expired } = batch;
  const ended = failed + cancelled + expired;
  const coded = errorCodes ? countOfCodes(batch, errorCodes) : ended;
  const putBack = customIds ? Math.min(coded, customIds.length) : coded;
  // A stopped batch goes on with what it had left undone as well.
  return batch.status === 'FAILED' ? putBack + total - succeeded - ended : putBack;
}

function countOfCodes(
  { errorSummary }: BatchRecord,
  errorCodes: NonNullable<Retry['errorCodes']>,
): number {
  const named = errorSummary.filter(({ code }) => errorCodes.includes(code));
  return named.reduce((items, { count }) => items + count, 0);
}
