/**
 * Flushes: answers of one batch under one worker id, on their way to the database, one statement at
 * a time. Answers wait some milliseconds for each other, fewer where calls wait for their places.
 */

import { internalError } from '../../core/errors.ts';
import { noUsage } from '../../core/usage.ts';
import type { NewResult, Recorded } from '../../db/results.ts';
import { tellRecorded, withEarlier } from '../process/tell-recorded.ts';
import { giveBackLeft } from './give-back.ts';
import { type HeldBatch, isDone } from './held-batch.ts';
import { countRecorded } from './held-chunks.ts';
import { checkLimit, checkOwner } from './limits.ts';
import { drop, failBatch, forget, letGoIfDone } from './release.ts';
import type { WorkerState } from './state.ts';
import { endWait } from './waiting.ts';

/** A flush goes out when this many results wait, */
const flushSize = 1_000;
/** or when the oldest has waited this long: a subscriber is to know a result within 300 ms, */
const flushDelayMs = 25;
/** or this long where calls wait for the places of answers. */
const hurriedDelayMs = 5;
/** While the database is away, a flush is tried again after this. */
const retryDelayMs = 500;
/**
 * Answers that wait to be stored may take this share of the places from calls. Fewer answers are
 * not worth a statement.
 */
const unwrittenShare = 0.02;

export function addAnswer(state: WorkerState, batch: HeldBatch, result: NewResult): void {
  if (batch.isForgotten) return;
  if (batch.answers.length === 0) batch.oldestAt = state.clock.now();
  batch.answers.push(result);
  state.answering.add(batch);
  batch.unwritten += 1;
  state.unwritten += 1;
}

/** Starts the flushes that are due. */
export function startDueFlushes(state: WorkerState, now: number): void {
  for (const batch of state.answering) if (flushDueAt(batch) <= now) startFlush(state, batch);
}

/** When the next flush is due; infinite where the end of one is waited for, or there are none. */
export function nextFlushAt({ answering }: WorkerState): number {
  let at = Number.POSITIVE_INFINITY;
  for (const batch of answering) at = Math.min(at, flushDueAt(batch));
  return at;
}

function flushDueAt({ answers, isFlushing, dropping, oldestAt, isHurried }: HeldBatch): number {
  if (isFlushing) return Number.POSITIVE_INFINITY;
  if (dropping !== null || answers.length >= flushSize) return Number.NEGATIVE_INFINITY;
  return oldestAt + (isHurried ? hurriedDelayMs : flushDelayMs);
}

/**
 * Answers go as soon as they are worth a statement, where no more of their batch will come, or
 * where items will soon have to wait for their places.
 */
export function hurryFlushes(state: WorkerState): void {
  const { unwritten, concurrency } = state;
  const isFull =
    state.ready > 0 &&
    unwritten >= concurrency * unwrittenShare &&
    unwritten >= concurrency - state.inFlight - unwritten;
  for (const batch of state.answering) {
    if (isFull || (batch.inFlight === 0 && batch.ready.length === 0)) batch.isHurried = true;
  }
}

function startFlush(state: WorkerState, batch: HeldBatch): void {
  batch.isHurried = false;
  const results = batch.answers.splice(0, flushSize);
  if (batch.answers.length === 0) state.answering.delete(batch);
  batch.isFlushing = true;
  void write(state, batch, results).finally(() => {
    batch.isFlushing = false;
    if (batch.answers.length === 0) batch.onDrained?.();
    state.wake();
  });
}

/** Never rejects. */
async function write(
  state: WorkerState,
  batch: HeldBatch,
  results: readonly NewResult[],
): Promise<void> {
  const { statements, clock, log } = state;
  const { key: batchKey, worker } = batch;
  while (!batch.isForgotten) {
    try {
      const begunAt = performance.now();
      const own = await statements.record({ batchKey, worker, execution: 'LIVE', results });
      const seconds = (performance.now() - begunAt) / 1_000;
      const { id, trace } = batch;
      state.events.emit('flush.written', { seconds, results: results.length, batch: id, trace });
      // Before the answers give up their places: what dies here is copied by a sweep, later.
      const recorded =
        own && batch.hasTwins ? await recordTwins(state, batch, { results, own }) : own;
      countWritten(state, batch, results.length);
      if (recorded) onRecorded(state, batch, { results, recorded });
      else forget(state, batch);
      return;
    } catch (error) {
      if (isDataError(error) || isTooLong(error)) {
        await writeRefused(state, batch, { results, error });
        return;
      }
      log.warn({ err: error, ...batch.about }, 'could not record results; trying again');
      await new Promise<void>((resolve) => clock.setTimer(resolve, retryDelayMs));
    }
  }
}

