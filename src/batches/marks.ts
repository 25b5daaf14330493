import { type ChunkMark, raiseSentMarks } from '../db/chunks.ts';
import type { Sql } from '../db/client.ts';
import type { Log } from '../log.ts';
import type { Gate } from '../model/model.ts';
import { type HeldBatch, type Holdings, runsAlone } from './held-batch.ts';
import type { Suspects } from './suspects.ts';
import type { Turns } from './turns.ts';

/**
 * So many items are marked by one statement, or this share of the concurrency: what is marked and not sent yet when a
 * crash comes is reported for nothing.
 */
const minAtOnce = 3;
const shareAtOnce = 0.05;
/**
 * Only where that does not keep up are more marked, twice as many each time: after as many statements without a pause as fill all places
 * one and a half times, or for so long. Answers that come in by the dozen, and a worker that starts, are no reason.
 */
const patience = 1.5;
const maxPatienceMs = 3_000;

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
  turns,
  workerId,
  concurrency,
  suspects,
  busyAlone,
  room,
  onRaised,
  log,
}: {
  sql: Sql;
  held: Holdings;
  turns: Turns;
  workerId: () => string | null;
  concurrency: number;
  suspects: () => Suspects;
  busyAlone: () => boolean;
  /** How many more may be sent now. */
  room: () => number;
  onRaised: () => void;
  log: Log;
}): Marks {
  const firstAtOnce = Math.max(minAtOnce, Math.floor(concurrency * shareAtOnce));
  const patientRaises = Math.ceil((patience * concurrency) / firstAtOnce);
  let atOnce = firstAtOnce;
  let raising = false;
  /** This raise follows on the heels of another. */
  let goingOn = false;
  /** Statements since the last pause, and when that was. */
  let withoutPause = 0;
  let pausedAt = 0;

  function pace(): void {
    if (goingOn) {
      withoutPause += 1;
      const isLate = performance.now() - pausedAt > maxPatienceMs;
      if (withoutPause > patientRaises || isLate) atOnce = Math.min(atOnce * 2, concurrency);
    } else {
      atOnce = Math.max(firstAtOnce, Math.floor(atOnce / 2));
      if (atOnce === firstAtOnce) withoutPause = 0;
      pausedAt = performance.now();
    }
  }

  function dueMarks(): ChunkMark[] {
    const places = Math.min(room(), atOnce);
    // Beside an item that runs alone nothing is sent, and must not be charged with its crash.
    if (places === 0 || busyAlone()) return [];
    const batch = suspects().next();
    const [suspect] = batch?.ready ?? [];
    if (suspect) {
      const isMarked = suspect.index <= suspect.chunk.sentTo;
      return !isMarked && suspects().isAlone() ? [{ ...suspect.chunk, sentTo: suspect.index }] : [];
    }
    const blocked = [...held.values()].filter(
      ({ ready: [next], abort }) =>
        next && !runsAlone(next) && next.index > next.chunk.sentTo && !abort.signal.aborted,
    );
    const rooms = new Map<Gate, number>();
    return [...turns.share(blocked, places)].flatMap(([batch, share]) => {
      const { gate } = batch.plan.model;
      const left = rooms.get(gate) ?? gate.room(places);
      const open = Math.min(left, share);
      rooms.set(gate, left - open);
      return nextMarks(batch, open);
    });
  }

  return {
    raise() {
      const worker = workerId();
      if (raising || worker === null) return;
      pace();
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
