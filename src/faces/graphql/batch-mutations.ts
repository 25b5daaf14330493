/** Mutations of the life of a batch. submitBatch has a file of its own. */
import { cancelBatch } from '../../app/cancel.ts';
import { deleteBatch } from '../../app/delete.ts';
import { batchFields } from '../../app/inputs.ts';
import { pauseBatch, resumeBatch } from '../../app/pause.ts';
import { retryBatch } from '../../app/retry.ts';
import { startBatch } from '../../app/start.ts';
import { AppError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import type { BatchRecord } from '../../db/batches.ts';
import { insertRedelivery } from '../../db/webhooks.ts';
import { findBatch } from './batch.ts';
import { builder, deletedPayload, notFound } from './builder.ts';
import type { Context } from './context.ts';
import { presentError } from './errors.ts';
import { customIdsArg, errorCodesArg } from './item-list.ts';

export const batchPayload = (name: string, description: string) =>
  builder.objectRef<BatchRecord>(name).implement({
    description,
    fields: (t) => ({
      batch: t.field({
        type: 'Batch',
        description: 'Current state of the batch.',
        resolve: (batch) => batch,
      }),
    }),
  });

const idArg = {
  required: true,
  description: 'Id of the batch. NOT_FOUND for an unknown id.',
} as const;

builder.mutationField('startBatch', (t) =>
  t.field({
    type: batchPayload('StartBatchPayload', 'The started batch.'),
    description: 'Starts a DRAFT batch. A batch with another status is returned unchanged.',
    args: { id: t.arg.id(idArg) },
    resolve: async (_root, { id }, context) => {
      await theBatch(id, context);
      await startBatch(context, context.owner, id);
      return await theBatch(id, context);
    },
  }),
);

builder.mutationField('cancelBatch', (t) =>
  t.field({
    type: batchPayload(
      'CancelBatchPayload',
      'The batch after cancelBatch: CANCELLING, or already ended.',
    ),
    description:
      'Ends a batch, also a paused one: no call starts more than 1 s later, calls in flight are aborted, stored results stay. Provider jobs are cancelled too, and the batch is CANCELLING until the provider confirms. Answers that the provider finished by then are kept. An ended batch is returned unchanged.',
    args: { id: t.arg.id(idArg) },
    resolve: async (_root, { id }, context) => {
      await theBatch(id, context);
      await cancelBatch(context, context.owner, id);
      return await theBatch(id, context);
    },
  }),
);

builder.mutationField('pauseBatch', (t) =>
  t.field({
    type: batchPayload('PauseBatchPayload', 'The batch that was paused.'),
    description:
      'Pauses a batch: nothing new is sent until resumeBatch; calls under way end and are recorded. A batch that has ended, or is a DRAFT, is returned as it is.',
    args: { id: t.arg.id(idArg) },
    resolve: async (_root, { id }, context) => {
      await theBatch(id, context);
      await pauseBatch(context, context.owner, id);
      return await theBatch(id, context);
    },
  }),
);

builder.mutationField('resumeBatch', (t) =>
  t.field({
    type: batchPayload('ResumeBatchPayload', 'The batch that goes on.'),
    description:
      'Lets a paused batch go on, with the time until it expires renewed. The rows behind a preview start, also while it still runs. But a preview that still runs goes on alone where a limit is given, and where BUDGET or OWNER_BUDGET had paused it. Of another batch that is not paused only the limit changes, where one is given. BAD_USER_INPUT where the limit is used up and no higher one is given. A batch that has ended is returned as it is.',
    args: {
      id: t.arg.id(idArg),
      maxCostUsd: t.arg.float({
        description:
          'The most that the batch may cost from now on, what was spent already included. The present limit stays when absent.',
        validate: { schema: batchFields.maxCostUsd as never },
      }),
    },
    resolve: async (_root, { id, maxCostUsd }, context) => {
      await theBatch(id, context);
      await resumeBatch(context, context.owner, id, { maxCostUsd: maxCostUsd ?? undefined });
      return await theBatch(id, context);
    },
  }),
);

interface Retried {
  batch: BatchRecord;
  retriedItems: number;
}

const RetryBatchPayload = builder.objectRef<Retried>('RetryBatchPayload').implement({
  description: 'The batch after retryBatch.',
  fields: (t) => ({
    batch: t.field({
      type: 'Batch',
      description: 'Current state of the batch.',
      resolve: ({ batch }) => batch,
    }),
    retriedItems: t.exposeInt('retriedItems', {
      description: 'Number of items put back in the queue. 0 when no item could be retried.',
    }),
  }),
});

builder.mutationField('retryBatch', (t) =>
  t.field({
    type: RetryBatchPayload,
    description:
      'Puts failed, expired and cancelled items back in the queue, with a new expiry. Succeeded items are never paid for again. A stopped batch continues with its unfinished items too; a paused batch stays paused. CONFLICT while the batch is CANCELLING.',
    args: {
      id: t.arg.id(idArg),
      customIds: t.arg.stringList(customIdsArg),
      errorCodes: t.arg(errorCodesArg),
    },
    resolve: async (_root, { id, customIds, errorCodes }, context) => {
      await theBatch(id, context);
      const retriedItems = await retryBatch(context, {
        owner: context.owner,
        id,
        customIds: customIds ?? undefined,
        errorCodes: errorCodes ?? undefined,
      });
      return { batch: await theBatch(id, context), retriedItems };
    },
  }),
);

builder.mutationField('deleteBatch', (t) =>
  t.field({
    type: deletedPayload('DeleteBatchPayload', 'batch'),
    description:
      'Deletes a batch of any status with its results. The id is unknown at once, calls in flight are aborted, and the idempotency key is free again.',
    args: { id: t.arg.id(idArg) },
    resolve: async (_root, { id }, context) => {
      if (!isId('batch', id) || !(await deleteBatch(context, context.owner, id)))
        throw notFound('batch');
      return { deletedId: id };
    },
  }),
);

builder.mutationField('redeliverWebhook', (t) =>
  t.field({
    type: 'Batch',
    description:
      'Sends the webhook of an ended batch again, with a new message id. Allowed once a minute, else CONFLICT with the next allowed time. A batch that has no webhook or has not ended is returned unchanged.',
    args: { batchId: t.arg.id(idArg) },
    resolve: async (_root, { batchId }, context) => {
      const batch = await theBatch(batchId, context);
      const redelivery = await insertRedelivery(context.db.sql, context.owner, batchId);
      if (redelivery?.againAt) {
        throw presentError(
          new AppError(
            'CONFLICT',
            `The webhook must not be sent again before ${redelivery.againAt.toISOString()}, a minute after the last time`,
          ),
        );
      }
      context.webhooks.nudge();
      return batch;
    },
  }),
);

export async function theBatch(id: string, context: Context): Promise<BatchRecord> {
  const batch = await findBatch(id, context);
  if (!batch) throw notFound('batch');
  return batch;
}
