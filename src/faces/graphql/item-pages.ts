/** Pages of the items of a batch: in the order of the input, or the least sure answer first. */
import { hasConfidences } from '../../app/answer-filter.ts';
import { countMatching } from '../../app/matching-items.ts';
import { parseItemId } from '../../core/ids.ts';
import { type BatchFile, type BatchRecord, readBatchFile } from '../../db/batches.ts';
import type { ItemFilter } from '../../db/item-filter.ts';
import type { RowCut } from '../../db/item-text.ts';
import { type ItemRecord, listItems, listItemsAt, type SureItem } from '../../db/items.ts';
import { findLeastSure, findSurePlace, type SurePlace } from '../../db/least-sure.ts';
import { rowFileOf } from '../../files/row.ts';
import { rowCutOf } from '../../files/row-cut.ts';
import type { Context } from './context.ts';
import { type BatchItemModel, source, toModels } from './item.ts';
import { type PageArgs, type PageRange, type Places, readPage, wholePage } from './page.ts';
import { type Piece, walk } from './walk.ts';

/** Items that a search looks at by one statement. */
const pieceItems = 20_000;

export type ItemOrder = 'INDEX' | 'CONFIDENCE';

/** An order of items. A place says how far a search got. */
interface Ordered<Place> extends Places<BatchItemModel> {
  cursorAt(place: Place): string;
  indexAt(place: Place): number;
  read(range: PageRange, from: Place | null, limit: number): Promise<Piece<ItemRecord, Place>>;
}

/** Which items a list has, and in which order. */
interface Asked {
  filter: ItemFilter;
  orderBy: ItemOrder;
}

/**
 * `isCut`: nothing of the text of items is asked for but its beginning.
 *
 * A page, and the last index that a search looked at where it ran out of time.
 */
export async function readItemPage(
  batch: BatchRecord,
  args: PageArgs,
  { filter, orderBy, isCut }: Asked & { isCut: boolean },
  context: Context,
) {
  const file = await readBatchFile(context.db, batch.fileKey);
  const cut = isCut ? rowCutOf(rowFileOf(file, batch)) : null;
  const asked = { batch, filter, cut };
  return orderBy === 'CONFIDENCE'
    ? await readOrdered({ batch, file }, args, bySureness(asked, context), context)
    : await readOrdered({ batch, file }, args, byIndex(asked, context), context);
}

async function readOrdered<Place>(
  { batch, file }: { batch: BatchRecord; file: BatchFile },
  args: PageArgs,
  order: Ordered<Place>,
  { db }: Context,
) {
  let end: Place | null = null;
  let [isFull, isInverted] = [true, false];
  const { edges, pageInfo } = await readPage(args, order, async (range) => {
    const found = await walk<ItemRecord, Place>(range.limit, (from, limit) =>
      order.read(range, from, limit),
    );
    end = found.end;
    isFull = found.rows.length >= range.limit - 1;
    isInverted = range.inverted;
    const entries = await toModels(batch, found.rows, db, file);
    return wholePage({ entries, isCut: found.isCut }, range, order.toCursor);
  });
  if (end === null) return { edges, pageInfo, searchedTo: null };
  // Nobody knows what the rest of the list has, and the next page begins behind what is known.
  const more = isInverted ? { hasPreviousPage: true } : { hasNextPage: true };
  const cursor = order.cursorAt(end);
  const reached = isInverted ? { startCursor: cursor } : { endCursor: cursor };
  return isFull
    ? { edges, pageInfo: { ...pageInfo, ...more }, searchedTo: null }
    : { edges, pageInfo: { ...pageInfo, ...more, ...reached }, searchedTo: order.indexAt(end) };
}

/** Larger than any index, and the largest that the database can compare with one. */
const maxIndex = 2 ** 31 - 1;

/** The part of a batch that is read. */
interface Reading {
  batch: BatchRecord;
  filter: ItemFilter;
  cut: RowCut | null;
}

