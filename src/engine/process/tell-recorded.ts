/** Tells of results that were written, and of the end of their batch. */
import type { Cause } from '../../core/log.ts';
import { isFinal } from '../../db/final-status.ts';
import type { EndedBatch, Recorded } from '../../db/results.ts';
import type { Lane, Telling } from '../../telemetry/events.ts';

/**
 * True where what was written has ended its batch: of all writes, the one that changed something
 * and left it in a final state.
 */
function hasEnded(written: Pick<Recorded, 'recorded' | 'status'> | null): boolean {
  return written !== null && written.recorded > 0 && isFinal(written.status);
}

/** Both writes as one, which stands where the later one left the batch. */
export function withEarlier(later: Recorded, earlier: Recorded): Recorded {
  return {
    ...later,
    recorded: earlier.recorded + later.recorded,
    items: [...earlier.items, ...later.items],
  };
}

/** Tells of a write, if it changed something. `lane`: by which way the answers came, if one did. */
export function tellRecorded(
  events: Telling,
  batchKey: bigint,
  written: Recorded | null,
  { lane, cause }: { lane?: Lane; cause?: Cause } = {},
): void {
  if (written === null || written.recorded === 0) return;
  const { owner, operation, items } = written;
  if (events.has('items.recorded')) {
    events.emit('items.recorded', { owner, operation, lane: lane ?? laneOf(written), items });
  }
  if (hasEnded(written)) tellEnded(events, batchKey, written, cause);
}

/** Tells of the end of a batch. `cause`: the request that brought it, if one did. */
export function tellEnded(
  events: Telling,
  batchKey: bigint,
  ended: EndedBatch,
  cause?: Cause,
): void {
  const { operation, status, seconds } = ended;
  const fact = { batchKey, operation, status, lane: laneOf(ended), seconds };
  events.emit('batch.ended', cause ? { ...fact, cause } : fact);
}

/** Lane of a batch, whichever way its last items went. */
function laneOf({ execution }: Pick<EndedBatch, 'execution'>): Lane {
  return execution === 'PROVIDER_BATCH' ? 'provider_batch' : 'live';
}
