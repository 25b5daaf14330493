/** Parts of a batch other than its items: status, counts, errors and deliveries. */

import type { BatchErrorCode } from '../../core/errors.ts';
import type { BatchRecord } from '../../db/batches.ts';
import { countFreeTwins, listMeanCosts } from '../../db/mean-costs.ts';
import type { PauseReason, ShownStatus } from '../../db/pauses.ts';
import type { Counts } from '../../db/provider-batches-read.ts';
import type { Execution } from '../../db/tables.ts';
import type { DeliveryRecord } from '../../db/webhooks.ts';
import { finishedItems, isWaiting } from '../../engine/live/pace.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { ItemErrorCodeEnum } from './item-result.ts';
import { createRounds } from './rounds.ts';

export const BatchStatusEnum = builder.enumType('BatchStatus', {
  description: 'Status of a batch. COMPLETED, FAILED, CANCELLED and EXPIRED are final.',
  values: {
    DRAFT: {
      description: 'The batch was submitted with autoStart false and waits for startBatch.',
    },
    QUEUED: { description: 'The batch waits for a worker.' },
    PROCESSING: { description: 'Processing has begun.' },
    PAUSED: {
      description:
        'The batch sends nothing new; calls that were under way are still recorded. pause says why. Not final: resumeBatch lets the batch go on, and it does not expire meanwhile.',
    },
    CANCELLING: {
      description:
        'The batch was cancelled. Calls in flight are being stopped, or the provider has not confirmed yet.',
    },
    COMPLETED: { description: 'Every item has its final answer, failures included.' },
    FAILED: {
      description:
        'The whole batch was stopped: error and errorCode have the reason. Unfinished items stay PENDING until retryBatch.',
    },
    CANCELLED: {
      description: 'The batch was ended by cancelBatch. Unfinished items are CANCELLED.',
    },
    EXPIRED: { description: 'The time of the batch ran out. Unfinished items are EXPIRED.' },
  } satisfies Record<ShownStatus, { description: string }>,
});

export const BatchErrorCodeEnum = builder.enumType('BatchErrorCode', {
  description: 'Why a whole batch was stopped.',
  values: {
    INVALID_KEY: {
      description: 'The provider refused the API key, or the key lacks a permission.',
    },
    QUOTA_EXHAUSTED: { description: 'The provider account has no quota or funds left.' },
    UNKNOWN_MODEL: {
      description:
        'The provider does not have the model, or the provider is not configured on this server.',
    },
    PROVIDER_REJECTED_FILE: { description: "The provider's batch API refused the input file." },
    DUPLICATE_CUSTOM_ID: { description: 'Two rows of the file have the same custom id.' },
    INVALID_INPUT_FILE: {
      description:
        "The input file has lines that are not valid requests. Nothing was sent; error and the OpenAI face's errors.data name the lines.",
    },
    INTERNAL: { description: 'Winnow failed because of a bug. The server log has the details.' },
  } satisfies Record<BatchErrorCode, { description: string }>,
});

export const ExecutionEnum = builder.enumType('Execution', {
  description: 'Way in which a batch reaches the model.',
  values: {
    LIVE: { description: 'Winnow calls the model item by item, at once.' },
    PROVIDER_BATCH: {
      description:
        "Winnow sends the items to the provider's batch API: about half the price, answers within 24 h. The provider must have a batch API.",
    },
  } satisfies Record<Execution, { description: string }>,
});

export const BatchCounts = builder.objectRef<Counts>('BatchCounts').implement({
  description:
    'Number of items of a batch, or of requests of a provider batch, by status. The numbers always add up to total.',
  fields: (t) => ({
    total: t.exposeInt('total', {
      description:
        'Number of all items. In a provider batch: number of all requests, 0 until the input is made.',
    }),
    pending: t.exposeInt('pending', {
      description:
        'Items that no worker holds. In an ended provider batch: requests without an answer.',
    }),
    processing: t.exposeInt('processing', {
      description: 'Items that a worker or the provider holds now.',
    }),
    succeeded: t.exposeInt('succeeded', {
      description:
        'Items with a valid output. In a provider batch: requests that the provider answered, valid or not.',
    }),
    failed: t.exposeInt('failed', { description: 'Items that ended with an error.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Items left unfinished by cancelBatch.' }),
    expired: t.exposeInt('expired', {
      description: 'Items left unfinished when the time of the batch ran out.',
    }),
  }),
});

export const ErrorCount = builder
  .objectRef<BatchRecord['errorSummary'][number]>('ErrorCount')
  .implement({
    description: 'Number of failed items with one error code.',
    fields: (t) => ({
      code: t.expose('code', { type: ItemErrorCodeEnum, description: 'Error code of the items.' }),
      count: t.exposeInt('count', { description: 'Number of failed items with this code.' }),
      message: t.exposeString('message', {
        description: 'Error message of one of the items, as an example.',
      }),
    }),
  });

