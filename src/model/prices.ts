/** Prices of tokens from the table inside @pydantic/genai-prices. Unknown is null, never 0. */

import { calcPrice, findProvider, type Provider } from '@pydantic/genai-prices';
import { noTokens, type Tokens } from '../core/usage.ts';

export interface Prices {
  /** USD per million tokens, at the lowest tier; null when unknown. */
  inputPrice: number | null;
  outputPrice: number | null;
  /** Of tokens read from the provider's prompt cache; null when unknown. */
  cachedInputPrice: number | null;
  /** Of tokens written to it; null when unknown, or where writing has no price of its own. */
  cacheWritePrice: number | null;
  /** USD for one answer; null when unknown. */
  costUsd(tokens: Tokens): number | null;
}

/**
 * The prices of one model, looked up once: the library takes about 20 microseconds a call, a flat
 * price 0.01. Tiered and dated prices still ask the library each time. A provider is found by the
 * name it has in the library (openai, groq, together, mistral…); a name that only resembles
 * `openai` is some server of the user's own.
 */
export function createPrices(provider: string, model: string): Prices {
  const found = findProvider({ providerId: provider });
  if (!found || (found.id === 'openai' && provider !== 'openai')) return unpriced;

  const price = calculate(noTokens, model, found);
  const input = price && perMillion(price.model_price.input_mtok);
  const output = price && perMillion(price.model_price.output_mtok);
  if (!price || input === null || output === null) return unpriced;

  const cached = price.model_price.cache_read_mtok ?? input;
  const flat =
    !Array.isArray(price.model.prices) &&
    typeof price.model_price.input_mtok === 'number' &&
    typeof price.model_price.output_mtok === 'number' &&
    typeof cached === 'number';

  return {
    inputPrice: input,
    outputPrice: output,
    cachedInputPrice: perMillion(price.model_price.cache_read_mtok),
    cacheWritePrice: perMillion(price.model_price.cache_write_mtok),
    costUsd: flat
      ? ({ inputTokens, cachedInputTokens, outputTokens }) => {
          const fromCache = Math.min(cachedInputTokens, inputTokens);
          const fresh = inputTokens - fromCache;
          return (fresh * input + fromCache * cached + outputTokens * output) / 1e6;
        }
      : (tokens) => calculate(tokens, model, found)?.total_price ?? null,
  };
}

/** Half of every price, as OpenAI, Anthropic, Groq, Together and Azure publish for batches. */
export function atBatchPrices(prices: Prices): Prices {
  const half = (price: number | null) => (price === null ? null : price / 2);
  const { costUsd } = prices;
  return {
    inputPrice: half(prices.inputPrice),
    outputPrice: half(prices.outputPrice),
    cachedInputPrice: half(prices.cachedInputPrice),
    cacheWritePrice: half(prices.cacheWritePrice),
    costUsd: (tokens) => half(costUsd(tokens)),
  };
}

/** Of a model that no list has. */
export const unpriced: Prices = {
  inputPrice: null,
  outputPrice: null,
  cachedInputPrice: null,
  cacheWritePrice: null,
  costUsd: () => null,
};

function calculate(tokens: Tokens, model: string, provider: Provider) {
  const usage = {
    input_tokens: tokens.inputTokens,
    cache_read_tokens: Math.min(tokens.cachedInputTokens, tokens.inputTokens),
    output_tokens: tokens.outputTokens,
  };
  try {
    return calcPrice(usage, model, { provider });
  } catch {
    // The library throws on usage that it cannot price (a unit that the model has no price for):
    // the cost is unknown then.
    return null;
  }
}

function perMillion(price: number | { base: number } | undefined): number | null {
  if (price === undefined) return null;
  return typeof price === 'number' ? price : price.base;
}
