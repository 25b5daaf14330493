/** The items of a batch as a list, with its filters. */
import { z } from 'zod';
import { parseItemId } from '../../core/ids.ts';
import { countItems, type ItemFilter, listItems } from '../../db/items.ts';
import { storableText } from '../../operations/text.ts';
import { builder } from './builder.ts';
import { presentIssues } from './errors.ts';
import { BatchItem, type BatchItemModel, ItemStatusEnum, source, toModels } from './item.ts';
import { ItemErrorCodeEnum } from './item-result.ts';
import { filterCost, type PageArgs, pageCost, readPage, wholePage } from './page.ts';

/** Custom ids that one call may name. */
export const maxCustomIds = 1_000;
const maxCustomIdsText = maxCustomIds.toLocaleString('en');

/** Items by their custom ids, wherever they are asked for so. */
export const customIdsArg = {
  description: `Only items with these custom ids, at most ${maxCustomIdsText}. Absent: all.`,
  validate: {
    schema: z
      .array(storableText)
      .max(maxCustomIds, `must have at most ${maxCustomIdsText} custom ids`)
      .nullish() as never,
  },
};

/** Items by their error codes, likewise. */
export const errorCodesArg = {
  type: [ItemErrorCodeEnum] as [typeof ItemErrorCodeEnum],
  description: 'Only items that failed with one of these codes. Absent: all.',
};

builder.objectField('Batch', 'items', (t) =>
  t.connection(
    {
      type: BatchItem,
      description: 'Items of the batch in input order, with the answers stored so far.',
      args: {
        status: t.arg({
          type: [ItemStatusEnum],
          description: 'Only items with one of these statuses. Absent: all. Empty list: none.',
        }),
        customIds: t.arg.stringList(customIdsArg),
        errorCodes: t.arg(errorCodesArg),
        fromIndex: t.arg.int({
          description:
            'The index to begin at, 0 or more. Must be absent when after, before or last is given.',
          validate: { schema: z.int().min(0, 'must be 0 or more').nullish() as never },
        }),
      },
      complexity: (args) => ({
        ...pageCost(args),
        field: args.status || args.customIds || args.errorCodes ? filterCost : 1,
      }),
      resolve: async (batch, args, { db, budget }) => {
        const toCursor = ({ item }: BatchItemModel) => String(item.index);
        const filter: ItemFilter = {
          status: args.status ?? undefined,
          customIds: args.customIds ?? undefined,
          errorCodes: args.errorCodes ?? undefined,
        };
        const connection = await readPage(
          fromIndexed(args),
          {
            toCursor,
            find: async (id) => {
              const parsed = parseItemId(id);
              const isOurs = parsed?.batchId === batch.id && parsed.index < batch.total;
              return isOurs ? String(parsed.index) : null;
            },
          },
          async (range) => {
            const { limit, after, before, inverted } = range;
            const [afterIndex, beforeIndex] = [toIndex(after), toIndex(before)];
            const { rows, isCut } = await budget.read((maxBytes) =>
              listItems(db.sql, source(batch), filter, {
                limit,
                afterIndex,
                beforeIndex,
                inverted,
                maxBytes,
              }),
            );
            return wholePage({ entries: await toModels(batch, rows, db), isCut }, range, toCursor);
          },
        );
        return { ...connection, batch, filter };
      },
    },
    {
      name: 'BatchItemConnection',
      description: 'A page of items.',
      fields: (c) => ({
        totalCount: c.int({
          description: 'Number of items that match the filter, over all pages.',
          resolve: ({ batch, filter }, _args, { db }) =>
            filter.status || filter.customIds || filter.errorCodes
              ? countItems(db.sql, source(batch), filter)
              : batch.total,
        }),
      }),
    },
    { name: 'BatchItemEdge', description: 'An item with its cursor.' },
  ),
);

/** A page that begins at an index begins behind the one before. */
function fromIndexed<Args extends PageArgs & { fromIndex?: number | null | undefined }>(
  args: Args,
): Args {
  const { fromIndex } = args;
  if (fromIndex == null) return args;
  const issues = (['after', 'before', 'last'] as const)
    .filter((path) => args[path] != null)
    .map((path) => ({ path, message: 'must be absent when fromIndex is given' }));
  if (issues.length > 0) throw presentIssues(issues);
  return fromIndex === 0 ? args : { ...args, after: String(fromIndex - 1) };
}

/** Larger than any index, and the largest that the database can compare with one. */
const maxIndex = 2 ** 31 - 1;

function toIndex(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Math.min(Number(cursor), maxIndex);
}
