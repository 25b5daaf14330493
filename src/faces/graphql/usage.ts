/** Usage of an item, of a call and of a batch: requests, tokens and answers. */
import { modelIdFor } from '../../app/stored-operation.ts';
import type { Usage } from '../../core/usage.ts';
import type { BatchRecord } from '../../db/batches.ts';
import { listBatchSpending } from '../../db/spending.ts';
import { usageOf, usageOfBatch, wasNeverAsked } from '../../db/usage.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import type { BatchItemModel } from './item.ts';
import { createListRounds } from './rounds.ts';

/** Usage of one model in one way of execution; a model that is unknown here is null. */
interface UsagePart {
  model: string | null;
  execution: BatchRecord['execution'];
  usage: Usage;
}

/** A usage with the parts that have prices of their own. */
export interface ShownUsage extends Usage {
  parts(context: Context): readonly UsagePart[] | Promise<readonly UsagePart[]>;
}

/** Usage of one model; `model` is asked for where its prices are wanted. */
export function usageOfModel(
  usage: Usage,
  { model, execution }: { model: () => string | null; execution: BatchRecord['execution'] },
): ShownUsage {
  return { ...usage, parts: () => [{ model: model(), execution, usage }] };
}

const loadSpending = createListRounds(listBatchSpending);

/** Requests of chat name models of their own, and jobs are repaired live: the ledger tells. */
export function usageOfWhole(batch: BatchRecord): ShownUsage {
  const { key, model, execution, operation } = batch;
  const usage = usageOfBatch(batch);
  const isOne = operation !== 'chat' && execution === 'LIVE';
  return isOne
    ? usageOfModel(usage, { model: () => model, execution })
    : { ...usage, parts: (context) => loadSpending(key, context) };
}

/** Null for an item for which nothing was sent. */
export function usageOfItem(
  { batch, item, row }: BatchItemModel,
  { preparePlan }: Pick<Context, 'preparePlan'>,
): ShownUsage | null {
  if (item.requests === null || item.cached || wasNeverAsked(item)) return null;
  const { operation, model, execution } = batch;
  return usageOfModel(usageOf(item), {
    model: () => (operation === 'chat' ? modelIdFor(batch, row, preparePlan) : model),
    execution,
  });
}

builder.objectType('Usage', {
  description: 'Requests, tokens and cost at the provider.',
  fields: (t) => ({
    requests: t.exposeInt('requests', {
      description: 'Number of requests sent, including rate-limited and failed ones.',
    }),
    inputTokens: t.expose('inputTokens', {
      type: 'SafeInt',
      description:
        "All prompt tokens, those read from and written to the provider's prompt cache included.",
    }),
    cachedInputTokens: t.expose('cachedInputTokens', {
      type: 'SafeInt',
      description: 'Prompt tokens that the provider took from its cache.',
    }),
    cacheWriteTokens: t.expose('cacheWriteTokens', {
      type: 'SafeInt',
      description:
        'Prompt tokens that the provider wrote to its prompt cache, part of inputTokens. Some providers bill them above the plain price. 0 where the provider gives none.',
    }),
    outputTokens: t.expose('outputTokens', {
      type: 'SafeInt',
      description: 'Tokens of the answers, including the thinking of reasoning models.',
    }),
    reasoningTokens: t.expose('reasoningTokens', {
      type: 'SafeInt',
      description:
        'Tokens that a reasoning model spent on thinking, part of outputTokens. 0 where the provider gives none.',
    }),
    unmeteredRequests: t.exposeInt('unmeteredRequests', {
      description:
        'Requests for which no usage came back although the provider may have billed them: timed out, broken off, or aborted. costUsd is without them. On a batch, resentRequests are counted here as well.',
    }),
    costUsd: t.exposeFloat('costUsd', {
      nullable: true,
      description:
        'USD by the price in use (see Model.priceSource). Null where the price of an answer is unknown, never 0 for that reason. unmeteredRequests are not in it.',
    }),
    cacheSavedUsd: t.float({
      nullable: true,
      description:
        "USD that the provider's prompt cache saved: cached tokens at the plain price less their own price, less what writing to the cache cost above the plain price. Negative where writing cost more than reading saved. Null where a price is unknown.",
      resolve: (usage, _args, context) => savedUsd(usage, context),
    }),
  }),
});

/** Null where the price of a part is unknown, and where parts are missing. */
async function savedUsd(whole: ShownUsage, context: Context): Promise<number | null> {
  let saved = 0;
  let tokens = 0;
  for (const { model, execution, usage } of await whole.parts(context)) {
    const prices = model === null ? null : context.providers.prices(model);
    const more = prices && (execution === 'LIVE' ? prices.live : prices.batch).savedUsd(usage);
    if (more === null) return null;
    saved += more;
    tokens += usage.inputTokens;
  }
  // Of a batch that runs they may be more: they are read after it.
  return tokens >= whole.inputTokens ? saved : null;
}
