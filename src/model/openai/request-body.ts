/** A ModelRequest as the body of POST /chat/completions, as far as the model takes it. Pure. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import { paramsToChatBody } from '../dialects/chat-body.ts';
import type {
  AnswerFormat,
  BodyRequest,
  ChatMessage,
  ModelRequest,
  PromptRequest,
} from '../request.ts';
import { stateSchema } from '../schema-prompt.ts';
import type { Capabilities, FormatKind, OwnParams } from './capabilities.ts';

/**
 * Members that no extraBody may set: the messages and the model are the operation's, and we read
 * one whole answer, never a stream. Everything else in extraBody goes before what we would send.
 */
const reserved = new Set(['messages', 'model', 'stream', 'stream_options']);

export interface RequestBody {
  body: Record<string, unknown>;
  /** The parameters that are ours, not extraBody's: dropped where the model refuses them. */
  own: OwnParams;
}

/** The body for `model`, the name as the provider knows it. */
export function buildRequestBody(
  model: string,
  request: ModelRequest,
  capabilities: Capabilities,
): RequestBody {
  if ('body' in request) return completeBody(model, request, capabilities);
  // fromEntries and spread define properties, so that an own `__proto__` of a parsed JSON stays
  // data.
  const extra = Object.fromEntries(
    Object.entries(request.extraBody ?? {}).filter(([key]) => !reserved.has(key)),
  );
  const kind = formatKind(request.format, capabilities);
  const own: Record<string, unknown> = {};
  const responseFormat = toResponseFormat(request.format, kind);
  if (responseFormat) own.response_format = responseFormat;
  const sampling = {
    temperature: request.temperature ?? request.defaultTemperature,
    top_p: request.topP,
    seed: request.seed,
    reasoning_effort: request.reasoningEffort,
    logprobs: request.logprobs || undefined,
    [capabilities.limitName]: request.maxOutputTokens,
  };
  for (const [name, value] of Object.entries(sampling)) {
    if (value !== undefined && capabilities.accepts(name, value)) own[name] = value;
  }
  const messages = toMessages(request, kind, capabilities);
  const marked = markCache(request, { messages, extra, capabilities });
  Object.assign(own, marked.own);
  for (const name of Object.keys(extra)) delete own[name];
  return {
    body: { model, messages: marked.messages, ...own, ...extra },
    own: marked.at === null ? own : { ...own, prompt_cache_breakpoint: marked.at },
  };
}

/** The members for the prompt cache. `at`: the message that has the breakpoint, null for none. */
interface Marked {
  messages: readonly object[];
  own: JsonRecord;
  at: number | null;
}

/**
 * Asks for the prompt cache where the request has a mark: by a key, by which OpenAI sends requests
 * with the same beginning to the same machine, and where the model takes breakpoints by one behind
 * the beginning. Such a model would by itself write the whole prompt, item included, which nobody
 * reads.
 */
function markCache(
  { messages: given, cacheMark }: PromptRequest,
  {
    messages,
    extra,
    capabilities,
  }: { messages: readonly ChatMessage[]; extra: JsonRecord; capabilities: Capabilities },
): Marked {
  const isTold = cacheMark && (capabilities.isOpenAi || cacheMark.isAsked);
  if (!isTold) return { messages, own: {}, at: null };
  const takesKey = capabilities.accepts('prompt_cache_key', cacheMark.key);
  const key = takesKey ? { prompt_cache_key: cacheMark.key } : undefined;
  // A system message that was made for the schema belongs to the beginning.
  const shared = cacheMark.messages + messages.length - given.length;
  const at = messages.findLastIndex(
    ({ content }, index) => index < shared && content.trim() !== '',
  );
  const options = { mode: 'explicit' };
  const takesBreakpoint =
    capabilities.hasBreakpoints &&
    capabilities.accepts('prompt_cache_options', options) &&
    !Object.hasOwn(extra, 'prompt_cache_options');
  if (at === -1 || !takesBreakpoint) return { messages, own: { ...key }, at: null };
  return {
    messages: messages.map((message, index) => (index === at ? withBreakpoint(message) : message)),
    own: { ...key, prompt_cache_options: options },
    at,
  };
}