export const WebhookDelivery = builder.objectRef<DeliveryRecord>('WebhookDelivery').implement({
  description: 'One attempt to deliver the webhook of an ended batch.',
  fields: (t) => ({
    id: t.exposeID('id', {
      description: 'Id of the attempt, made of the message id and the number of the attempt.',
    }),
    messageId: t.exposeString('messageId', {
      description: 'Value of the webhook-id header, the same for every attempt of one message.',
    }),
    attempt: t.exposeInt('attempt', { description: 'Number of the attempt, counted from 1.' }),
    at: t.expose('at', { type: 'DateTime', description: 'Time of the attempt.' }),
    statusCode: t.exposeInt('statusCode', {
      nullable: true,
      description: 'HTTP status of the response; 2xx is a success. Null without a response.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Reason for the failure, for people. Null after a success.',
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the next attempt. Null when no attempt follows.',
    }),
  }),
});

export const loadMeanCost = createRounds(async (keys, { db }) => {
  const means = await listMeanCosts(db.sql, keys);
  return new Map(means.map(({ batchKey, costUsd }) => [batchKey, costUsd]));
});

export function waiting(batch: BatchRecord): BatchRecord | null {
  return isWaiting(batch) ? batch : null;
}

export const BatchWaiting = builder.objectRef<BatchRecord>('BatchWaiting').implement({
  description: 'Pause of a running batch, with its reason. The batch continues by itself.',
  fields: (t) => ({
    reason: t.string({
      description: 'Last response or failure of the provider, for people.',
      resolve: ({ waitingReason }) => waitingReason ?? '',
    }),
    since: t.expose('waitingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the pause began.',
    }),
    until: t.expose('waitingUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'Time of the next request to the provider.',
    }),
  }),
});

export const ReusedAnswers = builder.objectRef<BatchRecord>('ReusedAnswers').implement({
  description: 'Items of a batch that were answered without a request of their own.',
  fields: (t) => ({
    identicalRows: t.int({
      nullable: true,
      description:
        'Number of items that take the answer of an identical row. Null where identical rows were not looked for.',
      resolve: ({ twins }) => twins,
    }),
    savedUsd: t.float({
      nullable: true,
      description:
        'Cost that these items would have had: their number times the mean cost of an item that was asked, in USD. Items for which nothing would have been sent, such as blank ones, are not among them. Null before the first answer, and without a known price.',
      complexity: { field: 1, multiplier: 1 },
      resolve: savedUsd,
    }),
  }),
});

const PauseReasonEnum = builder.enumType('PauseReason', {
  description: 'Why a batch is paused.',
  values: {
    BUDGET: { description: 'The next item would go beyond maxCostUsd.' },
    OWNER_BUDGET: {
      description:
        'The next item would go beyond what its owner may spend in this month. The batch goes on when there is room again: in the next month, or under a higher limit.',
    },
    PREVIEW: { description: 'Every row of the preview has its answer.' },
    REQUESTED: { description: 'pauseBatch was called.' },
  } satisfies Record<PauseReason, { description: string }>,
});

/** Null of a batch that is not paused. */
export function pauseOf(batch: BatchRecord): BatchRecord | null {
  return batch.pauseReason === null ? null : batch;
}

export const BatchPause = builder.objectRef<BatchRecord>('BatchPause').implement({
  description: 'Why a batch sends nothing new, and since when.',
  fields: (t) => ({
    message: t.string({
      description:
        'The reason in words, with the sums: which limit, what was spent, and what lets the batch go on.',
      resolve: ({ pauseMessage }) => pauseMessage ?? '',
    }),
    reason: t.field({
      type: PauseReasonEnum,
      description: 'The reason for programs.',
      resolve: ({ pauseReason }) => pauseReason ?? 'REQUESTED',
    }),
    resumesAt: t.expose('pauseResumesAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'Time at which the batch continues by itself. Null where it waits for resumeBatch.',
    }),
    since: t.field({
      type: 'DateTime',
      description: 'Time at which the batch stopped sending.',
      resolve: ({ pausedSince, readAt }) => pausedSince ?? readAt,
    }),
  }),
});

const loadFreeTwins = createRounds(async (keys, { db }) => {
  const counts = await countFreeTwins(db.sql, keys);
  return new Map(counts.map(({ batchKey, items }) => [batchKey, items]));
});

async function savedUsd(
  batch: BatchRecord,
  _args: object,
  context: Context,
): Promise<number | null> {
  const { key, costUsd, twins, succeeded } = batch;
  const asked = finishedItems(batch) - batch.twinsRecorded;
  if (costUsd === null || asked === 0) return null;
  // Nothing was sent for some that did not succeed: what all have cost is not shared by them.
  if (twins === 0 || finishedItems(batch) === succeeded) return (twins * costUsd) / asked;
  const [meanUsd, free] = await Promise.all([
    loadMeanCost(key, context),
    loadFreeTwins(key, context),
  ]);
  return meanUsd === undefined ? null : (twins - (free ?? 0)) * meanUsd;
}

export function countsOf(batch: BatchRecord): Counts {
  const { total, succeeded, failed, cancelled, expired } = batch;
  const held = processing(batch);
  const pending = total - finishedItems(batch) - held;
  return { total, pending, processing: held, succeeded, failed, cancelled, expired };
}

/** Items of leased chunks, as long as the batch has a use for them. */
function processing(batch: BatchRecord): number {
  const { status } = batch;
  const holds = status === 'PROCESSING' || status === 'PAUSED' || status === 'CANCELLING';
  return holds ? batch.processing : 0;
}
