/** The items of a batch as a list, with its filters. */
import { z } from 'zod';
import { answerFilterOf } from '../../app/answer-filter.ts';
import type { BatchRecord } from '../../db/batches.ts';
import { storableText } from '../../operations/text.ts';
import { confidenceBelowArg, confidenceFromArg, labelsArg } from './answer-args.ts';
import { asksFor } from './asks-for.ts';
import { builder } from './builder.ts';
import { presentIssues } from './errors.ts';
import { BatchItem, ItemStatusEnum } from './item.ts';
import { countInOrder, type ItemOrder, readItemPage } from './item-pages.ts';
import { ItemErrorCodeEnum } from './item-result.ts';
import { filterCost, type PageArgs, pageCost } from './page.ts';

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

export const maxSearch = 200;

const ItemOrderEnum = builder.enumType('ItemOrder', {
  description: 'The order of items.',
  values: {
    CONFIDENCE: {
      description:
        'The least sure answer first. Answers with the same confidence stand in the order of the input.',
    },
    INDEX: { description: 'The order of the input.' },
  } satisfies Record<ItemOrder, { description: string }>,
});

builder.objectField('Batch', 'items', (t) =>
  t.connection(
    {
      type: BatchItem,
      description:
        'Items of the batch, with the answers stored so far. A filter by label, confidence or search looks at items for at most 1.5 seconds: see searchedTo.',
      args: {
        status: t.arg({
          type: [ItemStatusEnum],
          description: 'Only items with one of these statuses. Absent: all. Empty list: none.',
        }),
        customIds: t.arg.stringList(customIdsArg),
        errorCodes: t.arg(errorCodesArg),
        labels: t.arg.stringList(labelsArg),
        confidenceBelow: t.arg.float(confidenceBelowArg),
        confidenceFrom: t.arg.float(confidenceFromArg),
        search: t.arg.string({
          description: `Only items with this text in their input or in their output, in either case. 1 to ${maxSearch} characters. Metadata and outputs are searched as JSON, with the names of fields.`,
          validate: {
            schema: storableText
              .min(1, 'must not be empty; leave search out for all items')
              .max(maxSearch, `must have at most ${maxSearch} characters`)
              .nullish() as never,
          },
        }),
        orderBy: t.arg({
          type: ItemOrderEnum,
          defaultValue: 'INDEX',
          description: 'The order. CONFIDENCE leaves out items without a confidence.',
        }),
        fromIndex: t.arg.int({
          description:
            'The index to begin at, 0 or more. Must be absent with after, before, last and orderBy CONFIDENCE.',
          validate: { schema: z.int().min(0, 'must be 0 or more').nullish() as never },
        }),
      },
      complexity: (args) => ({ ...pageCost(args), field: listCost(args) }),
      resolve: async (batch, args, context, info) => {
        if (args.search != null) refuseSearch(batch);
        const asked = {
          orderBy: args.orderBy ?? 'INDEX',
          filter: {
            status: args.status ?? undefined,
            customIds: args.customIds ?? undefined,
            errorCodes: args.errorCodes ?? undefined,
            answers: answerFilterOf(batch, args, 'labels'),
            search: args.search ?? undefined,
          },
        };
        const isCut = !asksFor(info, wholeTexts);
        const reading = { ...asked, isCut };
        const page = await readItemPage(batch, fromIndexed(args), reading, context);
        return { ...page, batch, asked };
      },
    },
    {
      name: 'BatchItemConnection',
      description: 'A page of items.',
      fields: (c) => ({
        totalCount: c.int({
          description:
            'Number of items that match the filter, over all pages. A search looks at every item, which takes seconds for a million.',
          resolve: ({ batch, asked }, _args, context) => countInOrder(batch, asked, context),
        }),
        searchedTo: c.exposeInt('searchedTo', {
          nullable: true,
          description:
            'The last index that was looked at, where a filter by label, confidence or search ran out of time before the page was full. endCursor then stands behind this index: ask again with after. With last, startCursor stands before it: ask again with before. Null where the page is complete.',
        }),
      }),
    },
    { name: 'BatchItemEdge', description: 'An item with its cursor.' },
  ),
);

/** Fields of an item for which its whole row is read. */
const wholeTexts: ReadonlySet<string> = new Set(['content', 'metadata', 'request']);

/** Throws BAD_USER_INPUT where there is no text any more. */
function refuseSearch({ contentDeletedAt }: BatchRecord): void {
  if (contentDeletedAt === null) return;
  const message = `must be absent: the rows and answers of this batch were deleted at ${contentDeletedAt.toISOString()}`;
  throw presentIssues([{ path: 'search', message }]);
}

/** A page that begins at an index begins behind the one before. */
function fromIndexed<
  Args extends PageArgs & {
    fromIndex?: number | null | undefined;
    orderBy?: ItemOrder | null | undefined;
  },
>(args: Args): Args {
  const { fromIndex, orderBy } = args;
  if (fromIndex == null) return args;
  const issues = [
    ...(['after', 'before', 'last'] as const)
      .filter((path) => args[path] != null)
      .map((path) => ({ path, message: 'must be absent when fromIndex is given' })),
    ...(orderBy === 'CONFIDENCE'
      ? [{ path: 'orderBy', message: 'must be INDEX when fromIndex is given' }]
      : []),
  ];
  if (issues.length > 0) throw presentIssues(issues);
  return fromIndex === 0 ? args : { ...args, after: String(fromIndex - 1) };
}

/** A look at every item costs more than what an index finds, and a text more than a label. */
function listCost(args: {
  status?: unknown;
  customIds?: unknown;
  errorCodes?: unknown;
  labels?: unknown;
  confidenceBelow?: unknown;
  confidenceFrom?: unknown;
  search?: unknown;
  orderBy?: ItemOrder | null | undefined;
}): number {
  const { status, customIds, errorCodes, labels, confidenceBelow, confidenceFrom } = args;
  if (args.search != null) return 2 * filterCost;
  const filters = [status, customIds, errorCodes, labels, confidenceBelow, confidenceFrom];
  const isFiltered = args.orderBy === 'CONFIDENCE' || filters.some((given) => given != null);
  return isFiltered ? filterCost : 1;
}
