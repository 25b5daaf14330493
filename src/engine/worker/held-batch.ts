import type { ChunkTrace, TraceContext } from '../../core/trace.ts';
import type { BatchPlan } from '../../db/batch-plans.ts';
import type { ClaimedChunk } from '../../db/chunks.ts';
import type { OpenItem } from '../../db/items.ts';
import { aloneFromCrashes } from '../../db/reclaims.ts';
import type { NewResult } from '../../db/results.ts';
import type { Unanswered } from '../../db/unanswered.ts';
import { decodeRow } from '../../files/decoded-row.ts';
import { type RowFile, rowFileOf } from '../../files/row.ts';
import type { Gate } from '../../model/limits/permit.ts';
import type { CallOrigin, Telling } from '../../telemetry/events.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import { startItem } from '../run/execute.ts';
import type { ItemRun } from '../run/item-run.ts';
import type { Plan } from '../run/plan.ts';

/** A chunk in a worker's hands. `unrecorded` items of it have no row in `results` yet. */
export interface HeldChunk extends ClaimedChunk {
  unrecorded: number;
  /**
   * What was not sent of it has been given back. What comes back without a final answer is put
   * `aside`, and given back when nothing else is left of it. `isGiving`: a statement that gives
   * some or all of it back is due or under way, and it is held until that has ended. Null while it
   * is worked on.
   */
  leaving: { aside: HeldItem[]; isGiving: boolean } | null;
  /** Told with each of its calls. */
  readonly origin: CallOrigin;
  /** Its span until that has ended, and when it began; null where traces are off. */
  span: { trace: ChunkTrace; beganAt: number } | null;
}

/**
 * An item in a worker's hands. Its run is made when it is first sent, so that a large buffer stays
 * small.
 */
export interface HeldItem {
  readonly index: number;
  readonly chunk: HeldChunk;
  run(): ItemRun;
  /** The gate of the model that it goes to. */
  gate(): Gate;
  /** A request for it may have gone out. */
  sent: boolean;
  /** What it has cost so far; null where it was never sent. */
  spent(): Pick<ItemRun, 'attempts' | 'usage' | 'cutOff'> | null;
  /** Its next request is beyond its first, and waits for a mark of its own. */
  isRepeat: boolean;
  /** Requests beyond its first that were marked. */
  repeats: number;
}

/**
 * What a worker holds of one batch: chunks under lease, items ready to be sent, answers not yet
 * stored, and the means to stop them all. Items go out in the order of `ready`, so that a mark says
 * what may have been sent. An item that waits for another try comes back in front, or behind what
 * is marked where its next request has to be marked as well.
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
  /** Told with each of its calls, and the span of its chunk where there is one. */
  readonly origin: CallOrigin;
  /** What lines of the log say of it. */
  readonly about: object;
  /** Its span; null where traces are off. */
  readonly trace: TraceContext | null;
  /** Some of its items take the answers of others. */
  readonly hasTwins: boolean;
  /** Items of the whole batch that are asked. */
  readonly askedItems: number;
  /** Whether its prompts are marked for the provider's cache; null: where it pays. */
  readonly promptCaching: boolean | null;
  /** It may cost so much at most. */
  isBounded: boolean;
  /** The items that it had open when it was taken were those of its preview. */
  readonly isInPreview: boolean;
  /** Aborts its calls and its waiting items. */
  readonly abort: AbortController;
  readonly chunks: Map<number, HeldChunk>;
  /** Changed by this file alone, which counts it in the worker's state. */
  readonly ready: HeldItem[];
  /** Items of `ready`, behind those that are marked, whose mark is under way. */
  marking: number;
  /** There may be chunks of it that nobody holds. */
  mayHaveMore: boolean;
  /** Items that wait for another try. */
  waiting: number;
  inFlight: number;
  /** Items that are let go of without an answer. */
  readonly unanswered: HeldItem[];
  /** Answers that no flush has taken yet. */
  readonly answers: NewResult[];
  /** When the oldest of `answers` came, by the worker's clock. */
  oldestAt: number;
  /** Answers that are not stored yet: `answers`, and those of the flush under way. */
  unwritten: number;
  /** Others wait for the places of its answers, or no more answers will come. */
  isHurried: boolean;
  isFlushing: boolean;
  /** The end of its give-backs, which go one after another. Never rejects. */
  givingBack: Promise<void>;
  /** Its end: set once it is being let go of before all of it is done. */
  dropping: Promise<void> | null;
  /** Its lease is lost, or the batch has gone: nothing of it is written any more. */
  isForgotten: boolean;
  /** Told when no call is under way any more. */
  onIdle: (() => void) | null;
  /** Told when every answer is stored, or given up. */
  onDrained: (() => void) | null;
}

