/** A batch: what it was like when the server last told of it, and what can be done with it. */

import type { BatchItem, BatchState } from './batch-types.ts';
import { BatchFailed, BatchPaused } from './errors.ts';
import { follow } from './events.ts';
import { found } from './found.ts';
import {
  type ItemsOptions,
  type ResultStream,
  type ResultsOptions,
  readItems,
  readResults,
} from './items.ts';
import {
  type OutputFormat,
  type OutputOptions,
  readOutput,
  streamOutput,
  toText,
} from './output.ts';
import type { Projection } from './quote-types.ts';
import { readRecords } from './records.ts';
import { toBatchState, toErrorCodes, waitsForResume } from './shapes.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, ItemErrorCode } from './types.ts';
import type { BatchFields } from './wire.ts';

export interface RetryOptions extends CallOptions {
  /** Only items that failed with one of these codes. Absent: all. */
  errorCodes?: readonly (ItemErrorCode | Lowercase<ItemErrorCode>)[] | undefined;
  /** Only items with these custom ids, at most 1,000. Absent: all. */
  customIds?: readonly string[] | undefined;
}

export interface ResumeOptions extends CallOptions {
  /** The most that the batch may cost from now on, what was spent included. Absent: as before. */
  maxCostUsd?: number | undefined;
}

/**
 * A batch with the state that the server last told of. `refresh` and the calls that change it bring
 * it up to date, and so does `watch`. `Output` is the type of its items' outputs.
 */
export class Batch<Output = unknown> implements BatchState {
  declare readonly id: string;
  declare readonly name: BatchState['name'];
  declare readonly status: BatchState['status'];
  declare readonly operation: BatchState['operation'];
  declare readonly model: string;
  declare readonly execution: BatchState['execution'];
  declare readonly metadata: BatchState['metadata'];
  /** Share of items in a final status, 0 to 1. */
  declare readonly progress: number;
  declare readonly counts: BatchState['counts'];
  declare readonly usage: BatchState['usage'];
  declare readonly resentRequests: number;
  declare readonly reused: BatchState['reused'];
  /** Why the whole batch was stopped, for people. */
  declare readonly error: BatchState['error'];
  /** The same for programs. */
  declare readonly errorCode: BatchState['errorCode'];
  declare readonly errorSummary: BatchState['errorSummary'];
  declare readonly itemsPerSecond: BatchState['itemsPerSecond'];
  declare readonly estimatedCompletionAt: BatchState['estimatedCompletionAt'];
  declare readonly waiting: BatchState['waiting'];
  /** Why the batch sends nothing new. Null unless it is paused. */
  declare readonly pauseReason: BatchState['pauseReason'];
  /** The same in words. */
  declare readonly pauseMessage: BatchState['pauseMessage'];
  declare readonly pausedSince: BatchState['pausedSince'];
  /** When a paused batch goes on by itself. Null where it waits for `resume`. */
  declare readonly resumesAt: BatchState['resumesAt'];
  declare readonly quote: BatchState['quote'];
  declare readonly previewItems: BatchState['previewItems'];
  declare readonly maxCostUsd: BatchState['maxCostUsd'];
  declare readonly rescue: boolean;
  declare readonly rescuedAt: BatchState['rescuedAt'];
  declare readonly webhookUrl: BatchState['webhookUrl'];
  declare readonly createdAt: Date;
  declare readonly startedAt: BatchState['startedAt'];
  declare readonly completedAt: BatchState['completedAt'];
  declare readonly cancelInitiatedAt: BatchState['cancelInitiatedAt'];
  declare readonly expiresAt: Date;
  readonly #transport: Transport;

  /** @internal */
  constructor(transport: Transport, fields: BatchFields) {
    this.#transport = transport;
    this.#take(fields);
  }

  /** Asks for the present state. Throws NotFound for a batch that was deleted. */
  async refresh({ signal }: CallOptions = {}): Promise<this> {
    const { batch } = await this.#transport.ask('Batch', { id: this.id }, { signal, again: true });
    return this.#take(found(batch, 'batch', this.id));
  }

  /**
   * The expected cost and time of the whole batch. Null before 10 answers have succeeded. Throws
   * NotFound for a batch that was deleted.
   */
  async projection({ signal }: CallOptions = {}): Promise<Projection | null> {
    const call = { signal, again: true };
    const { batch } = await this.#transport.ask('BatchProjection', { id: this.id }, call);
    return found(batch, 'batch', this.id).projection;
  }

