/**
 * The body of a chat completion as the params of a message (https://platform.claude.com/docs/en/api/messages/create). Pure.
 *
 * What Anthropic has not is left out: n, seed, penalties, log-probabilities, store. Parts of a message that it might not know go on as they
 * are, so that its refusal names them.
 */
import { isRecord, type JsonRecord, recordsOf } from '../json-record.ts';
import { inputOf } from './completion.ts';
import { toOutputSchema } from './output-schema.ts';

/**
 * The answer's limit where a request has none, since Anthropic demands one: what every model since claude-3-5 takes, and 4,096 for those
 * before it, which take no more.
 */
export function defaultMaxTokens(model: string): number {
  return /^claude-(3-(opus|sonnet|haiku)|2|instant)/.test(model) ? 4_096 : 8_192;
}

/** The params that are made here; those of the same name that the body has already are taken as they are. */
const translated = new Set([
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'temperature',
  'user',
]);
/** Of OpenAI's, or of servers like it, and of no use to Anthropic, which refuses what it does not know. */
const left = new Set([
  'n',
  'seed',
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'frequency_penalty',
  'presence_penalty',
  'store',
  'metadata',
  'service_tier',
  'stream',
  'stream_options',
  'modalities',
  'audio',
  'prediction',
  'verbosity',
  'web_search_options',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'functions',
  'function_call',
]);

/** The params for `body`; the model stays the one that it names. `maxTokens` is the limit where the body has none. */
export function chatBodyToParams(
  body: Readonly<JsonRecord>,
  { maxTokens }: { maxTokens: number },
): JsonRecord {
  const messages = recordsOf(body.messages);
  const format = formatOf(body.response_format);
  const system = [
    ...messages.filter(isSystem).map(({ content }) => plainText(content)),
    format.words,
  ]
    .filter((text) => text !== '')
    .join('\n\n');
  const effort = toEffort(body.reasoning_effort);
  const outputConfig = {
    ...(effort === null ? undefined : { effort }),
    ...(format.schema ? { format: { type: 'json_schema', schema: format.schema } } : undefined),
  };
  const tools = recordsOf(body.tools).map(toTool);
  const choice = toToolChoice(body.tool_choice, body.parallel_tool_calls, tools.length > 0);
  const stops = [body.stop].flat().filter((stop) => typeof stop === 'string');
  const kept = Object.entries(body).filter(
    ([name, value]) => !translated.has(name) && !left.has(name) && !isWholeTopP(name, value),
  );
  return {
    ...Object.fromEntries(kept),
    max_tokens: body.max_completion_tokens ?? body.max_tokens ?? maxTokens,
    ...(system === '' ? undefined : { system }),
    messages: toMessages(messages.filter((message) => !isSystem(message))),
    ...(stops.length > 0 ? { stop_sequences: stops } : undefined),
    ...(body.temperature == null ? undefined : { temperature: toTemperature(body.temperature) }),
    ...(tools.length > 0 ? { tools } : undefined),
    ...(choice ? { tool_choice: choice } : undefined),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : undefined),
    ...(typeof body.user === 'string' ? { metadata: { user_id: body.user } } : undefined),
  };
}

/** OpenAI's default, which many a request spells out; some of Anthropic's models refuse it beside a temperature. */
function isWholeTopP(name: string, value: unknown): boolean {
  return name === 'top_p' && (value === 1 || value === null);
}

/** OpenAI's scale ends at 2, Anthropic's at 1, where its own compatible endpoint caps it too. */
export function toTemperature(temperature: unknown): unknown {
  return typeof temperature === 'number' && temperature > 1 ? 1 : temperature;
}

/** OpenAI's efforts by Anthropic's names; what is no effort there at all (none) is null, and a name of its own is taken as it is. */
export function toEffort(effort: unknown): unknown {
  switch (effort) {
    case undefined:
    case null:
    case 'none':
      return null;
    case 'minimal':
      return 'low';
    default:
      return effort;
  }
}

function isSystem({ role }: JsonRecord): boolean {
  return role === 'system' || role === 'developer';
}

function formatOf(given: unknown): { schema: JsonRecord | null; words: string } {
  if (!isRecord(given)) return { schema: null, words: '' };
  const { schema } = isRecord(given.json_schema) ? given.json_schema : {};
  if (given.type === 'json_schema' && isRecord(schema)) {
    return { schema: toOutputSchema(schema), words: '' };
  }
  const isJson = given.type === 'json_object' || given.type === 'json_schema';
  return { schema: null, words: isJson ? 'Answer with a JSON object and nothing else.' : '' };
}

