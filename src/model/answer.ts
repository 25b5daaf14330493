/**
 * Reads an answer with status 200, trusting none of it: HTML, `{error}`, `choices: []`, null
 * content and absent usage all occur. Billed tokens are counted even where the answer cannot be
 * used.
 */

import { isRecord } from '../core/json.ts';
import { replaceUnstorable } from '../core/text.ts';
import { noTokens } from '../core/usage.ts';
import { readCompletionUsage } from './dialects/usage.ts';
import { classify, toRefusal } from './failure.ts';
import { firstChoice } from './first-choice.ts';
import type { ModelAnswer } from './model.ts';
import { ModelError } from './model-error.ts';
import { parseAnswer, unusable } from './read.ts';
import type { ReadOptions } from './send.ts';

export interface AnswerOptions extends ReadOptions {
  /** True where tool calls without content are an answer; its text is empty then. */
  toolCalls?: boolean;
}

/** The complete answer in `completion`, the body as it came or parsed. Throws ModelError. */
export function readAnswer(completion: unknown, options: AnswerOptions): ModelAnswer {
  const { provider, prices, quote, whole, toolCalls = false } = options;
  const body = typeof completion === 'string' ? parseAnswer(completion, options) : completion;
  if (!isRecord(body)) throw unusable(`${provider} returned a body that is not JSON.`);
  if (body.error != null) throw failureWithin(body.error, options);

  const tokens = readCompletionUsage(body.usage, body.service_tier);
  const billed = { tokens, costUsd: tokens && prices.costUsd(tokens) };
  const choice = firstChoice(body.choices);
  const message = choice?.message;
  if (!choice || !isRecord(message)) {
    throw unusable(`${provider} answered without a choice.`, billed);
  }

  const counted = tokens ?? noTokens;
  if (whole) {
    const content = replaceUnstorable(readText(message.content) ?? '');
    return {
      text: content,
      completion: body,
      tokens: counted,
      costUsd: billed.costUsd,
      logprobs: null,
    };
  }

  const written = readText(message.content);
  const isCall = isNonEmpty(message.tool_calls) || isRecord(message.function_call);
  const failed = { ...billed, answer: written };
  const refusal = message.refusal;
  if (typeof refusal === 'string' && refusal.trim() !== '') {
    throw new ModelError(
      { kind: 'item', code: 'REFUSED' },
      `The model refused: ${quote(refusal)}`,
      { ...billed, answer: written?.trim() ? written : refusal },
    );
  }
  switch (choice.finish_reason) {
    case 'length':
      throw new ModelError(
        { kind: 'item', code: 'TRUNCATED' },
        'The answer reached the limit on output tokens before its end.',
        failed,
      );
    case 'content_filter':
      throw new ModelError(
        { kind: 'item', code: 'CONTENT_FILTERED' },
        `The content filter of ${provider} stopped the answer.`,
        failed,
      );
    case 'error':
      throw unusable(`${provider} broke off its answer with an error.`, billed);
    default:
  }

  const text = written ?? (isCall && toolCalls ? '' : null);
  if (text === null) {
    if (isCall) {
      throw new ModelError(
        { kind: 'item', code: 'INVALID_OUTPUT' },
        'The model called a tool instead of answering.',
        { ...billed, answer: JSON.stringify(message.tool_calls ?? message.function_call) },
      );
    }
    throw unusable(`${provider} answered without content.`, billed);
  }
  return {
    text: replaceUnstorable(text),
    completion: body,
    tokens: counted,
    costUsd: billed.costUsd,
    logprobs: readLogprobs(choice.logprobs),
  };
}

/** OpenRouter and others send the upstream's error, and its status as `code`, with status 200. */
export function failureWithin(
  error: unknown,
  { provider, quote }: Pick<ReadOptions, 'provider' | 'quote'>,
): ModelError {
  const refusal = toRefusal(200, error);
  const status = Number(refusal.code);
  return classify(
    { ...refusal, status: status >= 400 && status < 600 ? status : 502 },
    { provider, quote, retryAfterMs: null },
  );
}

/** Content as a string, or as the text parts of a list; null where there is neither. */
function readText(content: unknown): string | null {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return null;
  const texts = content.map((part) => {
    if (typeof part === 'string') return part;
    return isRecord(part) && typeof part.text === 'string' ? part.text : null;
  });
  const present = texts.filter((text) => text !== null);
  return present.length > 0 ? present.join('') : null;
}

function readLogprobs(logprobs: unknown): ModelAnswer['logprobs'] {
  const content = isRecord(logprobs) ? logprobs.content : null;
  if (!Array.isArray(content) || content.length === 0) return null;
  const read = content.flatMap((entry: unknown) =>
    isRecord(entry) && typeof entry.token === 'string' && Number.isFinite(entry.logprob)
      ? [{ token: replaceUnstorable(entry.token), logprob: Number(entry.logprob) }]
      : [],
  );
  // With a token missing the rest would be read as another text.
  return read.length === content.length ? read : null;
}

function isNonEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
