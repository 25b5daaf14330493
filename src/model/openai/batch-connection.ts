/**
 * Where one provider's batch API is, and how to reach it through the openai package: as in live calls, the package's retries, time limit and headers
 * are off. A client of its own, for files that are streamed.
 */
import OpenAI from 'openai';
import { batchAddress, requestHeaders } from '../endpoint.ts';
import type { ProviderConfig } from '../model.ts';
import { createStreamFetch } from '../stream-fetch.ts';

/** Shared by the provider's models. */
export interface BatchConnection {
  readonly config: ProviderConfig;
  readonly client: OpenAI;
  /** The path that requests of a batch are for, in the provider's words. */
  readonly endpoint: string;
  /** One deadline over each call but uploads and downloads, which go on for as long as they move. */
  readonly timeoutMs: number;
  close(): Promise<void>;
}

/** The largest delay a timer takes; the package's own time limit cannot be switched off. */
const never = 2 ** 31 - 1;
const usualProgressMs = 60_000;

/** Connects lazily. Throws an Error where the base URL, the key or a header cannot be used at all. */
export function connectBatches(
  config: ProviderConfig,
  {
    timeoutMs,
    progressMs = usualProgressMs,
  }: {
    timeoutMs: number;
    /** Until an upload or a download that does not move is given up. */
    progressMs?: number;
  },
): BatchConnection {
  const { baseUrl, endpoint } = batchAddress(config.baseUrl);
  const stream = createStreamFetch({
    origin: new URL(baseUrl).origin,
    headers: requestHeaders(config),
    progressMs,
  });
  const client = new OpenAI({
    baseURL: baseUrl,
    defaultQuery: config.query,
    // The package wants one; the real key goes out with the fetch's headers and is never in the package's reach.
    apiKey: 'unused',
    // Null, or the package reads them from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: never,
    // At OPENAI_LOG=debug it would log what is sent.
    logLevel: 'off',
    fetch: stream.fetch,
  });
  return { config, client, endpoint, timeoutMs, close: stream.close };
}
