/** Builders for the tests of this folder. They assert nothing. */

import { createGate } from '../../src/model/limits/gate.ts';
import type { Model, ModelAnswer } from '../../src/model/model.ts';
import { ModelError } from '../../src/model/model-error.ts';
import type { ProviderConfig } from '../../src/model/provider-config.ts';
import { createProviders, type Providers } from '../../src/model/providers.ts';
import type { PromptRequest } from '../../src/model/request.ts';

export function providerConfig(
  baseUrl: string,
  overrides: Partial<ProviderConfig> = {},
): ProviderConfig {
  return {
    name: 'stub',
    baseUrl,
    apiKey: 'sk-test-1234567890abcdef',
    headers: {},
    query: {},
    models: [],
    closed: false,
    ...overrides,
  };
}

export function modelOf(
  baseUrl: string,
  {
    id,
    timeoutMs = 2_000,
    ...overrides
  }: Partial<ProviderConfig> & { id?: string; timeoutMs?: number } = {},
): { model: Model; providers: Providers } {
  const config = providerConfig(baseUrl, overrides);
  const providers = createProviders({ configs: [config], timeoutMs, concurrency: 8 });
  return { model: providers.resolve(id ?? `${config.name}/some-model`), providers };
}

export const text: PromptRequest = {
  messages: [
    { role: 'system', content: 'Answer briefly.' },
    { role: 'user', content: 'Where is the card?' },
  ],
  format: { type: 'text' },
  logprobs: false,
};

export const schema = {
  type: 'object',
  properties: { label: { type: 'string' } },
  required: ['label'],
  additionalProperties: false,
};

export const json: PromptRequest = {
  ...text,
  format: { type: 'json', name: 'label', schema, strict: true },
};

/** Sends under a permit of a gate of its own, so that failures of earlier calls hold none back. */
export async function ask(
  model: Model,
  request: PromptRequest = text,
  signal = new AbortController().signal,
): Promise<ModelAnswer> {
  const permit = createGate({ maxConcurrency: 1 }).tryEnter();
  if (!permit) throw new Error('a new gate is open');
  return await model.send(request, { signal, permit });
}

/** The ModelError that a send ends in. Throws when it ends otherwise. */
export async function failureOf(sent: Promise<ModelAnswer>): Promise<ModelError> {
  try {
    await sent;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('The model answered.');
}
