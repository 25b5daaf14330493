/** The parameters of a chat completion, their types and ranges. */

import { isObject } from '../rules/json-schema.ts';
import { ApiError } from './api-error.ts';

type Kind =
  | { type: 'any' }
  | { type: 'boolean' }
  | { type: 'string' }
  | { type: 'object' }
  | { type: 'decimal' | 'integer'; least: number; most: number }
  | { type: 'one'; of: readonly string[] };

const any: Kind = { type: 'any' };
const decimal = (least: number, most: number): Kind => ({ type: 'decimal', least, most });
const integer = (least: number, most: number): Kind => ({ type: 'integer', least, most });

const known = new Map<string, Kind>(
  Object.entries({
    model: any,
    messages: any,
    response_format: any,
    temperature: decimal(0, 2),
    top_p: decimal(0, 1),
    presence_penalty: decimal(-2, 2),
    frequency_penalty: decimal(-2, 2),
    max_tokens: integer(1, Number.MAX_SAFE_INTEGER),
    max_completion_tokens: integer(1, Number.MAX_SAFE_INTEGER),
    n: integer(1, 128),
    seed: integer(-(2 ** 63), 2 ** 63),
    logprobs: { type: 'boolean' },
    top_logprobs: integer(0, 20),
    stream: { type: 'boolean' },
    stream_options: { type: 'object' },
    stop: any,
    logit_bias: { type: 'object' },
    user: { type: 'string' },
    safety_identifier: { type: 'string' },
    prompt_cache_key: { type: 'string' },
    prompt_cache_retention: { type: 'string' },
    metadata: { type: 'object' },
    store: { type: 'boolean' },
    service_tier: { type: 'one', of: ['auto', 'default', 'flex', 'priority', 'scale'] },
    reasoning_effort: { type: 'one', of: ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] },
    verbosity: { type: 'one', of: ['low', 'medium', 'high'] },
    tools: any,
    tool_choice: any,
    parallel_tool_calls: { type: 'boolean' },
    modalities: any,
    prediction: { type: 'object' },
  } satisfies Record<string, Kind>),
);

/** Throws OpenAI's 400 for the first parameter that is unknown, unsupported or ill-typed. */
export function checkParameters(body: Record<string, unknown>, refuse: ReadonlySet<string>): void {
  for (const name in body) {
    const value = body[name];
    const kind = known.get(name);
    if (!kind)
      throw new ApiError(`Unknown parameter: '${name}'.`, {
        param: name,
        code: 'unknown_parameter',
      });
    if (value === null || value === undefined) continue;
    if (refuse.has(name)) throw unsupported(name);
    checkKind(name, value, kind);
  }
  if (body.stream_options != null && body.stream !== true) {
    throw new ApiError("The 'stream_options' parameter is only allowed when 'stream' is enabled.", {
      param: 'stream_options',
      code: 'invalid_value',
    });
  }
  if (typeof body.n === 'number' && body.n !== 1) {
    throw new ApiError("Unsupported value: 'n' does not support more than 1 with this model.", {
      param: 'n',
      code: 'unsupported_value',
    });
  }
  if (body.max_tokens != null && body.max_completion_tokens != null) {
    throw new ApiError(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      { param: 'max_tokens', code: 'invalid_parameter_combination' },
    );
  }
  if (body.top_logprobs != null && body.logprobs !== true) {
    throw new ApiError("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", {
      param: 'top_logprobs',
      code: 'invalid_value',
    });
  }
  if (body.tool_choice != null && body.tools == null) {
    throw new ApiError("'tool_choice' is only allowed when 'tools' are specified.", {
      param: 'tool_choice',
      code: 'invalid_value',
    });
  }
}

function unsupported(name: string): ApiError {
  const instead = name === 'max_tokens' ? " Use 'max_completion_tokens' instead." : '';
  return new ApiError(
    `Unsupported parameter: '${name}' is not supported with this model.${instead}`,
    {
      param: name,
      code: 'unsupported_parameter',
    },
  );
}

function checkKind(name: string, value: unknown, kind: Kind): void {
  switch (kind.type) {
    case 'any':
      return;
    case 'boolean':
    case 'string':
      if (typeof value !== kind.type) throw illTyped(name, `a ${kind.type}`, value);
      return;
    case 'object':
      if (!isObject(value)) throw illTyped(name, 'an object', value);
      return;
    case 'one':
      if (typeof value !== 'string' || !kind.of.includes(value)) {
        throw new ApiError(
          `Invalid value: '${String(value)}'. Supported values are: ${kind.of.map((one) => `'${one}'`).join(', ')}.`,
          { param: name, code: 'invalid_value' },
        );
      }
      return;
    case 'decimal':
    case 'integer': {
      const { type, least, most } = kind;
      if (typeof value !== 'number' || (type === 'integer' && !Number.isInteger(value)))
        throw illTyped(name, type === 'decimal' ? 'a decimal' : 'an integer', value);
      if (value < least)
        throw outOfRange(
          name,
          type,
          `below minimum value. Expected a value >= ${least}, but got ${value} instead.`,
          'below_min',
        );
      if (value > most)
        throw outOfRange(
          name,
          type,
          `above maximum value. Expected a value <= ${most}, but got ${value} instead.`,
          'above_max',
        );
      return;
    }
    default: {
      const never: never = kind;
      throw new TypeError(String(never));
    }
  }
}

function outOfRange(name: string, type: string, said: string, code: string): ApiError {
  return new ApiError(`Invalid '${name}': ${type} ${said}`, {
    param: name,
    code: `${type}_${code}_value`,
  });
}

function illTyped(name: string, expected: string, value: unknown): ApiError {
  const got = Array.isArray(value)
    ? 'an array'
    : typeof value === 'object'
      ? 'an object'
      : `a ${typeof value}`;
  return new ApiError(`Invalid type for '${name}': expected ${expected}, but got ${got} instead.`, {
    param: name,
    code: 'invalid_type',
  });
}
