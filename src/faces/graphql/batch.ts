/** Batches: the type, and the list. */

import { isId } from '../../core/ids.ts';
import {
  type BatchFilter,
  type BatchRecord,
  countBatches,
  listBatches,
  readBatch,
} from '../../db/batches.ts';
import { type DeliveryRecord, listDeliveries } from '../../db/webhooks.ts';
import { estimatedCompletionAt, itemsPerSecond } from '../../engine/live/pace.ts';
import { storableText } from '../../operations/text.ts';
import {
  BatchCounts,
  BatchErrorCodeEnum,
  BatchStatusEnum,
  BatchWaiting,
  countsOf,
  ErrorCount,
  finished,
  WebhookDelivery,
  waiting,
} from './batch-parts.ts';
import { measure } from './budget.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { OperationEnum } from './operation.ts';
import { cursorOf, pageCost, readPage, wholePage } from './page.ts';
import { byBatch, createRounds } from './rounds.ts';

const deliveriesOf = createRounds<DeliveryRecord[]>(async (keys, { db }) =>
  byBatch(await listDeliveries(db.sql, keys)),
);

builder.node('Batch', {
  description:
    'One operation over many items. Its answers can be read at any time, in input order, while it runs.',
  id: {
    description: 'Begins with batch_; the same in routes and webhooks.',
    resolve: ({ id }) => id,
  },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'expiresAt' in value,
  loadOne: (id, context) => findBatch(id, context),
  fields: (t) => ({
    operation: t.field({
      type: OperationEnum,
      description: 'What is done with each item.',
      resolve: ({ operation }) => operation,
    }),
    options: t.field({
      type: 'JSONObject',
      description: 'The operation’s options as they were given.',
      resolve: ({ options }, _args, { budget }) => {
        budget.send(Buffer.byteLength(options), null);
        return JSON.parse(options) as unknown;
      },
    }),
    model: t.exposeString('model', {
      description: 'provider/name, fixed when the batch was submitted.',
    }),
    status: t.expose('status', { type: BatchStatusEnum, description: 'Where it stands.' }),
    progress: t.float({
      description: 'Share of items in a final state, 0 to 1.',
      resolve: (batch) => finished(batch) / batch.total,
    }),
    counts: t.field({
      type: BatchCounts,
      description: 'Items by where they stand; adds up to total at every instant.',
      resolve: countsOf,
    }),
    usage: t.field({
      type: 'Usage',
      description: 'What all answered items cost together.',
      resolve: ({ requests, inputTokens, cachedInputTokens, outputTokens, costUsd }) => ({
        requests,
        inputTokens,
        cachedInputTokens,
        outputTokens,
        costUsd,
      }),
    }),
    name: t.exposeString('name', {
      nullable: true,
      description:
        'As given at submit, else the name of its file; null where its items were given inline without one.',
    }),
    metadata: t.field({
      type: 'JSONObject',
      nullable: true,
      description: 'As given at submit; null when none was.',
      resolve: ({ metadata }, _args, { budget }) => {
        if (metadata === null) return null;
        budget.send(Buffer.byteLength(metadata), null);
        return JSON.parse(metadata) as unknown;
      },
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was submitted.' }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When a worker first took items of it; null before.',
    }),
    completedAt: t.expose('completedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it reached its final status; null before.',
    }),
    cancelInitiatedAt: t.expose('cancelInitiatedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When cancelBatch was called; null if never.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When items that are still unfinished become EXPIRED.',
    }),
    webhookUrl: t.exposeString('webhookUrl', {
      nullable: true,
      description: 'Who is told when the batch ends; null when nobody is.',
    }),
    webhookDeliveries: t.field({
      type: [WebhookDelivery],
      description: 'The latest 200 attempts to tell webhookUrl, oldest first.',
      complexity: { field: 1, multiplier: 1 },
      resolve: async ({ key }, _args, context) => (await deliveriesOf(key, context)) ?? [],
    }),
    waiting: t.field({
      type: BatchWaiting,
      nullable: true,
      description:
        'Why it does not get on: its provider is down, or asked for a pause. Null while it gets on.',
      resolve: waiting,
    }),
    itemsPerSecond: t.float({
      nullable: true,
      description:
        'Items answered per second: of late while it runs, over its whole life afterwards; null before the first, and while a provider’s batch API has them, which answers all at once.',
      resolve: itemsPerSecond,
    }),
    estimatedCompletionAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When it will be through at its present pace; null while nothing can be said and once it has ended.',
      resolve: estimatedCompletionAt,
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why the whole batch was stopped; null otherwise.',
    }),
    errorCode: t.expose('errorCode', {
      type: BatchErrorCodeEnum,
      nullable: true,
      description: 'The same for programs; null unless the status is FAILED.',
    }),
    errorSummary: t.expose('errorSummary', {
      type: [ErrorCount],
      description: 'How many items failed, by code, the most frequent first.',
      complexity: { field: 1, multiplier: 2 },
    }),
    resentRequests: t.int({
      description:
        'Requests that had to be sent again because a worker died between the answer and its record: what a crash cost.',
      resolve: ({ resentRequests }) => resentRequests,
    }),
  }),
});

