/** The cost of calls of models: of one request, of an item, of a batch. */

/** Tokens as the provider counted them. */
export interface Tokens {
  /** All prompt tokens, the cached ones included. */
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
}

export interface Usage extends Tokens {
  requests: number;
  /** USD; null while no request had a known price. */
  costUsd: number | null;
}

export const noTokens: Readonly<Tokens> = Object.freeze({
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
});

export const noUsage: Readonly<Usage> = Object.freeze({
  requests: 0,
  ...noTokens,
  costUsd: null,
});

/** Adds tokens and their cost to `total`. The requests are not among them. */
export function spend(
  total: Usage,
  { tokens, costUsd }: { tokens: Tokens; costUsd: number | null },
): void {
  total.inputTokens += tokens.inputTokens;
  total.cachedInputTokens += tokens.cachedInputTokens;
  total.outputTokens += tokens.outputTokens;
  if (costUsd !== null) total.costUsd = (total.costUsd ?? 0) + costUsd;
}

/** The usage of all together. */
export function totalUsage(usages: Iterable<Usage>): Usage {
  const total = { ...noUsage };
  for (const usage of usages) {
    total.requests += usage.requests;
    spend(total, { tokens: usage, costUsd: usage.costUsd });
  }
  return total;
}
