/** Answers in other shapes, made into a chat completion, which all readers know. */

import { isRecord, type JsonRecord } from '../core/json.ts';
import { messageToCompletion } from './dialects/completion.ts';
import { firstChoice } from './first-choice.ts';

/**
 * The body as a chat completion: of the Responses API, of Anthropic's Messages, of the old
 * completions and function calls. Anything else comes back as it is.
 */
export function toCompletion(body: unknown): unknown {
  if (!isRecord(body)) return body;
  if (Array.isArray(body.output)) return fromResponse(body, body.output.filter(isRecord));
  if (Array.isArray(body.content)) return messageToCompletion(body);
  const choice = firstChoice(body.choices);
  if (!choice) return body;
  if (!isRecord(choice.message) && typeof choice.text === 'string') {
    return completion({ content: choice.text }, choice.finish_reason);
  }
  if (isRecord(choice.message) && isRecord(choice.message.function_call)) {
    const { function_call: called, ...message } = choice.message;
    return completion({ ...message, tool_calls: [{ function: called }] }, choice.finish_reason);
  }
  return body;
}

/** https://platform.openai.com/docs/api-reference/responses/object */
function fromResponse(body: JsonRecord, output: readonly JsonRecord[]): JsonRecord {
  const parts = output
    .filter(({ type }) => type === 'message')
    .flatMap(({ content }) => (Array.isArray(content) ? content.filter(isRecord) : []));
  const refusals = texts(parts, 'refusal', 'refusal');
  const { reason } = isRecord(body.incomplete_details) ? body.incomplete_details : {};
  const stops: Record<string, string> = { max_output_tokens: 'length' };
  return {
    ...completion(
      {
        content: joined(texts(parts, 'output_text', 'text')),
        refusal: joined(refusals),
        tool_calls: output
          .filter(({ type }) => type === 'function_call')
          .map(({ name, arguments: given }) => ({ function: { name, arguments: given } })),
      },
      typeof reason === 'string' ? (stops[reason] ?? reason) : 'stop',
    ),
    error: body.error ?? null,
  };
}

function completion(message: JsonRecord, finishReason: unknown): JsonRecord {
  return { choices: [{ message, finish_reason: finishReason }] };
}

function texts(parts: readonly JsonRecord[], type: string, field: string): string[] {
  return parts
    .filter((part) => part.type === type)
    .map((part) => part[field])
    .filter((text) => typeof text === 'string');
}

/** Null without parts: an answer without a text is another one than an empty text. */
function joined(parts: readonly string[]): string | null {
  return parts.length > 0 ? parts.join('') : null;
}
