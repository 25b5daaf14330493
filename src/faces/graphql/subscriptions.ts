/**
 * Live views of batches. Each event of a batch is a whole state; results are gone on with behind a
 * cursor.
 */

import { z } from 'zod';
import { PageTooLarge } from '../../core/errors.ts';
import { type BatchRecord, listBatches } from '../../db/batches.ts';
import type { DeletedBatch } from '../../db/driver/notifications.ts';
import type { ResultsPage, ResultsPosition } from '../../engine/live/results-watch.ts';
import { BatchFilterInput, findBatch, toFilter } from './batch.ts';
import { maxReadBytes, measure } from './budget.ts';
import { builder, notFound } from './builder.ts';
import { presentIssues } from './errors.ts';
import { BatchItem, toModels } from './item.ts';

/** For a first look; more are read as pages. */
const maxSnapshot = 100;

const idArg = { required: true, description: 'The batch. NOT_FOUND when there is none.' } as const;

builder.subscriptionField('batchProgress', (t) =>
  t.field({
    type: 'Batch',
    description:
      'The batch now, then after every change (a few a second at most), the final state last; then the stream completes. It ends with NOT_FOUND when the batch is deleted, and is cut off without a completion when the server stops: subscribe again.',
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
      'Succeeded and failed items as they finish, several an event; completes after the last one. Nothing that finished is missed, and a retried item comes again. It ends with NOT_FOUND when the batch is deleted; when it breaks off, subscribe again with `after`.',
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
      'Every batch of the caller that changes, each a few times a second at most: one subscription for a whole list. Does not complete by itself. batchDeleted tells of those that go.',
    args: {
      snapshot: t.arg.int({
        defaultValue: 0,
        description: `So many of the latest batches, as they are now, come before the first change, newest first; 0 to ${maxSnapshot}.`,
        validate: {
          schema: z
            .int()
            .min(0, `needs 0 to ${maxSnapshot}`)
            .max(maxSnapshot, `takes at most ${maxSnapshot}; batches has them all`)
            .nullish() as never,
        },
      }),
      filter: t.arg({
        type: BatchFilterInput,
        description: 'Only changes to these; all when absent.',
      }),
    },
    subscribe: (_root, { filter, snapshot }, { db, progress, owner }) => {
      const wanted = toFilter(filter);
      if (!snapshot) return progress.watchOwner(owner, wanted);
      return progress.watchOwner(owner, wanted, async () => {
        const allowance = { bytes: maxReadBytes, first: true };
        const found = await listBatches(db, owner, wanted, {
          limit: snapshot,
          inverted: false,
          maxBytes: allowance.bytes,
        });
        const { rows, isCut } = measure(found, allowance);
        if (isCut) throw new PageTooLarge(null);
        return rows;
      });
    },
    resolve: (batch: BatchRecord) => batch,
  }),
);

const BatchDeletedEvent = builder.objectRef<DeletedBatch>('BatchDeletedEvent').implement({
  description: 'A batch was deleted.',
  fields: (t) => ({
    deletedId: t.exposeID('id', { description: 'The id that no longer exists.' }),
  }),
});

builder.subscriptionField('batchDeleted', (t) =>
  t.field({
    type: BatchDeletedEvent,
    description:
      'The id of each batch of the caller’s that is deleted. Does not complete by itself. What is deleted while nobody listens is not told later: read `batches` again after a break.',
    subscribe: (_root, _args, { progress, owner }) => progress.watchDeleted(owner),
    resolve: (batch: DeletedBatch) => batch,
  }),
);
