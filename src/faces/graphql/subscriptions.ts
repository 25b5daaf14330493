/** Live views of batches: whole states, and results that a client resumes behind a cursor. */

import { z } from 'zod';
import { PageTooLarge } from '../../core/errors.ts';
import { type BatchRecord, listBatches } from '../../db/batches.ts';
import type { DeletedBatch } from '../../db/driver/notifications.ts';
import type { ResultsPage, ResultsPosition } from '../../engine/live/results-watch.ts';
import { findBatch } from './batch.ts';
import { BatchFilterInput, toFilter } from './batch-list.ts';
import { maxReadBytes, measure } from './budget.ts';
import { builder, notFound } from './builder.ts';
import { presentIssues } from './errors.ts';
import { BatchItem, toModels } from './item.ts';

/** For a first look; more are read as pages. */
export const maxSnapshot = 100;

const idArg = {
  required: true,
  description: 'Id of the batch. NOT_FOUND for an unknown id.',
} as const;

builder.subscriptionField('batchProgress', (t) =>
  t.field({
    type: 'Batch',
    description:
      'The batch now and after every change, a few times per second at most. After the final status the stream completes. When the batch is deleted, the stream ends with NOT_FOUND. When the server stops, the stream breaks off: subscribe again.',
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
  description: 'Items that finished just now, or before the subscription began.',
  fields: (t) => ({
    items: t.field({
      type: [BatchItem],
      description: 'Up to 500 items, in the order in which their answers were stored.',
      resolve: ({ batch, items, file }, _args, { db }) => toModels(batch, items, db, file),
    }),
    cursor: t.string({
      description:
        'Cursor of this event. A subscription with this cursor in `after` continues from here.',
      resolve: ({ end }) => `${end.seq}-${end.index}`,
    }),
  }),
});

builder.subscriptionField('batchResults', (t) =>
  t.field({
    type: BatchResultsEvent,
    description:
      'Succeeded and failed items as they finish, several per event. After the last item the stream completes. No finished item is missed, and a retried item comes again. When the batch is deleted, the stream ends with NOT_FOUND. When the stream breaks off, subscribe again with `after`.',
    args: {
      id: t.arg.id(idArg),
      after: t.arg.string({
        description:
          'Return items after this cursor of an earlier event. Absent: from the first item.',
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
    throw presentIssues([
      { path: 'after', message: 'must be a cursor of an event of batchResults' },
    ]);
  }
  return { seq: Number(seq), index: Number(index) };
}

builder.subscriptionField('batchesChanged', (t) =>
  t.field({
    type: 'Batch',
    description:
      'Every changed batch of the caller, each a few times per second at most. One subscription serves a whole list. The stream does not complete by itself. batchDeleted reports deleted batches.',
    args: {
      snapshot: t.arg.int({
        defaultValue: 0,
        description: `Number of latest batches that are sent before the first change, newest first, 0 to ${maxSnapshot}.`,
        validate: {
          schema: z
            .int()
            .min(0, `must be between 0 and ${maxSnapshot}`)
            .max(maxSnapshot, `must be at most ${maxSnapshot}; the query batches has all batches`)
            .nullish() as never,
        },
      }),
      filter: t.arg({
        type: BatchFilterInput,
        description: 'Conditions on the changed batches. Absent: all batches.',
      }),
    },
    subscribe: async (_root, { filter, snapshot }, { db, progress, owner }) => {
      const wanted = await toFilter(filter, { db, owner });
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
  description: 'Deletion of a batch.',
  fields: (t) => ({
    deletedId: t.exposeID('id', { description: 'Id of the deleted batch.' }),
  }),
});

builder.subscriptionField('batchDeleted', (t) =>
  t.field({
    type: BatchDeletedEvent,
    description:
      'Id of each deleted batch of the caller. The stream does not complete by itself. Deletions during a break are not sent later: read `batches` again after a break.',
    subscribe: (_root, _args, { progress, owner }) => progress.watchDeleted(owner),
    resolve: (batch: DeletedBatch) => batch,
  }),
);
