/** A ModelRequest as the params of POST /v1/messages, as far as the model takes them. Pure. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import { toOutputSchema } from '../dialects/output-schema.ts';
import { chatBodyToParams, defaultMaxTokens, toEffort, toTemperature } from '../dialects/params.ts';
import type {
  AnswerFormat,
  BodyRequest,
  ChatMessage,
  JsonSchema,
  ModelRequest,
  PromptRequest,
} from '../request.ts';
import { stateSchema } from '../schema-prompt.ts';
import type { AnswerMode, Capabilities, Sent } from './capabilities.ts';

export interface MessageParams {
  body: JsonRecord;
  /** Parts that we set and may leave out when the model refuses them. */
  own: Sent;
}

/** Members that no extraBody may set: the operation's own, and a stream. */
const reserved = new Set(['messages', 'system', 'model', 'stream']);

/** The params for `model`, the name as Anthropic knows it. */
export function buildParams(
  model: string,
  request: ModelRequest,
  capabilities: Capabilities,
): MessageParams {
  return 'body' in request
    ? {
        body: completeParams(model, request),
        own: { answerMode: null, schema: null, sampling: {}, cacheControl: null },
      }
    : promptParams(model, request, capabilities);
}

/** The same, for an answer that comes in pieces. */
export function buildStreamParams(
  model: string,
  request: BodyRequest,
  capabilities: Capabilities,
): MessageParams {
  const { body, own } = buildParams(model, request, capabilities);
  return { body: { ...body, stream: true }, own };
}

function promptParams(
  model: string,
  request: PromptRequest,
  capabilities: Capabilities,
): MessageParams {
  const extra = extraOf(request);
  const { format } = request;
  const schema = format.type === 'json' ? format.schema : null;
  const answerMode = format.type === 'json' ? modeFor(format, extra, capabilities) : null;
  const given = { temperature: toTemperature(temperatureOf(request)), top_p: request.topP };
  const sampling = Object.fromEntries(
    Object.entries(given).filter(
      ([name, value]) => value !== undefined && !(name in extra) && capabilities.takes(name, value),
    ),
  );
  const effort = toEffort(request.reasoningEffort);
  const hasEffort = effort !== null && capabilities.takes('effort', effort);
  const isUnsaid = request.schemaUnsaid === true && !capabilities.showsSchema;
  const stated =
    schema && (answerMode === 'words' || isUnsaid)
      ? stateSchema(request.messages, schema)
      : request.messages;
  const cacheControl = cacheControlOf(request, extra, capabilities);
  const marked = markCache(request, stated, cacheControl);
  const outputConfig: JsonRecord = {
    ...(hasEffort ? { effort } : undefined),
    ...(schema && answerMode === 'format'
      ? { format: { type: 'json_schema', schema: outputSchema(schema) } }
      : undefined),
  };
  const params = {
    model,
    max_tokens: request.maxOutputTokens ?? defaultMaxTokens(model),
    ...marked.said,
    ...sampling,
    ...(format.type === 'json' && answerMode === 'tool' ? answerTool(format) : undefined),
  };
  return {
    body: merge({ ...params, output_config: outputConfig }, extra),
    own: {
      answerMode,
      schema,
      sampling: { ...sampling, ...(hasEffort ? { effort } : undefined) },
      cacheControl: marked.hasMark ? cacheControl : null,
    },
  };
}

/**
 * The mark that the request goes with; null for one without, and where the caller's extraBody has
 * marks of its own.
 */
function cacheControlOf(
  { cacheMark }: PromptRequest,
  extra: JsonRecord,
  capabilities: Capabilities,
): JsonRecord | null {
  if (!cacheMark || !capabilities.takes('cache_control', 'ephemeral')) return null;
  if (Object.keys(extra).length > 0 && JSON.stringify(extra).includes('"cache_control"'))
    return null;
  const isLong = cacheMark.isLong && capabilities.takes('ttl', '1h');
  return { type: 'ephemeral', ...(isLong ? { ttl: '1h' } : undefined) };
}

/**
 * `system` and `messages` of the params. The mark stands on the last block that all prompts share:
 * the last example's, or the system prompt. A block without words is refused.
 */
