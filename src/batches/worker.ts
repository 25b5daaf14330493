/**
 * The worker: claims chunks, sends their items, records the answers. One per process, any number of processes.
 *
 *   claim     whenever fewer items are ready than calls may run, and at once when a batch is submitted; from batches in turn
 *   mark      before an item beyond a chunk's mark is sent, the mark is raised, so that a crash knows what it cost
 *   dispatch  one item at a time, from the held batches in turn, as the model's gate and `concurrency` allow
 *   record    answers wait a few milliseconds for each other and are written in one statement (recorder.ts)
 *   drop      when a batch is cancelled, expires or fails: abort, record what was answered, release the rest
 *   fence     when the lease is lost: abort and forget everything; others have it now (heartbeat.ts)
 *
 * No transaction and no lock is held while a model answers.
 */
import { failBatch, readBatchPlan, readStopped } from '../db/batches.ts';
import {
  aloneFromCrashes,
  claimChunks,
  raiseSentMarks,
  releaseChunks,
  releaseUnknownChunks,
} from '../db/chunks.ts';
import type { Database } from '../db/client.ts';
import { readOpenItems } from '../db/items.ts';
import type { Recorded } from '../db/results.ts';
import { BadUserInput, type BatchErrorCode } from '../errors.ts';
import type { ItemAnswer, Plan } from '../execute.ts';
import type { Log } from '../log.ts';
import type { Permit } from '../model/model.ts';
import { createHeartbeat } from './heartbeat.ts';
import {
  type HeldBatch,
  type HeldItem,
  holdBatch,
  holdChunk,
  isDone,
  settleRecorded,
} from './held-batch.ts';
import { createPublisher } from './publisher.ts';
import { createRecorder } from './recorder.ts';
import type { Signals } from './signals.ts';

/** Signals are hints; these are the backstops behind them. */
const claimPollMs = 500;
const stoppedPollMs = 250;
/** The least that a mark runs ahead of what was sent: at most so many requests are over-reported after a crash. */
const minMarkAhead = 3;

export interface Worker {
  start(): Promise<void>;
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
  leaseMs: number;
  log: Log;
}

