/** What a batch consists of, beside its items: its states, counts, errors and deliveries. */

import type { BatchErrorCode } from '../../core/errors.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { batchStatuses, Execution } from '../../db/tables.ts';
import type { DeliveryRecord } from '../../db/webhooks.ts';
import { builder } from './builder.ts';
import { ItemErrorCodeEnum } from './item-result.ts';

export const BatchStatusEnum = builder.enumType('BatchStatus', {
  description: 'Where a batch stands. The last four are final.',
  values: {
    DRAFT: { description: 'Submitted with autoStart false; waits for startBatch.' },
    QUEUED: { description: 'Waits for a worker.' },
    PROCESSING: { description: 'Workers have begun.' },
    CANCELLING: {
      description:
        'Cancelled, but calls in flight are still being stopped, or the provider has yet to confirm.',
    },
    COMPLETED: { description: 'Every item has its answer, failures included.' },
    FAILED: {
      description:
        'Stopped as a whole (key, quota, model, file): error and errorCode say why, unfinished items stay PENDING, retryBatch resumes.',
    },
    CANCELLED: { description: 'Ended by cancelBatch; unfinished items are CANCELLED.' },
    EXPIRED: { description: 'Time ran out; unfinished items are EXPIRED.' },
  } satisfies Record<(typeof batchStatuses)[number], { description: string }>,
});

export const BatchErrorCodeEnum = builder.enumType('BatchErrorCode', {
  description: 'Why a whole batch was stopped.',
  values: {
    INVALID_KEY: { description: 'The provider refused the API key, or what the key may do.' },
    QUOTA_EXHAUSTED: { description: 'The provider account has no quota or funds left.' },
    UNKNOWN_MODEL: {
      description: 'The provider does not have the model, or the provider is not configured here.',
    },
    PROVIDER_REJECTED_FILE: { description: 'The provider’s batch API refused the file.' },
    DUPLICATE_CUSTOM_ID: { description: 'Two rows of the file have the same custom id.' },
    INTERNAL: { description: 'A fault of Winnow’s own; the log has it.' },
  } satisfies Record<BatchErrorCode, { description: string }>,
});

export const ExecutionEnum = builder.enumType('Execution', {
  description: 'How a batch reaches the model.',
  values: {
    LIVE: { description: 'Calls the model row by row, now.' },
    PROVIDER_BATCH: {
      description:
        'Hands the rows to the provider’s own batch API: about half the price, answers within 24 h. Only for providers that have one.',
    },
  } satisfies Record<Execution, { description: string }>,
});

/** Things by where they stand. Adds up to total. */
export interface Counts {
  total: number;
  pending: number;
  processing: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  expired: number;
}

export const BatchCounts = builder.objectRef<Counts>('BatchCounts').implement({
  description:
    'Items of a batch, or requests of a provider batch, by where they stand. Adds up to total at every instant.',
  fields: (t) => ({
    total: t.exposeInt('total', {
      description: 'All of them. Of a provider batch 0 until its input is made.',
    }),
    pending: t.exposeInt('pending', {
      description:
        'Nobody works on them yet, or again. In a provider batch that is over: left without an answer.',
    }),
    processing: t.exposeInt('processing', {
      description: 'Held by a worker or by the provider right now.',
    }),
    succeeded: t.exposeInt('succeeded', {
      description:
        'Items with a valid output; requests that the provider has answered, validly or not.',
    }),
    failed: t.exposeInt('failed', { description: 'With an error.' }),
    cancelled: t.exposeInt('cancelled', { description: 'Left undone by cancelBatch.' }),
    expired: t.exposeInt('expired', { description: 'Left undone when time ran out.' }),
  }),
});

export const ErrorCount = builder
  .objectRef<BatchRecord['errorSummary'][number]>('ErrorCount')
  .implement({
    description: 'Failed items with one error code.',
    fields: (t) => ({
      code: t.expose('code', { type: ItemErrorCodeEnum, description: 'What they have in common.' }),
      count: t.exposeInt('count', { description: 'How many items.' }),
      message: t.exposeString('message', { description: 'One message as an example.' }),
    }),
  });

export const WebhookDelivery = builder.objectRef<DeliveryRecord>('WebhookDelivery').implement({
  description: 'One attempt to tell a webhook that its batch has ended.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the message and the attempt.' }),
    messageId: t.exposeString('messageId', {
      description: 'The webhook-id header: the same for every attempt of one message.',
    }),
    attempt: t.exposeInt('attempt', { description: 'Counted from 1.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it was made.' }),
    statusCode: t.exposeInt('statusCode', {
      nullable: true,
      description: 'The HTTP status that came back; null when none did. 2xx is a success.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'Why it failed; null when it did not.',
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again; null when it is not.',
    }),
  }),
});

/** A note is made anew while it holds; this long after its end nobody has done so. */
const waitingGraceMs = 2_000;

export function waiting(batch: BatchRecord): BatchRecord | null {
  const { status, waitingReason, waitingUntil, readAt } = batch;
  if (status !== 'PROCESSING' || waitingReason === null || waitingUntil === null) return null;
  return waitingUntil.getTime() + waitingGraceMs > readAt.getTime() ? batch : null;
}

export const BatchWaiting = builder.objectRef<BatchRecord>('BatchWaiting').implement({
  description: 'Why a running batch does not get on just now. It goes on by itself.',
  fields: (t) => ({
    reason: t.string({
      description: 'For people: what the provider said or did last.',
      resolve: ({ waitingReason }) => waitingReason ?? '',
    }),
    since: t.expose('waitingSince', {
      type: 'DateTime',
      nullable: true,
      description: 'When it began.',
    }),
    until: t.expose('waitingUntil', {
      type: 'DateTime',
      nullable: true,
      description: 'When the provider is asked again.',
    }),
  }),
});

export function countsOf(batch: BatchRecord): Counts {
  const { total, succeeded, failed, cancelled, expired } = batch;
  const held = processing(batch);
  const pending = total - finished(batch) - held;
  return { total, pending, processing: held, succeeded, failed, cancelled, expired };
}

export function finished({ succeeded, failed, cancelled, expired }: BatchRecord): number {
  return succeeded + failed + cancelled + expired;
}

/** Items of leased chunks, as long as the batch has a use for them. */
function processing(batch: BatchRecord): number {
  return batch.status === 'PROCESSING' || batch.status === 'CANCELLING' ? batch.processing : 0;
}