/** Tool results that follow each other are one user message, as Anthropic demands of results of calls that were made together. */
function toMessages(messages: readonly JsonRecord[]): JsonRecord[] {
  const made: JsonRecord[] = [];
  let results: JsonRecord[] | null = null;
  for (const message of messages) {
    const { role, content } = message;
    if (role === 'tool' || role === 'function') {
      if (!results) {
        results = [];
        made.push({ role: 'user', content: results });
      }
      results.push(toToolResult(message));
      continue;
    }
    results = null;
    if (role === 'assistant') {
      const said = toAssistantContent(message);
      // A turn without a word is refused there.
      if (said !== '' && said != null) made.push({ role, content: said });
    } else made.push({ role, content: Array.isArray(content) ? content.map(toBlock) : content });
  }
  return made;
}

function toToolResult({ tool_call_id, name, content }: JsonRecord): JsonRecord {
  return {
    type: 'tool_result',
    tool_use_id: tool_call_id ?? name,
    content: Array.isArray(content) ? content.map(toBlock) : (content ?? ''),
  };
}

function toAssistantContent({ content, refusal, tool_calls, function_call }: JsonRecord): unknown {
  const calls: JsonRecord[] = recordsOf(tool_calls);
  if (isRecord(function_call)) calls.push({ id: function_call.name, function: function_call });
  const said = content ?? refusal;
  if (calls.length === 0) return Array.isArray(said) ? said.map(toBlock) : said;
  const blocks = Array.isArray(said)
    ? said.map(toBlock)
    : typeof said === 'string' && said !== ''
      ? [{ type: 'text', text: said }]
      : [];
  return [...blocks, ...calls.map(toToolUse)];
}

function toToolUse({ id, function: called }: JsonRecord): JsonRecord {
  const { name, arguments: given } = isRecord(called) ? called : {};
  return { type: 'tool_use', id: id ?? name, name, input: inputOf(given) };
}

function toBlock(part: unknown): unknown {
  if (typeof part === 'string') return { type: 'text', text: part };
  if (!isRecord(part)) return part;
  switch (part.type) {
    case 'image_url': {
      const { url } = isRecord(part.image_url) ? part.image_url : { url: part.image_url };
      return { type: 'image', source: toSource(url) };
    }
    case 'file': {
      const { file_data, filename } = isRecord(part.file) ? part.file : {};
      if (typeof file_data !== 'string') return part;
      const title = typeof filename === 'string' ? { title: filename } : undefined;
      return { type: 'document', source: toSource(file_data), ...title };
    }
    case 'refusal':
      return { type: 'text', text: part.refusal };
    default:
      return part;
  }
}

function toSource(url: unknown): JsonRecord {
  const [, type, data] =
    typeof url === 'string' ? (/^data:([^;,]+);base64,(.*)$/s.exec(url) ?? []) : [];
  return type ? { type: 'base64', media_type: type, data } : { type: 'url', url };
}

function toTool(tool: JsonRecord): JsonRecord {
  if (tool.type !== 'function' || !isRecord(tool.function)) return tool;
  const { name, description, parameters } = tool.function;
  return {
    name,
    ...(description == null ? undefined : { description }),
    input_schema: isRecord(parameters)
      ? { type: 'object', ...parameters }
      : { type: 'object', properties: {} },
  };
}

function toToolChoice(choice: unknown, parallel: unknown, hasTools: boolean): JsonRecord | null {
  if (!hasTools) return null;
  const single = parallel === false ? { disable_parallel_tool_use: true } : undefined;
  if (isRecord(choice)) {
    const { name } = isRecord(choice.function) ? choice.function : {};
    // One in Anthropic's own terms goes on as it is.
    return name === undefined ? choice : { type: 'tool', name, ...single };
  }
  switch (choice) {
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...single };
    default:
      return single ? { type: 'auto', ...single } : choice === 'auto' ? { type: 'auto' } : null;
  }
}

/** The text of a content, a string or parts. */
function plainText(content: unknown): string {
  if (typeof content === 'string') return content;
  const texts = recordsOf(content).map(({ text }) => text);
  return texts.filter((text) => typeof text === 'string').join('\n');
}
