/**
 * A message of Anthropic's as the chat completion that OpenAI's API would have given
 * (https://platform.claude.com/docs/en/api/messages/create,
 * https://platform.openai.com/docs/api-reference/chat/object), and back. Pure.
 *
 * Thinking, citations and the calls of tools that Anthropic runs itself have no place in a
 * completion and are left out of it.
 */
import { isKeptNumber, parseKeepingNumbers } from '../../core/exact-json.ts';
import { isRecord, type JsonRecord, recordsOf } from '../../core/json.ts';
import { noTokens } from '../../core/usage.ts';
import { firstChoice } from '../first-choice.ts';
import { completionUsage, messageUsage, readCompletionUsage, readMessageUsage } from './usage.ts';

/**
 * The completion. `created` is in seconds since 1970; a message has no such time, so the caller
 * says it (0 when absent). Texts are joined; a refusal stands in the message's `refusal`; a message
 * without a text has null content.
 */
export function messageToCompletion(
  message: Readonly<JsonRecord>,
  { created = 0 }: { created?: number } = {},
): JsonRecord {
  const blocks = recordsOf(message.content);
  const text = textOf(blocks);
  const calls = blocks.filter(({ type }) => type === 'tool_use');
  const refused = message.stop_reason === 'refusal';
  const usage = isRecord(message.usage) ? usageToCompletion(message.usage) : null;
  return {
    id: idWith('chatcmpl-', message.id),
    object: 'chat.completion',
    created,
    model: message.model ?? '',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: refused ? null : text,
          refusal: refused ? (text ?? explanationOf(message.stop_details)) : null,
          ...(calls.length > 0 ? { tool_calls: calls.map(toToolCall) } : undefined),
        },
        logprobs: null,
        finish_reason: finishReason(message.stop_reason),
      },
    ],
    ...(usage ? { usage } : undefined),
  };
}

/**
 * The message. Of several choices it is the one with index 0. Log-probabilities have no place in
 * it, and what was spoken is its text.
 */
export function completionToMessage(completion: Readonly<JsonRecord>): JsonRecord {
  const choice = firstChoice(completion.choices) ?? {};
  const said = isRecord(choice.message) ? choice.message : {};
  const { function_call: old, audio } = said;
  const calls = [
    ...recordsOf(said.tool_calls),
    ...(isRecord(old) ? [{ id: old.name, function: old }] : []),
  ];
  const spoken = isRecord(audio) ? audio.transcript : null;
  const texts = [said.content, said.refusal, spoken].flatMap((part) => textsOf(part));
  return {
    id: idWith('msg_', completion.id),
    type: 'message',
    role: 'assistant',
    model: completion.model ?? '',
    content: [...texts.map((text) => ({ type: 'text', text })), ...calls.map(toToolUse)],
    stop_reason: stopReason(choice.finish_reason, said, calls.length > 0),
    stop_sequence: null,
    usage: usageToMessage(isRecord(completion.usage) ? completion.usage : {}),
  };
}

/** An id begins as the clients of its dialect know it. */
export function idWith(prefix: 'chatcmpl-' | 'msg_', id: unknown): string {
  if (typeof id !== 'string' || id === '') return '';
  return `${prefix}${id.replace(/^(chatcmpl-|msg_)/, '')}`;
}

function textOf(blocks: readonly JsonRecord[]): string | null {
  const texts = blocks
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .filter((text) => typeof text === 'string');
  return texts.length > 0 ? texts.join('') : null;
}

export function explanationOf(details: unknown): string {
  const { explanation, category } = isRecord(details) ? details : {};
  if (typeof explanation === 'string' && explanation !== '') return explanation;
  return typeof category === 'string'
    ? `it gave no reason but its category, ${category}.`
    : 'it gave no reason.';
}

function toToolCall({ id, name, input }: JsonRecord): JsonRecord {
  const call = { name, arguments: JSON.stringify(input ?? {}) };
  return { id, type: 'function', function: call };
}

/** Arguments that are not a JSON object, as models may write, stay as they are in `arguments`. */
function toToolUse({ id, function: called, custom }: JsonRecord): JsonRecord {
  if (isRecord(custom)) {
    const { name, input } = custom;
    return { type: 'tool_use', id, name, input: { input } };
  }
  const { name, arguments: given } = isRecord(called) ? called : {};
  return { type: 'tool_use', id, name, input: inputOf(given) };
}

/** The arguments of a call as an object. */
export function inputOf(given: unknown): JsonRecord {
  if (isRecord(given) && !isKeptNumber(given)) return given;
  if (typeof given !== 'string' || given.trim() === '') return {};
  try {
    const parsed = parseKeepingNumbers(given);
    if (isRecord(parsed) && !isKeptNumber(parsed)) return parsed;
  } catch {
    // Told below, as what it is.
  }
  return { arguments: given };
}

function textsOf(part: unknown): string[] {
  if (typeof part === 'string') return part === '' ? [] : [part];
  return recordsOf(part)
    .map(({ text, refusal }) => text ?? refusal)
    .filter((text) => typeof text === 'string');
}

export function finishReason(reason: unknown): string {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    default:
      // end_turn, stop_sequence, pause_turn; and a refusal, which OpenAI tells in the message.
      return 'stop';
  }
}

export function stopReason(reason: unknown, { refusal }: JsonRecord, isCall: boolean): string {
  if (typeof refusal === 'string' && refusal !== '') return 'refusal';
  switch (reason) {
    case 'length':
      return 'max_tokens';
    case 'content_filter':
      return 'refusal';
    default:
      return isCall ? 'tool_use' : 'end_turn';
  }
}

export function usageToCompletion(usage: JsonRecord): JsonRecord {
  return completionUsage(readMessageUsage(usage) ?? noTokens);
}

export function usageToMessage(usage: JsonRecord): JsonRecord {
  return messageUsage(readCompletionUsage(usage) ?? noTokens);
}