/** Null for malformed, unknown and foreign ids alike. */
export async function findBatch(
  id: string,
  { db, owner }: Pick<Context, 'db' | 'owner'>,
): Promise<BatchRecord | null> {
  return isId('batch', id) ? await readBatch(db, owner, id) : null;
}

export const BatchFilterInput = builder.inputType('BatchFilter', {
  description: 'Which batches; what is left out does not matter, what is given must all hold.',
  fields: (t) => ({
    status: t.field({ type: [BatchStatusEnum], description: 'In one of these statuses.' }),
    operation: t.field({ type: [OperationEnum], description: 'Running one of these operations.' }),
    name: t.string({
      description: 'With this text in their name, in either case.',
      validate: { schema: storableText.nullish() as never },
    }),
    createdAfter: t.field({ type: 'DateTime', description: 'Submitted at or after this instant.' }),
    createdBefore: t.field({
      type: 'DateTime',
      description: 'Submitted at or before this instant.',
    }),
  }),
});

/** GraphQL's nulls are "not given". */
export function toFilter(
  filter: typeof BatchFilterInput.$inferInput | null | undefined,
): BatchFilter {
  return {
    status: filter?.status ?? undefined,
    operation: filter?.operation ?? undefined,
    name: filter?.name ?? undefined,
    createdAfter: filter?.createdAfter ?? undefined,
    createdBefore: filter?.createdBefore ?? undefined,
  };
}

builder.queryField('batch', (t) =>
  t.field({
    type: 'Batch',
    nullable: true,
    description: 'A batch by its id; null when there is none.',
    args: { id: t.arg.id({ required: true, description: 'As submitBatch gave it.' }) },
    resolve: (_root, { id }, context) => findBatch(id, context),
  }),
);

builder.queryField('batches', (t) =>
  t.connection(
    {
      type: 'Batch',
      description: 'The caller’s batches, newest first.',
      args: {
        filter: t.arg({
          type: BatchFilterInput,
          description: 'Only some of them; all when absent.',
        }),
      },
      complexity: pageCost,
      resolve: async (_root, args, context) => {
        const { db, owner, budget } = context;
        const filter = toFilter(args.filter);
        const toCursor = ({ key }: BatchRecord) => String(key);
        const connection = await readPage(
          args,
          {
            toCursor,
            find: async (id) => cursorOf(await findBatch(id, context)),
          },
          async (range) => {
            const { limit, after, before, inverted } = range;
            const { rows, isCut } = await budget.read(async (allowance) =>
              measure(
                await listBatches(db, owner, filter, {
                  limit,
                  afterKey: after === undefined ? undefined : BigInt(after),
                  beforeKey: before === undefined ? undefined : BigInt(before),
                  inverted,
                  maxBytes: allowance.bytes,
                }),
                allowance,
              ),
            );
            return wholePage({ entries: rows, isCut }, range, toCursor);
          },
        );
        return { ...connection, filter };
      },
    },
    {
      name: 'BatchConnection',
      description: 'A page of batches.',
      fields: (c) => ({
        totalCount: c.int({
          description: 'How many batches the filter leaves, over all pages.',
          resolve: ({ filter }, _args, { db, owner }) => countBatches(db, owner, filter),
        }),
      }),
    },
    { name: 'BatchEdge', description: 'A batch and its place in the list.' },
  ),
);
