/**
 * Lets go of held batches: when every answer is stored (letGoIfDone), when the batch or the worker
 * ends (drop), or when the lease is lost (forget).
 */
import type { BatchErrorCode } from '../../core/errors.ts';
import { callsEnded, type HeldBatch, isDone, spentOn } from './held-batch.ts';
import { endSpans } from './held-chunks.ts';
import { clearReady } from './ready-items.ts';
import type { WorkerState } from './state.ts';

/** While the database is away, what a batch has spent is told again after this. */
const retryDelayMs = 500;

/** Why no item of a batch would succeed. */
export interface BatchFailure {
  code: BatchErrorCode;
  message: string;
}

/** Lets go of a batch of which nothing is left in hand. */
export function letGoIfDone(state: WorkerState, batch: HeldBatch): void {
  if (isDone(batch) && !batch.abort.signal.aborted) letGo(state, batch);
}

/**
 * Stops work on a batch: aborts its calls, stores the answers that are in, and gives the rest back.
 * Never rejects; called again it waits for the same end.
 */
export function drop(state: WorkerState, batch: HeldBatch): Promise<void> {
  batch.dropping ??= dropNow(state, batch);
  state.wake(); // its answers wait for no others now
  return batch.dropping;
}

async function dropNow(state: WorkerState, batch: HeldBatch): Promise<void> {
  const { nudges, claims, backOffs } = state;
  if (batch.abort.signal.aborted) return; // forgotten
  const waiting = backOffs.filter((one) => one.batch === batch).map(({ item }) => item);
  batch.unanswered.push(...batch.ready, ...waiting);
  cease(state, batch, 'the batch was stopped');
  await callsEnded(batch);
  await drained(batch);
  await batch.givingBack;
  for (const { leaving } of batch.chunks.values()) batch.unanswered.push(...(leaving?.aside ?? []));
  await release(state, batch);
  letGo(state, batch);
  // What is left of it can be ended now; or, at the end of this worker, claimed by another.
  await nudges.send(batch.key, state.stopping ? 'work' : 'stop');
  claims.emptyUntil = Number.NEGATIVE_INFINITY;
  state.wake();
}

/** Until it is done, or the lease lost: only this process knows what was spent. Never rejects. */
async function release({ statements, clock, log }: WorkerState, batch: HeldBatch): Promise<void> {
  const { key: batchKey, worker } = batch;
  const unanswered = spentOn(batch, batch.unanswered);
  while (!batch.isForgotten) {
    try {
      await statements.release({ worker, batchKey, unanswered });
      return;
    } catch (error) {
      log.warn({ err: error, ...batch.about }, 'could not release a batch; trying again');
      await new Promise<void>((resolve) => clock.setTimer(resolve, retryDelayMs));
    }
  }
}

/**
 * Nothing of the batch belongs to this worker any more. What was not stored is asked again under
 * the next lease, if at all.
 */
export function forget(state: WorkerState, batch: HeldBatch): void {
  letGo(state, batch);
  batch.isForgotten = true;
  state.unwritten -= batch.unwritten;
  batch.unwritten = 0;
  batch.answers.length = 0;
  state.answering.delete(batch);
  cease(state, batch, 'the worker lost its lease');
  if (!batch.isFlushing) batch.onDrained?.();
}

/** The lease is lost: others have its chunks now, or will. */
export function forgetAll(state: WorkerState): void {
  for (const batch of [...state.batches.values()]) forget(state, batch);
  state.wake();
}

/** Stops the whole batch, in every process. Never rejects. */
export async function failBatch(
  state: WorkerState,
  batch: HeldBatch,
  failure: BatchFailure,
): Promise<void> {
  await beginStop(state, batch, failure);
  void drop(state, batch); // never rejects
}

/** Begins the end of the batch; the process that holds the last of it ends it. Never rejects. */
export async function beginStop(
  { statements, nudges, log, events }: WorkerState,
  { key, id }: { key: bigint; id: string },
  { code, message }: BatchFailure,
): Promise<void> {
  try {
    if (await statements.beginFailure(key, { code, message })) {
      events.emit('batch.stopped', { batch: id, code });
    }
  } catch (error) {
    // It stays claimable; the next claim runs into the same failure and stops it then.
    log.warn({ err: error, batchId: id }, 'could not stop a batch');
  }
  await nudges.send(key, 'stop');
}

/** Nothing more of the batch is sent, and what is under way is aborted. */
function cease(state: WorkerState, batch: HeldBatch, reason: string): void {
  clearReady(state, batch);
  batch.waiting = 0;
  batch.abort.abort(new Error(reason));
}

function letGo({ batches }: WorkerState, batch: HeldBatch): void {
  endSpans(batch);
  if (batches.get(batch.key) === batch) batches.delete(batch.key);
}

/** Resolves when every answer is stored, or given up. */
async function drained(batch: HeldBatch): Promise<void> {
  if (!batch.isFlushing && batch.answers.length === 0) return;
  await new Promise<void>((resolve) => {
    batch.onDrained = resolve;
  });
}
