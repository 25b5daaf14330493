/**
 * A model's prompt cache: what is known of it before anything is sent, and how a request asks for
 * it. A provider keeps what stands before a mark, and reads it for a tenth of the price when the
 * next request begins with the same.
 */
import type { ModelPrices } from './prices.ts';

/** Marks the beginning that all prompts of a plan share, for the provider's prompt cache. */
export interface CacheMark {
  /** 32 hexadecimal digits, the same for all requests with this beginning. */
  readonly key: string;
  /** Number of messages of the beginning. No item has written any of them. */
  readonly messages: number;
  /** The caller has asked for it: also a provider of which nothing is known is told. */
  readonly isAsked: boolean;
  /** For an hour in place of minutes: requests of a provider job are hours apart. */
  readonly isLong?: boolean;
}

export interface PromptCache {
  /** The shortest beginning that is kept, in tokens; null where nothing is known of a cache. */
  readonly leastTokens: number | null;
  /** USD per million tokens by which writing is dearer than reading; null when unknown. */
  readonly writeOverReadPrice: number | null;
}

/** `provider` and `dialect` say who answers, `name` which of its models. */
export function promptCacheOf(
  { provider, dialect, name }: { provider: string; dialect: string; name: string },
  { inputPrice, cachedInputPrice, cacheWritePrice }: ModelPrices,
): PromptCache {
  const write = cacheWritePrice ?? inputPrice;
  return {
    leastTokens:
      dialect === 'anthropic' ? leastOfClaude(name) : provider === 'openai' ? 1_024 : null,
    writeOverReadPrice:
      write === null || cachedInputPrice === null ? null : write - cachedInputPrice,
  };
}

/**
 * By https://platform.claude.com/docs/en/build-with-claude/prompt-caching in autumn 2026. Below it a
 * mark is ignored without a word. A name that is not there has the largest of them.
 */
const leastTokensOfClaude: readonly [name: RegExp, tokens: number][] = [
  [/opus-5/, 512],
  [/sonnet|opus-4(-[018])?(?=-\d{8}|-latest|$)/, 1_024],
];
const largestLeastTokens = 4_096;

function leastOfClaude(name: string): number | null {
  const plain = name.replaceAll('.', '-');
  if (!plain.includes('claude')) return null;
  const [, tokens] = leastTokensOfClaude.find(([pattern]) => pattern.test(plain)) ?? [];
  return tokens ?? largestLeastTokens;
}
