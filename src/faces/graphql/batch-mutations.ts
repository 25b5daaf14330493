/** Submitting batches, and the mutations of their life. */
import { cancelBatch } from '../../app/cancel.ts';
import { deleteBatch } from '../../app/delete.ts';
import { inlineRequests } from '../../app/inline-requests.ts';
import {
  batchFields,
  type CheckedItem,
  inlineItems,
  inlineTexts,
  maxInlineItems,
} from '../../app/inputs.ts';
import { retryBatch } from '../../app/retry.ts';
import { type CheckedSource, fileSource, inlineSource } from '../../app/source.ts';
import { startBatch } from '../../app/start.ts';
import { submitChecked } from '../../app/submit.ts';
import { AppError, BadUserInput } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import type { BatchRecord } from '../../db/batches.ts';
import { insertRedelivery } from '../../db/webhooks.ts';
import { readLimits } from '../../files/read/limits.ts';
import { findBatch } from './batch.ts';
import { ExecutionEnum } from './batch-parts.ts';
import { builder, notFound } from './builder.ts';
import type { Context } from './context.ts';
import { presentError } from './errors.ts';
import { customIdList, maxCustomIds } from './item.ts';
import { ItemErrorCodeEnum } from './item-result.ts';
import { ItemInput, OperationInput } from './operation.ts';

const inline = maxInlineItems.toLocaleString('en');

const SourceInput = builder.inputType('SourceInput', {
  description: 'Where the items come from. Exactly one key.',
  isOneOf: true,
  fields: (t) => ({
    items: t.field({
      type: [ItemInput],
      description: `The items themselves, 1 to ${inline}.`,
      validate: { schema: inlineItems as never },
    }),
    texts: t.stringList({
      description: `Plain strings, 1 to ${inline}; their custom ids are their indexes.`,
      validate: { schema: inlineTexts as never },
    }),
    requests: t.field({
      type: ['JSONObject'],
      description: `For chat: request bodies {messages: …}, or whole lines of batch input, OpenAI’s {custom_id, body} or Anthropic’s {custom_id, params}; 1 to ${inline}.`,
      validate: { schema: inlineRequests as never },
    }),
    fileId: t.id({
      description: `A file that was uploaded with POST /files, up to ${readLimits.rows.toLocaleString('en')} rows. NOT_FOUND when there is none.`,
    }),
  }),
});

const SubmitBatchInput = builder.inputType('SubmitBatchInput', {
  description: 'A batch to be run.',
  fields: (t) => ({
    operation: t.field({
      type: OperationInput,
      required: true,
      description: 'What to do with each item.',
    }),
    source: t.field({ type: SourceInput, required: true, description: 'The items.' }),
    contentField: t.string({
      description:
        'The column or JSON field of the file that holds the text, in place of the one found or named at upload; that becomes metadata.',
      validate: { schema: batchFields.contentField as never },
    }),
    customIdField: t.string({
      description:
        'The column or JSON field of the file that holds the custom ids, in place of the upload’s; empty: the places of the rows in the file serve, counted from 0. Read before the batch starts; an id that comes twice stops it with DUPLICATE_CUSTOM_ID. A row without one has its place.',
      validate: { schema: batchFields.customIdField as never },
    }),
    customIdPrefix: t.string({
      description:
        'Put before every custom id, the places that serve as such included. Up to 100 characters.',
      validate: { schema: batchFields.customIdPrefix as never },
    }),
    name: t.string({
      description:
        'For people, up to 200 characters; need not be unique. The name of the file when absent; none for inline items.',
      validate: { schema: batchFields.name as never },
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Anything the caller wants to find again on the batch.',
      validate: { schema: batchFields.metadata as never },
    }),
    autoStart: t.boolean({
      defaultValue: true,
      description: 'false: the batch waits as DRAFT for startBatch.',
    }),
    execution: t.field({
      type: ExecutionEnum,
      defaultValue: 'LIVE',
      description:
        'How to reach the model. Files, operations and answers are the same in both lanes. PROVIDER_BATCH needs a provider that has a batch API: BAD_USER_INPUT where it is known to have none.',
    }),
    rescue: t.boolean({
      defaultValue: false,
      description:
        'PROVIDER_BATCH only. true: rows that the provider’s window leaves undone are called live, at the live price; false: they become EXPIRED, and retryBatch sends them again.',
    }),
    idempotencyKey: t.string({
      description:
        'Same key and same whole input: the same batch again. Same key, other input: IDEMPOTENCY_CONFLICT. 1 to 200 characters.',
      validate: { schema: batchFields.idempotencyKey as never },
    }),
    webhookUrl: t.string({
      description:
        'Told when the batch ends: a public https address, up to 2,000 characters. Signed as Standard Webhooks has it.',
      validate: { schema: batchFields.webhookUrl as never },
    }),
    expiresInSeconds: t.int({
      description:
        'Seconds until unfinished items expire, 1 s to 30 days. When absent 24 h, or 26 h for PROVIDER_BATCH: the provider’s own 24, and time to send and to read.',
      validate: { schema: batchFields.expiresInSeconds as never },
    }),
  }),
});

const batchPayload = (name: string, description: string) =>
  builder.objectRef<BatchRecord>(name).implement({
    description,
    fields: (t) => ({
      batch: t.field({
        type: 'Batch',
        description: 'The batch as it now stands.',
        resolve: (batch) => batch,
      }),
    }),
  });

const idArg = { required: true, description: 'The batch. NOT_FOUND when there is none.' } as const;

