/**
 * The worker: claims chunks, sends their items, stores the answers. One per process that works, any
 * number of processes. It is one state (state.ts) and one pump (pump.ts).
 *
 *     claims.ts, take-in.ts   chunks of batches in fair order, ahead of what may be sent
 *     marks.ts                an item beyond its chunk's mark is sent when the mark is raised, so
 *                             that a crash knows what it cost
 *     send.ts                 one item at a time, as gates and places allow
 *     back-off.ts             what waits for another try comes back when its time is over
 *     flush.ts                answers wait some milliseconds for each other, and are one statement
 *     release.ts              a batch that is done, stopped, or under a lost lease is let go of
 *     halted.ts, give-back.ts a batch that sends nothing new: what was not sent is given back
 *     quarantine.ts           items under which workers died run alone
 *     fair-order.ts           owners take turns, then their batches
 *
 * No transaction and no lock is held while a model answers.
 */
import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import type { OwnerLimits } from '../../db/owner-limits.ts';
import type { Telling } from '../../telemetry/events.ts';
import { createPublisher } from '../live/publisher.ts';
import type { Lease } from '../process/lease.ts';
import type { Nudges } from '../process/nudges.ts';
import { claimFrom, claimSoon, compareLeases } from './claims.ts';
import { letGoOfHalted } from './halted.ts';
import { pump } from './pump.ts';
import { drop, forgetAll } from './release.ts';
import { createState, type WorkerParts, type WorkerState, workerClock } from './state.ts';
import { statementsOf } from './statements.ts';

export interface Worker {
  start(): void;
  /**
   * Claims nothing more, lets calls in flight finish for up to `graceMs`, stores their answers, and
   * gives the rest back. Called again with a shorter grace it hurries up.
   */
  stop(graceMs: number): Promise<void>;
  /** Calls under way, and answers that are not stored yet. */
  slotsUsed(): number;
}

export interface WorkerOptions
  extends Pick<WorkerParts, 'concurrency' | 'preparePlan' | 'tracing'> {
  db: Database;
  /** Owners' limits of spending in a month. */
  limits: OwnerLimits;
  nudges: Nudges;
  /** Started before the worker, and stopped after it. */
  lease: Pick<Lease, 'id' | 'onLost' | 'onRenewed'>;
  log: Log;
  events: Telling;
}

export function createWorker({ db, limits, nudges, lease, ...rest }: WorkerOptions): Worker {
  const state = createState(
    {
      ...rest,
      lease,
      nudges,
      statements: statementsOf(db, limits),
      publisher: createPublisher(nudges),
      clock: workerClock,
    },
    pump,
  );
  /** Ends what listens to the lease. */
  const listening: (() => void)[] = [];
  let unsubscribe = () => undefined as unknown;
  let stopped: Promise<void> | null = null;
  let hurry = () => undefined as unknown;
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve;
  });

  async function stop(): Promise<void> {
    state.stopping = true;
    unsubscribe();
    await state.claims.running;
    await Promise.race([callsEnded(state), hurried]);
    await Promise.all([...state.batches.values()].map((batch) => drop(state, batch)));
    state.stopped = true;
    state.timer?.cancel();
    for (const off of [...listening, ...state.gates.values()]) off();
  }

  return {
    start() {
      listening.push(
        lease.onLost(() => forgetAll(state)),
        lease.onRenewed(() => compareLeases(state)),
      );
      unsubscribe = nudges.subscribe(
        (hint) => {
          if (hint === null) {
            claimSoon(state);
            void letGoOfHalted(state); // never rejects
          } else if (hint.nudge === 'stop') {
            if (state.batches.has(hint.batchKey)) void letGoOfHalted(state); // never rejects
          } else if (hint.nudge === 'work') claimFrom(state, hint.batchKey);
        },
        { polls: true },
      );
      state.wake();
    },

    slotsUsed: () => state.inFlight + state.unwritten,

    stop(graceMs) {
      const timer = setTimeout(hurry, graceMs);
      stopped ??= stop();
      return stopped.finally(() => clearTimeout(timer));
    },
  };
}

/** Resolves when no call is under way. */
async function callsEnded(state: WorkerState): Promise<void> {
  if (state.inFlight === 0) return;
  await new Promise<void>((resolve) => {
    state.onIdle = resolve;
  });
}
