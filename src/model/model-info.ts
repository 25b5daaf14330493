/** Facts on a model beforehand: its prices, and whether its provider has a batch API. */
import { knownModels } from './known-models.ts';
import { type ModelPrices, type OwnPrices, pricesOf } from './prices.ts';
import type { ProviderConfig } from './provider-config.ts';

/**
 * The facts on a model that `Query.service` shows. Prices in USD per million tokens, null when
 * unknown. `providerBatch` is null where nobody knows: a batch API is tried when a batch asks for
 * it.
 */
export interface ModelInfo extends Omit<ModelPrices, 'live' | 'batch'> {
  id: string;
  provider: string;
  providerBatch: boolean | null;
}

/** The facts on the model `name` of a provider. */
export function modelInfo(config: ProviderConfig, name: string): ModelInfo {
  const { name: provider, batches } = config;
  const { live: _live, batch: _batch, ...prices } = pricesOf(config, name);
  const providerBatch = batches ?? (knownModels(config).length > 0 || null);
  return { id: `${provider}/${name}`, provider, ...prices, providerBatch };
}

/** The configured prices of one provider's models, by name. `prices` has them by id. */
export function pricesAt(
  provider: string,
  prices: Readonly<Record<string, OwnPrices>>,
): Readonly<Record<string, OwnPrices>> {
  const begin = `${provider}/`;
  return Object.fromEntries(
    Object.entries(prices)
      .filter(([id]) => id.startsWith(begin))
      .map(([id, own]) => [id.slice(begin.length), own]),
  );
}
