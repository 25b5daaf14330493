/**
 * Where a provider's requests go, and with which headers.
 */
import type { ProviderConfig } from './provider-config.ts';

/**
 * Without trailing slashes, and with /v1 where the path is empty, since that is what
 * `http://localhost:11434` means. Any other path is taken as it is (Azure's deployments,
 * OpenRouter's /api/v1). Throws a TypeError when it is not an http URL.
 */
export function normalizeBaseUrl(baseUrl: string): string {
  const url = new URL(baseUrl);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TypeError(
      `A provider's base URL starts with http:// or https://, not ${url.protocol}`,
    );
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/chat\/completions$/, '');
  return `${url.origin}${path === '' ? '/v1' : path}${url.search}`;
}

/**
 * Anthropic's base URL without /v1, which its package adds to every path; one that ends in it, or
 * in the whole address of its messages, is meant alike. Throws a TypeError when it is not an http
 * URL.
 */
export function normalizeAnthropicBaseUrl(baseUrl: string): string {
  const normal = new URL(normalizeBaseUrl(baseUrl));
  const path = normal.pathname.replace(/\/v1(\/messages)?$/, '');
  return `${normal.origin}${path}`;
}

/**
 * The version of Anthropic's API whose parameters and answers are spoken here. A later one
 * (2026-10-21) refuses temperature and top_p of every model, also of those that take them. Files of
 * requests that were written for this one have them.
 */
const anthropicVersion = '2023-06-01';

/**
 * True where a provider is OpenAI or Anthropic at their own addresses, which put an answer's schema
 * before the model. Other servers may use it as a grammar alone, by which a model chooses blind.
 */
export function showsSchemas({ baseUrl }: Pick<ProviderConfig, 'baseUrl'>): boolean {
  return /(^|\.)api\.(openai|anthropic)\.com$/.test(new URL(baseUrl).hostname);
}

/**
 * All headers of a request, names in lower case; the configuration's own win. No Authorization (for
 * Anthropic, x-api-key) without a key. Throws an Error that names the header, never its value,
 * where one has characters that HTTP cannot carry.
 */
export function requestHeaders({
  name,
  protocol,
  apiKey,
  headers,
}: ProviderConfig): Record<string, string> {
  const all: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/json',
    'user-agent': 'winnow',
    // A Winnow server refuses requests that have it: its own would come back to it for ever.
    'x-winnow-hop': '1',
    ...(protocol === 'anthropic' ? anthropicHeaders(apiKey) : openAiHeaders(apiKey)),
  };
  for (const [header, value] of Object.entries(headers)) all[header.toLowerCase()] = value;
  for (const [header, value] of Object.entries(all)) {
    if (!/^[\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new Error(`The ${header} header for ${name} has characters that no header can carry.`);
    }
  }
  return all;
}

function openAiHeaders(apiKey: string | null): Record<string, string> {
  return apiKey ? { authorization: `Bearer ${apiKey}` } : {};
}

function anthropicHeaders(apiKey: string | null): Record<string, string> {
  return {
    'anthropic-version': anthropicVersion,
    ...(apiKey ? { 'x-api-key': apiKey } : undefined),
  };
}

/**
 * Where the batch API is that belongs to a base URL, and the path that its requests are for. That
 * is the same base and `/v1/chat/completions`, but for Azure's older addresses
 * (https://learn.microsoft.com/azure/ai-services/openai/how-to/batch): chats go to a deployment
 * there, batches do not.
 */
export function batchAddress(baseUrl: string): { baseUrl: string; endpoint: string } {
  const normal = new URL(normalizeBaseUrl(baseUrl));
  const isAzure = /\.azure\.(com|us|cn)$/.test(normal.hostname);
  const [, root] = /^(.*\/openai)(?:\/deployments\/[^/]+)?$/.exec(normal.pathname) ?? [];
  const isOlder = root !== undefined && (isAzure || root !== normal.pathname);
  if (!isOlder) return { baseUrl: normalizeBaseUrl(baseUrl), endpoint: '/v1/chat/completions' };
  return { baseUrl: `${normal.origin}${root}${normal.search}`, endpoint: '/chat/completions' };
}