function markCache(
  { messages: given, cacheMark }: PromptRequest,
  stated: readonly ChatMessage[],
  cacheControl: JsonRecord | null,
): { said: JsonRecord; hasMark: boolean } {
  // A system message that was made for the schema belongs to the beginning.
  const shared = (cacheMark?.messages ?? 0) + stated.length - given.length;
  const at = cacheControl
    ? stated.findLastIndex(({ content }, index) => index < shared && content.trim() !== '')
    : -1;
  const marked = (text: string) => [{ type: 'text', text, cache_control: cacheControl }];
  const isOfSystem = stated[at]?.role === 'system';
  const system = stated.filter(({ role }) => role === 'system').map(({ content }) => content);
  const words = system.join('\n\n');
  const turns = stated.flatMap(({ role, content }, index) =>
    isTurn(role, content) ? [{ role, content: index === at ? marked(content) : content }] : [],
  );
  return {
    said: {
      ...(system.length > 0 ? { system: isOfSystem ? marked(words) : words } : undefined),
      messages: turns,
    },
    hasMark: at !== -1,
  };
}

/** Many models refuse temperature and top_p together: the caller's top_p goes before a default. */
function temperatureOf({
  temperature,
  defaultTemperature,
  topP,
  extraBody = {},
}: PromptRequest): number | undefined {
  const hasTopP = topP !== undefined || Object.hasOwn(extraBody, 'top_p');
  return temperature ?? (hasTopP ? undefined : defaultTemperature);
}

/** A turn of the model's without a word is refused there; one of the user's is for it to judge. */
function isTurn(role: string, content: string): boolean {
  return role === 'user' || (role === 'assistant' && content !== '');
}

/** The caller's own params or chat body under this model, with what the options set. */
function completeParams(model: string, request: BodyRequest): JsonRecord {
  const own =
    request.dialect === 'anthropic'
      ? request.body
      : chatBodyToParams(request.body, { maxTokens: defaultMaxTokens(model) });
  const effort = toEffort(request.reasoningEffort);
  const set = {
    max_tokens: request.maxOutputTokens,
    temperature: toTemperature(request.temperature),
    top_p: request.topP,
    output_config: effort === null ? undefined : { effort },
  };
  // Entries, not assignment: an own `__proto__` of a parsed JSON stays data.
  const kept = Object.entries(own).filter(([key]) => key !== 'stream');
  const given = Object.entries(set).filter(([, value]) => value !== undefined);
  const whole = merge(Object.fromEntries(kept), Object.fromEntries(given));
  return { ...merge(whole, extraOf(request)), model };
}

function extraOf({ extraBody = {} }: ModelRequest): JsonRecord {
  return Object.fromEntries(Object.entries(extraBody).filter(([key]) => !reserved.has(key)));
}

/** `extra` goes before `params`, member by member of output_config. */
function merge(params: JsonRecord, extra: JsonRecord): JsonRecord {
  const merged: JsonRecord = { ...params, ...extra };
  const configs = [params.output_config, extra.output_config].filter(isRecord);
  if (configs.length > 0) merged.output_config = Object.assign({}, ...configs);
  if (isRecord(merged.output_config) && Object.keys(merged.output_config).length === 0) {
    delete merged.output_config;
  }
  return merged;
}

/** The strictest mode that fits the schema and that the model is not known to refuse. */
function modeFor(format: JsonFormat, extra: JsonRecord, capabilities: Capabilities): AnswerMode {
  const { schema, strict } = format;
  if (strict && capabilities.takesMode('format', schema)) return 'format';
  return fitsTool(schema, extra) && capabilities.takesMode('tool', schema) ? 'tool' : 'words';
}

type JsonFormat = Extract<AnswerFormat, { type: 'json' }>;

/**
 * A tool's input is an object of named properties (for one without, models give an empty object); a
 * tool cannot be forced on a model that was asked to think, and tools of the caller's own are not
 * ours to hide.
 */
function fitsTool(schema: JsonSchema, extra: JsonRecord): boolean {
  const { type, properties } = schema;
  if (type !== 'object' || !isRecord(properties) || Object.keys(properties).length === 0)
    return false;
  if (['anyOf', 'oneOf', 'allOf', '$ref'].some((name) => schema[name] !== undefined)) return false;
  const thinks = isRecord(extra.thinking) && extra.thinking.type !== 'disabled';
  return !thinks && extra.tools === undefined && extra.tool_choice === undefined;
}

function answerTool({ name, schema }: JsonFormat): JsonRecord {
  const tool = {
    name,
    description: 'Takes the answer. Call it once, with all of it.',
    input_schema: schema,
  };
  return {
    tools: [tool],
    tool_choice: { type: 'tool', name, disable_parallel_tool_use: true },
  };
}

/** Made once for all items of a batch, which share their schema. */
const outputSchemas = new WeakMap<JsonSchema, JsonRecord>();

function outputSchema(schema: JsonSchema): JsonRecord {
  const made = outputSchemas.get(schema) ?? toOutputSchema(schema);
  outputSchemas.set(schema, made);
  return made;
}
