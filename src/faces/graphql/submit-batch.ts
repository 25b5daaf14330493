/** The mutation submitBatch and its input. */
import { inlineRequests } from '../../app/inline-requests.ts';
import {
  batchFields,
  type CheckedItem,
  inlineItems,
  inlineTexts,
  maxInlineItems,
} from '../../app/inputs.ts';
import { type CheckedSource, fileSource, inlineSource } from '../../app/source.ts';
import { submitChecked } from '../../app/submit.ts';
import { BadUserInput } from '../../core/errors.ts';
import { readLimits } from '../../files/read/limits.ts';
import { batchPayload, theBatch } from './batch-mutations.ts';
import { ExecutionEnum } from './batch-parts.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { presentError } from './errors.ts';
import { ItemInput, OperationInput } from './operation.ts';
import { schemaCost } from './schema-cost.ts';

const inline = maxInlineItems.toLocaleString('en');

export const SourceInput = builder.inputType('SourceInput', {
  description: 'Source of the items. Exactly one key must be given.',
  isOneOf: true,
  fields: (t) => ({
    items: t.field({
      type: [ItemInput],
      description: `Inline items, 1 to ${inline}.`,
      validate: { schema: inlineItems as never },
    }),
    texts: t.stringList({
      description: `Plain strings, 1 to ${inline}. Their custom ids are their indexes.`,
      validate: { schema: inlineTexts as never },
    }),
    requests: t.field({
      type: ['JSONObject'],
      description: `For chat: request bodies {messages: …}, or lines of batch input, 1 to ${inline}. Lines are {custom_id, body} as for OpenAI or {custom_id, params} as for Anthropic.`,
      validate: { schema: inlineRequests as never },
    }),
    fileId: t.id({
      description: `Id of an uploaded file, up to ${readLimits.rows.toLocaleString('en')} rows. NOT_FOUND for an unknown id.`,
    }),
  }),
});

const SubmitBatchInput = builder.inputType('SubmitBatchInput', {
  description: 'Operation, items and settings of a new batch.',
  fields: (t) => ({
    operation: t.field({
      type: OperationInput,
      required: true,
      description: 'Operation to run on each item, with its options.',
    }),
    source: t.field({ type: SourceInput, required: true, description: 'Source of the items.' }),
    contentField: t.string({
      description:
        'Column or JSON field of the file that holds the text. Absent: the field of the upload. A field that is replaced becomes metadata.',
      validate: { schema: batchFields.contentField as never },
    }),
    customIdField: t.string({
      description:
        'Column or JSON field of the file that holds the custom ids. Absent: the field of the upload. Empty: the place of each row in the file, from 0. A row without a custom id has its place. A repeated id stops the batch with DUPLICATE_CUSTOM_ID before its start.',
      validate: { schema: batchFields.customIdField as never },
    }),
    customIdPrefix: t.string({
      description: 'Prefix of every custom id, places included, up to 100 characters.',
      validate: { schema: batchFields.customIdPrefix as never },
    }),
    name: t.string({
      description:
        'Name of the batch for people, up to 200 characters, not necessarily unique. Absent: the name of the file, or none for inline items.',
      validate: { schema: batchFields.name as never },
    }),
    metadata: t.field({
      type: 'JSONObject',
      description: 'Any JSON object to store with the batch.',
      validate: { schema: batchFields.metadata as never },
    }),
    autoStart: t.boolean({
      defaultValue: true,
      description: 'False: the batch waits as DRAFT for startBatch.',
    }),
    execution: t.field({
      type: ExecutionEnum,
      defaultValue: 'LIVE',
      description:
        'Way in which the batch reaches the model. Files, operations and answers are the same for both ways. BAD_USER_INPUT for PROVIDER_BATCH at a provider known to have no batch API.',
    }),
    rescue: t.boolean({
      defaultValue: false,
      description:
        'PROVIDER_BATCH only. True: items that a provider job leaves undone are called live, at the live price. False: these items become EXPIRED, and retryBatch sends them again.',
    }),
    deduplicate: t.boolean({
      description:
        'True: items from which the prompt takes the same text are sent once and share the answer. Absent: true for label, extract, enrich and summarize; false for run and chat, where equal rows may be meant to get different answers.',
    }),
    promptCaching: t.boolean({
      description:
        'True: the common beginning of all prompts is marked for the provider’s prompt cache. False: never. Absent: where the beginning is long enough to be cached and more than 3 requests follow. No effect for chat, whose requests are sent as they are.',
    }),
    preview: t.int({
      description:
        'Rows that run first, 10 to 1,000, spread over the whole input and called live in either lane. The batch is then PAUSED with a projection; resumeBatch runs the rest and keeps these answers. Where no row is left behind the preview, as identical rows are asked once, the batch completes without a pause. BAD_USER_INPUT where the input has no more rows than that.',
      validate: { schema: batchFields.preview as never },
    }),
    idempotencyKey: t.string({
      description:
        'Key of the submit, 1 to 200 characters. The same key with the same input gives the same batch. The same key with another input gives IDEMPOTENCY_CONFLICT.',
      validate: { schema: batchFields.idempotencyKey as never },
    }),
    webhookUrl: t.string({
      description:
        'Public https address that receives a webhook when the batch ends, up to 2,000 characters. Webhooks are signed as Standard Webhooks defines.',
      validate: { schema: batchFields.webhookUrl as never },
    }),
    expiresInSeconds: t.int({
      description:
        'Seconds until unfinished items expire, 1 s to 30 days. Absent: 24 h, or 26 h for PROVIDER_BATCH (24 h of the provider, and time to send and read).',
      validate: { schema: batchFields.expiresInSeconds as never },
    }),
    retainSeconds: t.int({
      description:
        "Seconds after its end until the batch and its results are deleted, 1 s to 3,650 days. The server's RETENTION_BATCH_DAYS when absent, and where that is sooner.",
      validate: { schema: batchFields.retainSeconds as never },
    }),
    maxCostUsd: t.float({
      description:
        'The most that the batch may cost, in USD, above 0. The batch is PAUSED before the item that would go beyond it; only calls that are under way at that moment can. BAD_USER_INPUT where the model has no known price.',
      validate: { schema: batchFields.maxCostUsd as never },
    }),
  }),
});

builder.mutationField('submitBatch', (t) =>
  t.field({
    type: batchPayload(
      'SubmitBatchPayload',
      'The new batch, or the batch with the same idempotency key.',
    ),
    description: 'Stores the items and starts the batch. Returns at once.',
    complexity: ({ input }) => 1 + schemaCost(input.operation),
    args: {
      input: t.arg({
        type: SubmitBatchInput,
        required: true,
        description: 'Operation, items and settings of the batch.',
      }),
    },
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

/** The key and value of a @oneOf input. GraphQL has seen to it that there is one. */
export function theOne(input: Record<string, unknown>, path: string): [string, unknown] {
  const [entry] = Object.entries(input).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  if (!entry)
    throw presentError(new BadUserInput([{ path, message: 'must have exactly one key' }]));
  return entry;
}

export async function toSource(
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
