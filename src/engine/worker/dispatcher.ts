/**
 * Sends the items that a worker holds: one at a time, from the held batches in turn, as the model's gate, the marks and the
 * worker's concurrency allow. An answer that is not recorded yet still has its place: so a crash never costs more
 * requests than the concurrency, and a database that is away stops the calls.
 */

import { internalError } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import type { NewResult } from '../../db/results.ts';
import type { Gate, Permit } from '../../model/model.ts';
import type { ItemAnswer, Step } from '../run/item-run.ts';
import { type HeldBatch, type HeldItem, type Holdings, runsAlone } from './held-batch.ts';
import type { Marks } from './marks.ts';
import { createSuspects, type Suspects } from './suspects.ts';
import type { Turns } from './turns.ts';

export interface Dispatcher {
  /** Sends whatever may be sent now. Called whenever that may have become more. */
  dispatch(): void;
  /** Calls under way. */
  inFlight(): number;
  /** How many more may be sent now. */
  room(): number;
  suspects: Suspects;
  /** The one call under way is of an item that runs alone. */
  busyAlone(): boolean;
  /** Items that wait to be sent. */
  ready(): number;
  /** Sends nothing more. Resolves when no call is under way. */
  stop(): Promise<void>;
}

const tellIntervalMs = 60_000;
/** Answers that wait to be written take no more than this share of the places from calls: under it, a statement is not worth it. */
const unwrittenShare = 0.02;

