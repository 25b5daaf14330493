/**
 * All that a worker knows, as one plain object. The functions of this folder take it first; none of
 * them keeps anything of its own.
 */
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../model/limits/clock.ts';
import type { Gate } from '../../model/limits/permit.ts';
import type { Telling } from '../../telemetry/events.ts';
import type { Publisher } from '../live/publisher.ts';
import type { Lease } from '../process/lease.ts';
import type { Nudges } from '../process/nudges.ts';
import type { Plan, StoredOperation } from '../run/plan.ts';
import { createFairOrder, type FairOrder } from './fair-order.ts';
import type { BatchTracing, HeldBatch } from './held-batch.ts';
import type { HeldItem } from './held-item.ts';
import type { Statements } from './statements.ts';

export interface WorkerState extends WorkerParts {
  /** The batches that the worker holds, by key. */
  readonly batches: Map<bigint, HeldBatch>;
  /** Calls under way. */
  inFlight: number;
  /** Items of all held batches that wait to be sent. */
  ready: number;
  /** Answers of all held batches that are not stored yet. */
  unwritten: number;
  /** The one call under way is of an item in quarantine. */
  runningAlone: boolean;
  readonly marks: MarkPace;
  readonly claims: ClaimCursor;
  readonly fairOrder: FairOrder;
  /** Batches with answers that no flush has taken yet. */
  readonly answering: Set<HeldBatch>;
  /** Items that wait for another try, the soonest first. */
  readonly backOffs: { at: number; batch: HeldBatch; item: HeldItem }[];
  /** Gates whose opening wakes the worker, and how to end that. */
  readonly gates: Map<Gate, () => void>;
  /** When the log last said that a model's provider fails, by model id. */
  readonly failuresToldAt: Map<string, number>;
  /** Until when each batch was last said to wait for its provider. */
  readonly waitingUntil: WeakMap<HeldBatch, number>;
  /** When stopped and paused batches are looked for again, and when everything else is. */
  haltedLookAt: number;
  pollAt: number;
  isLookingForHalted: boolean;
  timer: { at: number; cancel: () => void } | null;
  /** Nothing more is claimed, marked or sent. */
  stopping: boolean;
  /** Everything is let go of; no pump runs any more. */
  stopped: boolean;
  /** Told when no call is under way any more. */
  onIdle: (() => void) | null;
  /** Runs the pump in a moment, after what happens in the same turn. */
  wake(): void;
}

/** The parts of a worker, which do not change. */
export interface WorkerParts {
  readonly lease: Pick<Lease, 'id'>;
  /** Calls under way and answers not yet stored, in this process. */
  readonly concurrency: number;
  readonly statements: Statements;
  /** Binds an operation to its model. Throws BadUserInput where this process cannot run it. */
  readonly preparePlan: (batch: StoredOperation) => Plan;
  readonly publisher: Publisher;
  readonly nudges: Pick<Nudges, 'send'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Telling;
  /** Null where traces are off. */
  readonly tracing: BatchTracing | null;
}

/** The number of items that one mark statement covers, and what that is learned from. */
interface MarkPace {
  /** Items a statement; 0 before the first. */
  atOnce: number;
  /** A statement is under way. */
  isRaising: boolean;
  /** A statement has just ended. */
  hasEnded: boolean;
  endedAt: number;
  /** Statements at whose end more was to be marked, less those that kept up. */
  late: number;
  /** Since when there are any. */
  lateSince: number;
  /** At the last look requests waited for connections, and nothing was marked behind them. */
  isHeldUp: boolean;
}

/** Where the next claim goes on. */
interface ClaimCursor {
  /** Batches to claim from even if enough of others is ready. */
  readonly fresh: Set<bigint>;
  /** The claim under way. */
  running: Promise<void> | null;
  /** Chunks may be leased to this worker that it does not hold. */
  isComparing: boolean;
  /** Nothing was open at the last look; looked again for at this time, or after a nudge. */
  emptyUntil: number;
  /** The last claim failed; tried again at this time. */
  failedUntil: number;
  lastOwner: string;
  /** The batch of each owner that was served last. */
  readonly lastBatches: Map<string, bigint>;
  /** Batches with a limit of which nothing is left for now; asked again at this time. */
  readonly usedUpUntil: Map<bigint, number>;
  /** By batch, the index behind what was claimed of it last. */
  readonly nextFirsts: Map<bigint, number>;
  lookedFromStartAt: number;
}

/** By the process's monotonic clock. Its timers keep the process alive. */
export const workerClock: Clock = {
  now: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** A worker that holds nothing. `pump` runs once after each wake, however often it is woken. */
export function createState(
  parts: WorkerParts,
  pump: (state: WorkerState, now: number) => void,
): WorkerState {
  const never = Number.NEGATIVE_INFINITY;
  let isDue = false;
  const state: WorkerState = {
    ...parts,
    batches: new Map(),
    inFlight: 0,
    ready: 0,
    unwritten: 0,
    runningAlone: false,
    marks: {
      atOnce: 0,
      isRaising: false,
      hasEnded: false,
      endedAt: never,
      late: 0,
      lateSince: 0,
      isHeldUp: false,
    },
    claims: {
      fresh: new Set(),
      running: null,
      isComparing: false,
      emptyUntil: never,
      failedUntil: never,
      lastOwner: '',
      lastBatches: new Map(),
      usedUpUntil: new Map(),
      nextFirsts: new Map(),
      lookedFromStartAt: parts.clock.now(),
    },
    fairOrder: createFairOrder(),
    answering: new Set(),
    backOffs: [],
    gates: new Map(),
    failuresToldAt: new Map(),
    waitingUntil: new WeakMap(),
    haltedLookAt: never,
    pollAt: never,
    isLookingForHalted: false,
    timer: null,
    stopping: false,
    stopped: false,
    onIdle: null,
    wake() {
      if (isDue) return;
      isDue = true;
      queueMicrotask(() => {
        isDue = false;
        pump(state, parts.clock.now());
      });
    },
  };
  return state;
}

/**
 * Places that are free. An answer that is not stored yet keeps its place: so a crash never costs
 * more requests than the concurrency, and a database that is away stops the calls.
 */
export function placesLeft({ concurrency, inFlight, unwritten }: WorkerState): number {
  return Math.max(0, concurrency - inFlight - unwritten);
}

/** Wakes the worker whenever the gate may have opened. */
export function listenTo(state: WorkerState, gate: Gate): void {
  if (!state.gates.has(gate)) state.gates.set(gate, gate.onOpen(state.wake));
}

/**
 * True where calls of a plan wait for the answer of the first one, which writes the provider's
 * prompt cache. The worker is woken when they need not wait any more.
 */
export function waitsForFirst(state: WorkerState, { cache }: Plan): boolean {
  const priming = cache?.priming;
  if (!priming || priming.mayBegin()) return false;
  priming.whenOpen(state.wake);
  return true;
}
