/**
 * The params of an Anthropic message as the body of a chat completion (https://platform.openai.com/docs/api-reference/chat/create): for lines
 * {custom_id, params} that go to a model of another provider. Pure.
 *
 * What OpenAI's API has not is left out: thinking, top_k, cache marks. Blocks that it might not know go on as they are, so that the refusal names them.
 */
import { isRecord, type JsonRecord, recordsOf } from '../json-record.ts';

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
  'container',
  'context_management',
  'diagnostics',
  'inference_geo',
  'mcp_servers',
  'service_tier',
  'speed',
  'stream',
]);

/** The body for `params`; `limitName` is how the server calls the limit on output tokens. The model stays the one that they name. */
export function paramsToChatBody(
  params: Readonly<JsonRecord>,
  { limitName }: { limitName: 'max_tokens' | 'max_completion_tokens' },
): JsonRecord {
  const system = textOf(params.system);
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
      ...recordsOf(params.messages).flatMap(toMessages),
    ],
    ...(params.max_tokens == null ? undefined : { [limitName]: params.max_tokens }),
    ...(stops.length > 0 ? { stop: stops } : undefined),
    ...(tools.length > 0 ? { tools, ...toToolChoice(params.tool_choice) } : undefined),
    ...(typeof effort === 'string' ? { reasoning_effort: effort } : undefined),
    ...(isRecord(format) ? { response_format: toResponseFormat(format) } : undefined),
    ...(typeof user === 'string' ? { user } : undefined),
  };
}

function toResponseFormat({ schema }: JsonRecord): JsonRecord {
  // Not strict: Anthropic takes optional properties, which OpenAI's strict schemas have not.
  return { type: 'json_schema', json_schema: { name: 'answer', schema, strict: false } };
}

/** The results of tools are messages of their own, before what the user says beside them. */
function toMessages({ role, content }: JsonRecord): JsonRecord[] {
  if (!Array.isArray(content)) return [{ role, content }];
  const blocks = recordsOf(content);
  if (role === 'assistant') {
    const calls = blocks.filter(({ type }) => type === 'tool_use').map(toToolCall);
    const text = textOf(blocks, '');
    return [
      {
        role,
        content: calls.length > 0 && text === '' ? null : text,
        ...(calls.length > 0 ? { tool_calls: calls } : undefined),
      },
    ];
  }
  const results = blocks.filter(({ type }) => type === 'tool_result');
  const said = blocks.filter(({ type }) => type !== 'tool_result');
  return [
    ...results.map(({ tool_use_id, content: result }) => ({
      role: 'tool',
      tool_call_id: tool_use_id,
      content: textOf(result),
    })),
    ...(said.length > 0 ? [{ role, content: toContent(said) }] : []),
  ];
}

/** A text alone is a string, which every server takes. */
function toContent(blocks: readonly JsonRecord[]): unknown {
  return blocks.every(({ type }) => type === 'text') ? textOf(blocks) : blocks.map(toPart);
}

function toPart(block: JsonRecord): JsonRecord {
  const source = isRecord(block.source) ? block.source : {};
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'image':
      return { type: 'image_url', image_url: { url: toUrl(source) } };
    case 'document':
      if (source.type !== 'base64') return block;
      return {
        type: 'file',
        file: { filename: block.title ?? 'document.pdf', file_data: toUrl(source) },
      };
    default:
      return block;
  }
}

function toUrl({ type, url, media_type, data }: JsonRecord): unknown {
  return type === 'base64' ? `data:${String(media_type)};base64,${String(data)}` : url;
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

/** The text of a content, a string or blocks; those of a model are one text, others are paragraphs. */
function textOf(content: unknown, between = '\n\n'): string {
  if (typeof content === 'string') return content;
  const texts = recordsOf(content)
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text);
  return texts.filter((text) => typeof text === 'string').join(between);
}
