/** The cost of calls of models: of one request, of an item, of a batch. */

/** The provider's counts, in tokens. */
export interface TokenCounts {
  /** All prompt tokens: fresh ones, those read from its prompt cache, and those written to it. */
  inputTokens: number;
  cachedInputTokens: number;
  cacheWriteTokens: number;
  /** The part of the former that was written for an hour. */
  cacheWriteLongTokens: number;
  /** All tokens of the answer, the thinking included. */
  outputTokens: number;
  reasoningTokens: number;
}

/** Tokens of one answer. */
export interface Tokens extends TokenCounts {
  /** The service tier that the provider says it answered at; null where it says none. */
  tier: string | null;
}

export interface Usage extends TokenCounts {
  requests: number;
  /** Requests of which no usage came, although the provider may have billed them. */
  unmeteredRequests: number;
  /** USD; null while none was answered, and where one was that has no known price. */
  costUsd: number | null;
}

const noCounts: Readonly<TokenCounts> = Object.freeze({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteLongTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
});

export const noTokens: Readonly<Tokens> = Object.freeze({ ...noCounts, tier: null });

export const noUsage: Readonly<Usage> = Object.freeze({
  requests: 0,
  ...noCounts,
  unmeteredRequests: 0,
  costUsd: null,
});

/** Tokens were counted, and nobody knows what they cost. */
export function isUnpriced(
  usage: Pick<Usage, 'inputTokens' | 'outputTokens' | 'costUsd'>,
): boolean {
  return usage.costUsd === null && hasTokens(usage);
}

function hasTokens(tokens: Pick<TokenCounts, 'inputTokens' | 'outputTokens'>): boolean {
  return tokens.inputTokens + tokens.outputTokens > 0;
}

/**
 * Adds tokens and their cost to `total`, which is unknown from the first unknown cost on. The
 * requests are not among them.
 */
function spend(
  total: Usage,
  { tokens, costUsd }: { tokens: TokenCounts; costUsd: number | null },
): void {
  const isUnknown = isUnpriced(total) || (costUsd === null && hasTokens(tokens));
  total.inputTokens += tokens.inputTokens;
  total.cachedInputTokens += tokens.cachedInputTokens;
  total.cacheWriteTokens += tokens.cacheWriteTokens;
  total.cacheWriteLongTokens += tokens.cacheWriteLongTokens;
  total.outputTokens += tokens.outputTokens;
  total.reasoningTokens += tokens.reasoningTokens;
  if (isUnknown) total.costUsd = null;
  else if (costUsd !== null) total.costUsd = (total.costUsd ?? 0) + costUsd;
}

/**
 * Adds what an answered request has used to `total`. One of which nothing was told is unmetered:
 * the provider may have billed it. The requests are not among what is added.
 */
export function meter(
  total: Usage,
  { tokens, costUsd }: { tokens: TokenCounts | null; costUsd: number | null },
): void {
  if (tokens) spend(total, { tokens, costUsd });
  if (isUnmetered(tokens)) total.unmeteredRequests += 1;
}

/** True where the provider may have billed an answered request of which nothing was told. */
export function isUnmetered(tokens: TokenCounts | null): boolean {
  return !tokens || !hasTokens(tokens);
}

/** The usage of all together. */
export function totalUsage(usages: Iterable<Usage>): Usage {
  const total = { ...noUsage };
  for (const usage of usages) {
    total.requests += usage.requests;
    total.unmeteredRequests += usage.unmeteredRequests;
    spend(total, { tokens: usage, costUsd: usage.costUsd });
  }
  return total;
}

/** The same, but that the cost is that of the parts whose cost is known; null without one. */
export function knownUsage(usages: readonly Usage[]): Usage {
  const costs = usages.flatMap(({ costUsd }) => costUsd ?? []);
  const costUsd = costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0);
  return { ...totalUsage(usages), costUsd };
}

/** Fields that a usage is told by, in this order, wherever it is told whole. */
export const toldUsage = [
  'requests',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'unmeteredRequests',
  'costUsd',
] as const satisfies readonly (keyof Usage)[];

/** A member of a usage, as routes and webhooks write it: `inputTokens` is `input_tokens`. */
export function snakeCase(name: (typeof toldUsage)[number]): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
