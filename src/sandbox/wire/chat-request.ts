/** A request body, checked as strictly as OpenAI does. */

import { isObject, type JsonSchema } from '../rules/json-schema.ts';
import type { RuleMessage } from '../rules/prompt.ts';
import { ApiError, missingParameter } from './api-error.ts';
import { checkParameters } from './parameters.ts';
import { strictSchemaFault } from './strict-schema.ts';

export interface ChatRequest {
  model: string;
  messages: RuleMessage[];
  format: { type: 'text' } | { type: 'json'; schema: JsonSchema | null; schemaText: string };
  /** The function that the answer must call; null for a plain answer. */
  call: { name: string; parameters: JsonSchema; text: string } | null;
  maxTokens: number | null;
  /** Number of alternatives per token; null without log-probabilities. */
  topLogprobs: number | null;
  /** The form of a streamed answer; null where it comes whole. */
  stream: { withUsage: boolean } | null;
}

export interface RequestRules {
  models: readonly string[];
  /**
   * Parameters (and `json_schema`, `json_object`) that this server does not know, like servers of
   * older and reasoning models.
   */
  refuse: ReadonlySet<string>;
}

const keptSchemas = 64;

/** A parser that remembers, by their raw text, which schemas were strict. */
export function createRequestParser({
  models,
  refuse,
}: RequestRules): (body: unknown) => ChatRequest {
  const checked = new Map<string, string | null>();

  function readFormat(format: unknown, messages: readonly RuleMessage[]): ChatRequest['format'] {
    if (format === undefined || format === null) return { type: 'text' };
    if (!isObject(format)) throw invalidType('response_format', 'an object');
    const { type } = format;
    if (type === 'text') return { type: 'text' };
    if (type !== 'json_object' && type !== 'json_schema') {
      throw new ApiError(
        `Invalid value: '${String(type)}'. Supported values are: 'json_object', 'json_schema', and 'text'.`,
        { param: 'response_format.type', code: 'invalid_value' },
      );
    }
    if (refuse.has(type)) {
      throw new ApiError(
        `Invalid parameter: 'response_format' of type '${type}' is not supported with this model.`,
        { param: 'response_format', code: 'unsupported_parameter' },
      );
    }
    if (type === 'json_object') {
      if (!messages.some(({ content }) => /json/i.test(content))) {
        throw new ApiError(
          "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
          { param: 'messages' },
        );
      }
      return { type: 'json', schema: null, schemaText: '' };
    }
    return readSchema(format.json_schema);
  }

  function readSchema(stated: unknown): ChatRequest['format'] {
    if (!isObject(stated)) throw missingParameter('response_format.json_schema');
    const { name, schema, strict } = stated;
    if (name === undefined) throw missingParameter('response_format.json_schema.name');
    if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
      throw new ApiError(
        "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string of at most 64 characters that matches the pattern '^[a-zA-Z0-9_-]+$'.",
        { param: 'response_format.json_schema.name', code: 'invalid_value' },
      );
    }
    if (strict !== undefined && strict !== null && typeof strict !== 'boolean')
      throw invalidType('response_format.json_schema.strict', 'a boolean');
    if (!isObject(schema)) throw missingParameter('response_format.json_schema.schema');
    const schemaText = JSON.stringify(schema);
    if (strict === true) {
      const fault = faultOf(schema, schemaText);
      if (fault)
        throw new ApiError(`Invalid schema for response_format '${name}': ${fault}`, {
          param: 'response_format',
          code: 'invalid_json_schema',
        });
    }
    return { type: 'json', schema, schemaText };
  }

  function faultOf(schema: unknown, schemaText: string): string | null {
    const known = checked.get(schemaText);
    if (known !== undefined) return known;
    const fault = strictSchemaFault(schema);
    if (checked.size >= keptSchemas) checked.delete(checked.keys().next().value as string);
    checked.set(schemaText, fault);
    return fault;
  }

  return (body) => {
    if (!isObject(body)) throw invalidType('body', 'an object');
    const { model } = body;
    if (typeof model !== 'string' || model === '')
      throw new ApiError('you must provide a model parameter');
    if (!models.includes(model)) throw unknownModel(model);
    checkParameters(body, refuse);
    const messages = readMessages(body.messages);
    return {
      model,
      messages,
      format: readFormat(body.response_format, messages),
      call: readCall(body),
      maxTokens: (body.max_completion_tokens ?? body.max_tokens ?? null) as number | null,
      topLogprobs: body.logprobs === true ? ((body.top_logprobs ?? 0) as number) : null,
      stream: readStream(body),
    };
  };
}

