/** The lane that a batch takes, and its jobs at the provider's batch API where it takes that one. */
import { listProviderBatches, type ProviderBatchRecord } from '../../db/provider-batches-read.ts';
import { BatchCounts, ExecutionEnum } from './batch-parts.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { byBatch, createRounds } from './rounds.ts';

const ProviderBatch = builder.objectRef<ProviderBatchRecord>('ProviderBatch').implement({
  description:
    'A job at a provider’s batch API. A batch has several where it is larger than the provider takes at once, names several models, or has rows to ask again.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        'Winnow’s own. It goes to the provider with the job, which is found again by it.',
    }),
    providerId: t.exposeString('providerId', {
      nullable: true,
      description:
        'The provider’s own id, as its dashboard shows it; null before the job exists there.',
    }),
    provider: t.exposeString('provider', {
      description: 'Whose batch API it is: the part of the model before the slash.',
    }),
    status: t.exposeString('status', {
      description: 'In the provider’s own words; in Winnow’s before the job exists there.',
    }),
    counts: t.field({
      type: BatchCounts,
      description:
        'Its requests as the provider counts them, which may lag behind. Read answers count in the batch’s own counts.',
      resolve: ({ counts }) => counts,
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'When Winnow began to make it; before the provider had it.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was over; null before.',
    }),
  }),
});

builder.objectFields('Batch', (t) => ({
  execution: t.expose('execution', {
    type: ExecutionEnum,
    description: 'How it reaches the model, as given at submit.',
  }),
  rescue: t.exposeBoolean('rescue', {
    description:
      'As given at submit: whether rows that the provider’s window leaves undone are called live.',
  }),
  rescuedAt: t.expose('rescuedAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'Since when rows that the provider’s window leaves undone are called live; null before, and without rescue.',
  }),
  providerBatches: t.field({
    type: [ProviderBatch],
    description:
      'Its jobs at the provider’s batch API, oldest first, the latest 1,000; empty for LIVE, and before the first is made.',
    complexity: { field: 1, multiplier: 1 },
    resolve: ({ key }, _args, context) => loadProviderBatches(key, context),
  }),
}));

const readPage = createRounds<ProviderBatchRecord[]>(async (keys, { db }) =>
  byBatch(await listProviderBatches(db.sql, keys)),
);

export async function loadProviderBatches(
  batchKey: bigint,
  context: Context,
): Promise<ProviderBatchRecord[]> {
  return (await readPage(batchKey, context)) ?? [];
}
