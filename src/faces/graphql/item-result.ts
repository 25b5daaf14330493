/** Outcome of an item: error, usage and result, shared by synchronous mutations and batches. */
import type { ItemErrorCode } from '../../core/errors.ts';
import { builder } from './builder.ts';
import type { ShownUsage } from './usage.ts';

export const ItemErrorCodeEnum = builder.enumType('ItemErrorCode', {
  description: 'Why an item has no output. The list is closed: a client can branch on the code.',
  values: {
    INVALID_OUTPUT: {
      description: 'The answer broke its schema, also when the model was asked twice more.',
    },
    TRUNCATED: { description: 'The answer reached the output limit. Raise maxOutputTokens.' },
    REFUSED: { description: 'The model declined to answer.' },
    CONTENT_FILTERED: {
      description: "The provider's content filter stopped the request or the answer.",
    },
    CONTEXT_TOO_LONG: {
      description: 'The item does not fit into the context window of the model.',
    },
    INVALID_REQUEST: { description: 'The provider refused the request as invalid.' },
    TEMPLATE_FIELD_MISSING: {
      description: 'The prompt template names a field that the item does not have.',
    },
    RATE_LIMITED: { description: "The provider's rate limit left no room before the deadline." },
    TIMEOUT: { description: 'The answer was not complete in time.' },
    PROVIDER_ERROR: { description: 'The provider failed on the item in every attempt.' },
    WORKER_CRASHED: {
      description: 'The worker died each time the item ran, also when the item ran alone.',
    },
    EMPTY_CONTENT: { description: 'The text of the item is blank. Nothing was sent.' },
    INTERNAL: {
      description: 'Winnow failed on this item because of a bug. The server log has the details.',
    },
  } satisfies Record<ItemErrorCode, { description: string }>,
});

builder.objectType('ItemError', {
  description: 'Why an item has no output. Other items are not affected.',
  fields: (t) => ({
    code: t.expose('code', { type: ItemErrorCodeEnum, description: 'Error code, for programs.' }),
    message: t.exposeString('message', {
      description: 'Error message, for people, with the right form where that is known.',
    }),
  }),
});

/** Said alike of items, their results and lines of a file. */
export const rejectedAnswerDescription =
  'Last answer of the model that Winnow rejected, at most its first 2,000 characters. Null when none was rejected.';

/** Result of one item of any operation. `fields` are the operation's; null without an output. */
export interface ItemResultModel {
  operation: string;
  index: number;
  customId: string;
  fields: Record<string, unknown> | null;
  error: { code: ItemErrorCode; message: string } | null;
  usage: ShownUsage | null;
  rejectedAnswer: string | null;
}

export const ItemResult = builder.interfaceRef<ItemResultModel>('ItemResult').implement({
  description:
    'Result of one item. A final result has either the fields of the operation or `error`.',
  resolveType: ({ operation }) => resultTypeName(operation),
  fields: (t) => ({
    index: t.exposeInt('index', {
      description: 'Position among the items, from 0 without gaps.',
    }),
    customId: t.exposeString('customId', {
      description:
        'Key given by the caller. Without a given key: the index, or the place of a row in its file, from 0.',
    }),
    error: t.expose('error', {
      type: 'ItemError',
      nullable: true,
      description: 'Why the item has no result. Null for an item with a result.',
    }),
    rejectedAnswer: t.exposeString('rejectedAnswer', {
      nullable: true,
      description: rejectedAnswerDescription,
    }),
    usage: t.expose('usage', {
      type: 'Usage',
      nullable: true,
      description:
        'Requests, tokens and cost of the item, over all attempts. Null when nothing was sent.',
    }),
  }),
});

/** `label` -> `LabelResult` */
export function resultTypeName(operation: string): string {
  return `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Result`;
}
