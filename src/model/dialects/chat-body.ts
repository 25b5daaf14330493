/**
 * The params of an Anthropic message as the body of a chat completion
 * (https://platform.openai.com/docs/api-reference/chat/create): for lines {custom_id, params} that
 * go to a model of another provider. Pure.
 *
 * What OpenAI's API has not, and an answer can do without, is left out: thinking, top_k, marks for
 * a cache, citations. All else that it might not know goes on as it is, so that the refusal names
 * it.
 */
import { isRecord, type JsonRecord, recordsOf } from '../../core/json.ts';
import { contentOf, isShown, isText, toParts } from './chat-parts.ts';

const translated = new Set([
  'system',
  'messages',
  'max_tokens',
  'stop_sequences',
  'tools',
  'tool_choice',
  'output_config',
  'output_format',
  'metadata',
]);
const left = new Set([
  'thinking',
  'top_k',
  'cache_control',
  'context_management',
  'diagnostics',
  'inference_geo',
  'service_tier',
  'speed',
  'stream',
]);

/** The body for `params`, which name the model; `limitName` is the server's max_tokens. */
export function paramsToChatBody(
  params: Readonly<JsonRecord>,
  { limitName }: { limitName: 'max_tokens' | 'max_completion_tokens' },
): JsonRecord {
  const system = systemOf(params.system);
  const { effort, format = params.output_format } = isRecord(params.output_config)
    ? params.output_config
    : {};
  const stops = Array.isArray(params.stop_sequences) ? params.stop_sequences : [];
  const tools = recordsOf(params.tools).map(toTool);
  const kept = Object.entries(params).filter(([name]) => !translated.has(name) && !left.has(name));
  const user = isRecord(params.metadata) ? params.metadata.user_id : null;
  return {
    ...Object.fromEntries(kept),
    messages: [
      ...(system === '' ? [] : [{ role: 'system', content: system }]),
      ...toMessages(Array.isArray(params.messages) ? params.messages : []),
    ],
    ...(params.max_tokens == null ? undefined : { [limitName]: params.max_tokens }),
    ...(stops.length > 0 ? { stop: stops } : undefined),
    ...(tools.length > 0 ? { tools, ...toToolChoice(params.tool_choice) } : undefined),
    ...(typeof effort === 'string' ? { reasoning_effort: effort } : undefined),
    ...(isRecord(format) ? { response_format: toResponseFormat(format) } : undefined),
    ...(typeof user === 'string' ? { user } : undefined),
  };
}

/** A text, or parts where it holds more than text. */
function systemOf(system: unknown): unknown {
  if (system === undefined || system === null || typeof system === 'string') return system ?? '';
  return Array.isArray(system) ? contentOf(system.flatMap(toParts), '\n\n') : [system];
}

function toResponseFormat({ schema }: JsonRecord): JsonRecord {
  // Not strict: Anthropic takes optional properties, which OpenAI's strict schemas have not.
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: false } };
}

/**
 * The results of tools are messages of their own, before what the user says beside them. Their
 * pictures and files, which OpenAI takes from users alone, stand in the user's message behind the
 * last result.
 */
function toMessages(messages: readonly unknown[]): unknown[] {
  const made: unknown[] = [];
  let shown: unknown[] = [];
  const say = (said: readonly unknown[], message: JsonRecord = { role: 'user' }) => {
    const parts = [...shown, ...said];
    if (parts.length > 0) made.push({ ...message, content: contentOf(parts, '\n\n') });
    shown = [];
  };
  for (const message of messages) {
    if (!isRecord(message) || !Array.isArray(message.content) || message.content.length === 0) {
      say([]);
      made.push(message);
    } else if (message.role === 'assistant') {
      say([]);
      made.push(toAssistant(message, message.content));
    } else {
      if (message.role !== 'user') say([]);
      const results = recordsOf(message.content).filter(isResult);
      const said = message.content.filter((block) => !isResult(block)).flatMap(toParts);
      const told = results.map(toToolMessage);
      made.push(...told.map(({ result }) => result));
      shown.push(...told.flatMap((one) => one.shown));
      if (said.length > 0) say(said, message);
    }
  }
  say([]);
  return made;
}

/** A model's thoughts are left out: they are signed for Anthropic alone. */
function toAssistant(message: JsonRecord, content: readonly unknown[]): JsonRecord {
  const said = content.filter((block) => !isRecord(block) || !thoughts.has(block.type));
  const calls = recordsOf(said).filter(isCall).map(toToolCall);
  const text = contentOf(said.filter((block) => !isCall(block)).flatMap(toParts), '');
  return {
    ...message,
    content: calls.length > 0 && text === '' ? null : text,
    ...(calls.length > 0 ? { tool_calls: calls } : undefined),
  };
}

function toToolMessage({ tool_use_id, content, is_error }: JsonRecord): {
  result: JsonRecord;
  shown: unknown[];
} {
  const parts = (Array.isArray(content) ? content : [content ?? '']).flatMap(toParts);
  const told = parts.filter((part) => !isShown(part));
  if (is_error === true) {
    const [first] = told;
    const text = isText(first) ? first.text : '';
    told.splice(0, isText(first) ? 1 : 0, { type: 'text', text: `Error: ${text}` });
  }
  return {
    result: { role: 'tool', tool_call_id: tool_use_id, content: contentOf(told, '\n\n') },
    shown: parts.filter(isShown),
  };
}

const thoughts: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

function isResult(block: unknown): boolean {
  return isRecord(block) && block.type === 'tool_result';
}

function isCall(block: unknown): boolean {
  return isRecord(block) && block.type === 'tool_use';
}

function toToolCall({ id, name, input }: JsonRecord): JsonRecord {
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function toTool(tool: JsonRecord): JsonRecord {
  const { name, description, input_schema: parameters } = tool;
  if (parameters === undefined) return tool;
  const described = description == null ? undefined : { description };
  return { type: 'function', function: { name, ...described, parameters } };
}

function toToolChoice(choice: unknown): JsonRecord {
  if (!isRecord(choice)) return {};
  const single = choice.disable_parallel_tool_use === true ? { parallel_tool_calls: false } : {};
  switch (choice.type) {
    case 'any':
      return { tool_choice: 'required', ...single };
    case 'tool':
      return { tool_choice: { type: 'function', function: { name: choice.name } }, ...single };
    case 'none':
      return { tool_choice: 'none' };
    default:
      return { tool_choice: 'auto', ...single };
  }
}