function byIndex({ batch, filter, cut }: Reading, { db, budget }: Context): Ordered<number> {
  const isSearch = searches(filter);
  const toIndex = (cursor: string | undefined) =>
    cursor === undefined ? undefined : Math.min(Number(cursor), maxIndex);

  return {
    toCursor: ({ item }) => String(item.index),
    find: async (id) => {
      const index = indexIn(batch, id);
      return index === null ? null : String(index);
    },
    cursorAt: String,
    indexAt: (index) => index,
    async read({ after, before, inverted }, from, limit) {
      let afterIndex = toIndex(after);
      let beforeIndex = toIndex(before);
      let end: number | null = null;
      if (isSearch && inverted) {
        const least = (afterIndex ?? -1) + 1;
        beforeIndex = from ?? Math.min(beforeIndex ?? batch.total, batch.total);
        const first = Math.max(beforeIndex - pieceItems, least);
        afterIndex = first - 1;
        end = first > least ? first : null;
      } else if (isSearch) {
        const stop = Math.min(beforeIndex ?? batch.total, batch.total);
        afterIndex = from ?? afterIndex ?? -1;
        beforeIndex = Math.min(afterIndex + 1 + pieceItems, stop);
        end = beforeIndex < stop ? beforeIndex - 1 : null;
      }
      const page = { limit, afterIndex, beforeIndex, inverted, cut };
      const { rows, isCut } = await budget.read((maxBytes) =>
        listItems(db.sql, source(batch), filter, { ...page, maxBytes }),
      );
      return { rows, isCut, end };
    },
  };
}

/** True where a filter needs a look at each item, of any number. */
function searches({ answers, search, customIds }: ItemFilter): boolean {
  return (answers !== undefined || search !== undefined) && customIds === undefined;
}

/** A confidence, in billionths, and an index. */
const sureCursor = /^(\d{1,10})\.(\d{1,10})$/;
const billion = 1e9;

function bySureness({ batch, filter, cut }: Reading, { db, budget }: Context): Ordered<SurePlace> {
  const { status, errorCodes, search } = filter;
  const isPossible =
    hasConfidences(batch) && !errorCodes && (status?.includes('SUCCEEDED') ?? true);
  const cursorAt = ({ confidence, index }: SurePlace) =>
    `${Math.round(confidence * billion)}.${index}`;
  const toPlace = (cursor: string | undefined) => {
    const [, billionths, index] = sureCursor.exec(cursor ?? '') ?? [];
    return billionths === undefined
      ? null
      : { confidence: Number(billionths) / billion, index: Math.min(Number(index), maxIndex) };
  };

  return {
    toCursor: ({ item }) => cursorAt(item as SureItem),
    isCursor: (text) => sureCursor.test(text),
    find: async (id) => {
      const index = indexIn(batch, id);
      if (index === null || !hasConfidences(batch)) return null;
      const place = await findSurePlace(db.sql, source(batch), index);
      return place && cursorAt(place);
    },
    cursorAt,
    indexAt: ({ index }) => index,
    async read({ after, before, inverted }, from, limit) {
      if (!isPossible) return { rows: [], isCut: false, end: null };
      const looked = search === undefined ? limit : pieceItems;
      const { indexes, count, end } = await findLeastSure(db.sql, source(batch), filter, {
        limit: looked,
        after: (inverted ? null : from) ?? toPlace(after),
        before: (inverted ? from : null) ?? toPlace(before),
        inverted,
      });
      const { rows, isCut } = await budget.read((maxBytes) =>
        listItemsAt(db.sql, source(batch), { search }, { indexes, limit, maxBytes, cut }),
      );
      return { rows, isCut, end: count < looked ? null : end };
    },
  };
}

/** The index of an item of the batch by its id; null for any other id. */
function indexIn({ id, total }: BatchRecord, text: string): number | null {
  const parsed = parseItemId(text);
  return parsed?.batchId === id && parsed.index < total ? parsed.index : null;
}

/** Number of items that a filter leaves, of a list in this order. */
export async function countInOrder(
  batch: BatchRecord,
  { filter, orderBy }: Asked,
  needs: Pick<Context, 'db' | 'summaries'>,
): Promise<number> {
  const counted = orderBy === 'CONFIDENCE' ? withConfidence(batch, filter) : filter;
  return await countMatching(needs, batch, counted);
}

/** Only items with a confidence are ordered by it. */
function withConfidence(batch: BatchRecord, filter: ItemFilter): ItemFilter {
  const confidence = filter.answers?.confidence ?? { from: null, below: null };
  const none = !hasConfidences(batch);
  return { ...filter, answers: { ...filter.answers, confidence, none } };
}
