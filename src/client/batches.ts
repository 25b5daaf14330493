/** Batches: submitted, listed, and found by their ids. */
import { Batch } from './batch.ts';
import { Files } from './files.ts';
import { found } from './found.ts';
import { splitOperation } from './inputs.ts';
import { readPages } from './pages.ts';
import { upper } from './shapes.ts';
import { readSource, uploadItems } from './source.ts';
import type { SubmitBatch, SubmitOptions, SubmitSettings } from './submit-types.ts';
import type { Transport } from './transport.ts';
import type { BatchStatus, CallOptions, OperationName, WinnowFile } from './types.ts';
import type { SubmitBatchInput } from './wire.ts';

export interface BatchListOptions extends CallOptions {
  /** Only batches with one of these statuses. */
  status?: BatchStatus | readonly BatchStatus[] | undefined;
  /** Only batches of one of these operations. */
  operation?: OperationName | readonly OperationName[] | undefined;
  /** Only batches whose name contains this text, in upper or lower case. */
  name?: string | undefined;
  createdAfter?: Date | string | undefined;
  createdBefore?: Date | string | undefined;
  /** Only the batch that was submitted with this key. */
  idempotencyKey?: string | undefined;
}

const listPage = 100;

export class Batches {
  readonly #transport: Transport;
  readonly #files: Files;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#files = new Files(transport);
  }

  /**
   * Stores the items and starts the batch. Sent again with the same idempotency key where the
   * connection is lost, so that it is one batch. A large array is not uploaded where there is a
   * batch under the key that was given. Throws BadUserInput for a wrong input and NotFound for an
   * unknown file.
   */
  readonly submit: SubmitBatch = async (options: SubmitOptions): Promise<Batch<never>> => {
    const { operation, rest } = splitOperation<SubmitSettings>(options);
    const { source, signal, execution, idempotencyKey, ...settings } = rest;
    const ready = readSource(source);
    const input: Omit<SubmitBatchInput, 'source'> = {
      ...settings,
      operation,
      execution: execution && upper(execution),
      idempotencyKey: idempotencyKey ?? newKey(),
    };
    if ('input' in ready) return await this.#send({ ...input, source: ready.input }, signal);
    if (idempotencyKey) {
      for await (const batch of this.list({ idempotencyKey, signal })) return batch as Batch<never>;
    }
    const file = await uploadItems(this.#files, ready.items, signal);
    return await this.#sendOver(file, input, signal);
  };

  /** Throws NotFound for an unknown id. */
  async get<Output = unknown>(id: string, { signal }: CallOptions = {}): Promise<Batch<Output>> {
    const { batch } = await this.#transport.ask('Batch', { id }, { signal, again: true });
    return new Batch(this.#transport, found(batch, 'batch', id));
  }

  /** Batches of the owner, newest first. */
  async *list(options: BatchListOptions = {}): AsyncGenerator<Batch, void> {
    const { signal, status, operation, createdAfter, createdBefore, ...filter } = options;
    const variables = {
      filter: {
        ...filter,
        status: status && [status].flat().map((one) => upper(one)),
        operation: operation && [operation].flat().map((one) => upper(one)),
        createdAfter: toTime(createdAfter),
        createdBefore: toTime(createdBefore),
      },
    };
    const read = async (page: { first: number; after: string | null }) =>
      (await this.#transport.ask('Batches', { ...variables, ...page }, { signal, again: true }))
        .batches;
    for await (const fields of readPages(read, listPage)) yield new Batch(this.#transport, fields);
  }

  async #send(input: SubmitBatchInput, signal?: AbortSignal): Promise<Batch<never>> {
    const call = { signal, again: true };
    const { submitBatch } = await this.#transport.ask('SubmitBatch', { input }, call);
    return new Batch(this.#transport, submitBatch.batch);
  }

  /** A file that no batch came of is deleted. */
  async #sendOver(
    { id }: WinnowFile,
    input: Omit<SubmitBatchInput, 'source'>,
    signal?: AbortSignal,
  ): Promise<Batch<never>> {
    try {
      return await this.#send({ ...input, source: { fileId: id } }, signal);
    } catch (error) {
      await this.#files.delete(id).catch(() => undefined); // the first failure tells more
      throw error;
    }
  }
}

function toTime(time: Date | string | undefined): string | undefined {
  return time instanceof Date ? time.toISOString() : time;
}

function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `client-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
