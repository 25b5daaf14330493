/** Connections to Anthropic's API through @anthropic-ai/sdk. */
import Anthropic from '@anthropic-ai/sdk';
import { normalizeAnthropicBaseUrl, requestHeaders } from '../endpoint.ts';
import { packageOptions } from '../http.ts';
import type { Connecting } from '../model.ts';
import type { ProviderConfig } from '../provider-config.ts';
import { createStreamFetch } from '../stream-fetch.ts';
import { createThinFetch } from '../thin-fetch.ts';

export interface AnthropicConnection {
  readonly config: ProviderConfig;
  readonly baseUrl: string;
  /** For answers that are held whole. */
  readonly client: Anthropic;
  /** Connections of `client` that are being made. */
  readonly connecting: Connecting;
  /** For batches, whose requests and results are streams, and for answers in pieces. */
  readonly streaming: Anthropic;
  close(): Promise<void>;
}

/** Connects lazily. Throws an Error where the base URL, the key or a header cannot be used. */
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
    connecting: thin.connecting,
    streaming: clientOf(config, baseUrl, stream.fetch),
    async close() {
      await Promise.all([thin.close(), stream.close()]);
    },
  };
}

function clientOf(config: ProviderConfig, baseURL: string, fetch: typeof globalThis.fetch) {
  return new Anthropic({
    ...packageOptions(config, { baseURL, fetch }),
    // Null, or the package reads it from the environment.
    webhookKey: null,
    // With a tracer it would trace prompts.
    openTelemetry: false,
  });
}
