/** A batch: the type, and the query of one. */
import { batchDeletesAt, contentDeletesAt } from '../../app/deletes-at.ts';
import { projectBatch } from '../../app/projection.ts';
import { bodyFor } from '../../app/stored-operation.ts';
import { isId } from '../../core/ids.ts';
import { type BatchRecord, readBatch, readBatchFile } from '../../db/batches.ts';
import { readFileRows } from '../../db/file-rows.ts';
import { usageOfBatch } from '../../db/usage.ts';
import { listDeliveries } from '../../db/webhooks.ts';
import { estimatedCompletionAt, itemsPerSecond, progressOf } from '../../engine/live/pace.ts';
import type { ModelQuote as ModelQuoteModel } from '../../engine/quote/quote.ts';
import { decodeRow } from '../../files/decoded-row.ts';
import { rowFileOf } from '../../files/row.ts';
import {
  BatchCounts,
  BatchErrorCodeEnum,
  BatchPause,
  BatchStatusEnum,
  BatchWaiting,
  countsOf,
  ErrorCount,
  loadMeanCost,
  pauseOf,
  ReusedAnswers,
  WebhookDelivery,
  waiting,
} from './batch-parts.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { OperationEnum } from './operation.ts';
import { Projection } from './projection.ts';
import { ModelQuote } from './quotes.ts';
import { createListRounds } from './rounds.ts';
import { usageOfWhole } from './usage.ts';

export const loadDeliveries = createListRounds(listDeliveries);