export function createDispatcher({
  held,
  turns,
  workerId,
  concurrency,
  marks,
  onStop,
  onSettled,
  onClosed,
  onDispatched,
  log,
}: {
  held: Holdings;
  turns: Turns;
  /** Asked before every call: a process that was stopped and continued has to notice that its lease is gone. */
  workerId: () => string | null;
  concurrency: number;
  marks: Marks;
  /** No item of the batch would succeed. The call counts as under way until this resolves. */
  onStop: (batch: HeldBatch, failure: Step & { kind: 'stop' }) => Promise<void>;
  /** A call of the batch has ended. */
  onSettled: (batch: HeldBatch) => void;
  /** A gate has no permit now; whoever is told sees to it that its opening is heard of. */
  onClosed: (gate: Gate) => void;
  onDispatched: () => void;
  log: Log;
}): Dispatcher {
  const idle = new Set<() => void>();
  const toldAt = new Map<string, number>();
  let stopped = false;
  let dispatching = false;
  let again = false;
  let inFlight = 0;
  let busyAlone = false;
  const suspects = createSuspects({
    held,
    inFlight: () => inFlight,
    isOpen: (item) => item.gate().isOpen(),
  });

  /** A provider that is down holds a batch up without failing it, so that the log has to say so; once a minute for each model. */
  function tellFailure(batch: HeldBatch, { giveUp }: Step & { kind: 'later' }): void {
    const { id } = batch.plan.model;
    const now = performance.now();
    if (now - (toldAt.get(id) ?? Number.NEGATIVE_INFINITY) < tellIntervalMs) return;
    toldAt.set(id, now);
    const reason = giveUp.outcome.status === 'FAILED' ? giveUp.outcome.error.message : null;
    log.warn(
      { batch: batch.id, model: id, reason },
      'the provider fails; its items are tried again',
    );
  }

  function dispatch(): void {
    // A permit that is given back in the middle of a send calls here again: the loop below goes on, at the same depth.
    again = true;
    if (dispatching) return;
    dispatching = true;
    while (again) {
      again = false;
      sendReady();
    }
    marks.raise();
    hurryRecorders();
    dispatching = false;
    onDispatched();
  }

  /** One item of each batch in turn, until nothing more goes. */
  function sendReady(): void {
    if (stopped || busyAlone || workerId() === null) return;
    const blocked = new Set<HeldBatch>();
    const suspect = suspects.next();
    for (let places = room(); places > 0 && !busyAlone; ) {
      const alone = suspect !== null && suspects.isAlone();
      const batch = alone ? suspect : nextInTurn(blocked);
      const item = batch?.ready[0];
      if (!batch || !item) return;
      const gate = item.gate();
      // What is marked goes before one that runs alone, which is marked when nothing else is under way.
      const goes = item.index <= item.chunk.sentTo && alone === runsAlone(item);
      const permit = goes ? gate.tryEnter() : null;
      if (!permit) {
        if (goes) onClosed(gate);
        if (alone) return;
        blocked.add(batch);
        continue;
      }
      batch.ready.shift();
      places -= 1;
      turns.served(batch);
      busyAlone = alone;
      void send(batch, item, permit); // never rejects
    }
  }

  function room(): number {
    return Math.max(0, concurrency - inFlight - unwritten());
  }

  function unwritten(): number {
    let results = 0;
    for (const { recorder } of held.values()) results += recorder.unwritten();
    return results;
  }

  function ready(): number {
    let items = 0;
    for (const batch of held.values()) items += batch.ready.length;
    return items;
  }

  /** Before items have to wait for the places of answers, these are written; else they may wait for company. */
  function hurryRecorders(): void {
    const waiting = unwritten();
    const left = concurrency - inFlight - waiting;
    if (waiting < left || waiting < concurrency * unwrittenShare || ready() === 0) return;
    for (const { recorder } of held.values()) recorder.hurry();
  }

  /** The batch whose turn it is. */
  function nextInTurn(blocked: ReadonlySet<HeldBatch>): HeldBatch | null {
    const open: HeldBatch[] = [];
    for (const batch of held.values()) {
      if (batch.ready.length === 0 || blocked.has(batch) || batch.abort.signal.aborted) continue;
      open.push(batch);
    }
    return turns.next(open);
  }

  async function send(batch: HeldBatch, item: HeldItem, permit: Permit): Promise<void> {
    const { signal } = batch.abort;
    inFlight += 1;
    batch.inFlight += 1;
    try {
      const step = await item.run().send(permit, signal);
      switch (step.kind) {
        case 'final':
          batch.recorder.add({ ...placeOf(item), ...step.answer });
          break;
        case 'again':
          item.answered = true;
          if (signal.aborted) batch.lost += 1;
          else batch.ready.unshift(item);
          break;
        case 'later':
          if (step.failures > 0) tellFailure(batch, step);
          waitAndReturn(batch, item, step.delayMs);
          break;
        case 'stop':
          if (!signal.aborted) await onStop(batch, step);
          break;
        default:
          step satisfies never;
      }
    } catch (error) {
      if (signal.aborted) {
        batch.lost += 1;
      } else {
        log.error(
          { err: error, batch: batch.id, index: item.index },
          'an item failed in an unforeseen way',
        );
        batch.recorder.add({ ...placeOf(item), ...abandoned(item) });
      }
    } finally {
      permit.release('aborted'); // for what went wrong before the run had it; a second release is none
      inFlight -= 1;
      batch.inFlight -= 1;
      busyAlone = false;
      if (batch.inFlight === 0) {
        if (batch.ready.length === 0) batch.recorder.hurry(); // nothing will come to keep the last ones company
        batch.onIdle?.();
      }
      onSettled(batch);
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

  return {
    dispatch,
    inFlight: () => inFlight,
    room,
    suspects,
    busyAlone: () => busyAlone,
    ready,
    async stop() {
      stopped = true;
      if (inFlight === 0) return;
      await new Promise<void>((resolve) => {
        idle.add(resolve);
      });
    },
  };
}

function placeOf({ index, chunk }: HeldItem): Pick<NewResult, 'index' | 'first'> {
  return { index, first: chunk.first };
}

/** The answer of an item that failed in an unforeseen way, be it before it could be begun. */
function abandoned(item: HeldItem): ItemAnswer {
  try {
    return item.run().abandon();
  } catch {
    // The error that its beginning failed with, which has been logged.
    return neverBegun;
  }
}

const neverBegun: ItemAnswer = {
  attempts: 0,
  usage: { requests: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: null },
  outcome: { status: 'FAILED', error: internalError },
};
