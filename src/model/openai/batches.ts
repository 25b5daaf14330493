/**
 * OpenAI's Files and Batch API (https://platform.openai.com/docs/guides/batch), which Azure, Groq
 * and others also speak. The package's types of answers promise more than a server keeps.
 */
import { open } from 'node:fs/promises';
import type { BatchCreateParams } from 'openai/resources/batches';
import { isRecord } from '../../core/json.ts';
import type { BatchApi, Job } from '../batch-api.ts';
import { createBatchCalls } from '../batch-calls.ts';
import { splitLines } from '../json-lines.ts';
import { pricesOf } from '../prices.ts';
import type { BatchOptions } from '../provider-model.ts';
import { readId, unusable } from '../read.ts';
import { maxBodyBytes } from '../thin-fetch.ts';
import { readBatchLine } from './batch-line.ts';
import type { BatchConnection } from './connection.ts';
import { openAiFailures } from './failure.ts';
import { readJob, readResultFiles } from './job.ts';
import { findJob, jobIdKey, uploadName } from './lost-job.ts';
import { createUpload } from './upload.ts';

/**
 * Limits of one batch, by the reference of `POST /batches`. A megabyte is read as a million bytes.
 */
const limits = { requests: 50_000, bytes: 200_000_000 };

export function createOpenAiBatches(
  { config, client, endpoint, timeoutMs }: BatchConnection,
  { name, bodyOf, learn }: BatchOptions,
): BatchApi {
  const provider = config.name;
  const prices = pricesOf(config, name).batch;
  const { show, ask, stream } = createBatchCalls({ config, timeoutMs, failures: openAiFailures });
  const { isStatusError } = openAiFailures;
  const read = (batch: unknown) => readJob(batch, { provider, quote: show });

  async function retrieve(id: string, signal: AbortSignal): Promise<Job> {
    return ask({ asked: 'a batch', signal }, async (signal) =>
      read(await client.batches.retrieve(id, { signal })),
    );
  }

  /** Null where the provider has no such file, or no name for it. */
  async function fileName(fileId: string, signal: AbortSignal): Promise<string | null> {
    return ask({ asked: 'a file', signal }, async (signal) => {
      try {
        const file: unknown = await client.files.retrieve(fileId, { signal });
        return isRecord(file) && typeof file.filename === 'string' ? file.filename : null;
      } catch (error) {
        if (isStatusError(error) && error.status === 404) return null;
        throw error;
      }
    });
  }

  /** The bytes of a file of results. */
  function download(fileId: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return stream({ asked: 'a file', signal }, async (signal) => {
      const { body } = await client.files.content(fileId, { signal });
      return body;
    });
  }

  return {
    limits,
    // The newline after the last line.
    framingBytes: 1,
    encode(customId, request) {
      const line = { custom_id: customId, method: 'POST', url: endpoint, body: bodyOf(request) };
      return JSON.stringify(line).replace(lineBreaks, escaped);
    },
    async upload({ path, jobId }, signal) {
      const file = await open(path);
      try {
        const { headers, body } = await createUpload(file, {
          name: uploadName(jobId),
          fields: { purpose: 'batch' },
        });
        // Not files.create, which would send a body of unknown length or want the file as a Blob.
        const answer = await ask({ asked: 'the API', signal, isStream: true }, (signal) =>
          client.post('/files', { body, headers, signal }),
        );
        const id = isRecord(answer) ? readId(answer.id) : null;
        if (id === null) throw unusable(`${provider} answered an upload without a file id.`);
        return id;
      } finally {
        await file.close();
      }
    },
    async discard(inputId, signal) {
      await ask({ asked: 'a file', signal }, (signal) => client.files.delete(inputId, { signal }));
    },
    async create({ jobId, inputId }, signal) {
      if (inputId === null) throw new TypeError('A batch of OpenAI is created from an upload.');
      return ask({ asked: 'the API', signal }, async (signal) =>
        read(
          await client.batches.create(
            {
              input_file_id: inputId,
              // The package knows OpenAI's own paths; Azure's older addresses have another.
              endpoint: endpoint as BatchCreateParams['endpoint'],
              completion_window: '24h',
              metadata: { [jobIdKey]: jobId },
            },
            { signal },
          ),
        ),
      );
    },
    find: (job, signal) =>
      findJob(
        {
          provider,
          read,
          // Not batches.list, which takes any answer for an empty list.
          page: (query) =>
            ask({ asked: 'the API', signal }, (signal) =>
              client.get('/batches', { query: { ...query }, signal }),
            ),
          fileName: (fileId) => fileName(fileId, signal),
        },
        job,
      ),
    retrieve,
    async cancel(id, signal) {
      const cancelled = await ask({ asked: 'a batch', signal }, async (signal) => {
        try {
          return read(await client.batches.cancel(id, { signal }));
        } catch (error) {
          // It has ended, as a look at it tells, or the look will be refused for the same reason.
          if (isStatusError(error) && (error.status === 400 || error.status === 409)) return null;
          throw error;
        }
      });
      return cancelled ?? retrieve(id, signal);
    },
    async *results(results, { whole, signal }) {
      const { output, errors } = readResultFiles(results);
      for (const fileId of [output, errors]) {
        if (fileId === null) continue;
        for await (const line of splitLines(download(fileId, signal), maxBodyBytes)) {
          yield readBatchLine(line, { provider, prices, quote: show, whole, learn });
        }
      }
    },
  };
}

/** They end a line for some readers of lines; in JSON they stand in strings only. */
const lineBreaks = /[\u0085\u2028\u2029]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
