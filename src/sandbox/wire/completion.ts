/** A chat completion in OpenAI's shape, from the rules' answer. */

import type { RuleAnswer, RuleRequest } from '../rules/answer.ts';
import { ApiError } from './api-error.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Alter } from './equipment.ts';
import { estimatePromptTokens, tokenize, tokenLogprobs } from './tokens.ts';

export interface CompletionOptions {
  rules: (request: RuleRequest) => RuleAnswer;
  contextTokens: number;
  /** Count repeated prefixes as cached, as OpenAI does from 1,024 tokens on, in steps of 128. */
  promptCache: boolean;
}

export interface CompletionContext {
  id: string;
  /** Unix seconds. */
  created: number;
  alter: Alter | null;
}

const cacheFrom = 1_024;
const cacheStep = 128;
const keptPrefixes = 64;

/** Says which version of the rules answered; a change to them changes it. */
const systemFingerprint = 'fp_sandbox_rules_2';

export type Completer = ReturnType<typeof createCompleter>;
export type Completion = ReturnType<Completer>;

export function createCompleter({ rules, contextTokens, promptCache }: CompletionOptions) {
  const prefixes = new Set<string>();

  function cachedTokens({ messages }: ChatRequest): number {
    if (!promptCache) return 0;
    const prefix = messages
      .slice(0, -1)
      .map(({ content }) => content)
      .join('\u0000');
    const seen = prefixes.has(prefix);
    if (!seen && prefixes.size >= keptPrefixes)
      prefixes.delete(prefixes.values().next().value as string);
    prefixes.add(prefix);
    const tokens = Math.floor(estimatePromptTokens(messages.slice(0, -1)) / cacheStep) * cacheStep;
    return seen && tokens >= cacheFrom ? tokens : 0;
  }

  /** The completion, as the body of a 200. Throws an ApiError where the context is too long. */
  return (request: ChatRequest, { id, created, alter }: CompletionContext) => {
    const { call, format, messages, model } = request;
    const promptTokens = promptTokensOf(request);
    if (promptTokens > contextTokens) {
      throw new ApiError(
        `This model's maximum context length is ${contextTokens} tokens. However, your messages resulted in ${promptTokens} tokens. Please reduce the length of the messages.`,
        { param: 'messages', code: 'context_length_exceeded' },
      );
    }
    const wanted: RuleRequest['format'] = call
      ? { type: 'json', schema: call.parameters, schemaText: call.text }
      : format;
    const answer = rules({ messages, format: wanted });
    const altered = alter?.(answer.content, answer.decisions) ?? null;
    const limit = altered?.limit ?? request.maxTokens ?? Number.POSITIVE_INFINITY;
    const whole = altered?.content ?? answer.content;
    let tokens = tokenize(whole);
    const isLong = tokens.length > limit;
    if (isLong) tokens = tokens.slice(0, limit);
    const isCut = isLong || (altered?.limit ?? null) !== null;
    const content = isLong ? tokens.join('') : whole;
    const logprobs =
      request.topLogprobs === null
        ? null
        : { content: tokenLogprobs(tokens, answer.decisions, request.topLogprobs), refusal: null };
    const cached = cachedTokens(request);
    return {
      id,
      object: 'chat.completion' as const,
      created,
      model,
      choices: [
        {
          index: 0,
          message: message({ content, refusal: altered?.refusal ?? null, call, id }),
          logprobs,
          finish_reason: isCut ? 'length' : altered?.isFiltered ? 'content_filter' : 'stop',
        },
      ],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: tokens.length,
        total_tokens: promptTokens + tokens.length,
        prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: 'default',
      system_fingerprint: systemFingerprint,
    };
  };
}

/** A prompt's tokens, those of the schema that it states included. */
export function promptTokensOf({ messages, format }: ChatRequest): number {
  return estimatePromptTokens(messages, format.type === 'json' ? format.schemaText : '');
}

function message({
  content,
  refusal,
  call,
  id,
}: {
  content: string;
  refusal: string | null;
  call: ChatRequest['call'];
  id: string;
}) {
  if (refusal !== null) return { role: 'assistant', content: null, refusal, annotations: [] };
  if (!call) return { role: 'assistant', content, refusal: null, annotations: [] };
  const calls = [
    {
      id: `call_${id.slice(-24)}`,
      type: 'function',
      function: { name: call.name, arguments: content },
    },
  ];
  return { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: calls };
}
