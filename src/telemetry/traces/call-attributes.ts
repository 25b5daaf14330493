/** Attributes of the span of a call to a model. */
import type { Attributes } from '@opentelemetry/api';
import type { AnsweredModel, AskedModel, Facts } from '../events.ts';
import type { GenAiNames } from '../names.ts';

/** Most characters of an id or a name that a provider made up. */
const maxText = 200;

/** Where a provider is reached. */
interface ProviderAddress {
  address: string;
  port: number;
}

export interface CallAttributesOptions {
  names: GenAiNames['attributes'];
  /** Null: it is not known. */
  addressOf(provider: string): ProviderAddress | null;
}

/** Its name as `provider/name`, in two. */
export function modelNames(id: string): { provider: string; model: string } {
  const slash = id.indexOf('/');
  return { provider: id.slice(0, slash), model: id.slice(slash + 1) };
}

export function callAttributes(
  call: Facts['model.call'],
  { names, addressOf }: CallAttributesOptions,
): Attributes {
  const { provider, model } = modelNames(call.model);
  const server = addressOf(provider);
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    ...(names.system === null ? {} : { [names.system]: provider }),
    'gen_ai.request.model': model,
    ...(server === null ? {} : { 'server.address': server.address, 'server.port': server.port }),
    ...(call.request === null ? {} : askedAttributes(call.request, names)),
    ...(call.answer === null ? {} : answeredAttributes(call.answer)),
    ...tokenAttributes(call.tokens, names),
    ...(call.error === null ? {} : { 'error.type': call.error }),
    ...(call.costUsd === null ? {} : { 'winnow.cost_usd': call.costUsd }),
    'winnow.lane': call.lane,
    'winnow.requests': call.requests,
  };
}

function askedAttributes(asked: AskedModel, names: GenAiNames['attributes']): Attributes {
  const body = asked.body ?? {};
  const given: Record<string, unknown> = {
    'gen_ai.request.temperature': asked.temperature ?? body.temperature,
    'gen_ai.request.top_p': asked.topP ?? body.top_p,
    'gen_ai.request.seed': asked.seed ?? body.seed,
    'gen_ai.request.max_tokens':
      asked.maxOutputTokens ?? body.max_completion_tokens ?? body.max_tokens,
  };
  const numbers = Object.entries(given).filter(([, value]) => Number.isFinite(value));
  const effort = asked.reasoningEffort ?? body.reasoning_effort;
  return {
    ...(Object.fromEntries(numbers) as Record<string, number>),
    ...(names.reasoningEffort !== null && typeof effort === 'string'
      ? { [names.reasoningEffort]: effort.slice(0, maxText) }
      : {}),
  };
}

/** In the words of either API. */
function answeredAttributes({ completion = {} }: AnsweredModel): Attributes {
  const { id, model, choices, stop_reason: stop } = completion;
  const reasons = Array.isArray(choices)
    ? choices.map((choice) => (choice as { finish_reason?: unknown } | null)?.finish_reason)
    : [stop];
  const told = reasons.filter((reason) => typeof reason === 'string');
  return {
    ...(typeof id === 'string' ? { 'gen_ai.response.id': id.slice(0, maxText) } : {}),
    ...(typeof model === 'string' ? { 'gen_ai.response.model': model.slice(0, maxText) } : {}),
    ...(told.length > 0
      ? { 'gen_ai.response.finish_reasons': told.map((one) => one.slice(0, maxText)) }
      : {}),
  };
}

function tokenAttributes(
  tokens: Facts['model.call']['tokens'],
  names: GenAiNames['attributes'],
): Attributes {
  if (tokens === null) return {};
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } =
    tokens;
  return {
    'gen_ai.usage.input_tokens': inputTokens,
    'gen_ai.usage.output_tokens': outputTokens,
    ...(cachedInputTokens ? { 'gen_ai.usage.cache_read.input_tokens': cachedInputTokens } : {}),
    ...(cacheWriteTokens ? { [names.cacheWriteTokens]: cacheWriteTokens } : {}),
    ...(reasoningTokens ? { 'gen_ai.usage.reasoning.output_tokens': reasoningTokens } : {}),
  };
}