export function unknownModel(model: string): ApiError {
  return new ApiError(`The model '${model}' does not exist or you do not have access to it.`, {
    status: 404,
    code: 'model_not_found',
  });
}

const roles = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);

function readMessages(messages: unknown): RuleMessage[] {
  if (messages === undefined) throw missingParameter('messages');
  if (!Array.isArray(messages)) throw invalidType('messages', 'an array of objects');
  if (messages.length === 0) {
    throw new ApiError(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      { param: 'messages', code: 'empty_array' },
    );
  }
  return messages.map((message: unknown, i) => {
    if (!isObject(message)) throw invalidType(`messages[${i}]`, 'an object');
    const { role, content } = message;
    if (role === undefined) throw missingParameter(`messages[${i}].role`);
    if (typeof role !== 'string' || !roles.has(role)) {
      throw new ApiError(
        `Invalid value: '${String(role)}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.`,
        { param: `messages[${i}].role`, code: 'invalid_value' },
      );
    }
    if (typeof content === 'string') return { role, content };
    if (Array.isArray(content))
      return {
        role,
        content: content
          .map((part, j) => partText(part, `messages[${i}].content[${j}]`))
          .join('\n'),
      };
    if ((content === null || content === undefined) && role === 'assistant')
      return { role, content: '' };
    throw content === undefined
      ? missingParameter(`messages[${i}].content`)
      : new ApiError(
          `Invalid type for 'messages[${i}].content': expected one of a string or array of objects, but got ${typeName(content)} instead.`,
          { param: `messages[${i}].content`, code: 'invalid_type' },
        );
  });
}

function partText(part: unknown, param: string): string {
  if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
  if (isObject(part) && part.type === 'refusal') return '';
  throw new ApiError(`Invalid content type at '${param}': this model reads text parts only.`, {
    param,
    code: 'invalid_value',
  });
}

function readStream({ stream, stream_options: options }: Record<string, unknown>) {
  if (stream !== true) return null;
  return { withUsage: isObject(options) && options.include_usage === true };
}

/** The one function that `tool_choice` forces. Without one the sandbox answers in words. */
function readCall(body: Record<string, unknown>): ChatRequest['call'] {
  const tools = Array.isArray(body.tools) ? body.tools.filter(isObject) : [];
  const functions = tools.map((tool) => tool.function).filter(isObject);
  const choice = body.tool_choice;
  if (choice !== 'required' && !isObject(choice)) return null;
  const wanted =
    isObject(choice) && isObject(choice.function) ? choice.function.name : functions[0]?.name;
  const chosen = functions.find(({ name }) => name === wanted);
  if (!chosen || typeof chosen.name !== 'string') {
    throw new ApiError(
      `Invalid value for 'tool_choice': tool '${String(wanted)}' not found in 'tools'.`,
      { param: 'tool_choice', code: 'invalid_value' },
    );
  }
  const parameters = isObject(chosen.parameters) ? chosen.parameters : { type: 'object' };
  return { name: chosen.name, parameters, text: JSON.stringify(parameters) };
}

function invalidType(param: string, expected: string): ApiError {
  return new ApiError(`Invalid type for '${param}': expected ${expected}.`, {
    param,
    code: 'invalid_type',
  });
}

function typeName(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
