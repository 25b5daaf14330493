/**
 * Notes on held batches why no call goes out: the provider is down, or asked for a pause. A gate
 * belongs to one process, and the note tells the readers of all. It has an end and is written again
 * while the gate stays closed, so that it needs no taking back.
 */
import type { HeldBatch } from './held-batch.ts';
import type { WorkerState } from './state.ts';

/** A batch that goes on within this is not waiting. */
const worthTellingMs = 1_000;

/** Notes what has changed since the last time. Never rejects. */
export async function noteWaits(state: WorkerState): Promise<void> {
  try {
    await Promise.all([...state.batches.values()].map((batch) => noteWait(state, batch)));
  } catch (error) {
    state.log.warn({ err: error }, 'could not note why a batch waits');
  }
}

/** To be called when the gate is open again, and when an answer is stored, which may be sooner. */
export function endWait(
  { waitingUntil, events }: Pick<WorkerState, 'waitingUntil' | 'events'>,
  batch: HeldBatch,
): void {
  if (waitingUntil.delete(batch)) events.emit('batch.goes_on', { batchKey: batch.key });
}

async function noteWait(
  { waitingUntil, statements, publisher, events }: WorkerState,
  batch: HeldBatch,
): Promise<void> {
  // Requests may go to models of their own: the next one's counts.
  const gate = batch.ready[0]?.gate() ?? batch.plan.model.gate;
  const blocked = gate.blocked();
  if (!blocked || blocked.reason === 'paced') {
    endWait({ waitingUntil, events }, batch);
    return;
  }
  const until = blocked.until.getTime();
  if (until - Date.now() < worthTellingMs || until === waitingUntil.get(batch)) return;
  const { message: reason, since } = blocked;
  if (!waitingUntil.has(batch)) events.emit('batch.waits', { batchKey: batch.key, reason });
  waitingUntil.set(batch, until);
  await statements.noteWaiting(batch.key, { reason, since, until: blocked.until });
  publisher.publish(batch.key);
}
