/** The items of a batch. */
import { z } from 'zod';
import { bodyFor, operationOf } from '../../app/stored-operation.ts';
import { PageTooLarge } from '../../core/errors.ts';
import { parseKeepingNumbers } from '../../core/exact-json.ts';
import { excerpt } from '../../core/excerpt.ts';
import { itemId, parseItemId } from '../../core/ids.ts';
import { type BatchFile, type BatchRecord, readBatch, readBatchFile } from '../../db/batches.ts';
import { deletedMessage } from '../../db/content.ts';
import type { Database } from '../../db/driver/client.ts';
import { type ItemRecord, listItems } from '../../db/items.ts';
import { type DecodedRow, decodeRow } from '../../files/decoded-row.ts';
import { customIdOf, rowFileOf, rowNumberOf } from '../../files/row.ts';
import type { Budget } from './budget.ts';
import { builder } from './builder.ts';
import { ItemResult, rejectedAnswerDescription } from './item-result.ts';
import { usageOfItem } from './usage.ts';

const defaultExcerpt = 200;
export const maxExcerpt = 1_000;
const maxExcerptText = maxExcerpt.toLocaleString('en');

export const ItemStatusEnum = builder.enumType('ItemStatus', {
  description: 'Status of one item of a batch.',
  values: {
    PENDING: { description: 'No worker holds the item, before its first run or before a retry.' },
    PROCESSING: {
      description: 'A worker holds the item, or the provider does in a provider batch.',
    },
    SUCCEEDED: { description: 'The item has a valid output. Final.' },
    FAILED: { description: 'The item has an error. Final.' },
    CANCELLED: { description: 'The batch was cancelled before the item finished. Final.' },
    EXPIRED: { description: 'The time of the batch ran out before the item finished. Final.' },
  },
});

/** An item together with the batch it is seen from. */
export interface BatchItemModel {
  batch: BatchRecord;
  item: ItemRecord;
  /** Contents of the item's row. */
  row: DecodedRow;
  customId: string;
  /** Its row's number in the file; null where it has none. */
  rowNumber: number | null;
}

/** Items of one batch with their rows' contents. `known` is the batch's file, if already read. */
export async function toModels(
  batch: BatchRecord,
  items: readonly ItemRecord[],
  db: Database,
  known?: BatchFile,
): Promise<BatchItemModel[]> {
  if (items.length === 0) return [];
  const file = rowFileOf(known ?? (await readBatchFile(db, batch.fileKey)), batch);
  return items.map((stored) => {
    const item = batch.contentDeletedAt === null ? stored : withoutContent(stored);
    return {
      batch,
      item,
      row: decodeRow(file, item),
      customId: customIdOf(file, item),
      rowNumber: rowNumberOf(file, item),
    };
  });
}

/** The rest of an item whose batch has lost its content, also before that is blanked. */
function withoutContent(item: ItemRecord): ItemRecord {
  const gone = { customId: null, fields: null, output: null, rejectedAnswer: null };
  const errorMessage = item.errorCode === null ? null : deletedMessage;
  return { ...item, ...gone, content: '', errorMessage };
}

export const BatchItem = builder.objectRef<BatchItemModel>('BatchItem');