/** What this file counts in the worker's state. */
interface ReadyCount {
  /** Items of all batches that wait to be sent. */
  ready: number;
}

export function holdBatch(
  {
    key,
    id,
    owner,
    fileKey,
    file,
    reading,
    twins,
    total,
    promptCaching,
    maxCostUsd,
    isInPreview,
    traceparent,
  }: BatchPlan,
  {
    worker,
    plan,
    events,
    tracing,
  }: Pick<HeldBatch, 'worker' | 'plan'> & { events: Telling; tracing: BatchTracing | null },
): HeldBatch {
  const trace = tracing?.ofBatch({ id, traceparent }) ?? null;
  const about = trace === null ? { batchId: id } : { batchId: id, trace };
  return {
    key,
    id,
    owner,
    fileKey,
    file: rowFileOf(file, reading),
    worker,
    plan,
    origin: { lane: 'live', owner, events, about },
    about,
    trace,
    hasTwins: twins > 0,
    askedItems: total - twins,
    promptCaching,
    isBounded: maxCostUsd !== null,
    isInPreview,
    abort: new AbortController(),
    chunks: new Map(),
    ready: [],
    marking: 0,
    mayHaveMore: true,
    waiting: 0,
    inFlight: 0,
    unanswered: [],
    answers: [],
    oldestAt: 0,
    unwritten: 0,
    isHurried: false,
    isFlushing: false,
    givingBack: Promise.resolve(),
    dropping: null,
    isForgotten: false,
    onIdle: null,
    onDrained: null,
  };
}

/** Puts a claimed chunk with its unanswered items behind what is ready. */
export function holdChunk(
  count: ReadyCount,
  batch: HeldBatch,
  {
    claimed,
    items,
    tracing,
  }: { claimed: ClaimedChunk; items: readonly OpenItem[]; tracing: BatchTracing | null },
): void {
  const span = spanOf(batch, tracing);
  const origin = span
    ? { ...batch.origin, trace: span.trace, propagates: tracing?.propagates ?? false }
    : batch.origin;
  const chunk: HeldChunk = { ...claimed, unrecorded: items.length, leaving: null, origin, span };
  batch.chunks.set(chunk.first, chunk);
  for (const item of items) batch.ready.push(new ReadyItem(batch, chunk, item));
  count.ready += items.length;
}

/** What a worker asks of traces. */
export type BatchTracing = Pick<Tracing, 'ofBatch' | 'ofChunk' | 'propagates'>;

function spanOf({ trace }: HeldBatch, tracing: BatchTracing | null): HeldChunk['span'] {
  if (tracing === null || trace === null) return null;
  return { trace: tracing.ofChunk(trace), beganAt: performance.now() };
}

/** Takes the next item to be sent. */
export function takeReady(count: ReadyCount, { ready }: HeldBatch): void {
  const item = ready.shift();
  if (!item) return;
  item.sent = true;
  count.ready -= 1;
}

/** Puts an item that is to be sent again in front of all that are not marked. */
export function returnReady(count: ReadyCount, batch: HeldBatch, item: HeldItem): void {
  const { ready, marking } = batch;
  ready.splice(item.isRepeat ? countMarked(batch) + marking : 0, 0, item);
  count.ready += 1;
}

