/** The least time that all rows take, where the provider's limits are known. */
import type { ResultOf } from '../../data/graphql.ts';
import { count, duration } from '../../words/numbers.ts';
import type { NewBatchService } from './documents.ts';
import type { QuoteData } from './use-quote.ts';

type Providers = ResultOf<typeof NewBatchService>['service']['providers'];

/**
 * `At least 17 min: the limit is 60,000 requests a minute.` Null where no limit is known, and where
 * the limits let all of it through at once.
 */
export function leastTime(
  quote: QuoteData,
  { model, providers }: { model: string; providers: Providers },
): string | null {
  const [first] = quote.models;
  if (!first) return null;
  const provider = providers.find(({ name }) => name === model.split('/')[0]);
  const own = provider?.models.find((one) => one.model === model);
  const askable = 1 - quote.unaskableItems / Math.max(1, quote.sampledItems);
  const asked = (quote.items - (quote.identicalItems ?? 0)) * askable;
  const tokens = first.inputTokens.low + first.outputTokens.low;
  const needs = [
    { wanted: asked, limit: own?.requestsPerMinute ?? provider?.requestsPerMinute, of: 'requests' },
    { wanted: tokens, limit: own?.tokensPerMinute ?? provider?.tokensPerMinute, of: 'tokens' },
  ].flatMap(({ wanted, limit, of }) =>
    limit ? [{ seconds: (60 * wanted) / limit, words: `${count(limit)} ${of} a minute` }] : [],
  );
  const [longest] = needs.sort((one, other) => other.seconds - one.seconds);
  if (!longest || longest.seconds < 1) return null;
  return `At least ${duration(longest.seconds)}: the limit is ${longest.words}.`;
}