builder.node(BatchItem, {
  description: 'One row as a batch sees it, with its answer as soon as one is stored.',
  id: {
    description: 'Id of the item, made of the id of the batch and the index.',
    resolve: ({ batch, item }) => itemId(batch.id, item.index),
  },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'item' in value,
  loadOne: async (id, { db, owner, budget }) => {
    const parsed = parseItemId(id);
    const batch = parsed && (await readBatch(db, owner, parsed.batchId));
    if (!batch) return null;
    const beforeIt = String(parsed.index - 1);
    const place = { limit: 1, afterIndex: parsed.index - 1, inverted: false };
    const { rows, isCut } = await budget.read((maxBytes) =>
      listItems(db.sql, source(batch), {}, { ...place, maxBytes }),
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
        'Position among the items, from 0 without gaps. Cursors use the index. The number of a row in its file is `row`.',
      resolve: ({ item }) => item.index,
    }),
    row: t.int({
      nullable: true,
      description:
        'Number of the row in its file, counted from 1 as in rejections. Refused and skipped rows leave gaps. Null for inline items and for files stored before rows had numbers.',
      resolve: ({ rowNumber }) => rowNumber,
    }),
    customId: t.string({
      description:
        'Key given by the caller. Without a given key, and when the batch has a contentDeletedAt: the index of an inline item, or the place of a row in its file, from 0 (row - 1).',
      resolve: ({ customId }) => customId,
    }),
    status: t.field({
      type: ItemStatusEnum,
      description:
        'Status of the item. PENDING and PROCESSING may change; the other statuses are final until a retry.',
      resolve: ({ item }) => item.status,
    }),
    content: t.string({
      description:
        'Text of the item, exactly as given. Empty when the batch has a contentDeletedAt.',
      resolve: ({ item, row }, _args, { budget }) => {
        send(budget, item, row.content);
        return row.content;
      },
    }),
    excerpt: t.string({
      description:
        'The beginning of the text, with every run of white space as one blank: what a list shows. The whole text stands in content, exactly as it came, and may have 10 MB.',
      args: {
        characters: t.arg.int({
          defaultValue: defaultExcerpt,
          description: `Maximum number of characters, 1 to ${maxExcerptText}. Surrogate pairs stay whole.`,
          validate: {
            schema: z
              .int()
              .min(1, `must be between 1 and ${maxExcerptText}`)
              .max(maxExcerpt, `must be at most ${maxExcerptText}; content has the whole text`)
              .nullish() as never,
          },
        }),
      },
      resolve: ({ item, row }, { characters }, { budget }) => {
        const beginning = excerpt(row.content, characters ?? defaultExcerpt);
        send(budget, item, beginning);
        return beginning;
      },
    }),
    metadata: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'Other fields of the item, exactly as given. Null when none were given.',
      resolve: ({ item, row }, _args, { budget }) => {
        send(budget, item, item.fields);
        return row.metadata;
      },
    }),
    request: t.field({
      type: 'JSONObject',
      nullable: true,
      description:
        'Body of the first request that was or would be sent for the item. The operation chat and other tools accept this body. Null when the item cannot be sent, its model is not configured any more, or the batch has a contentDeletedAt.',
      resolve: ({ batch, item, row }, _args, { preparePlan, budget }) => {
        if (batch.contentDeletedAt !== null) return null;
        // Before it is made: a template can make much of a small row.
        send(budget, item, null);
        const request = bodyFor(batch, row, preparePlan);
        send(budget, item, JSON.stringify(request));
        return request;
      },
    }),
    output: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'Output of the operation, e.g. {"label": "positive", "confidence": 0.9}. Null until the item succeeded, and when the batch has a contentDeletedAt.',
      resolve: ({ item }, _args, { budget }) => {
        send(budget, item, item.output);
        return parseJson(item.output);
      },
    }),
    result: t.field({
      type: ItemResult,
      nullable: true,
      description:
        'Result of the item, with the types of the synchronous mutations. Null without a final answer.',
      resolve: (given, _args, context) => {
        const { batch, item, customId } = given;
        const { budget } = context;
        if (item.seq === null) return null;
        send(budget, item, item.output);
        return {
          operation: batch.operation,
          index: item.index,
          customId,
          fields: item.output === null ? null : operationOf(batch).result(parseJson(item.output)),
          error: itemError(item),
          rejectedAnswer: item.rejectedAnswer,
          usage: usageOfItem(given, context),
        };
      },
    }),
    batch: t.field({
      type: 'Batch',
      description: 'Batch that the item belongs to.',
      resolve: ({ batch }) => batch,
    }),
    cached: t.boolean({
      description:
        'True: the answer, or the error, was taken from an identical row of the same batch. Nothing was sent for this item, attempts is 0 and usage is null.',
      resolve: ({ item }) => item.cached,
    }),
    error: t.field({
      type: 'ItemError',
      nullable: true,
      description: 'Reason for the failure. Null unless the item failed.',
      resolve: ({ item }) => itemError(item),
    }),
    rejectedAnswer: t.string({
      nullable: true,
      description: rejectedAnswerDescription,
      resolve: ({ item }) => item.rejectedAnswer,
    }),
    attempts: t.int({
      description:
        'Number of requests whose answer counted against the item. Rate-limited requests do not count.',
      resolve: ({ item }) => item.attempts,
    }),
    usage: t.field({
      type: 'Usage',
      nullable: true,
      description:
        'Requests, tokens and cost of the item, over all attempts, those included that a cancel or an expiry cut off. Null before anything was sent.',
      resolve: (given, _args, context) => usageOfItem(given, context),
    }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the final answer was stored. Null before.',
      resolve: ({ item }) => item.completedAt,
    }),
  }),
});

/** Counts what goes into an item's answer. Beyond it, the page goes on behind the item before. */
function send(budget: Budget, { index }: ItemRecord, text: string | null): void {
  budget.send(Buffer.byteLength(text ?? ''), index === 0 ? null : String(index - 1));
}

function itemError({ errorCode, errorMessage }: ItemRecord) {
  return errorCode === null ? null : { code: errorCode, message: errorMessage ?? '' };
}

function parseJson(text: string | null): Record<string, unknown> | null {
  return text === null ? null : (parseKeepingNumbers(text) as Record<string, unknown>);
}

export function source({ key, fileKey }: BatchRecord) {
  return { batchKey: key, fileKey };
}
