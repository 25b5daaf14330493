/**
 * Sends the items that a worker holds: one at a time, from the held batches in fair order, as the
 * gates of their models, the marks and the places allow.
 */

import { internalItemError } from '../../core/errors.ts';
import { noUsage } from '../../core/usage.ts';
import type { NewResult } from '../../db/results.ts';
import type { Permit } from '../../model/limits/permit.ts';
import { modelFields } from '../../telemetry/log-events.ts';
import type { ItemAnswer, ItemStep } from '../run/item-run.ts';
import { backOff } from './back-off.ts';
import { nextInOrder, serve } from './fair-order.ts';
import { addAnswer } from './flush.ts';
import { giveBackLeft } from './give-back.ts';
import type { HeldBatch } from './held-batch.ts';
import { type HeldItem, isMarked, putAside, runsAlone } from './held-item.ts';
import { isAlone, nextInQuarantine } from './quarantine.ts';
import { returnReady, takeReady } from './ready-items.ts';
import { failBatch, letGoIfDone } from './release.ts';
import { listenTo, placesLeft, type WorkerState, waitsForFirst } from './state.ts';

const tellIntervalMs = 60_000;

/** A call that has its place and its permit. */
interface Call {
  batch: HeldBatch;
  item: HeldItem;
  permit: Permit;
  /** Others wait for its answer, which writes the provider's prompt cache. */
  isFirst: boolean;
}

/** Takes one item of each batch in turn, until nothing more may be sent. */
export function takeSendable(state: WorkerState): Call[] {
  const calls: Call[] = [];
  if (state.stopping || state.runningAlone || state.lease.id() === null) return calls;
  const quarantined = nextInQuarantine(state);
  const blocked = new Set<HeldBatch>();
  while (placesLeft(state) > 0 && !state.runningAlone) {
    const alone = quarantined !== null && isAlone(state);
    const batch = alone ? quarantined : nextInTurn(state, blocked);
    const item = batch?.ready[0];
    if (!batch || !item) break;
    // What is marked goes before an item that runs alone, which is marked with nothing under way.
    const call = isMarked(item) && alone === runsAlone(item) ? enter(state, batch, item) : null;
    if (call) {
      take(state, batch);
      state.runningAlone = alone;
      calls.push(call);
    } else if (alone) break;
    else blocked.add(batch);
  }
  return calls;
}

function enter(state: WorkerState, batch: HeldBatch, item: HeldItem): Call | null {
  const { plan } = batch;
  if (waitsForFirst(state, plan)) return null;
  const gate = item.gate();
  const permit = gate.tryEnter();
  if (!permit) listenTo(state, gate);
  return permit && { batch, item, permit, isFirst: plan.cache?.priming?.begin() ?? false };
}

function take(state: WorkerState, batch: HeldBatch): void {
  takeReady(state, batch);
  state.inFlight += 1;
  batch.inFlight += 1;
  serve(state.fairOrder, batch);
}

function nextInTurn(
  { batches, fairOrder }: WorkerState,
  blocked: ReadonlySet<HeldBatch>,
): HeldBatch | null {
  const open: HeldBatch[] = [];
  for (const batch of batches.values()) {
    if (batch.ready.length === 0 || blocked.has(batch) || batch.abort.signal.aborted) continue;
    open.push(batch);
  }
  return nextInOrder(fairOrder, open);
}

/** Never rejects. */
export async function send(
  state: WorkerState,
  { batch, item, permit, isFirst }: Call,
): Promise<void> {
  const { signal } = batch.abort;
  try {
    // A process that was stopped and continued notices here that its lease is lost.
    if (state.lease.id() === batch.worker && !signal.aborted) {
      if (state.events.has('item.sent')) tellOf(state, { batch, item });
      const step = await item.run().send(permit, signal);
      const stopping = takeStep(state, { batch, item }, step);
      if (stopping !== null) await stopping;
    } else batch.unanswered.push(item);
  } catch (error) {
    if (signal.aborted) {
      batch.unanswered.push(item);
    } else {
      state.log.error(
        { err: error, ...batch.about, index: item.index },
        'an item failed in an unforeseen way',
      );
      addAnswer(state, batch, { ...placeOf(batch, item), ...abandoned(item) });
    }
  } finally {
    permit.release('aborted'); // where the run never had it; a second release changes nothing
    if (isFirst) batch.plan.cache?.priming?.firstEnded();
    state.inFlight -= 1;
    batch.inFlight -= 1;
    state.runningAlone = false;
    if (batch.inFlight === 0) batch.onIdle?.();
    if (state.inFlight === 0) state.onIdle?.();
    letGoIfDone(state, batch);
    state.wake();
  }
}

function tellOf({ events }: WorkerState, { batch, item }: Pick<Call, 'batch' | 'item'>): void {
  events.emit('item.sent', { batchKey: batch.key, index: item.index });
}

/** Returns what the call counts as under way for. */
function takeStep(
  state: WorkerState,
  { batch, item }: Pick<Call, 'batch' | 'item'>,
  step: ItemStep,
): Promise<void> | null {
  const { signal } = batch.abort;
  switch (step.kind) {
    case 'final':
      addAnswer(state, batch, { ...placeOf(batch, item), ...step.answer });
      return null;
    case 'again':
      item.isRepeat = true;
      if (signal.aborted) batch.unanswered.push(item);
      else if (item.chunk.leaving) return putDown(state, batch, item);
      else returnReady(state, batch, item);
      return null;
    case 'later':
      item.isRepeat = step.counts;
      if (step.failures > 0) tellFailure(state, batch, step);
      if (signal.aborted) batch.unanswered.push(item);
      else if (item.chunk.leaving) return putDown(state, batch, item);
      else backOff(state, { batch, item }, step.delayMs);
      return null;
    case 'stop':
      batch.unanswered.push(item);
      // No item of the batch would succeed. The call counts as under way until that is stored.
      return signal.aborted ? null : failBatch(state, batch, step);
    default:
      return step satisfies never;
  }
}

/** The call counts as under way until its item is given back. */
function putDown(state: WorkerState, batch: HeldBatch, item: HeldItem): Promise<void> {
  putAside(item);
  return giveBackLeft(state, batch);
}

/**
 * A provider that is down holds a batch up without failing it, so that the log has to say so: once
 * a minute for each model.
 */
function tellFailure(
  { failuresToldAt, clock, log }: WorkerState,
  batch: HeldBatch,
  { giveUp }: ItemStep & { kind: 'later' },
): void {
  const { id } = batch.plan.model;
  const now = clock.now();
  if (now - (failuresToldAt.get(id) ?? Number.NEGATIVE_INFINITY) < tellIntervalMs) return;
  failuresToldAt.set(id, now);
  const reason = giveUp.outcome.status === 'FAILED' ? giveUp.outcome.error.message : null;
  log.warn(
    { ...batch.about, ...modelFields(id), reason },
    'the provider fails; its items are tried again',
  );
}

/** Which item an answer is of, and which model was asked where rows name others. */
function placeOf(
  { plan }: HeldBatch,
  item: HeldItem,
): Pick<NewResult, 'index' | 'first' | 'repeats' | 'model'> {
  const { index, chunk, repeats } = item;
  const place = { index, first: chunk.first, repeats };
  return plan.modelOf ? { ...place, model: item.run().model.id } : place;
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
  usage: noUsage,
  outcome: { status: 'FAILED', error: internalItemError },
};