builder.mutationField('submitBatch', (t) =>
  t.field({
    type: batchPayload(
      'SubmitBatchPayload',
      'The batch that was made, or found under the idempotency key.',
    ),
    description: 'Stores the items and begins to work on them. Returns at once.',
    args: { input: t.arg({ type: SubmitBatchInput, required: true, description: 'What to run.' }) },
    resolve: async (_root, { input }, context) => {
      const [operation, options] = theOne(
        input.operation as Record<string, unknown>,
        'input.operation',
      );
      const source = await toSource(input.source, context);
      if (source.file) context.budget.takeFileRows(source.itemCount);
      else context.budget.takeInlineItems(source.itemCount);
      const id = await submitChecked(context, {
        operation,
        options: options as Record<string, unknown>,
        optionsPath: `input.operation.${operation}`,
        source,
        sourcePath: 'input.source',
        fields: input,
        fieldsPath: 'input.',
      });
      return await theBatch(id, context);
    },
  }),
);

builder.mutationField('startBatch', (t) =>
  t.field({
    type: batchPayload('StartBatchPayload', 'The batch that was started.'),
    description: 'Starts a DRAFT. A batch in any other state is returned as it is.',
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
      'The batch that was cancelled: CANCELLING, or CANCELLED already.',
    ),
    description:
      'Ends a batch: no call starts more than a second later, calls in flight are aborted, finished results stay. What is at the provider’s batch API is cancelled there, and CANCELLING until the provider confirms; what it had finished by then is kept. A batch that has ended is returned as it is.',
    args: { id: t.arg.id(idArg) },
    resolve: async (_root, { id }, context) => {
      await theBatch(id, context);
      await cancelBatch(context, context.owner, id);
      return await theBatch(id, context);
    },
  }),
);

interface Retried {
  batch: BatchRecord;
  retriedItems: number;
}

const RetryBatchPayload = builder.objectRef<Retried>('RetryBatchPayload').implement({
  description: 'The batch that goes on.',
  fields: (t) => ({
    batch: t.field({
      type: 'Batch',
      description: 'The batch as it now stands.',
      resolve: ({ batch }) => batch,
    }),
    retriedItems: t.exposeInt('retriedItems', {
      description: 'Items put back in the queue; 0 where there was nothing to retry.',
    }),
  }),
});

builder.mutationField('retryBatch', (t) =>
  t.field({
    type: RetryBatchPayload,
    description:
      'Puts items that failed, expired or were cancelled back in the queue, with a new expiry; what succeeded is never paid for again. A stopped batch goes on with what it had left undone too. CONFLICT while it is CANCELLING.',
    args: {
      id: t.arg.id(idArg),
      customIds: t.arg.stringList({
        description: `Only items with these custom ids, at most ${maxCustomIds.toLocaleString('en')}; all when absent.`,
        validate: { schema: customIdList as never },
      }),
      errorCodes: t.arg({
        type: [ItemErrorCodeEnum],
        description: 'Only items that failed with one of these codes; all when absent.',
      }),
    },
    resolve: async (_root, { id, customIds, errorCodes }, context) => {
      const { status } = await theBatch(id, context);
      if (status === 'CANCELLING') {
        throw new AppError(
          'CONFLICT',
          'The batch is still being cancelled; retry it once it is CANCELLED',
        );
      }
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

const DeleteBatchPayload = builder
  .objectRef<{ deletedId: string }>('DeleteBatchPayload')
  .implement({
    description: 'The batch that is gone.',
    fields: (t) => ({
      deletedId: t.exposeID('deletedId', { description: 'Its id, which is unknown from now on.' }),
    }),
  });

builder.mutationField('deleteBatch', (t) =>
  t.field({
    type: DeleteBatchPayload,
    description:
      'Deletes a batch with its results, whatever its state: unknown at once, calls in flight aborted, its idempotency key free again.',
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
      'Tells the webhook of a batch that has ended once more, as a new message: once a minute, else CONFLICT says when. A batch without a webhook, or that has not ended, is returned as it is.',
    args: { batchId: t.arg.id(idArg) },
    resolve: async (_root, { batchId }, context) => {
      const batch = await theBatch(batchId, context);
      const redelivery = await insertRedelivery(context.db.sql, context.owner, batchId);
      if (redelivery?.againAt) {
        throw presentError(
          new AppError(
            'CONFLICT',
            `The webhook was sent again less than a minute ago; it can be again from ${redelivery.againAt.toISOString()} on`,
          ),
        );
      }
      context.webhooks.nudge();
      return batch;
    },
  }),
);

async function theBatch(id: string, context: Context): Promise<BatchRecord> {
  const batch = await findBatch(id, context);
  if (!batch) throw notFound('batch');
  return batch;
}

/** The key and value of a @oneOf input. GraphQL has seen to it that there is one. */
function theOne(input: Record<string, unknown>, path: string): [string, unknown] {
  const [entry] = Object.entries(input).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  if (!entry) throw presentError(new BadUserInput([{ path, message: 'needs exactly one key' }]));
  return entry;
}

async function toSource(
  source: typeof SourceInput.$inferInput,
  context: Context,
): Promise<CheckedSource> {
  if (source.fileId) return await fileSource(source.fileId, context);
  if (source.texts) {
    return inlineSource(
      source.texts.map((content, index) => ({
        content,
        customId: String(index),
        metadata: null,
        request: null,
      })),
    );
  }
  return inlineSource((source.items ?? source.requests ?? []) as unknown as CheckedItem[]);
}
