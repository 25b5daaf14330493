/**
 * Anthropic's Message Batches
 * (https://platform.claude.com/docs/en/build-with-claude/batch-processing). Requests go in with the
 * call that creates the batch. Results come back as a stream of lines.
 */
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BatchApi, Job } from '../batch-api.ts';
import { createBatchCalls } from '../batch-calls.ts';
import { ModelError } from '../model-error.ts';
import { pricesOf } from '../prices.ts';
import type { BatchOptions } from '../provider-model.ts';
import { createBatchBody, framingBytes } from './batch-body.ts';
import { readResults } from './batch-results.ts';
import type { AnthropicConnection } from './connection.ts';
import { anthropicFailures } from './failure.ts';
import { readJob } from './job.ts';
import { findJob } from './lost-job.ts';

const batchesPath = '/v1/messages/batches';

/** Limits of one batch, as documented. */
const limits = { requests: 100_000, bytes: 256 * 1024 * 1024 };

/** `timeoutMs` is for a call whose answer is small. */
export function createMessageBatches(
  { config, client, streaming, baseUrl }: AnthropicConnection,
  { name, timeoutMs, bodyOf, learn }: BatchOptions & { timeoutMs: number },
): BatchApi {
  const provider = config.name;
  const prices = pricesOf(config, name).batch;
  const { show, ask, stream } = createBatchCalls({
    config,
    timeoutMs,
    failures: anthropicFailures,
  });
  const { isStatusError } = anthropicFailures;
  const { origin } = new URL(baseUrl);

  const pathOf = (providerId: string) => `${batchesPath}/${encodeURIComponent(providerId)}`;

  const toJob = (batch: unknown): Job => readJob(batch, { provider, baseUrl, path: batchesPath });

  async function retrieve(providerId: string, signal: AbortSignal): Promise<Job> {
    return ask({ asked: 'a batch', signal }, async (signal) =>
      toJob(await jsonOf(client.get(pathOf(providerId), { signal }))),
    );
  }

  function results(url: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return stream({ asked: 'a file', signal }, async (signal) => {
      const address = new URL(url);
      if (address.origin !== origin) {
        throw new ModelError(
          { kind: 'batch', code: 'INTERNAL' },
          `The results of ${provider} are said to be on another server (${show(address.origin)}), where its key is not sent.`,
        );
      }
      const response = await streaming.get(url, { signal }).asResponse();
      // The stream fetch's body is its chunks, made to be iterated.
      const chunks = response.body as AsyncIterable<Uint8Array> | null;
      const isZipped = response.headers.get('content-encoding') === 'gzip';
      return chunks && isZipped ? unzipped(chunks) : chunks;
    });
  }

  return {
    limits,
    framingBytes,
    encode: (customId, request) => JSON.stringify({ custom_id: customId, params: bodyOf(request) }),
    upload: async () => null,
    discard: async () => undefined,
    async create({ input }, signal) {
      if (input === null) throw new TypeError('A message batch is created with its input.');
      return ask({ asked: 'the API', signal, isStream: true }, async (signal) => {
        const file = await open(input.path);
        try {
          const { headers, body } = await createBatchBody(file);
          return toJob(await jsonOf(streaming.post(batchesPath, { body, headers, signal })));
        } finally {
          await file.close();
        }
      });
    },
    find: (job, signal) =>
      findJob(
        {
          page: ({ limit, after }) =>
            ask({ asked: 'the API', signal }, (signal) => {
              const query = { limit, ...(after === undefined ? {} : { after_id: after }) };
              return jsonOf(client.get(batchesPath, { signal, query }));
            }),
          results: (url) => results(url, signal),
          read: toJob,
          provider,
        },
        job,
      ),
    retrieve,
    async cancel(providerId, signal) {
      return ask({ asked: 'a batch', signal }, async (signal) => {
        try {
          const path = `${pathOf(providerId)}/cancel`;
          return toJob(await jsonOf(client.post(path, { signal })));
        } catch (error) {
          // A batch that has ended cannot be cancelled, which is not an error here.
          if (!isStatusError(error) || (error.status !== 400 && error.status !== 409)) throw error;
          const job = await retrieve(providerId, signal);
          if (job.phase === 'working') throw error;
          return job;
        }
      });
    },
    results: (url, { whole, signal }) =>
      readResults(results(url, signal), { whole, provider, prices, learn, quote: show }),
  };
}

/** Throws a SyntaxError where the answer is not JSON. */
async function jsonOf(sent: { asResponse(): Promise<Response> }): Promise<unknown> {
  return JSON.parse(await (await sent.asResponse()).text());
}

/** Some gateways zip what nobody asked them to. */
function unzipped(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  // The reader of the end of the pipeline hears of its errors.
  return pipeline(Readable.from(chunks), createGunzip(), () => {});
}
