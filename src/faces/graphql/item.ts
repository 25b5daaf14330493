/** The items of a batch: the type, and the list. */
import { z } from 'zod';
import { operationOf, requestFor } from '../../app/stored-operation.ts';
import { PageTooLarge } from '../../core/errors.ts';
import { parseKeepingNumbers } from '../../core/exact-json.ts';
import { itemId, parseItemId } from '../../core/ids.ts';
import type { Usage } from '../../core/usage.ts';
import { type BatchFile, type BatchRecord, readBatch, readBatchFile } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import { countItems, type ItemFilter, type ItemRecord, listItems } from '../../db/items.ts';
import { customIdOf, type DecodedRow, decodeRow, rowFileOf, rowNumberOf } from '../../files/row.ts';
import { storableText } from '../../operations/text.ts';
import { type Budget, measure } from './budget.ts';
import { builder } from './builder.ts';
import { ItemErrorCodeEnum, ItemResult, rejectedAnswerDescription } from './item-result.ts';
import { filterCost, pageCost, readPage, wholePage } from './page.ts';

export const ItemStatusEnum = builder.enumType('ItemStatus', {
  description: 'Where one item of a batch stands.',
  values: {
    PENDING: { description: 'Nobody works on it yet, or again.' },
    PROCESSING: { description: 'A worker holds it, or the provider in a batch of its own.' },
    SUCCEEDED: { description: 'It has a valid output. Final.' },
    FAILED: { description: 'It has an error. Final.' },
    CANCELLED: { description: 'The batch was cancelled before its turn. Final.' },
    EXPIRED: { description: 'The batch’s time ran out before its turn. Final.' },
  },
});

/** An item together with the batch it is seen from. */
export interface BatchItemModel {
  batch: BatchRecord;
  item: ItemRecord;
  /** What its row holds. */
  row: DecodedRow;
  customId: string;
  /** Its row's number in the file; null where it has none. */
  rowNumber: number | null;
}

/** Items of one batch, with what their rows hold; `known` is its file where that has been read already. */
export async function toModels(
  batch: BatchRecord,
  items: readonly ItemRecord[],
  db: Database,
  known?: BatchFile,
): Promise<BatchItemModel[]> {
  if (items.length === 0) return [];
  const file = rowFileOf(known ?? (await readBatchFile(db, batch.fileKey)), batch);
  return items.map((item) => ({
    batch,
    item,
    row: decodeRow(file, item),
    customId: customIdOf(file, item),
    rowNumber: rowNumberOf(file, item),
  }));
}

export const BatchItem = builder.objectRef<BatchItemModel>('BatchItem');

builder.node(BatchItem, {
  description: 'One row of a batch’s file, with its answer as soon as there is one.',
  id: {
    description: 'Names the batch and the index.',
    resolve: ({ batch, item }) => itemId(batch.id, item.index),
  },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'item' in value,
  loadOne: async (id, { db, owner, budget }) => {
    const parsed = parseItemId(id);
    const batch = parsed && (await readBatch(db, owner, parsed.batchId));
    if (!batch) return null;
    const beforeIt = String(parsed.index - 1);
    const { rows, isCut } = await budget.read(async (allowance) =>
      measure(
        await listItems(
          db.sql,
          source(batch),
          {},
          { limit: 1, afterIndex: parsed.index - 1, inverted: false, maxBytes: allowance.bytes },
        ),
        allowance,
      ),
    );
    if (isCut) throw new PageTooLarge(beforeIt);
    const [model] = await toModels(
      batch,
      rows.filter(({ index }) => index === parsed.index),
      db,
    );
    return model ?? null;
  },
  fields: (t) => ({
    index: t.int({
      description:
        'Position among the items, from 0 and without gaps: cursors and `after` count on it. It is not the number of a row in a file, which `row` is.',
      resolve: ({ item }) => item.index,
    }),
    row: t.int({
      nullable: true,
      description:
        'The row’s number in its file, counted from 1 as rejections count it: refused and skipped rows leave gaps. Null for inline items and for files of before.',
      resolve: ({ rowNumber }) => rowNumber,
    }),
    customId: t.string({
      description:
        'The caller’s own key. When none was given, the index of an inline item, and the place of a row in its file, counted from 0: row - 1.',
      resolve: ({ customId }) => customId,
    }),
    status: t.field({
      type: ItemStatusEnum,
      description: 'PENDING and PROCESSING may change; the others are final until retried.',
      resolve: ({ item }) => item.status,
    }),
    content: t.string({
      description: 'The text, exactly as it came.',
      resolve: ({ item, row }, _args, { budget }) => {
        send(budget, item, row.content);
        return row.content;
      },
    }),
    metadata: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'The caller’s other fields, exactly as they came; null when there were none.',
      resolve: ({ item, row }, _args, { budget }) => {
        send(budget, item, item.fields);
        return row.metadata;
      },
    }),
    request: t.field({
      type: 'JSONObject',
      nullable: true,
      description:
        'The body of the request as it was or would be sent, the first one where it was asked again: what chat and other tools take. Null where it cannot be sent at all, or its model is not configured any more.',
      resolve: ({ batch, item, row }, _args, { preparePlan, budget }) => {
        // Before it is made: a template can make much of a small row.
        send(budget, item, null);
        const request = requestFor(batch, row, preparePlan);
        send(budget, item, JSON.stringify(request));
        return request;
      },
    }),
    output: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The operation’s output, e.g. {"label": "positive", "confidence": 0.9}; null until it succeeded.',
      resolve: ({ item }, _args, { budget }) => {
        send(budget, item, item.output);
        return parseJson(item.output);
      },
    }),
    result: t.field({
      type: ItemResult,
      nullable: true,
      description:
        'The same, typed as in the synchronous mutations; null while there is no final answer.',
      resolve: ({ batch, item, customId }, _args, { budget }) => {
        if (item.seq === null) return null;
        send(budget, item, item.output);
        return {
          operation: batch.operation,
          index: item.index,
          customId,
          fields: item.output === null ? null : operationOf(batch).result(parseJson(item.output)),
          error: itemError(item),
          rejectedAnswer: item.rejectedAnswer,
          usage: itemUsage(item),
        };
      },
    }),
    batch: t.field({
      type: 'Batch',
      description: 'The batch it belongs to.',
      resolve: ({ batch }) => batch,
    }),
    error: t.field({
      type: 'ItemError',
      nullable: true,
      description: 'Why it failed; null unless it did.',
      resolve: ({ item }) => itemError(item),
    }),
    rejectedAnswer: t.string({
      nullable: true,
      description: rejectedAnswerDescription,
      resolve: ({ item }) => item.rejectedAnswer,
    }),
    attempts: t.int({
      description: 'Requests whose answer counted against it; being rate limited does not.',
      resolve: ({ item }) => item.attempts,
    }),
    usage: t.field({
      type: 'Usage',
      nullable: true,
      description: 'What it cost, all tries together; null while there is no final answer.',
      resolve: ({ item }) => itemUsage(item),
    }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its final answer was recorded; null before.',
      resolve: ({ item }) => item.completedAt,
    }),
  }),
});

