/**
 * The number of items that a list of a batch has: from what is kept of the batch, where that tells
 * it.
 */
import type { BatchRecord } from '../db/batches.ts';
import type { Database } from '../db/driver/client.ts';
import type { ItemFilter } from '../db/item-filter.ts';
import { countAnswers, countItems } from '../db/items.ts';
import type { Summaries } from '../engine/summaries/summaries.ts';
import { confidences, labelsOf } from '../engine/summaries/tallies.ts';

interface Needs {
  db: Pick<Database, 'sql'>;
  summaries: Summaries;
}

/** Items that one statement counts. */
const countedItems = 100_000;

/**
 * Number of items that a filter leaves. Counts of statuses, of labels and of all confidences are
 * kept; other answers are looked at, and for a text all rows.
 */
export async function countMatching(
  needs: Needs,
  batch: BatchRecord,
  filter: ItemFilter,
): Promise<number> {
  const { status, customIds, errorCodes, answers, search } = filter;
  if (customIds ?? errorCodes ?? search) return await countByLooking(needs, batch, filter);
  if (!answers) return status ? await countByStatus(needs, batch, status) : batch.total;
  if (answers.none || (status && !status.includes('SUCCEEDED'))) return 0;
  return (await readKept(needs, batch, answers)) ?? (await countByAnswers(needs, batch, answers));
}

async function countByStatus(
  { db }: Needs,
  batch: BatchRecord,
  status: NonNullable<ItemFilter['status']>,
): Promise<number> {
  const { succeeded, failed, cancelled, expired } = batch;
  const kept: Partial<Record<(typeof status)[number], number>> = {
    SUCCEEDED: succeeded,
    FAILED: failed,
    CANCELLED: cancelled,
    EXPIRED: expired,
  };
  const counts = [...new Set(status)].map((one) => kept[one]);
  return counts.includes(undefined)
    ? await countItems(db.sql, sourceOf(batch), { status })
    : counts.reduce<number>((sum, count = 0) => sum + count, 0);
}

/** Null where what is kept does not tell it. */
async function readKept(
  { db, summaries }: Needs,
  batch: BatchRecord,
  { labels, confidence }: NonNullable<ItemFilter['answers']>,
): Promise<number | null> {
  // An item with several labels is counted for each of them.
  if (labels && !labels.isList && !confidence) {
    const { member, isList, wanted } = labels;
    const counts = await summaries.read(db, batch, labelsOf({ member, isList }));
    return [...new Set(wanted)].reduce((sum, label) => sum + (counts.get(label) ?? 0), 0);
  }
  // A thousandth may have confidences on both sides of its edge, by less than a real tells apart.
  if (!labels && confidence?.from === null && confidence.below === null) {
    const counts = await summaries.read(db, batch, confidences);
    return [...counts.values()].reduce((sum, count) => sum + count, 0);
  }
  return null;
}

async function countByAnswers(
  { db }: Needs,
  batch: BatchRecord,
  answers: NonNullable<ItemFilter['answers']>,
): Promise<number> {
  return await inPieces(batch, (piece) => countAnswers(db.sql, sourceOf(batch), answers, piece));
}

async function countByLooking(
  { db }: Needs,
  batch: BatchRecord,
  filter: ItemFilter,
): Promise<number> {
  if (filter.customIds || (filter.errorCodes && filter.search === undefined)) {
    return await countItems(db.sql, sourceOf(batch), filter);
  }
  return await inPieces(batch, (piece) => countItems(db.sql, sourceOf(batch), filter, piece));
}

/** Statements of a request may take ten seconds each. */
async function inPieces(
  { total }: BatchRecord,
  count: (piece: { afterIndex: number; beforeIndex: number }) => Promise<number>,
): Promise<number> {
  let items = 0;
  for (let first = 0; first < total; first += countedItems) {
    items += await count({ afterIndex: first - 1, beforeIndex: first + countedItems });
  }
  return items;
}

function sourceOf({ key, fileKey }: BatchRecord) {
  return { batchKey: key, fileKey };
}
