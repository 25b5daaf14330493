/** What became of an item: its error, its cost and its result, which the synchronous mutations and the batches share. */
import type { ItemErrorCode } from '../../core/errors.ts';
import type { Usage } from '../../core/usage.ts';
import { builder } from './builder.ts';

export const ItemErrorCodeEnum = builder.enumType('ItemErrorCode', {
  description: 'Why one item has no output. Closed: a client can branch on it.',
  values: {
    INVALID_OUTPUT: { description: 'The answer broke its schema, also when asked again twice.' },
    TRUNCATED: { description: 'The answer hit the output limit; raise maxOutputTokens.' },
    REFUSED: { description: 'The model declined to answer.' },
    CONTENT_FILTERED: {
      description: 'The provider’s content filter stopped the request or the answer.',
    },
    CONTEXT_TOO_LONG: { description: 'The item does not fit into the model’s context window.' },
    INVALID_REQUEST: { description: 'The provider refused the request as invalid.' },
    TEMPLATE_FIELD_MISSING: {
      description: 'The prompt template names a field that this item lacks.',
    },
    RATE_LIMITED: { description: 'The provider’s rate limit left no room before the deadline.' },
    TIMEOUT: { description: 'No complete answer in time.' },
    PROVIDER_ERROR: { description: 'The provider failed again and again on this item.' },
    WORKER_CRASHED: { description: 'This item killed the worker each time it ran, also alone.' },
    EMPTY_CONTENT: { description: 'The item’s text is blank, so nothing was sent.' },
    INTERNAL: {
      description: 'Winnow failed on this item because of a bug. The server log has the details.',
    },
  } satisfies Record<ItemErrorCode, { description: string }>,
});

builder.objectType('ItemError', {
  description: 'Why an item has no output. It never affects its neighbours.',
  fields: (t) => ({
    code: t.expose('code', { type: ItemErrorCodeEnum, description: 'For programs.' }),
    message: t.exposeString('message', {
      description: 'For people: what was wrong, and what would be right where that is known.',
    }),
  }),
});

builder.objectType('Usage', {
  description: 'What was asked of the provider and what it billed.',
  fields: (t) => ({
    requests: t.exposeInt('requests', {
      description: 'Requests sent, those included that were rate limited or failed.',
    }),
    inputTokens: t.expose('inputTokens', {
      type: 'SafeInt',
      description: 'Prompt tokens, the cached ones included.',
    }),
    cachedInputTokens: t.expose('cachedInputTokens', {
      type: 'SafeInt',
      description: 'Prompt tokens that the provider took from its cache.',
    }),
    outputTokens: t.expose('outputTokens', {
      type: 'SafeInt',
      description: 'Tokens of the answers, a reasoning model’s thinking included.',
    }),
    costUsd: t.exposeFloat('costUsd', {
      nullable: true,
      description:
        'USD by the public price list; null when the model has no known price, never 0 for that reason.',
    }),
  }),
});

/** Said alike of items, their results and lines of a file. */
export const rejectedAnswerDescription =
  'The last answer that was refused, at most its first 2,000 characters. Null where none was.';

/** One item's result, whichever operation made it. `fields` are the operation's own; null where the item has none. */
export interface ItemResultModel {
  operation: string;
  index: number;
  customId: string;
  fields: Record<string, unknown> | null;
  error: { code: ItemErrorCode; message: string } | null;
  usage: Usage | null;
  rejectedAnswer: string | null;
}

export const ItemResult = builder.interfaceRef<ItemResultModel>('ItemResult').implement({
  description:
    'The result of one item. Exactly one of the operation’s fields and `error` is set once it is final.',
  resolveType: ({ operation }) => resultTypeName(operation),
  fields: (t) => ({
    index: t.exposeInt('index', {
      description: 'Position among the items, from 0 and without gaps.',
    }),
    customId: t.exposeString('customId', {
      description:
        'The caller’s own key. When none was given, the index; of a row of a file, its place there, counted from 0.',
    }),
    error: t.expose('error', {
      type: 'ItemError',
      nullable: true,
      description: 'Why there is no result; null when there is one.',
    }),
    rejectedAnswer: t.exposeString('rejectedAnswer', {
      nullable: true,
      description: rejectedAnswerDescription,
    }),
    usage: t.expose('usage', {
      type: 'Usage',
      nullable: true,
      description: 'What this item cost, all tries together; null when nothing was sent for it.',
    }),
  }),
});

/** `label` -> `LabelResult` */
export function resultTypeName(operation: string): string {
  return `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Result`;
}
