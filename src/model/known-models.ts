/** The models of a provider that are known by its configuration alone. */
import type { ProviderConfig } from './provider-config.ts';

/** OpenAI's when nothing is configured. All have known prices and structured output. */
export const openAiModels = [
  'gpt-4.1-mini',
  'gpt-4.1',
  'gpt-4.1-nano',
  'gpt-4o-mini',
  'gpt-4o',
  'gpt-5-mini',
  'gpt-5-nano',
  'gpt-5',
  'gpt-5.1',
  'gpt-5.4-mini',
] as const;

/** Listed for Anthropic itself. All have known prices, structured output and message batches. */
export const anthropicModels = [
  'claude-haiku-4-5',
  'claude-sonnet-5',
  'claude-sonnet-4-6',
  'claude-sonnet-4-5',
  'claude-opus-5-5',
  'claude-opus-5',
  'claude-opus-4-8',
] as const;

/**
 * The models of OpenAI and Anthropic themselves: a base URL may name any server, and what that has
 * is not ours to guess.
 */
export function knownModels({ name, baseUrl }: ProviderConfig): readonly string[] {
  const { hostname } = new URL(baseUrl);
  if (name === 'openai' && hostname === 'api.openai.com') return openAiModels;
  return name === 'anthropic' && hostname === 'api.anthropic.com' ? anthropicModels : [];
}

/** A server of the user's own, whose models may have any names. */
export function isOpen(config: ProviderConfig): boolean {
  return !config.closed && knownModels(config).length === 0;
}

export function isOpenAis(name: string): boolean {
  return (openAiModels as readonly string[]).includes(name);
}

/** Asked of an unknown provider: the server's default model, or OpenAI's and Anthropic's first. */
export function defaultOf({ name }: ProviderConfig, defaultModel: string | undefined): string[] {
  if (defaultModel === undefined) return [];
  if (defaultModel.startsWith(`${name}/`)) return [defaultModel.slice(name.length + 1)];
  const known = { openai: openAiModels[0], anthropic: anthropicModels[0] };
  return name === 'openai' || name === 'anthropic' ? [known[name]] : [];
}