/** Nothing more of the batch is sent. */
export function clearReady(count: ReadyCount, { ready }: HeldBatch): void {
  count.ready -= ready.length;
  ready.length = 0;
}

/** A class, because there may be a million a minute. */
class ReadyItem implements HeldItem {
  readonly index: number;
  readonly chunk: HeldChunk;
  sent = false;
  isRepeat = false;
  repeats = 0;
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
    this.started ??= startItem(
      this.batch.plan,
      decodeRow(this.batch.file, this.row),
      this.chunk.origin,
    );
    return this.started;
  }

  gate(): Gate {
    const { model, modelOf } = this.batch.plan;
    return (modelOf ? this.run().model : model).gate;
  }

  spent(): ReturnType<HeldItem['spent']> {
    const { started } = this;
    return started !== null && started.usage.requests > 0 ? started : null;
  }
}

/** The item may be the one that kills workers: no other call of the process goes on beside it. */
export function runsAlone({ chunk }: HeldItem): boolean {
  return chunk.crashes >= aloneFromCrashes;
}

/** The database knows that the item may be sent. */
export function isMarked({ index, chunk, isRepeat }: HeldItem): boolean {
  return index <= chunk.sentTo && !isRepeat;
}

/** Items in front that are marked. Behind the first other, none is. */
export function countMarked({ ready }: Pick<HeldBatch, 'ready'>): number {
  let [from, to] = [0, ready.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = ready[middle];
    if (item && isMarked(item)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/**
 * Counts items that have their row now, and lets go of the chunks that are complete. One that is
 * being cut stays: what is not held is given back by other statements and claimed again, and the
 * cut could come after that.
 */
export function countRecorded(
  batch: HeldBatch,
  results: readonly Pick<NewResult, 'first'>[],
): void {
  for (const { first } of results) {
    const chunk = batch.chunks.get(first);
    if (!chunk) continue;
    chunk.unrecorded -= 1;
    if (chunk.unrecorded === 0 && !chunk.leaving?.isGiving) letGoOfChunk(batch, chunk);
  }
}

/** It is answered or given back. */
export function letGoOfChunk(batch: HeldBatch, chunk: HeldChunk): void {
  if (batch.chunks.get(chunk.first) !== chunk) return;
  batch.chunks.delete(chunk.first);
  endSpan(batch, chunk);
}

/** All that is left of it. */
export function endSpans(batch: HeldBatch): void {
  for (const chunk of batch.chunks.values()) endSpan(batch, chunk);
}

function endSpan({ id, worker, origin: { events } }: HeldBatch, chunk: HeldChunk): void {
  const { span, first, last } = chunk;
  if (span === null) return;
  chunk.span = null;
  const seconds = (performance.now() - span.beganAt) / 1_000;
  events.emit('chunk.ended', { trace: span.trace, batch: id, worker, first, last, seconds });
}

/** An item of a chunk that is being left came back without a final answer. */
export function putAside(item: HeldItem): void {
  item.chunk.leaving?.aside.push(item);
}

/** What those of these items have cost that were sent. */
export function spentOn({ plan }: HeldBatch, items: readonly HeldItem[]): Unanswered[] {
  return items.flatMap((item) => {
    const spent = item.spent();
    if (!spent) return [];
    const { attempts, usage, cutOff } = spent;
    const given = { index: item.index, first: item.chunk.first, attempts, usage, cutOff };
    return [plan.modelOf ? { ...given, model: item.run().model.id } : given];
  });
}

/** Nothing of it is left in this worker's hands. */
export function isDone({ chunks, inFlight, waiting }: HeldBatch): boolean {
  return chunks.size === 0 && inFlight === 0 && waiting === 0;
}

/** Resolves when no call of it is under way. */
export async function callsEnded(batch: HeldBatch): Promise<void> {
  if (batch.inFlight === 0) return;
  await new Promise<void>((resolve) => {
    batch.onIdle = resolve;
  });
}