  /** Ends the batch; stored results stay. A batch that has ended stays as it is. */
  async cancel({ signal }: CallOptions = {}): Promise<this> {
    const answer = await this.#transport.ask('CancelBatch', { id: this.id }, { signal });
    return this.#take(answer.cancelBatch.batch);
  }

  /**
   * Puts failed, expired and cancelled items back in the queue. What succeeded is never paid for
   * again. Throws Conflict while the batch is being cancelled.
   */
  async retry({ signal, errorCodes, customIds }: RetryOptions = {}): Promise<{
    batch: Batch<Output>;
    /** Items put back in the queue. */
    retriedItems: number;
  }> {
    const variables = { id: this.id, errorCodes: toErrorCodes(errorCodes), customIds };
    const { retryBatch } = await this.#transport.ask('RetryBatch', variables, { signal });
    return { batch: this.#take(retryBatch.batch), retriedItems: retryBatch.retriedItems };
  }

  /** Starts a draft. A batch with another status stays as it is. */
  async start({ signal }: CallOptions = {}): Promise<this> {
    const answer = await this.#transport.ask('StartBatch', { id: this.id }, { signal });
    return this.#take(answer.startBatch.batch);
  }

  /**
   * Sends nothing new until `resume`. Calls under way end and are recorded. A draft, and a batch
   * that has ended, stay as they are.
   */
  async pause({ signal }: CallOptions = {}): Promise<this> {
    const answer = await this.#transport.ask('PauseBatch', { id: this.id }, { signal });
    return this.#take(answer.pauseBatch.batch);
  }

  /**
   * Lets a paused batch go on. Of a batch that is not paused only the limit changes, where one is
   * given. Throws BadUserInput where the limit is used up and no higher one is given.
   */
  async resume({ signal, maxCostUsd }: ResumeOptions = {}): Promise<this> {
    const variables = { id: this.id, maxCostUsd };
    const answer = await this.#transport.ask('ResumeBatch', variables, { signal });
    return this.#take(answer.resumeBatch.batch);
  }

  /** Deletes the batch with its results. */
  async delete({ signal }: CallOptions = {}): Promise<void> {
    await this.#transport.ask('DeleteBatch', { id: this.id }, { signal });
  }

  /**
   * The state now and after every change, the final one last. Connects again by itself. Throws
   * NotFound where the batch is deleted.
   */
  async *watch({ signal }: CallOptions = {}): AsyncGenerator<BatchState, void> {
    const variables = () => ({ id: this.id });
    for await (const event of follow(this.#transport, 'BatchProgress', variables, signal)) {
      this.#take(event.batchProgress);
      yield toBatchState(event.batchProgress);
    }
  }

  /**
   * Waits for the end. Throws BatchFailed unless the batch completes; items that failed are no
   * reason. Throws BatchPaused where the batch waits for `resume`. Where it goes on by itself at
   * `resumesAt`, this waits on, up to a month.
   */
  async done(options: CallOptions = {}): Promise<this> {
    for await (const state of this.watch(options)) {
      if (waitsForResume(state)) throw new BatchPaused(this);
    }
    if (this.status !== 'completed') throw new BatchFailed(this);
    return this;
  }

  /** Succeeded and failed items as they finish, each once, whatever becomes of the connection. */
  results(options: ResultsOptions = {}): ResultStream<Output> {
    return readResults<Output>(this.#transport, this, options);
  }

  /** Items in input order, also while the batch runs. */
  items(options: ItemsOptions = {}): AsyncGenerator<BatchItem<Output>, void> {
    return readItems<Output>(this.#transport, this, options);
  }

  /** The whole output as text in the form of the route, or as items. */
  getOutput(format: 'records', options?: ItemsOptions): Promise<BatchItem<Output>[]>;
  getOutput(format: OutputFormat, options?: OutputOptions): Promise<string>;
  async getOutput(
    format: OutputFormat | 'records',
    options: ItemsOptions & OutputOptions = {},
  ): Promise<string | BatchItem<Output>[]> {
    if (format === 'records') return await readRecords<Output>(this.#transport, this, options);
    return await toText(readOutput(this.#transport, this.id, format, options));
  }

  /** The same as a stream of bytes, which goes on where the connection broke off. */
  output(format: OutputFormat, options: OutputOptions = {}): ReadableStream<Uint8Array> {
    return streamOutput(this.#transport, this.id, format, options);
  }

  #take(fields: BatchFields): this {
    return Object.assign(this, toBatchState(fields));
  }
}
