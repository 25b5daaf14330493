/**
 * The body of a chat completion as the params of a message
 * (https://platform.claude.com/docs/en/api/messages/create). Pure.
 *
 * What Anthropic has not, and an answer can do without, is left out: seed, penalties,
 * log-probabilities, store, the names of who speaks. All else that it might not know goes on as it
 * is, so that its refusal names it.
 */
import { isRecord, type JsonRecord, recordsOf } from '../../core/json.ts';
import { toOutputSchema } from './output-schema.ts';
import { systemOf, toTurns } from './turns.ts';

/**
 * The answer's limit where a request has none, since Anthropic demands one: what every model since
 * claude-3-5 takes, and 4,096 for those before it, which take no more.
 */
export function defaultMaxTokens(model: string): number {
  return /^claude-(3-(opus|sonnet|haiku)|2|instant)/.test(model) ? 4_096 : 8_192;
}

/** The params that are made here; those that the body has already are taken as they are. */
const translated = new Set([
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'parallel_tool_calls',
  'response_format',
  'reasoning_effort',
  'temperature',
  'user',
]);
/** Parameters of OpenAI's, or of servers like it. Anthropic refuses what it does not know. */
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
  'prediction',
  'verbosity',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
]);

/** The params for `body`, which names the model. `maxTokens` is the limit where it has none. */
export function chatBodyToParams(
  body: Readonly<JsonRecord>,
  { maxTokens }: { maxTokens: number },
): JsonRecord {
  const messages: unknown[] = Array.isArray(body.messages) ? body.messages : [];
  const format = formatOf(body.response_format);
  const system = systemOf(messages.filter(isSystem), format.words);
  const effort = toEffort(body.reasoning_effort);
  const outputConfig = {
    ...(effort === null ? undefined : { effort }),
    ...(format.schema ? { format: { type: 'json_schema', schema: format.schema } } : undefined),
  };
  const functions = recordsOf(body.functions).map((named) => ({
    type: 'function',
    function: named,
  }));
  const tools = [...recordsOf(body.tools), ...functions].map(toTool);
  const chosen = body.tool_choice ?? toolOf(body.function_call);
  const choice = toToolChoice(chosen, body.parallel_tool_calls, tools.length > 0);
  const stops = [body.stop].flat().filter((stop) => typeof stop === 'string');
  const kept = Object.entries(body).filter(
    ([name, value]) => !translated.has(name) && !left.has(name) && !isDefault(name, value),
  );
  return {
    ...Object.fromEntries(kept),
    max_tokens: body.max_completion_tokens ?? body.max_tokens ?? maxTokens,
    ...(system === '' ? undefined : { system }),
    messages: toTurns(messages.filter((message) => !isSystem(message))),
    ...(stops.length > 0 ? { stop_sequences: stops } : undefined),
    ...(body.temperature == null ? undefined : { temperature: toTemperature(body.temperature) }),
    ...(tools.length > 0 ? { tools } : undefined),
    ...(choice ? { tool_choice: choice } : undefined),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : undefined),
    ...(typeof body.user === 'string' ? { metadata: { user_id: body.user } } : undefined),
  };
}

/** OpenAI's defaults, often spelled out; Claude may refuse such a top_p beside a temperature. */
function isDefault(name: string, value: unknown): boolean {
  if (name === 'modalities') return String(value) === 'text';
  return value === null || (name === 'top_p' && value === 1);
}

/** OpenAI's scale ends at 2, Anthropic's at 1, where its own compatible endpoint caps it too. */
export function toTemperature(temperature: unknown): unknown {
  return typeof temperature === 'number' && temperature > 1 ? 1 : temperature;
}

/** OpenAI's efforts by Anthropic's names; null for none, and any other name as it is. */
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

function isSystem(message: unknown): message is JsonRecord {
  return isRecord(message) && (message.role === 'system' || message.role === 'developer');
}

function formatOf(given: unknown): { schema: JsonRecord | null; words: string } {
  if (!isRecord(given)) return { schema: null, words: '' };
  const { schema, description } = isRecord(given.json_schema) ? given.json_schema : {};
  if (given.type === 'json_schema' && isRecord(schema)) {
    const described = typeof description === 'string' ? { description } : undefined;
    return { schema: toOutputSchema({ ...described, ...schema }), words: '' };
  }
  const isJson = given.type === 'json_object' || given.type === 'json_schema';
  return { schema: null, words: isJson ? 'Answer with a JSON object and nothing else.' : '' };
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

/** The choice of an old request with functions. */
function toolOf(choice: unknown): unknown {
  return isRecord(choice) ? { type: 'function', function: choice } : choice;
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
