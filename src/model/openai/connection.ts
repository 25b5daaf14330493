/** Connections to a server that speaks OpenAI's protocol, through the openai package. */
import OpenAI from 'openai';
import { batchAddress, normalizeBaseUrl, requestHeaders } from '../endpoint.ts';
import { packageOptions } from '../http.ts';
import type { Connecting } from '../model.ts';
import type { ProviderConfig } from '../provider-config.ts';
import { createStreamFetch } from '../stream-fetch.ts';
import { createThinFetch } from '../thin-fetch.ts';
import { ChatClient } from './chat-client.ts';

/** One provider's connections, shared by its models. */
export interface OpenAiConnection {
  readonly config: ProviderConfig;
  /** For live calls, whose answers are held whole. */
  readonly client: ChatClient;
  /** Connections of `client` that are being made. */
  readonly connecting: Connecting;
  /** For live calls, whose answers come in pieces. */
  readonly streaming: ChatClient;
  /** Null where the configuration rules a batch API out. */
  readonly batches: BatchConnection | null;
  close(): Promise<void>;
}

/** Connections to a provider's batch API, whose files are streamed. */
export interface BatchConnection {
  readonly config: ProviderConfig;
  readonly client: OpenAI;
  /** The path that requests of a batch are for, in the provider's words. */
  readonly endpoint: string;
  /** For each call but uploads and downloads, which go on for as long as they move. */
  readonly timeoutMs: number;
  close(): Promise<void>;
}

const usualProgressMs = 60_000;

/** Null, or the package reads them from the environment. */
const nothingElse = { adminAPIKey: null, organization: null, project: null, webhookSecret: null };

/** Connects lazily. Throws an Error where the base URL, the key or a header cannot be used. */
export function connectOpenAi(config: ProviderConfig, timeoutMs: number): OpenAiConnection {
  const baseURL = normalizeBaseUrl(config.baseUrl);
  const { origin } = new URL(baseURL);
  const headers = requestHeaders(config);
  const thin = createThinFetch({ origin, headers, timeoutMs });
  const stream = createStreamFetch({ origin, headers, progressMs: timeoutMs });
  const batches = config.batches === false ? null : connectBatches(config, { timeoutMs });
  return {
    config,
    client: createOpenAiClient(config, { baseURL, fetch: thin.fetch }),
    connecting: thin.connecting,
    streaming: createOpenAiClient(config, { baseURL, fetch: stream.fetch }),
    batches,
    close: async () => {
      await Promise.all([thin.close(), stream.close(), batches?.close()]);
    },
  };
}

/** A client of live calls. */
export function createOpenAiClient(
  config: ProviderConfig,
  given: { baseURL: string; fetch: typeof globalThis.fetch },
): ChatClient {
  return new ChatClient({ ...packageOptions(config, given), ...nothingElse });
}

/** As `connectOpenAi`, for batches. `progressMs`: after which a stream that stands still ends. */
export function connectBatches(
  config: ProviderConfig,
  { timeoutMs, progressMs = usualProgressMs }: { timeoutMs: number; progressMs?: number },
): BatchConnection {
  const { baseUrl: baseURL, endpoint } = batchAddress(config.baseUrl);
  const { origin } = new URL(baseURL);
  const { fetch, close } = createStreamFetch({
    origin,
    headers: requestHeaders(config),
    progressMs,
  });
  const client = new OpenAI({ ...packageOptions(config, { baseURL, fetch }), ...nothingElse });
  return { config, client, endpoint, timeoutMs, close };
}