function withBreakpoint({ role, content }: ChatMessage): object {
  const part = { type: 'text', text: content, prompt_cache_breakpoint: { mode: 'explicit' } };
  return { role, content: [part] };
}

/**
 * The body for an answer that comes in pieces. The provider is asked to count its tokens, which is
 * left out where it refuses that.
 */
export function buildStreamBody(
  model: string,
  request: BodyRequest,
  capabilities: Capabilities,
): RequestBody {
  const { body, own } = completeBody(model, request, capabilities);
  const given = asksForUsage(request) ? request.body.stream_options : null;
  const stream_options = given ?? { ...optionsOf(request), include_usage: true };
  const streamed = { ...body, stream: true };
  if (given === null && !capabilities.accepts('stream_options', stream_options)) {
    return { body: streamed, own };
  }
  return {
    body: { ...streamed, stream_options },
    own: given === null ? { ...own, stream_options } : own,
  };
}

/** True where a request wants the chunk of a stream that tells of usage. */
export function asksForUsage(request: BodyRequest): boolean {
  return request.dialect !== 'anthropic' && optionsOf(request).include_usage === true;
}

function optionsOf({ dialect, body: { stream_options } }: BodyRequest): JsonRecord {
  return dialect !== 'anthropic' && isRecord(stream_options) ? stream_options : {};
}

/** The caller's own body under this model, with what the options set, never as a stream. */
function completeBody(
  model: string,
  request: BodyRequest,
  capabilities: Capabilities,
): RequestBody {
  const { limitName } = capabilities;
  // Entries, not assignment: an own `__proto__` of a parsed JSON stays data.
  const limits =
    request.maxOutputTokens === undefined ? [] : ['max_tokens', 'max_completion_tokens'];
  const left = new Set(['stream', 'stream_options', ...limits]);
  const isTranslated = request.dialect === 'anthropic';
  const said = isTranslated ? paramsToChatBody(request.body, { limitName }) : request.body;
  const kept = Object.fromEntries(Object.entries(said).filter(([key]) => !left.has(key)));
  const set = {
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    reasoning_effort: request.reasoningEffort,
    [limitName]: request.maxOutputTokens,
  };
  const given = Object.entries(set).filter(([, value]) => value !== undefined);
  const extra = Object.entries(request.extraBody ?? {}).filter(([key]) => !reserved.has(key));
  const body: JsonRecord = {
    ...kept,
    ...Object.fromEntries(given),
    ...Object.fromEntries(extra),
    model,
  };
  // What the limit is called is the caller's word only where the body is theirs as it stands.
  const isNamedHere = isTranslated && body[limitName] !== undefined;
  return { body, own: isNamedHere ? { [limitName]: body[limitName] } : {} };
}

/** The strictest kind that fits the schema and is not known to be refused; null: words only. */
function formatKind(format: AnswerFormat, capabilities: Capabilities): FormatKind | null {
  if (format.type === 'text') return null;
  if (format.strict && capabilities.acceptsFormat('json_schema')) return 'json_schema';
  return capabilities.acceptsFormat('json_object') ? 'json_object' : null;
}

function toResponseFormat(format: AnswerFormat, kind: FormatKind | null): object | null {
  if (format.type === 'text' || kind === null) return null;
  if (kind === 'json_object') return { type: 'json_object' };
  const { name, schema } = format;
  return { type: 'json_schema', json_schema: { name, strict: true, schema } };
}

function toMessages(
  { messages, format, schemaUnsaid = false }: PromptRequest,
  kind: FormatKind | null,
  { showsSchema }: Capabilities,
): readonly ChatMessage[] {
  if (format.type === 'text') return messages;
  const isKnown = kind === 'json_schema' && (showsSchema || !schemaUnsaid);
  return isKnown ? messages : stateSchema(messages, format.schema);
}
