/** Live views of batches. Each event is a whole state, so a client that reconnects needs nothing else. */

import type { ResultsPage, ResultsPosition } from '../batches/progress.ts';
import type { BatchRecord } from '../db/batches.ts';
import { BatchFilterInput, findBatch, toFilter } from './batch.ts';
import { builder, notFound } from './builder.ts';
import { presentIssues } from './errors.ts';
import { BatchItem, toModels } from './item.ts';

const idArg = { required: true, description: 'The batch. NOT_FOUND when there is none.' } as const;

builder.subscriptionField('batchProgress', (t) =>
  t.field({
    type: 'Batch',
    description:
      'The batch now, then after every change (a few a second at most), the final state last; then the stream completes.',
    args: { id: t.arg.id(idArg) },
    subscribe: async (_root, { id }, context) => {
      const batch = await findBatch(id, context);
      if (!batch) throw notFound('batch');
      return context.progress.watchBatch(batch);
    },
    resolve: (batch: BatchRecord) => batch,
  }),
);

const BatchResultsEvent = builder.objectRef<ResultsPage>('BatchResultsEvent').implement({
  description: 'Items that have just finished, or had finished before the subscription began.',
  fields: (t) => ({
    items: t.field({
      type: [BatchItem],
      description: 'In the order in which they were recorded, up to 500.',
      resolve: ({ batch, items, file }, _args, { db }) => toModels(batch, items, db, file),
    }),
    cursor: t.string({
      description: 'Where this event ends: hand it to `after` to go on from here.',
      resolve: ({ end }) => `${end.seq}-${end.index}`,
    }),
  }),
});

builder.subscriptionField('batchResults', (t) =>
  t.field({
    type: BatchResultsEvent,
    description:
      'Succeeded and failed items as they finish, several an event; completes after the last one. Nothing that finished is missed, and a retried item comes again.',
    args: {
      id: t.arg.id(idArg),
      after: t.arg.string({
        description:
          'A cursor of an earlier event, to go on behind it; from the first item when absent.',
      }),
    },
    subscribe: async (_root, { id, after }, context) => {
      const position = toPosition(after);
      const batch = await findBatch(id, context);
      if (!batch) throw notFound('batch');
      return context.progress.watchResults(batch, position);
    },
    resolve: (page: ResultsPage) => page,
  }),
);

function toPosition(after: string | null | undefined): ResultsPosition {
  if (after === null || after === undefined) return { seq: 0, index: -1 };
  const [, seq, index] = /^([0-9]{1,15})-([0-9]{1,9})$/.exec(after) ?? [];
  if (!seq || !index) {
    throw presentIssues([{ path: 'after', message: 'is not a cursor that batchResults gave out' }]);
  }
  return { seq: Number(seq), index: Number(index) };
}

builder.subscriptionField('batchesChanged', (t) =>
  t.field({
    type: 'Batch',
    description:
      'Every batch of the caller that changes, each a few times a second at most: one subscription for a whole list. Does not complete by itself.',
    args: {
      filter: t.arg({
        type: BatchFilterInput,
        description: 'Only changes to these; all when absent.',
      }),
    },
    subscribe: (_root, { filter }, { progress, owner }) =>
      progress.watchOwner(owner, toFilter(filter)),
    resolve: (batch: BatchRecord) => batch,
  }),
);