export function createWorker({
  db,
  signals,
  preparePlan,
  concurrency,
  leaseMs,
  log,
}: WorkerOptions): Worker {
  const publisher = createPublisher(signals);
  const held = new Map<bigint, HeldBatch>();
  const gates = new Map<object, () => void>();
  const timers: NodeJS.Timeout[] = [];
  const idle = new Set<() => void>();
  /** Batches that were just submitted or reopened. */
  const fresh = new Set<bigint>();
  let unsubscribe = () => undefined as unknown;
  let stopping = false;
  let stopped: Promise<void> | null = null;
  let inFlight = 0;
  let runsAlone = false;
  let claiming: Promise<void> | null = null;
  let claimAgain = false;
  let lastClaimed = 0n;
  let lastDispatched = 0n;
  let marking = false;
  let markAhead = minMarkAhead;
  let dispatchedWhileMarking = 0;

  const heartbeat = createHeartbeat({
    db,
    leaseMs,
    onFenced: () => {
      for (const batch of [...held.values()]) forget(batch);
    },
    onBeat: () => void releaseUnknown(), // never rejects
    log,
  });

  // ---------------------------------------------------------------- claim

  /** Claims until enough is ready. One claim at a time; asked for again meanwhile, it looks once more. */
  function claim(): void {
    if (claiming) {
      claimAgain = true;
      return;
    }
    claiming = claimAll()
      .catch((error: unknown) => log.warn({ err: error }, 'could not claim; trying again'))
      .finally(() => {
        claiming = null;
        if (claimAgain) {
          claimAgain = false;
          claim();
        }
      });
  }

  async function claimAll(): Promise<void> {
    // A new batch does not wait until the ones before it need more.
    for (const key of fresh) {
      fresh.delete(key);
      if (!held.has(key)) await claimSome({ limit: 1, onlyBatchKey: key });
    }
    while (wantsMore()) {
      const claimed = await claimSome({ limit: Math.ceil(concurrency / 100) });
      if (!claimed) return;
    }
  }

  /** Claims from one batch, the next in turn or `onlyBatchKey`. False where there was nothing. */
  async function claimSome({
    limit,
    onlyBatchKey,
  }: {
    limit: number;
    onlyBatchKey?: bigint;
  }): Promise<boolean> {
    const worker = heartbeat.id();
    if (!worker || stopping) return false;
    const chunks = await claimChunks(db.sql, {
      worker,
      afterBatchKey: lastClaimed,
      limit,
      ahead: Math.max(0, concurrency - inFlight),
      ...(onlyBatchKey === undefined ? {} : { onlyBatchKey }),
    });
    const [first] = chunks;
    if (!first) return false;
    lastClaimed = first.batchKey;
    const batch = held.get(first.batchKey) ?? (await hold(first.batchKey, worker));
    if (!batch) return true;
    chunks.sort((a, b) => a.first - b.first);
    const items = await Promise.all(
      chunks.map((chunk) =>
        readOpenItems(db.sql, { ...chunk, fileKey: batch.fileKey, someDone: chunk.done > 0 }),
      ),
    );
    // It may have been dropped, and its leases given back, while the items were read.
    if (held.get(batch.key) !== batch || heartbeat.id() !== worker) return true;
    chunks.forEach((chunk, at) => {
      holdChunk(batch, chunk, items[at] ?? []);
    });
    publisher.publish(batch.key);
    dispatch();
    return true;
  }

  async function hold(key: bigint, worker: string): Promise<HeldBatch | null> {
    const found = await readBatchPlan(db, key);
    if (!found) return null; // deleted meanwhile: the unknown lease is given back at the next heartbeat
    let plan: Plan;
    try {
      plan = preparePlan(found);
    } catch (error) {
      if (!(error instanceof BadUserInput)) throw error;
      await fail(key, { code: 'UNKNOWN_MODEL', message: error.message });
      await releaseChunks(db.sql, { worker, batchKey: key, resent: 0 });
      return null;
    }
    const recorder = createRecorder({
      db,
      batchKey: key,
      worker,
      log,
      onRecorded: (indexes, recorded) => onRecorded(batch, indexes, recorded),
    });
    const batch = holdBatch(found, plan, recorder);
    held.set(key, batch);
    if (!gates.has(plan.model.gate)) gates.set(plan.model.gate, plan.model.gate.onOpen(dispatch));
    return batch;
  }

  function wantsMore(): boolean {
    if (stopping) return false;
    let ready = 0;
    for (const batch of held.values()) ready += batch.ready.length;
    return ready < concurrency;
  }

  async function releaseUnknown(): Promise<void> {
    if (claiming || stopping) return;
    const worker = heartbeat.id();
    if (!worker) return;
    const known = [...held.values()].flatMap((batch) =>
      [...batch.chunks.keys()].map((first) => ({ batchKey: batch.key, first })),
    );
    // Held back until it is through, so that it cannot take a chunk that is just being claimed for an unknown one.
    claiming = releaseUnknownChunks(db.sql, worker, known)
      .then((released) => {
        if (released > 0)
          log.warn({ released }, 'gave back chunks whose claim was lost on the way');
      })
      .catch((error: unknown) => log.warn({ err: error }, 'could not compare leases'))
      .finally(() => {
        claiming = null;
        claim();
      });
    await claiming;
  }

  // ---------------------------------------------------------------- dispatch

  /** Sends whatever may be sent now: one item of each batch in turn, until nothing more goes. */
  function dispatch(): void {
    const blocked = new Set<bigint>();
    while (!stopping && inFlight < concurrency && !runsAlone) {
      const batch = batchToRunAlone() ?? nextInTurn(blocked);
      const item = batch?.ready[0];
      if (!batch || !item) break;
      lastDispatched = batch.key;
      const alone = item.chunk.crashes >= aloneFromCrashes;
      if (alone && inFlight > 0) break; // what is under way ends first
      const permit = item.index <= item.chunk.sentTo ? batch.plan.model.gate.tryEnter() : null;
      if (!permit) {
        if (alone) break;
        blocked.add(batch.key);
        continue;
      }
      batch.ready.shift();
      if (marking) dispatchedWhileMarking += 1;
      runsAlone = alone;
      void send(batch, item, permit); // never rejects
    }
    raiseMarks();
    if (wantsMore()) claim();
  }

  function batchToRunAlone(): HeldBatch | undefined {
    for (const batch of held.values()) {
      const [next] = batch.ready;
      if (next && next.chunk.crashes >= aloneFromCrashes) return batch;
    }
    return undefined;
  }

  function nextInTurn(blocked: ReadonlySet<bigint>): HeldBatch | null {
    if (heartbeat.id() === null) return null;
    let first: HeldBatch | null = null;
    let next: HeldBatch | null = null;
    for (const batch of held.values()) {
      if (batch.ready.length === 0 || blocked.has(batch.key) || batch.abort.signal.aborted)
        continue;
      if (!first || batch.key < first.key) first = batch;
      if (batch.key > lastDispatched && (!next || batch.key < next.key)) next = batch;
    }
    return next ?? first;
  }

  async function send(batch: HeldBatch, item: HeldItem, permit: Permit): Promise<void> {
    const { signal } = batch.abort;
    inFlight += 1;
    batch.inFlight += 1;
    try {
      const step = await item.run().send(permit, signal);
      switch (step.kind) {
        case 'final':
          if (!isForgotten(batch))
            batch.recorder.add({ index: item.index, ...toResult(step.answer) });
          break;
        case 'again':
          batch.ready.unshift(item);
          break;
        case 'later':
          waitAndReturn(batch, item, step.delayMs);
          break;
        case 'stop':
          if (!signal.aborted) {
            await fail(batch.key, step);
            void drop(batch); // never rejects
          }
      }
    } catch (error) {
      if (signal.aborted) {
        batch.aborted += 1;
      } else {
        log.error(
          { err: error, batch: batch.id, index: item.index },
          'an item failed in an unforeseen way',
        );
        batch.recorder.add({ index: item.index, ...unforeseen });
      }
    } finally {
      inFlight -= 1;
      batch.inFlight -= 1;
      runsAlone = false;
      if (batch.inFlight === 0) batch.onIdle?.();
      settle(batch);
      dispatch();
      if (inFlight === 0) for (const resolve of idle) resolve();
    }
  }

  function waitAndReturn(batch: HeldBatch, item: HeldItem, delayMs: number): void {
    const { signal } = batch.abort;
    if (signal.aborted) return;
    batch.waiting += 1;
    const back = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', back);
      batch.waiting -= 1;
      if (signal.aborted) return;
      batch.ready.unshift(item);
      dispatch();
    };
    const timer = setTimeout(back, delayMs);
    signal.addEventListener('abort', back);
  }

  // ---------------------------------------------------------------- marks

  /** Raises the marks of chunks whose next item is near them. One write at a time; it runs as far ahead as it takes to not be waited for. */
  function raiseMarks(): void {
    if (marking) return;
    const worker = heartbeat.id();
    const due = [...held.values()].flatMap((batch) => {
      const [next] = batch.ready;
      if (!next || next.chunk.sentTo >= next.chunk.last) return [];
      if (next.index + Math.floor(markAhead / 2) <= next.chunk.sentTo) return [];
      return [{ chunk: next.chunk, sentTo: Math.min(next.chunk.last, next.index - 1 + markAhead) }];
    });
    if (!worker || due.length === 0) return;
    marking = true;
    dispatchedWhileMarking = 0;
    raiseSentMarks(
      db.sql,
      worker,
      due.map(({ chunk: { batchKey, first }, sentTo }) => ({ batchKey, first, sentTo })),
    )
      .then(() => {
        for (const { chunk, sentTo } of due) chunk.sentTo = Math.max(chunk.sentTo, sentTo);
        markAhead = Math.max(minMarkAhead, dispatchedWhileMarking * 2);
      })
      .catch((error: unknown) => log.warn({ err: error }, 'could not raise marks; trying again'))
      .finally(() => {
        marking = false;
        dispatch();
      });
  }

  // ---------------------------------------------------------------- record, drop, fence

  function onRecorded(
    batch: HeldBatch,
    indexes: readonly number[],
    { status, ending }: Recorded,
  ): void {
    settleRecorded(batch, indexes);
    if (status === 'PROCESSING' && !ending) publisher.publish(batch.key);
    else void publisher.publishLast(batch.key); // never rejects
    if (ending !== null && (status === 'PROCESSING' || status === 'CANCELLING')) void drop(batch);
    settle(batch);
  }

  function settle(batch: HeldBatch): void {
    if (held.get(batch.key) === batch && isDone(batch) && !batch.abort.signal.aborted)
      held.delete(batch.key);
  }

  async function fail(
    key: bigint,
    failure: { code: BatchErrorCode; message: string },
  ): Promise<void> {
    try {
      const { code, message } = failure;
      if (await failBatch(db.sql, key, { code, message })) {
        log.warn({ batchKey: String(key), code }, 'a batch was stopped');
      }
      await signals.send(key, 'stop');
    } catch (error) {
      // It stays claimable; whoever claims it next runs into the same failure and stops it then.
      log.warn({ err: error, batchKey: String(key) }, 'could not stop a batch');
    }
  }

  /** Stops work on a batch that is being ended: answers that are in are recorded, the rest is given back. Never rejects. */
  async function drop(batch: HeldBatch): Promise<void> {
    const worker = heartbeat.id();
    if (batch.abort.signal.aborted) return;
    batch.abort.abort(new Error('the batch was stopped'));
    batch.ready.length = 0;
    await callsEnded(batch);
    await batch.recorder.drain();
    try {
      if (worker)
        await releaseChunks(db.sql, { worker, batchKey: batch.key, resent: batch.aborted });
    } catch (error) {
      log.warn(
        { err: error, batch: batch.id },
        'could not release a batch; the lease comparison will',
      );
    }
    if (held.get(batch.key) === batch) held.delete(batch.key);
    await signals.send(batch.key, 'stop');
    claim();
  }

  /** The lease is lost: nothing of this batch is ours any more, and what was not recorded yet is asked again by others. */
  function forget(batch: HeldBatch): void {
    held.delete(batch.key);
    batch.abort.abort(new Error('the worker lost its lease'));
    batch.ready.length = 0;
    batch.recorder.abandon();
  }

  function isForgotten(batch: HeldBatch): boolean {
    return held.get(batch.key) !== batch;
  }

  async function callsEnded(batch: HeldBatch): Promise<void> {
    if (batch.inFlight === 0) return;
    await new Promise<void>((resolve) => {
      batch.onIdle = resolve;
    });
  }

  async function dropStopped(): Promise<void> {
    if (held.size === 0) return;
    try {
      for (const key of await readStopped(db.sql, [...held.keys()])) {
        const batch = held.get(key);
        if (batch) void drop(batch); // never rejects
      }
    } catch (error) {
      log.warn({ err: error }, 'could not look for stopped batches');
    }
  }

  return {
    async start() {
      await heartbeat.start();
      unsubscribe = signals.subscribe((hint) => {
        if (hint === null) {
          claim();
          void dropStopped(); // never rejects
        } else if (hint.signal === 'stop') {
          if (held.has(hint.batchKey)) void dropStopped();
        } else if (hint.signal === 'work') {
          fresh.add(hint.batchKey);
          claim();
        }
      });
      timers.push(
        setInterval(() => {
          dispatch();
          claim();
        }, claimPollMs),
        setInterval(() => void dropStopped(), stoppedPollMs),
      );
      claim();
    },

    stop(graceMs) {
      stopped ??= stop();
      const timer = setTimeout(() => {
        for (const resolve of idle) resolve();
      }, graceMs);
      return stopped.finally(() => clearTimeout(timer));
    },
  };

  async function stop(): Promise<void> {
    stopping = true;
    unsubscribe();
    for (const timer of timers) clearInterval(timer);
    for (const off of gates.values()) off();
    await claiming;
    if (inFlight > 0) {
      await new Promise<void>((resolve) => {
        idle.add(resolve);
      });
    }
    await Promise.all([...held.values()].map(drop));
    await heartbeat.stop();
  }
}

const unforeseen: ItemAnswer = {
  attempts: 1,
  usage: { requests: 1, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: null },
  outcome: { status: 'FAILED', error: { code: 'PROVIDER_ERROR', message: 'An unforeseen error' } },
};

function toResult({ attempts, usage, outcome }: ItemAnswer) {
  return { attempts, usage, outcome };
}
