/**
 * Connections to Anthropic's API through @anthropic-ai/sdk.
 *
 * As with the openai package, its retries, time limit, headers, logs and traces are off, and it reads nothing from the environment; what is
 * left of it is the protocol and its types of errors.
 */
import Anthropic from '@anthropic-ai/sdk';
import { normalizeAnthropicBaseUrl, requestHeaders } from '../endpoint.ts';
import type { ProviderConfig } from '../model.ts';
import { createStreamFetch } from '../stream-fetch.ts';
import { createThinFetch } from '../thin-fetch.ts';

export interface AnthropicConnection {
  readonly config: ProviderConfig;
  readonly baseUrl: string;
  /** For answers that are held whole. */
  readonly client: Anthropic;
  /** For batches, whose requests and results are streams. */
  readonly streaming: Anthropic;
  close(): Promise<void>;
}

/** The largest delay a timer takes; the package's own time limit cannot be switched off. */
const never = 2 ** 31 - 1;

/** Connects lazily. Throws an Error where the base URL, the key or a header cannot be used at all. */
export function connectAnthropic(config: ProviderConfig, timeoutMs: number): AnthropicConnection {
  const baseUrl = normalizeAnthropicBaseUrl(config.baseUrl);
  const { origin } = new URL(baseUrl);
  const headers = requestHeaders({ ...config, protocol: 'anthropic' });
  const thin = createThinFetch({ origin, headers, timeoutMs });
  const stream = createStreamFetch({ origin, headers, progressMs: timeoutMs });
  return {
    config,
    baseUrl,
    client: clientOf(config, baseUrl, thin.fetch),
    streaming: clientOf(config, baseUrl, stream.fetch),
    async close() {
      await Promise.all([thin.close(), stream.close()]);
    },
  };
}

function clientOf(config: ProviderConfig, baseURL: string, fetch: typeof globalThis.fetch) {
  return new Anthropic({
    baseURL,
    defaultQuery: config.query,
    // With one given the package looks for no other; the real key goes out with our own headers and is never in its reach.
    apiKey: 'unused',
    // Null, or the package reads it from the environment.
    webhookKey: null,
    maxRetries: 0,
    timeout: never,
    // At ANTHROPIC_LOG=debug it would log prompts, and with a tracer trace them.
    logLevel: 'off',
    openTelemetry: false,
    fetch,
  });
}
