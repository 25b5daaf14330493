/** Prices of answers: by PRICES, else by the built-in list. Unknown is null, never 0. */
import type { TokenCounts, Tokens } from '../core/usage.ts';
import { lookUpModel, type Price, type PriceEntry } from './price-list.ts';

/** The operator's prices of a model; an absent one is as the built-in list has it. */
export interface OwnPrices {
  /** USD per million tokens, here and below. Input and output stand together. */
  input?: number | undefined;
  cachedInput?: number | undefined;
  cacheWrite?: number | undefined;
  /** For writing for an hour. */
  cacheWriteLong?: number | undefined;
  output?: number | undefined;
  /** Share of these prices that the provider's batch API takes. */
  batch?: number | undefined;
  /** Factors by the service tier that an answer names. */
  tiers?: Readonly<Record<string, number>> | undefined;
  contextTokens?: number | undefined;
  maxOutputTokens?: number | undefined;
}

/** CONFIGURED: PRICES names the model. LIST_SIMILAR: the list has one that is named alike. */
export type PriceSource = 'CONFIGURED' | 'LIST' | 'LIST_SIMILAR';

/** The known prices of one model, in USD per million tokens at the lowest tier. */
export interface ModelPrices {
  /** Null where the cost of an answer is unknown. */
  source: PriceSource | null;
  inputPrice: number | null;
  cachedInputPrice: number | null;
  /** For the shortest time; null also where writing has no price of its own. */
  cacheWritePrice: number | null;
  outputPrice: number | null;
  contextTokens: number | null;
  maxOutputTokens: number | null;
  live: Prices;
  /** In a job of the provider's batch API. */
  batch: Prices;
}

export interface Prices {
  /** USD for one answer; null when unknown. */
  costUsd(tokens: Tokens): number | null;
  /**
   * USD that the prompt cache saved, below 0 where writing cost more than reading saved; null when
   * unknown.
   */
  savedUsd(counts: TokenCounts): number | null;
}

/**
 * Share of the plain price that OpenAI, Anthropic, Groq, Together and Azure publish for batches.
 */
const usualBatchShare = 0.5;

/** Service tiers that cost what the call costs anyway. */
const plainTiers = new Set(['default', 'standard', 'auto', 'on_demand', 'batch']);

const unpriced: Prices = { costUsd: () => null, savedUsd: () => null };

/** Those of the model `name` of a configured provider. */
export function pricesOf(
  config: { name: string; prices?: Readonly<Record<string, OwnPrices>> | undefined },
  name: string,
): ModelPrices {
  const { prices = {} } = config;
  return createPrices(config.name, name, Object.hasOwn(prices, name) ? prices[name] : undefined);
}

/** The prices of one model, looked up once where they do not depend on the time. */
export function createPrices(provider: string, model: string, own: OwnPrices = {}): ModelPrices {
  const isOwn = Object.keys(own).length > 0;
  const listed = lookUpModel(provider, model);
  const now = () => withOwn(listed?.prices() ?? {}, own);
  const entry = now();
  const { input, output } = entry;
  const facts = {
    contextTokens: own.contextTokens ?? listed?.contextTokens ?? null,
    maxOutputTokens: own.maxOutputTokens ?? null,
  };
  if (input === undefined || output === undefined) {
    const none = { inputPrice: null, cachedInputPrice: null, outputPrice: null };
    return {
      source: null,
      ...none,
      cacheWritePrice: null,
      ...facts,
      live: unpriced,
      batch: unpriced,
    };
  }

  const batchShare = own.batch ?? usualBatchShare;
  const read = listed?.changes ? now : () => entry;
  const pricesAt = (share: number): Prices => ({
    costUsd(tokens) {
      const factor = tierFactor(tokens.tier, { provider, own, share, batchShare });
      return factor === null ? null : costOf(read(), tokens) * factor;
    },
    savedUsd: (counts) => savedBy(read(), counts) * share,
  });
  return {
    source: isOwn ? 'CONFIGURED' : listed?.isExact ? 'LIST' : 'LIST_SIMILAR',
    inputPrice: lowest(input),
    cachedInputPrice: lowest(entry.cachedInput),
    cacheWritePrice: lowest(entry.cacheWrite),
    outputPrice: lowest(output),
    ...facts,
    live: pricesAt(1),
    batch: pricesAt(batchShare),
  };
}

function withOwn(listed: PriceEntry, own: OwnPrices): PriceEntry {
  return {
    input: own.input ?? listed.input,
    cachedInput: own.cachedInput ?? listed.cachedInput,
    cacheWrite: own.cacheWrite ?? listed.cacheWrite,
    cacheWriteLong: own.cacheWriteLong ?? listed.cacheWriteLong,
    output: own.output ?? listed.output,
    requests: listed.requests,
  };
}

/**
 * The price of an answer at a service tier, as a factor of the plain price; null for a tier whose
 * price is unknown. `share`: what one without a tier costs.
 */
function tierFactor(
  tier: string | null,
  {
    provider,
    own: { tiers = {} },
    share,
    batchShare,
  }: { provider: string; own: OwnPrices; share: number; batchShare: number },
): number | null {
  if (tier === null) return share;
  if (Object.hasOwn(tiers, tier)) return share * (tiers[tier] ?? 1);
  if (plainTiers.has(tier)) return share;
  if (tier !== 'flex') return null;
  // OpenAI takes the price of its batch API for it, Groq its plain price.
  if (provider === 'openai') return batchShare;
  return provider === 'groq' ? share : null;
}

/** USD at the plain price. */
function costOf(entry: PriceEntry, counts: TokenCounts): number {
  const { inputTokens, outputTokens } = counts;
  const cached = Math.min(counts.cachedInputTokens, inputTokens);
  const written = Math.min(counts.cacheWriteTokens, inputTokens - cached);
  const long = Math.min(counts.cacheWriteLongTokens, written);
  const price = pricesFor(entry, inputTokens);
  return (
    ((inputTokens - cached - written) * price.input +
      cached * price.cachedInput +
      (written - long) * price.cacheWrite +
      long * price.cacheWriteLong +
      outputTokens * price.output) /
      1e6 +
    price.request
  );
}

/** USD at the plain price, of sums: at the lowest tier. */
function savedBy(entry: PriceEntry, counts: TokenCounts): number {
  const { input, cachedInput, cacheWrite, cacheWriteLong } = pricesFor(entry, 0);
  const { cachedInputTokens: read, cacheWriteTokens: written, cacheWriteLongTokens: long } = counts;
  const saved = read * (input - cachedInput);
  return (saved - (written - long) * (cacheWrite - input) - long * (cacheWriteLong - input)) / 1e6;
}

/** The prices of a request: what has no price of its own costs what is next to it. */
function pricesFor(entry: PriceEntry, inputTokens: number) {
  const input = at(entry.input ?? 0, inputTokens);
  const cacheWrite = at(entry.cacheWrite ?? input, inputTokens);
  return {
    input,
    cachedInput: at(entry.cachedInput ?? input, inputTokens),
    cacheWrite,
    cacheWriteLong: at(entry.cacheWriteLong ?? cacheWrite, inputTokens),
    output: at(entry.output ?? 0, inputTokens),
    request: at(entry.requests ?? 0, inputTokens) / 1_000,
  };
}

function at(price: Price, inputTokens: number): number {
  if (typeof price === 'number') return price;
  let { base: found } = price;
  for (const { start, price: above } of price.tiers) if (inputTokens > start) found = above;
  return found;
}

function lowest(price: Price | undefined): number | null {
  return price === undefined ? null : at(price, 0);
}
