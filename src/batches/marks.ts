import { type ChunkMark, raiseSentMarks } from '../db/chunks.ts';
import type { Sql } from '../db/client.ts';
import type { Log } from '../log.ts';
import type { Gate, Permit } from '../model/model.ts';
import { type HeldBatch, type Holdings, runsAlone } from './held-batch.ts';

/**
 * So many items are marked at first, or this share of the concurrency, because writing the mark and sending them takes time in
 * which a crash may come; and twice as many each time that there is room for more still.
 */
const minAtOnce = 3;
const shareAtOnce = 0.05;

/**
 * The marks of what may have been sent, one a chunk. An item is sent only when the database knows its mark, so that
 * a crash never costs more requests than it reports; and it is raised only as far as there is room to send, so that a crash
 * reports hardly more than it cost: what is marked, and not yet sent, at that instant. For that reason it is a short
 * statement of its own, and no part of the flush that makes the room.
 */
export interface Marks {
  /** Raises the marks of items that could be sent now but for their mark. One write at a time. */
  raise(): void;
}

export function createMarks({
  sql,
  held,
  workerId,
  concurrency,
  inFlight,
  room,
  onRaised,
  log,
}: {
  sql: Sql;
  held: Holdings;
  workerId: () => string | null;
  concurrency: number;
  inFlight: () => number;
  /** How many more may be sent now. */
  room: () => number;
  onRaised: () => void;
  log: Log;
}): Marks {
  const firstAtOnce = Math.max(minAtOnce, Math.floor(concurrency * shareAtOnce));
  let atOnce = firstAtOnce;
  let raising = false;
  /** This raise follows on the heels of another. */
  let goingOn = false;

  function dueMarks(): ChunkMark[] {
    const places = Math.min(room(), atOnce);
    if (places === 0) return [];
    const blocked = [...held.values()].filter(
      ({ ready: [next], abort }) => next && next.index > next.chunk.sentTo && !abort.signal.aborted,
    );
    const share = Math.ceil(places / Math.max(1, blocked.length));
    return blocked.flatMap((batch) => {
      const [next] = batch.ready;
      const open = roomAt(batch.plan.model.gate, share);
      if (!next || open === 0) return [];
      if (!runsAlone(next)) return nextMarks(batch, open);
      // Only when it is about to be sent: it would be charged with a crash that others caused.
      return inFlight() === 0 ? [{ ...next.chunk, sentTo: next.index }] : [];
    });
  }

  return {
    raise() {
      const worker = workerId();
      if (raising || worker === null) return;
      atOnce = goingOn ? atOnce * 2 : firstAtOnce;
      const marks = dueMarks();
      if (marks.length === 0) return;
      raising = true;
      // Both ways are handled, and neither throws.
      void raiseSentMarks(sql, worker, marks).then(
        () => {
          raising = false;
          goingOn = true;
          for (const { batchKey, first, sentTo } of marks) {
            const chunk = held.get(batchKey)?.chunks.get(first);
            if (chunk) chunk.sentTo = Math.max(chunk.sentTo, sentTo);
          }
          onRaised();
          goingOn = false;
        },
        (error: unknown) => {
          raising = false; // the worker's next look tries again
          log.warn({ err: error }, 'could not raise marks; trying again');
        },
      );
    },
  };
}

/** What the next items of a batch need, up to one that runs alone. A chunk has one mark. */
function nextMarks({ ready }: HeldBatch, items: number): ChunkMark[] {
  const marks = new Map<number, ChunkMark>();
  for (const item of ready.slice(0, items)) {
    if (runsAlone(item)) break;
    const { batchKey, first, sentTo } = item.chunk;
    if (item.index > sentTo) marks.set(first, { batchKey, first, sentTo: item.index });
  }
  return [...marks.values()];
}

/** How many permits a gate has to give, up to `atMost`. They are taken and given back at once. */
function roomAt(gate: Gate, atMost: number): number {
  const permits: Permit[] = [];
  while (permits.length < atMost) {
    const permit = gate.tryEnter();
    if (!permit) break;
    permits.push(permit);
  }
  for (const permit of permits) permit.release('aborted');
  return permits.length;
}