builder.node('Batch', {
  description:
    'One operation over many items. The answers can be read at any time, in input order, while the batch runs.',
  id: {
    description: 'Id of the batch. Begins with batch_ and is the same in routes and webhooks.',
    resolve: ({ id }) => id,
  },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'expiresAt' in value,
  loadOne: (id, context) => findBatch(id, context),
  fields: (t) => ({
    operation: t.field({
      type: OperationEnum,
      description: 'Operation that runs on each item.',
      resolve: ({ operation }) => operation,
    }),
    options: t.field({
      type: 'JSONObject',
      description: 'Options of the operation, as given at submit.',
      resolve: ({ options }, _args, { budget }) => {
        budget.send(Buffer.byteLength(options), null);
        return JSON.parse(options) as unknown;
      },
    }),
    model: t.exposeString('model', {
      description: 'Model as provider/name, fixed at submit.',
    }),
    status: t.expose('status', {
      type: BatchStatusEnum,
      description: 'Current status of the batch.',
    }),
    progress: t.float({
      description: 'Share of items in a final status, 0 to 1.',
      resolve: progressOf,
    }),
    counts: t.field({
      type: BatchCounts,
      description: 'Number of items by status. The numbers always add up to total.',
      resolve: countsOf,
    }),
    usage: t.field({
      type: 'Usage',
      description:
        'Cost of the batch so far: answers that stand, answers that a retry replaced, and calls that a cancel or an expiry cut off.',
      resolve: usageOfWhole,
    }),
    unmeteredUsd: t.float({
      nullable: true,
      description:
        'Possible cost of usage.unmeteredRequests: their number times the mean cost of an item of this batch. Null where there are none, before the first answer, and without a known price.',
      complexity: { field: 1, multiplier: 1 },
      resolve: async (batch, _args, context) => {
        const { unmeteredRequests } = usageOfBatch(batch);
        if (unmeteredRequests === 0) return null;
        const meanUsd = await loadMeanCost(batch.key, context);
        return meanUsd === undefined ? null : unmeteredRequests * meanUsd;
      },
    }),
    name: t.exposeString('name', {
      nullable: true,
      description:
        'Name as given at submit, else the name of the file. Null for inline items without a name.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'Metadata as given at submit. Null when none was given.',
      resolve: ({ metadata }, _args, { budget }) => {
        if (metadata === null) return null;
        budget.send(Buffer.byteLength(metadata), null);
        return JSON.parse(metadata) as unknown;
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'Time of the submit.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which a worker first took items of the batch. Null before.',
    }),
    completedAt: t.expose('completedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the batch reached its final status. Null before.',
    }),
    cancelInitiatedAt: t.expose('cancelInitiatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the first call of cancelBatch. Null before.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'Time at which unfinished items become EXPIRED.',
    }),
    deletesAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Time from which the server deletes the batch with its results by itself. Null before its end, and when the server keeps it.',
      resolve: (batch, _args, { retention }) => batchDeletesAt(batch, retention),
    }),
    contentDeletesAt: t.field({
      type: 'DateTime',
      nullable: true,
      // Of a record that is there: a page of 1,000 items with every field stays within the cost.
      complexity: 0,
      description:
        'Time from which the server deletes the rows, answers and error messages of the batch by itself. Counts, usage and what was submitted stay. Null before its end, when the server keeps them, and afterwards.',
      resolve: (batch, _args, { retention }) => contentDeletesAt(batch, retention),
    }),
    contentDeletedAt: t.expose('contentDeletedAt', {
      type: 'DateTime',
      nullable: true,
      complexity: 0,
      description:
        'Time at which the rows, answers, custom ids and error messages of the batch were deleted. Its items have no content and no output since then, it has no output to download, and it cannot be retried. Null while it has them.',
    }),
    webhookUrl: t.exposeString('webhookUrl', {
      nullable: true,
      description:
        'Address that receives the webhook when the batch ends, its host as it is called. Null when none was given.',
    }),
    webhookDeliveries: t.field({
      type: [WebhookDelivery],
      description: 'The latest 200 delivery attempts to webhookUrl, oldest first.',
      complexity: { field: 1, multiplier: 1 },
      resolve: ({ key }, _args, context) => loadDeliveries(key, context),
    }),
    waiting: t.field({
      type: BatchWaiting,
      nullable: true,
      description:
        'Why the batch waits: its provider is down or asked for a pause. Null while calls go out.',
      resolve: waiting,
    }),
    maxCostUsd: t.exposeFloat('maxCostUsd', {
      nullable: true,
      description:
        'The limit on what the batch may cost in USD, as given at submit or by resumeBatch. Null without a limit.',
    }),
    pause: t.field({
      type: BatchPause,
      nullable: true,
      description: 'Why the batch sends nothing new. Null unless the status is PAUSED.',
      resolve: pauseOf,
    }),
    itemsPerSecond: t.float({
      nullable: true,
      description:
        "Items answered per second: over the last 10 s while running, over the whole run afterwards, pauses left out. Null before the first answer and while the batch is paused. Null too while a provider's batch API has the items, since it answers all of them at once.",
      resolve: itemsPerSecond,
    }),
    estimatedCompletionAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Estimated completion at the current rate. Null without a rate, after the end, while the batch waits for its provider, and while its preview runs.',
      resolve: estimatedCompletionAt,
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why the whole batch was stopped, for people. Null unless the status is FAILED.',
    }),
    errorCode: t.expose('errorCode', {
      type: BatchErrorCodeEnum,
      nullable: true,
      description:
        'Why the whole batch was stopped, for programs. Null unless the status is FAILED.',
    }),
    errorSummary: t.expose('errorSummary', {
      type: [ErrorCount],
      description: 'Number of failed items by error code, the most frequent code first.',
      complexity: { field: 1, multiplier: 2 },
    }),
    reused: t.field({
      type: ReusedAnswers,
      nullable: true,
      description:
        'Items that took the answer of an identical row. Null while identical rows are still being looked for, and for a batch with deduplicate false.',
      resolve: (batch) => (batch.twinsFound ? batch : null),
    }),
    previewItems: t.exposeInt('previewItems', {
      nullable: true,
      description: 'Number of rows that the preview runs. Null for a batch without a preview.',
    }),
    quote: t.field({
      type: ModelQuote,
      nullable: true,
      description:
        'Expected tokens and cost of the whole batch, counted from a sample of its rows. Made again when its preview is over, by the answers of that. Null until the rows were counted, and for batches from before this field existed.',
      resolve: (batch, _args, context) => {
        const { quote } = batch;
        const counted = quote === null ? null : (JSON.parse(quote) as ModelQuoteModel | null);
        return counted && { ...counted, firstRequest: () => firstRequestOf(batch, context) };
      },
    }),
    projection: t.field({
      type: Projection,
      nullable: true,
      description:
        'Expected cost and time of the whole batch, estimated from its answers so far. Null before 10 answers have succeeded.',
      complexity: { field: 200, multiplier: 1 },
      resolve: (batch, _args, context) => projectBatch(context, batch),
    }),
    resentRequests: t.int({
      description:
        'Requests that were sent again because a worker died between sending and recording. Never fewer than there were; requests, not items.',
      resolve: ({ resentRequests }) => resentRequests,
    }),
  }),
});

/** The body of the first item's request; null where it cannot be asked. */
async function firstRequestOf(
  batch: BatchRecord,
  { db, preparePlan, budget }: Context,
): Promise<Record<string, unknown> | null> {
  if (batch.contentDeletedAt !== null) return null;
  const file = rowFileOf(await readBatchFile(db, batch.fileKey), batch);
  const { rows } = await budget.readWhole((maxBytes) =>
    readFileRows(db.sql, batch.fileKey, { afterIndex: -1, limit: 1, maxBytes }),
  );
  return rows[0] ? bodyFor(batch, decodeRow(file, rows[0]), preparePlan) : null;
}

/** Null for malformed, unknown and foreign ids alike. */
export async function findBatch(
  id: string,
  { db, owner }: Pick<Context, 'db' | 'owner'>,
): Promise<BatchRecord | null> {
  return isId('batch', id) ? await readBatch(db, owner, id) : null;
}

builder.queryField('batch', (t) =>
  t.field({
    type: 'Batch',
    nullable: true,
    description: 'A batch by its id. Null for an unknown id.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the batch, as returned by submitBatch.' }),
    },
    resolve: (_root, { id }, context) => findBatch(id, context),
  }),
);