/** Gives what was recorded to the twins of these items. */
async function recordTwins(
  { statements, publisher }: WorkerState,
  { key: batchKey }: HeldBatch,
  { results, own }: { results: readonly NewResult[]; own: Recorded },
): Promise<Recorded> {
  const leaders = results.map(({ index }) => index);
  const copied = await statements.copyTwins({ batchKey, leaders }, () =>
    publisher.publish(batchKey),
  );
  return copied ? withEarlier(copied, own) : own;
}

/**
 * The database takes one of these results for no text or number of its own: finds it, and lets the
 * others pass.
 */
async function writeRefused(
  state: WorkerState,
  batch: HeldBatch,
  { results, error }: { results: readonly NewResult[]; error: unknown },
): Promise<void> {
  const [only, ...others] = results;
  if (!only) return;
  if (others.length > 0) {
    const half = Math.ceil(results.length / 2);
    await write(state, batch, results.slice(0, half));
    await write(state, batch, results.slice(half));
    return;
  }
  const { index, first, attempts, repeats } = only;
  state.log.error({ err: error, ...batch.about, index }, 'an answer cannot be stored');
  if (only.usage !== unknownUsage) {
    await write(state, batch, [
      { index, first, attempts, repeats, usage: unknownUsage, outcome: unstorable },
    ]);
    return;
  }
  countWritten(state, batch, 1);
  // It can be stored in no form: a fault of the statement, not of the item.
  void failBatch(state, batch, internalError); // never rejects
}

function countWritten(state: WorkerState, batch: HeldBatch, results: number): void {
  if (batch.isForgotten) return;
  batch.unwritten -= results;
  state.unwritten -= results;
}

function onRecorded(
  state: WorkerState,
  batch: HeldBatch,
  { results, recorded }: { results: readonly NewResult[]; recorded: Recorded },
): void {
  const { publisher, events } = state;
  const { status, ending } = recorded;
  countRecorded(batch, results);
  void giveBackLeft(state, batch); // never rejects
  if (batch.isBounded) void checkLimit(state, batch, results); // never rejects
  if (state.statements.hasOwnerLimit(batch.owner)) void checkOwner(state, batch, results);
  if (batch.isInPreview && batch.chunks.size === 0) void endPreview(state, batch); // never rejects
  endWait(state, batch);
  events.emit('result.recorded', { batchKey: batch.key, results: recorded.recorded });
  tellRecorded(events, batch.key, recorded, { lane: 'live' });
  const goesOn = status === 'PROCESSING' && ending === null;
  if (goesOn) publisher.publish(batch.key);
  else void publisher.publishLast(batch.key); // never rejects
  if (!goesOn && !isDone(batch)) void drop(state, batch); // never rejects
  letGoIfDone(state, batch);
}

/** Pauses the batch if this was the last of its preview. Never rejects. */
async function endPreview(
  { statements, publisher, events, log }: WorkerState,
  { key, id }: HeldBatch,
): Promise<void> {
  try {
    if (!(await statements.pausePreview(key))) return;
    events.emit('batch.paused', { batchKey: key, reason: 'PREVIEW' });
    publisher.publish(key);
  } catch (error) {
    log.warn({ err: error, batchId: id }, 'could not end a preview; the next sweep will');
  }
}

const unknownUsage = { ...noUsage, requests: 1, unmeteredRequests: 1 };
const unstorable = {
  status: 'FAILED',
  error: { code: 'INVALID_OUTPUT', message: 'The answer cannot be stored' },
} as const;

/** All results together are more than a string can hold. */
function isTooLong(error: unknown): boolean {
  return error instanceof RangeError;
}

/** SQLSTATE classes 22 and 23: a value is wrong, and will be wrong again. */
function isDataError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^2[23]...$/.test(code);
}
