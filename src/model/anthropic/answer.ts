/**
 * Reads an answer of Anthropic with status 200, or a batch's result of one request, trusting none
 * of it. Billed tokens are counted even where the answer cannot be used.
 */

import { isRecord, type JsonRecord, recordsOf } from '../../core/json.ts';
import { replaceUnstorable } from '../../core/text.ts';
import { noTokens } from '../../core/usage.ts';
import { messageToCompletion } from '../dialects/completion.ts';
import { readMessageUsage } from '../dialects/usage.ts';
import type { ModelAnswer } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { parseAnswer, unusable } from '../read.ts';
import type { ReadOptions } from '../send.ts';

/**
 * The complete answer in `message`, the body as it came or parsed. Its text is the text blocks, or
 * the input of the tool that the model was made to call, as JSON. Throws ModelError.
 */
export function readMessage(
  message: unknown,
  { provider, prices, quote, whole }: ReadOptions,
): ModelAnswer {
  const body = typeof message === 'string' ? parseAnswer(message, { whole: true }) : message;
  if (!isRecord(body)) throw unusable(`${provider} returned a body that is not JSON.`);
  const tokens = readMessageUsage(body.usage);
  const costUsd = tokens && prices.costUsd(tokens);
  const billed = { tokens, costUsd };
  if (!Array.isArray(body.content)) throw unusable(`${provider} answered without content.`, billed);

  const blocks = recordsOf(body.content);
  const text = textOf(blocks);
  const answer = {
    completion: body,
    tokens: tokens ?? noTokens,
    costUsd,
    logprobs: null,
  };
  if (whole) return { ...answer, text: replaceUnstorable(text) };
  const called = blocks.find(({ type }) => type === 'tool_use');
  const said = called ? JSON.stringify(called.input ?? {}) : text;
  const failed = { ...billed, answer: said };

  switch (body.stop_reason) {
    case 'refusal': {
      const why = quote(refusalOf(body));
      throw new ModelError({ kind: 'item', code: 'REFUSED' }, `The model refused: ${why}`, failed);
    }
    case 'max_tokens':
      throw new ModelError(
        { kind: 'item', code: 'TRUNCATED' },
        'The answer reached the limit on output tokens before its end.',
        failed,
      );
    case 'model_context_window_exceeded':
      throw new ModelError(
        { kind: 'item', code: 'TRUNCATED' },
        'The answer reached the end of the model’s context window before its own.',
        failed,
      );
    case 'pause_turn':
      throw unusable(`${provider} paused in the middle of the answer.`, billed);
    default:
  }
  if (!called && !blocks.some(({ type }) => type === 'text')) {
    throw unusable(`${provider} answered without content.`, billed);
  }
  return { ...answer, text: replaceUnstorable(said) };
}

function refusalOf(message: JsonRecord): string {
  const { choices } = messageToCompletion(message);
  const [choice] = recordsOf(choices);
  const { refusal } = isRecord(choice?.message) ? choice.message : {};
  return typeof refusal === 'string' ? refusal : '';
}

function textOf(blocks: readonly JsonRecord[]): string {
  return blocks
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .filter((text) => typeof text === 'string')
    .join('');
}