/**
 * Counts what goes into the answer of an item; where there is too much, the items behind the one
 * before it are to be asked for.
 */
function send(budget: Budget, { index }: ItemRecord, text: string | null): void {
  budget.send(Buffer.byteLength(text ?? ''), index === 0 ? null : String(index - 1));
}

function itemError({ errorCode, errorMessage }: ItemRecord) {
  return errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' };
}

function itemUsage(item: ItemRecord): Usage | null {
  if (item.seq === null) return null;
  return {
    requests: item.requests ?? 0,
    inputTokens: item.inputTokens ?? 0,
    cachedInputTokens: item.cachedInputTokens ?? 0,
    outputTokens: item.outputTokens ?? 0,
    costUsd: item.costUsd,
  };
}

function parseJson(text: string | null): Record<string, unknown> | null {
  return text === null ? null : (parseKeepingNumbers(text) as Record<string, unknown>);
}

function source({ key, fileKey }: BatchRecord) {
  return { batchKey: key, fileKey };
}

/** Custom ids that one call may name. */
export const maxCustomIds = 1_000;
/** Items by their custom ids, wherever they are asked for so. */
export const customIdList = z
  .array(storableText)
  .max(maxCustomIds, `takes at most ${maxCustomIds.toLocaleString('en')} custom ids`)
  .nullish();

builder.objectField('Batch', 'items', (t) =>
  t.connection(
    {
      type: BatchItem,
      description:
        'The items in input order, at any time, with their answers as far as there are any.',
      args: {
        status: t.arg({
          type: [ItemStatusEnum],
          description: 'Only items that stand so; all when absent, none for an empty list.',
        }),
        customIds: t.arg.stringList({
          description: `Only items with these custom ids, at most ${maxCustomIds.toLocaleString('en')}.`,
          validate: { schema: customIdList as never },
        }),
        errorCodes: t.arg({
          type: [ItemErrorCodeEnum],
          description: 'Only items that failed with one of these codes.',
        }),
      },
      complexity: (args) => ({
        ...pageCost(args),
        field: args.status || args.customIds || args.errorCodes ? filterCost : 1,
      }),
      resolve: async (batch, args, { db, budget }) => {
        const toCursor = ({ item }: BatchItemModel) => String(item.index);
        const filter: ItemFilter = {
          status: args.status ?? undefined,
          customIds: args.customIds ?? undefined,
          errorCodes: args.errorCodes ?? undefined,
        };
        const connection = await readPage(
          args,
          {
            toCursor,
            find: async (id) => {
              const parsed = parseItemId(id);
              const isOurs = parsed?.batchId === batch.id && parsed.index < batch.total;
              return isOurs ? String(parsed.index) : null;
            },
          },
          async (range) => {
            const { limit, after, before, inverted } = range;
            const { rows, isCut } = await budget.read(async (allowance) =>
              measure(
                await listItems(db.sql, source(batch), filter, {
                  limit,
                  afterIndex: toIndex(after),
                  beforeIndex: toIndex(before),
                  inverted,
                  maxBytes: allowance.bytes,
                }),
                allowance,
              ),
            );
            return wholePage({ entries: await toModels(batch, rows, db), isCut }, range, toCursor);
          },
        );
        return { ...connection, batch, filter };
      },
    },
    {
      name: 'BatchItemConnection',
      description: 'A page of items.',
      fields: (c) => ({
        totalCount: c.int({
          description: 'How many items the filter leaves, over all pages.',
          resolve: ({ batch, filter }, _args, { db }) =>
            filter.status || filter.customIds || filter.errorCodes
              ? countItems(db.sql, source(batch), filter)
              : batch.total,
        }),
      }),
    },
    { name: 'BatchItemEdge', description: 'An item and its place in the list.' },
  ),
);

/** Larger than any index, and the largest that the database can compare with one. */
const maxIndex = 2 ** 31 - 1;

function toIndex(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Math.min(Number(cursor), maxIndex);
}
