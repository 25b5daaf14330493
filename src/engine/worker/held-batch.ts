import type { BatchPlan } from '../../db/batches.ts';
import { aloneFromCrashes, type ClaimedChunk } from '../../db/chunks.ts';
import type { OpenItem } from '../../db/items.ts';
import type { NewResult } from '../../db/results.ts';
import { decodeRow, type RowFile, rowFileOf } from '../../files/row.ts';
import type { Gate } from '../../model/model.ts';
import { startItem } from '../run/execute.ts';
import type { ItemRun } from '../run/item-run.ts';
import type { Plan } from '../run/plan.ts';
import type { Recorder } from './recorder.ts';

/** A chunk in a worker's hands. `unrecorded` items of it have no row in `results` yet. */
interface HeldChunk extends ClaimedChunk {
  unrecorded: number;
}

/** An item in a worker's hands. Its run is made when it is first sent, so that a large buffer stays small. */
export interface HeldItem {
  readonly index: number;
  readonly chunk: HeldChunk;
  run(): ItemRun;
  /** The gate of the model that it goes to. */
  gate(): Gate;
  /** It was answered, and the answer was not good enough: whoever lets go of it now has it asked again. */
  answered: boolean;
}

/**
 * What a worker holds of one batch: chunks under lease, items ready to be sent, and the means to stop them all.
 * Items go out in the order of `ready`, so that a mark says what may have been sent; one that waits for another
 * try comes back in front, and is below the mark already.
 */
export interface HeldBatch {
  readonly key: bigint;
  readonly id: string;
  readonly owner: string;
  readonly fileKey: bigint;
  /** What its rows are read by. */
  readonly file: RowFile;
  /** The worker id that the leases are under. */
  readonly worker: string;
  readonly plan: Plan;
  readonly recorder: Recorder;
  /** Aborts its calls and its waiting items. */
  readonly abort: AbortController;
  readonly chunks: Map<number, HeldChunk>;
  readonly ready: HeldItem[];
  /** There may be chunks of it that nobody holds. */
  mayHaveMore: boolean;
  /** Items that wait for another try. */
  waiting: number;
  inFlight: number;
  /** Requests whose answer was cut off or thrown away, to be sent again by whoever comes next. */
  lost: number;
  /** Told when no call is under way any more. */
  onIdle: (() => void) | null;
}

/** By batch key. */
export type Holdings = Map<bigint, HeldBatch>;

export function holdBatch(
  { key, id, owner, fileKey, file, reading }: BatchPlan,
  { worker, plan, recorder }: Pick<HeldBatch, 'worker' | 'plan' | 'recorder'>,
): HeldBatch {
  return {
    key,
    id,
    owner,
    fileKey,
    file: rowFileOf(file, reading),
    worker,
    plan,
    recorder,
    abort: new AbortController(),
    chunks: new Map(),
    ready: [],
    mayHaveMore: true,
    waiting: 0,
    inFlight: 0,
    lost: 0,
    onIdle: null,
  };
}

/** Puts a claimed chunk with its unanswered items behind what is ready. */
export function holdChunk(
  batch: HeldBatch,
  claimed: ClaimedChunk,
  items: readonly OpenItem[],
): void {
  const chunk: HeldChunk = { ...claimed, unrecorded: items.length };
  batch.chunks.set(chunk.first, chunk);
  for (const item of items) batch.ready.push(new ReadyItem(batch, chunk, item));
}

/** A class, because there may be a million a minute. */
class ReadyItem implements HeldItem {
  readonly index: number;
  readonly chunk: HeldChunk;
  answered = false;
  private readonly batch: HeldBatch;
  private readonly row: OpenItem;
  private started: ItemRun | null = null;

  constructor(batch: HeldBatch, chunk: HeldChunk, row: OpenItem) {
    this.index = row.index;
    this.chunk = chunk;
    this.batch = batch;
    this.row = row;
  }

  run(): ItemRun {
    this.started ??= startItem(this.batch.plan, decodeRow(this.batch.file, this.row));
    return this.started;
  }

  gate(): Gate {
    const { model, modelOf } = this.batch.plan;
    return (modelOf ? this.run().model : model).gate;
  }
}

/** An item that may be the one that kills workers: no other call of this process goes on beside it. */
export function runsAlone({ chunk }: HeldItem): boolean {
  return chunk.crashes >= aloneFromCrashes;
}

/** Lets go of chunks whose items all have their row. */
export function settleRecorded(
  { chunks }: HeldBatch,
  results: readonly Pick<NewResult, 'first'>[],
): void {
  for (const { first } of results) {
    const chunk = chunks.get(first);
    if (!chunk) continue;
    chunk.unrecorded -= 1;
    if (chunk.unrecorded === 0) chunks.delete(first);
  }
}

/** Nothing of it is left in this worker's hands. */
export function isDone(batch: HeldBatch): boolean {
  return batch.chunks.size === 0 && batch.inFlight === 0 && batch.waiting === 0;
}

/** Resolves when no call of it is under way. */
export async function callsEnded(batch: HeldBatch): Promise<void> {
  if (batch.inFlight === 0) return;
  await new Promise<void>((resolve) => {
    batch.onIdle = resolve;
  });
}
