/**
 * Speaks OpenAI's Files and Batch API (https://platform.openai.com/docs/guides/batch), which Azure, Groq and others also speak, through the openai
 * package. What it answers is read as something from outside: the package's types promise more than a server keeps.
 */
import { setMaxListeners } from 'node:events';
import { open } from 'node:fs/promises';
import type { BatchCreateParams } from 'openai/resources/batches';
import { isRecord } from '../../core/json-record.ts';
import type { Asked } from '../batch-absence.ts';
import type { BatchApi, Job } from '../batch-api.ts';
import type { Refusal } from '../failure.ts';
import { splitLines } from '../json-lines.ts';
import type { ModelRequest } from '../model.ts';
import { atBatchPrices, createPrices } from '../prices.ts';
import { quote, secretsOf } from '../redact.ts';
import { maxBodyBytes } from '../thin-fetch.ts';
import { timedOut } from '../transport.ts';
import type { BatchConnection } from './batch-connection.ts';
import { translateCall } from './batch-failure.ts';
import { readBatchLine } from './batch-line.ts';
import { isStatusError } from './failure.ts';
import { readId, readJob, readResultFiles, unusable } from './job.ts';
import { findJob, intentKey, uploadName } from './lost-job.ts';
import { createUpload } from './upload.ts';

/** Of one batch, by the reference of `POST /batches`; megabytes are taken for a million bytes, the stricter reading. */
const limits = { requests: 50_000, bytes: 200_000_000 };

/**
 * The batch API for the model `name`. `bodyOf` is what a live call would send for a request just now; `learn` takes in what the model refused, and says
 * whether that changes what is sent.
 */
export function createOpenAiBatches({
  connection: { config, client, endpoint, timeoutMs },
  name,
  bodyOf,
  learn,
}: {
  connection: BatchConnection;
  name: string;
  bodyOf: (request: ModelRequest) => Record<string, unknown>;
  learn: (refusal: Refusal) => boolean;
}): BatchApi {
  const provider = config.name;
  const prices = atBatchPrices(createPrices(provider, name));
  const secrets = secretsOf(config);
  const show = (message: string) => quote(message, { secrets });
  const read = (batch: unknown) => readJob(batch, { provider, quote: show });

  /** One call: ends with the caller's signal and, where it has one, at its deadline. */
  function begin(asked: Asked, signal: AbortSignal, deadlineMs: number | null = timeoutMs) {
    signal.throwIfAborted();
    // Node 20 warns of a leak when an eleventh call shares a signal.
    setMaxListeners(0, signal);
    const call = new AbortController();
    const abort = () => call.abort(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const timer = deadlineMs === null ? null : setTimeout(() => call.abort(), deadlineMs);
    return {
      signal: call.signal,
      /** What to throw for `error`. */
      failure(error: unknown): unknown {
        if (signal.aborted) return signal.reason;
        return call.signal.aborted
          ? timedOut(provider, timeoutMs)
          : translateCall(error, { asked, provider, quote: show });
      },
      end() {
        if (timer) clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      },
    };
  }

  async function ask<T>(
    call: ReturnType<typeof begin>,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await work(call.signal);
    } catch (error) {
      throw call.failure(error);
    } finally {
      call.end();
    }
  }

  async function retrieve(id: string, signal: AbortSignal): Promise<Job> {
    return ask(begin('a batch', signal), async (signal) =>
      read(await client.batches.retrieve(id, { signal })),
    );
  }

  /** Null where the provider has no such file, or no name for it. */
  async function fileName(fileId: string, signal: AbortSignal): Promise<string | null> {
    return ask(begin('a file', signal), async (signal) => {
      try {
        const file: unknown = await client.files.retrieve(fileId, { signal });
        return isRecord(file) && typeof file.filename === 'string' ? file.filename : null;
      } catch (error) {
        if (isStatusError(error) && error.status === 404) return null;
        throw error;
      }
    });
  }

  /** The lines of a file of results; null for each that is too long to be one. */
  async function* download(fileId: string, signal: AbortSignal): AsyncGenerator<string | null> {
    const call = begin('a file', signal, null);
    try {
      const { body } = await client.files.content(fileId, { signal: call.signal });
      if (body) yield* splitLines(body, maxBodyBytes);
    } catch (error) {
      throw call.failure(error);
    } finally {
      call.end();
    }
  }

  return {
    limits,
    // The newline after the last line.
    framingBytes: 1,
    encode(customId, request) {
      const line = { custom_id: customId, method: 'POST', url: endpoint, body: bodyOf(request) };
      return JSON.stringify(line).replace(lineBreaks, escaped);
    },
    async upload({ path, intent }, signal) {
      const file = await open(path);
      try {
        const { headers, body } = await createUpload(file, {
          name: uploadName(intent),
          fields: { purpose: 'batch' },
        });
        // Not files.create, which would send a body of unknown length or want the file as a Blob.
        const answer = await ask(begin('the API', signal, null), (signal) =>
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
      await ask(begin('a file', signal), (signal) => client.files.delete(inputId, { signal }));
    },
    async create({ intent, inputId }, signal) {
      if (inputId === null) throw new TypeError('A batch of OpenAI is created from an upload.');
      return ask(begin('the API', signal), async (signal) =>
        read(
          await client.batches.create(
            {
              input_file_id: inputId,
              // The package knows OpenAI's own paths; Azure's older addresses have another.
              endpoint: endpoint as BatchCreateParams['endpoint'],
              completion_window: '24h',
              metadata: { [intentKey]: intent },
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
            ask(begin('the API', signal), (signal) => client.get('/batches', { query, signal })),
          fileName: (fileId) => fileName(fileId, signal),
        },
        job,
      ),
    retrieve,
    async cancel(id, signal) {
      const cancelled = await ask(begin('a batch', signal), async (signal) => {
        try {
          return read(await client.batches.cancel(id, { signal }));
        } catch (error) {
          // It has ended, as a look at it tells, or it is refused for a reason that the look is refused for as well.
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
        for await (const line of download(fileId, signal)) {
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
