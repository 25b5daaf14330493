/**
 * The usage of an answer as both APIs tell it
 * (https://platform.openai.com/docs/api-reference/chat/object,
 * https://platform.claude.com/docs/en/api/messages/create), read and written. Pure. A count that is
 * not a safe integer above 0 is read as 0.
 */
import { isRecord, type JsonRecord, toRecord } from '../../core/json.ts';
import type { TokenCounts, Tokens } from '../../core/usage.ts';
import { count } from '../read.ts';

/** The usage of a chat completion and its service tier. Null where the server sent no usage. */
export function readCompletionUsage(usage: unknown, tier?: unknown): Tokens | null {
  if (!isRecord(usage)) return null;
  const { prompt_tokens, completion_tokens, prompt_cache_hit_tokens } = usage;
  if (typeof prompt_tokens !== 'number' && typeof completion_tokens !== 'number') return null;
  const prompt = toRecord(usage.prompt_tokens_details);
  const inputTokens = count(prompt_tokens);
  const reasoning = count(toRecord(usage.completion_tokens_details).reasoning_tokens);
  const written = count(completion_tokens);
  // xAI counts the thinking apart, as its total says; everybody else within the completion.
  const isApart = count(usage.total_tokens) === inputTokens + written + reasoning;
  const outputTokens = isApart ? written + reasoning : written;
  // DeepSeek has its own name for it.
  const cached = Math.min(count(prompt.cached_tokens ?? prompt_cache_hit_tokens), inputTokens);
  return {
    inputTokens,
    cachedInputTokens: cached,
    cacheWriteTokens: Math.min(count(prompt.cache_write_tokens), inputTokens - cached),
    cacheWriteLongTokens: 0,
    outputTokens,
    reasoningTokens: Math.min(reasoning, outputTokens),
    tier: nameOf(tier),
  };
}

/**
 * The usage of a message. Input tokens are all: fresh ones, those read from the cache, and those
 * written to it. Null where the server sent no usage.
 */
export function readMessageUsage(usage: unknown): Tokens | null {
  if (!isRecord(usage)) return null;
  const { input_tokens, output_tokens, service_tier, speed } = usage;
  if (typeof input_tokens !== 'number' && typeof output_tokens !== 'number') return null;
  const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long } = toRecord(
    usage.cache_creation,
  );
  const cached = count(usage.cache_read_input_tokens);
  const written = count(usage.cache_creation_input_tokens) || count(short) + count(long);
  const outputTokens = count(output_tokens);
  const { thinking_tokens } = toRecord(usage.output_tokens_details);
  return {
    inputTokens: count(input_tokens) + cached + written,
    cachedInputTokens: cached,
    cacheWriteTokens: written,
    cacheWriteLongTokens: Math.min(count(long), written),
    outputTokens,
    reasoningTokens: Math.min(count(thinking_tokens), outputTokens),
    // Fast answers have prices of their own, as those of another tier have.
    tier: speed === 'fast' ? speed : nameOf(service_tier),
  };
}

/** The usage as a chat completion has it. */
export function completionUsage(tokens: TokenCounts): JsonRecord {
  return {
    prompt_tokens: tokens.inputTokens,
    completion_tokens: tokens.outputTokens,
    total_tokens: tokens.inputTokens + tokens.outputTokens,
    prompt_tokens_details: {
      cached_tokens: tokens.cachedInputTokens,
      cache_write_tokens: tokens.cacheWriteTokens,
    },
    completion_tokens_details: { reasoning_tokens: tokens.reasoningTokens },
  };
}

/** The usage as a message has it, which counts tokens of the cache apart. */
export function messageUsage(tokens: TokenCounts): JsonRecord {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWriteLongTokens } = tokens;
  return {
    input_tokens: Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedInputTokens,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWriteTokens - cacheWriteLongTokens,
      ephemeral_1h_input_tokens: cacheWriteLongTokens,
    },
    output_tokens: tokens.outputTokens,
    output_tokens_details: { thinking_tokens: tokens.reasoningTokens },
  };
}

function nameOf(tier: unknown): string | null {
  return typeof tier === 'string' && tier !== '' ? tier : null;
}
