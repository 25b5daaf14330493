/** Batches in pages, by a filter. */
import { type BatchFilter, countBatches, listBatches } from '../../db/batches.ts';
import { storableText } from '../../operations/text.ts';
import { findBatch } from './batch.ts';
import { BatchStatusEnum } from './batch-parts.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { findFile } from './file.ts';
import { OperationEnum } from './operation.ts';
import { pageCost, readKeyPage } from './page.ts';

export const BatchFilterInput = builder.inputType('BatchFilter', {
  description: 'Conditions are joined by AND. An absent condition is ignored.',
  fields: (t) => ({
    status: t.field({
      type: [BatchStatusEnum],
      description: 'Only batches with one of these statuses.',
    }),
    operation: t.field({
      type: [OperationEnum],
      description: 'Only batches of one of these operations.',
    }),
    name: t.string({
      description: 'Only batches whose name contains this text, in upper or lower case.',
      validate: { schema: storableText.nullish() as never },
    }),
    createdAfter: t.field({
      type: 'DateTime',
      description: 'Only batches submitted at or after this time.',
    }),
    createdBefore: t.field({
      type: 'DateTime',
      description: 'Only batches submitted at or before this time.',
    }),
    idempotencyKey: t.string({
      description:
        'Only the batch that was submitted with this idempotency key. At most one; none where the key is unknown or free again.',
      validate: { schema: storableText.nullish() as never },
    }),
    fileId: t.id({
      description: 'Only batches that run over this file. None for an unknown file.',
    }),
  }),
});

/** GraphQL's nulls are "not given". */
export async function toFilter(
  filter: typeof BatchFilterInput.$inferInput | null | undefined,
  context: Pick<Context, 'db' | 'owner'>,
): Promise<BatchFilter> {
  const fileId = filter?.fileId ?? null;
  return {
    fileKey: fileId === null ? undefined : ((await findFile(fileId, context))?.key ?? null),
    status: filter?.status ?? undefined,
    operation: filter?.operation ?? undefined,
    name: filter?.name ?? undefined,
    createdAfter: filter?.createdAfter ?? undefined,
    createdBefore: filter?.createdBefore ?? undefined,
    idempotencyKey: filter?.idempotencyKey ?? undefined,
  };
}

builder.queryField('batches', (t) =>
  t.connection(
    {
      type: 'Batch',
      description: 'Batches of the caller, newest first.',
      args: {
        filter: t.arg({
          type: BatchFilterInput,
          description: 'Conditions on the batches. Absent: all batches.',
        }),
      },
      complexity: pageCost,
      resolve: async (_root, args, context) => {
        const { db, owner } = context;
        const filter = await toFilter(args.filter, context);
        const connection = await readKeyPage(args, context, {
          name: 'batches',
          find: (id) => findBatch(id, context),
          list: (page) => listBatches(db, owner, filter, page),
        });
        return { ...connection, filter };
      },
    },
    {
      name: 'BatchConnection',
      description: 'A page of batches.',
      fields: (c) => ({
        totalCount: c.int({
          description: 'Number of batches that match the filter, over all pages.',
          resolve: ({ filter }, _args, { db, owner }) => countBatches(db, owner, filter),
        }),
      }),
    },
    { name: 'BatchEdge', description: 'A batch with its cursor.' },
  ),
);
