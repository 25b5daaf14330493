/**
 * The worker: claims chunks, sends their items, records the answers. One per process, any number of processes.
 *
 *   claim     chunks of batches in turn, ahead of what may be sent (claims.ts)
 *   mark      before an item beyond a chunk's mark is sent, the mark is raised, so that a crash knows what it cost (marks.ts)
 *   dispatch  one item at a time, from the held batches in turn, as the model's gate and `concurrency` allow (dispatcher.ts)
 *   record    answers wait some milliseconds for each other, fewer where calls wait for their places, and are written in one statement (recorder.ts)
 *   drop      when a batch is cancelled, expires or fails: abort, record what was answered, release the rest
 *   fence     when the lease is lost: abort and forget everything; others have it now (lease.ts)
 *
 * No transaction and no lock is held while a model answers.
 */

import { BadUserInput, type BatchErrorCode, internalError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { beginFailure } from '../../db/batch-life.ts';
import { readBatchPlan } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { NewResult, Recorded } from '../../db/results.ts';
import { createPublisher } from '../live/publisher.ts';
import type { Lease } from '../process/lease.ts';
import type { Signals } from '../process/signals.ts';
import { hasEnded, tellBatch } from '../process/tell-batch.ts';
import type { Plan } from '../run/plan.ts';
import { createClaims } from './claims.ts';
import { createDispatcher } from './dispatcher.ts';
import { createDropper } from './dropper.ts';
import { type HeldBatch, type Holdings, holdBatch, isDone, settleRecorded } from './held-batch.ts';
import { createMarks } from './marks.ts';
import { createRecorder } from './recorder.ts';
import { createTurns } from './turns.ts';
import { createWaitingNotes } from './waiting.ts';

/** Signals are hints; these are the backstops behind them. */
const claimPollMs = 500;
const stoppedPollMs = 250;

/** A batch with fewer items ready than this share of the concurrency claims more, so that it has some when its turn comes. */
const dryShare = 0.125;

export interface Worker {
  start(): void;
  /**
   * Claims nothing more, lets calls in flight finish for up to `graceMs`, records them, gives the rest back.
   * Called again with a shorter grace it hurries up.
   */
  stop(graceMs: number): Promise<void>;
}

export interface WorkerOptions {
  db: Database;
  signals: Signals;
  /** Binds a batch's stored operation to its model. Throws BadUserInput where this process cannot run it. */
  preparePlan: (batch: { operation: string; options: string; model: string }) => Plan;
  /** Calls under way at once in this process. */
  concurrency: number;
  /** Started before the worker, and stopped after it. */
  lease: Pick<Lease, 'id' | 'onLost' | 'onRenewed'>;
  log: Log;
}

export function createWorker({
  db,
  signals,
  preparePlan,
  concurrency,
  lease,
  log,
}: WorkerOptions): Worker {
  const held: Holdings = new Map();
  /** Gates that wake the dispatcher, and how to end that. */
  const gates = new Map<object, () => void>();
  const timers: NodeJS.Timeout[] = [];
  /** Ends what listens to the lease. */
  const listening: (() => void)[] = [];
  let unsubscribe = () => undefined as unknown;
  let stopped: Promise<void> | null = null;
  let hurry = () => undefined as unknown;
  const hurried = new Promise<void>((resolve) => {
    hurry = resolve;
  });

  const publisher = createPublisher(signals);
  const turns = createTurns();
  const marks = createMarks({
    sql: db.sql,
    held,
    turns,
    workerId: lease.id,
    concurrency,
    suspects: () => dispatcher.suspects,
    busyAlone: () => dispatcher.busyAlone(),
    room: () => dispatcher.room(),
    onRaised: () => dispatcher.dispatch(),
    log,
  });
  const dispatcher = createDispatcher({
    held,
    turns,
    workerId: lease.id,
    concurrency,
    marks,
    onStop: (batch, failure) => fail(batch, failure),
    onSettled: (batch) => dropper.settle(batch),
    onClosed: (gate) => {
      if (!gates.has(gate)) gates.set(gate, gate.onOpen(dispatcher.dispatch));
    },
    onDispatched: () => {
      if (wantsMore()) claims.claim();
      else claimForTheDry();
    },
    log,
  });
  const claims = createClaims({
    sql: db.sql,
    held,
    workerId: lease.id,
    wants: wantsMore,
    isDry,
    limit: concurrency,
    hold,
    onClaimed: (batch) => {
      publisher.publish(batch.key);
      dispatcher.dispatch();
    },
    onBegun: (key) => void tellBatch({ db, log }, key, 'batch started'), // never rejects
    log,
  });

  const waiting = createWaitingNotes({
    sql: db.sql,
    held,
    onNoted: (key) => publisher.publish(key),
    log,
  });

  const dropper = createDropper({
    sql: db.sql,
    held,
    onDropped: async (key) => {
      // What is left of it can be ended now; or, when it is this worker that ends, claimed by another.
      await signals.send(key, stopped === null ? 'stop' : 'work');
      claims.claim();
    },
    log,
  });

  function wantsMore(): boolean {
    return stopped === null && dispatcher.ready() < concurrency;
  }

  /** A batch of which hardly anything is left to send would lose its turn for as long as others have enough. */
  function claimForTheDry(): void {
    if (stopped !== null) return;
    for (const batch of held.values()) {
      if (isDry(batch) && batch.mayHaveMore) claims.claimFrom(batch.key);
    }
  }

  function isDry({ ready }: HeldBatch): boolean {
    return ready.length < concurrency * dryShare;
  }

  async function hold(key: bigint, worker: string): Promise<HeldBatch | null> {
    const found = await readBatchPlan(db, key);
    if (!found || lease.id() !== worker) return null;
    let plan: Plan;
    try {
      plan = preparePlan(found);
    } catch (error) {
      // A batch that no worker can run must not go round for ever.
      if (error instanceof BadUserInput) {
        await beginStop(found, { code: 'UNKNOWN_MODEL', message: error.message });
      } else {
        log.error({ err: error, batch: found.id }, 'a stored batch cannot be run');
        await beginStop(found, internalError);
      }
      return null;
    }
    const recorder = createRecorder({
      db,
      batchKey: key,
      batchId: found.id,
      worker,
      onRecorded: (results, recorded) => onRecorded(batch, results, recorded),
      onGone: () => dropper.forget(batch),
      onUnstorable: () => void fail(batch, internalError), // never rejects
      log,
    });
    const batch = holdBatch(found, { worker, plan, recorder });
    held.set(key, batch);
    return batch;
  }

  function onRecorded(batch: HeldBatch, results: readonly NewResult[], recorded: Recorded): void {
    const { status, ending } = recorded;
    settleRecorded(batch, results);
    if (hasEnded(recorded)) void tellBatch({ db, log }, batch.key, 'batch ended'); // never rejects
    const goesOn = status === 'PROCESSING' && ending === null;
    if (goesOn) publisher.publish(batch.key);
    else void publisher.publishLast(batch.key); // never rejects
    if (!goesOn && !isDone(batch)) void dropper.drop(batch); // never rejects
    dropper.settle(batch);
    dispatcher.dispatch(); // there is room again
  }

  /** Stops the whole batch, everywhere. Never rejects. */
  async function fail(batch: HeldBatch, failure: BatchFailure): Promise<void> {
    await beginStop(batch, failure);
    void dropper.drop(batch); // never rejects
  }

  async function beginStop(
    { key, id }: { key: bigint; id: string },
    { code, message }: BatchFailure,
  ): Promise<void> {
    try {
      if (await beginFailure(db.sql, key, { code, message })) {
        log.warn({ batch: id, code }, 'a batch was stopped');
      }
    } catch (error) {
      // It stays claimable; whoever claims it next runs into the same failure and stops it then.
      log.warn({ err: error, batch: id }, 'could not stop a batch');
    }
    await signals.send(key, 'stop');
  }

  async function stop(): Promise<void> {
    unsubscribe();
    for (const timer of timers) clearInterval(timer);
    for (const off of gates.values()) off();
    const idle = dispatcher.stop();
    await claims.stop();
    await Promise.race([idle, hurried]);
    await Promise.all([...held.values()].map(dropper.drop));
    for (const off of listening) off();
  }

  return {
    start() {
      listening.push(
        lease.onLost(() => {
          for (const batch of [...held.values()]) dropper.forget(batch);
        }),
        lease.onRenewed(claims.compareLeases),
      );
      unsubscribe = signals.subscribe((hint) => {
        if (hint === null) {
          claims.claim();
          void dropper.dropStopped(); // never rejects
        } else if (hint.signal === 'stop') {
          if (held.has(hint.batchKey)) void dropper.dropStopped(); // never rejects
        } else if (hint.signal === 'work') {
          const batch = held.get(hint.batchKey);
          if (batch) batch.mayHaveMore = true;
          claims.claimFrom(hint.batchKey);
        }
      });
      timers.push(
        setInterval(() => {
          dispatcher.dispatch();
          claims.claim();
          void waiting.tell(); // never rejects
        }, claimPollMs),
        setInterval(() => void dropper.dropStopped(), stoppedPollMs), // never rejects
      );
      claims.claim();
    },

    stop(graceMs) {
      const timer = setTimeout(hurry, graceMs);
      stopped ??= stop();
      return stopped.finally(() => clearTimeout(timer));
    },
  };
}

interface BatchFailure {
  code: BatchErrorCode;
  message: string;
}
