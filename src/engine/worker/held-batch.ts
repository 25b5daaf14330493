import type { TraceContext } from '../../core/trace.ts';
import type { BatchPlan } from '../../db/batch-plans.ts';
import type { NewResult } from '../../db/results.ts';
import type { Unanswered } from '../../db/unanswered.ts';
import { type RowFile, rowFileOf } from '../../files/row.ts';
import type { CallOrigin, Telling } from '../../telemetry/events.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { Plan } from '../run/plan.ts';
import type { HeldChunk, HeldItem } from './held-item.ts';

/** The part of traces that a worker needs. */
export type BatchTracing = Pick<Tracing, 'ofBatch' | 'ofChunk' | 'propagates'>;

/**
 * One batch in a worker's hands: chunks under lease, items ready to be sent, answers not yet
 * stored, and the means to stop them all. Items go out in the order of `ready`, so that a mark says
 * what may have been sent. An item that waits for another try comes back in front, or behind what
 * is marked where its next request has to be marked as well.
 */
export interface HeldBatch {
  readonly key: bigint;
  readonly id: string;
  readonly owner: string;
  readonly fileKey: bigint;
  /** The file that its rows are read by. */
  readonly file: RowFile;
  /** The worker id that the leases are under. */
  readonly worker: string;
  readonly plan: Plan;
  /** Told with each of its calls, and the span of its chunk where there is one. */
  readonly origin: CallOrigin;
  /** Fields of its lines in the log. */
  readonly about: object;
  /** Its span; null where traces are off. */
  readonly trace: TraceContext | null;
  /** Some of its items take the answers of others. */
  readonly hasTwins: boolean;
  /** Items of the whole batch that are asked. */
  readonly askedItems: number;
  /** True where its prompts are marked for the provider's cache; null: where it pays. */
  readonly promptCaching: boolean | null;
  /** It may cost so much at most. */
  isBounded: boolean;
  /** A look at the month of its owner is under way. */
  isLookingAtOwner: boolean;
  /** The items that it had open when it was taken were those of its preview. */
  readonly isInPreview: boolean;
  /** Aborts its calls and its waiting items. */
  readonly abort: AbortController;
  readonly chunks: Map<number, HeldChunk>;
  /** Changed by ready-items.ts alone, which counts it in the worker's state. */
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
    isLookingAtOwner: false,
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

/** The cost of those of these items that were sent. */
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
