/**
 * Anthropic's Message Batches (https://platform.claude.com/docs/en/build-with-claude/batch-processing): requests go in with the call that
 * creates the batch, and results come back as a stream of lines.
 */

import { setMaxListeners } from 'node:events';
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type Asked, absenceOf } from '../batch-absence.ts';
import type { BatchApi, BatchInput, Job } from '../batch-api.ts';
import { ModelError, type ModelRequest } from '../model.ts';
import type { Prices } from '../prices.ts';
import { quote, secretsOf } from '../redact.ts';
import { parseRetryAfter } from '../retry-after.ts';
import { timedOut } from '../transport.ts';
import { createBatchBody, framingBytes } from './batch-body.ts';
import { readResults } from './batch-results.ts';
import type { AnthropicConnection } from './connection.ts';
import { failureOf, isStatusError, refusalOf, translateTransport } from './failure.ts';
import type { Habits } from './habits.ts';
import { readJob, unusable } from './job.ts';
import { findJob } from './lost-job.ts';

const batchesPath = '/v1/messages/batches';

/** Of one batch, as documented. */
const limits = { requests: 100_000, bytes: 256 * 1024 * 1024 };

export function createMessageBatches({
  connection,
  timeoutMs,
  prices,
  habits,
  paramsOf,
}: {
  connection: AnthropicConnection;
  /** Of a call whose answer is small; and of a stream, how long nothing may move. */
  timeoutMs: number;
  /** Of batches. */
  prices: Prices;
  habits: Habits;
  paramsOf: (request: ModelRequest) => Record<string, unknown>;
}): BatchApi {
  const { config, client, streaming, baseUrl } = connection;
  const provider = config.name;
  const secrets = secretsOf(config);
  const show = (message: string) => quote(message, { secrets });
  const { origin } = new URL(baseUrl);

  function translate(error: unknown, asked: Asked): ModelError {
    if (error instanceof ModelError) return error;
    if (!isStatusError(error)) return translateTransport(error, provider);
    const refusal = refusalOf(error.status, error.error);
    const words = show(refusal.message);
    const retryAfterMs = parseRetryAfter((header) => error.headers.get(header), Date.now());
    return (
      absenceOf(error.status, { asked, provider, words }) ??
      failureOf(refusal, { provider, quote: show, retryAfterMs })
    );
  }

  /** One call under a deadline of its own. Its answer is JSON. */
  async function call(
    method: 'get' | 'post',
    path: string,
    { signal, query }: { signal: AbortSignal; query?: Record<string, unknown> },
  ): Promise<unknown> {
    signal.throwIfAborted();
    setMaxListeners(0, signal);
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await client[method](path, {
        signal: AbortSignal.any([signal, deadline]),
        ...(query ? { query } : undefined),
      }).asResponse();
      return parse(await response.text());
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.aborted) throw timedOut(provider, timeoutMs);
      throw error;
    }
  }

  function parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw unusable(`${provider} answered with something that is not JSON.`);
    }
  }

  const toJob = (batch: unknown): Job => readJob(batch, { provider, baseUrl, path: batchesPath });

  const pathOf = (providerId: string) => `${batchesPath}/${encodeURIComponent(providerId)}`;

  async function retrieve(providerId: string, signal: AbortSignal): Promise<Job> {
    return toJob(await call('get', pathOf(providerId), { signal }));
  }

  async function create(input: BatchInput, signal: AbortSignal): Promise<Job> {
    const file = await open(input.path);
    try {
      const { headers, body } = await createBatchBody(file);
      const sent = streaming.post(batchesPath, { body, headers, signal });
      return toJob(parse(await (await sent.asResponse()).text()));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error;
    } finally {
      await file.close();
    }
  }

  async function* results(url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    signal.throwIfAborted();
    setMaxListeners(0, signal);
    const address = new URL(url);
    if (address.origin !== origin) {
      throw new ModelError(
        { kind: 'batch', code: 'INTERNAL' },
        `The results of ${provider} are said to be on another server (${show(address.origin)}), where its key is not sent.`,
      );
    }
    try {
      const response = await streaming.get(url, { signal }).asResponse();
      // The stream fetch's body is its chunks, made to be iterated.
      const chunks = response.body as AsyncIterable<Uint8Array> | null;
      const isZipped = response.headers.get('content-encoding') === 'gzip';
      if (chunks) yield* isZipped ? unzipped(chunks) : chunks;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw translate(error, 'a file');
    }
  }

  /** Rejects with ModelErrors alone, or with the signal's reason. */
  async function guarded<T>(
    { signal, asked }: { signal: AbortSignal; asked: Asked },
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw translate(error, asked);
    }
  }

  return {
    limits,
    framingBytes,
    encode: (customId, request) =>
      JSON.stringify({ custom_id: customId, params: paramsOf(request) }),
    upload: async () => null,
    discard: async () => undefined,
    create({ input }, signal) {
      if (input === null) throw new TypeError('A message batch is created with its input.');
      return guarded({ signal, asked: 'the API' }, () => create(input, signal));
    },
    find: (job, signal) =>
      guarded({ signal, asked: 'the API' }, () =>
        findJob(
          {
            page: (query) => call('get', batchesPath, { signal, query }),
            results: (url) => results(url, signal),
            read: toJob,
            provider,
          },
          job,
        ),
      ),
    retrieve: (providerId, signal) =>
      guarded({ signal, asked: 'a batch' }, () => retrieve(providerId, signal)),
    cancel: (providerId, signal) =>
      guarded({ signal, asked: 'a batch' }, async () => {
        try {
          return toJob(await call('post', `${pathOf(providerId)}/cancel`, { signal }));
        } catch (error) {
          // One that has ended cannot be cancelled, which is no error.
          if (!isStatusError(error) || (error.status !== 400 && error.status !== 409)) throw error;
          const job = await retrieve(providerId, signal);
          if (job.phase === 'working') throw error;
          return job;
        }
      }),
    results: (url, { whole, signal }) =>
      readResults(results(url, signal), { whole, provider, prices, habits, quote: show }),
  };
}

/** Some gateways zip what nobody asked them to. */
function unzipped(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // Whoever reads the end of the pipeline hears of its errors.
  return pipeline(Readable.from(chunks), createGunzip(), () => {});
}
