/** A message in Anthropic's shape, from the completion that OpenAI's API would have given. */
import { ApiError } from '../api-error.ts';
import type { ChatRequest, RequestRules } from '../chat-request.ts';
import { type Completer, type Completion, promptTokensOf } from '../completion.ts';
import type { AnswerContext, Answerer } from '../live.ts';
import { streamMessage } from './message-events.ts';
import { createMessageReader } from './message-request.ts';

export interface MessageOptions {
  complete: Completer;
  contextTokens: number;
  /** A name for the next answer, unique in this sandbox. */
  nextId: () => string;
}

export function createMessageAnswerer(
  rules: RequestRules,
  { complete, contextTokens, nextId }: MessageOptions,
): Answerer {
  function answer(request: ChatRequest, { alter, isBatch }: AnswerContext): Message {
    const tokens = promptTokensOf(request);
    if (tokens > contextTokens)
      throw new ApiError(`prompt is too long: ${tokens} tokens > ${contextTokens} maximum`);
    const id = nextId();
    return messageOf(complete(request, { id, created: 0, alter }), id, isBatch);
  }
  return {
    read: createMessageReader(rules),
    answer,
    stream: (request, context) => streamMessage(answer(request, context)),
  };
}

export type Message = ReturnType<typeof messageOf>;

function messageOf(
  { choices, usage, model }: Completion,
  id: string,
  isBatch: AnswerContext['isBatch'],
) {
  const [choice] = choices as [Completion['choices'][number]];
  const refused = choice.message.refusal !== null || choice.finish_reason === 'content_filter';
  const cached = usage.prompt_tokens_details.cached_tokens;
  return {
    id: `msg_${id}`,
    type: 'message' as const,
    role: 'assistant' as const,
    model,
    content: refused ? [] : contentOf(choice.message, id),
    stop_reason: stopReason(choice, refused),
    stop_sequence: null,
    stop_details: refused
      ? { type: 'refusal', category: null, explanation: choice.message.refusal }
      : null,
    container: null,
    usage: {
      input_tokens: usage.prompt_tokens - cached,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cached,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: usage.completion_tokens,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: isBatch ? 'batch' : 'standard',
      inference_geo: null,
    },
  };
}

function stopReason(choice: Completion['choices'][number], refused: boolean): string {
  if (refused) return 'refusal';
  if (choice.finish_reason === 'length') return 'max_tokens';
  return 'tool_calls' in choice.message ? 'tool_use' : 'end_turn';
}

function contentOf(message: Completion['choices'][number]['message'], id: string) {
  if (!('tool_calls' in message) || !message.tool_calls)
    return message.content ? [{ type: 'text', text: message.content }] : [];
  return message.tool_calls.map(({ function: { name, arguments: text } }) => ({
    type: 'tool_use',
    id: `toolu_${id}`,
    name,
    input: inputOf(text),
    caller: { type: 'direct' },
  }));
}

/** Anthropic sends objects: cut or broken JSON arrives as an empty object. */
function inputOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
