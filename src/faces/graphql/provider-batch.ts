/** The execution of a batch, and its jobs at the provider's batch API. */
import { listProviderBatches, type ProviderBatchRecord } from '../../db/provider-batches-read.ts';
import { BatchCounts, ExecutionEnum } from './batch-parts.ts';
import { builder } from './builder.ts';
import { createListRounds } from './rounds.ts';

const ProviderBatch = builder.objectRef<ProviderBatchRecord>('ProviderBatch').implement({
  description:
    "A job at a provider's batch API. A batch needs several jobs when it is too large for one, names several models, or has items to ask again.",
  fields: (t) => ({
    id: t.exposeID('id', {
      description:
        "Winnow's id of the job. The provider stores it, so that a lost job can be found.",
    }),
    providerId: t.exposeString('providerId', {
      nullable: true,
      description:
        "The provider's id of the job, as its dashboard shows it. Null before the job exists there.",
    }),
    provider: t.exposeString('provider', {
      description: 'Provider of the batch API: the part of the model before the slash.',
    }),
    status: t.exposeString('status', {
      description:
        "Status of the job in the provider's words, or in Winnow's before the job exists there.",
    }),
    counts: t.field({
      type: BatchCounts,
      description:
        'Number of requests of the job by status, as the provider counts them. These numbers may lag behind. The counts of the batch include the answers that were read.',
      resolve: ({ counts }) => counts,
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'Time at which Winnow began to make the job, before the provider had it.',
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the job ended. Null before.',
    }),
  }),
});

export const loadProviderBatches = createListRounds(listProviderBatches);

builder.objectFields('Batch', (t) => ({
  execution: t.expose('execution', {
    type: ExecutionEnum,
    description: 'Way in which the batch reaches the model, as given at submit.',
  }),
  rescue: t.exposeBoolean('rescue', {
    description:
      'True when items that a provider job leaves undone are called live, as given at submit.',
  }),
  rescuedAt: t.expose('rescuedAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'Time at which Winnow began to call live what provider jobs left undone. Null before, and without rescue.',
  }),
  providerBatches: t.field({
    type: [ProviderBatch],
    description:
      "The latest 1,000 jobs at the provider's batch API, oldest first. Empty for LIVE, and before the first job is made.",
    complexity: { field: 1, multiplier: 1 },
    resolve: ({ key }, _args, context) => loadProviderBatches(key, context),
  }),
}));
