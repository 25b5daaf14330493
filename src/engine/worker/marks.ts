import type { Log } from '../../core/log.ts';
import { type ChunkMark, raiseSentMarks } from '../../db/chunks.ts';
import type { Sql } from '../../db/driver/client.ts';
import type { Gate } from '../../model/model.ts';
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
 * Only where that does not keep up are more marked, twice as many each time: after as many statements at whose end more was to be marked as fill
 * all places one and a half times, or when they have come for so long. Answers that come in by the dozen, and a worker that starts, are no reason.
 */
const patience = 1.5;
const maxPatienceMs = 3_000;
/** So many statements in a row may find that they kept up, and the next are as long as before. */
const slack = 8;
/** After so long without a statement everything begins anew. */
const pauseMs = 10;
/**
 * So many items are marked before there is a place for them, or this share of what a crash would cost just now, so that a place that is
 * given up is not empty until a statement ends. That is what a crash reports too many.
 */
const minAhead = 3;
const shareAhead = 0.05;

/**
 * The marks of what may have been sent, one a chunk. An item is sent only when the database knows its mark, so that
 * a crash never costs more requests than it reports; and it is raised only as far as there is room to send and a little ahead, so that
 * a crash reports hardly more than it cost: what is marked, and not yet sent, at that instant. For that reason it is a short
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
  /** A statement has just ended. */
  let ended = false;
  /** Statements at whose end more was to be marked, less those that kept up; since when there are any; and when the last one ended. */
  let late = 0;
  let lateSince = 0;
  let endedAt = 0;

  /** Learns from the statement that has just ended. */
  function pace(keptUp: boolean): void {
    if (keptUp) {
      late = Math.max(0, late - 1);
      if (late < patientRaises) atOnce = Math.max(firstAtOnce, Math.floor(atOnce / 2));
      return;
    }
    if (late === 0) lateSince = performance.now();
    late += 1;
    if (late <= patientRaises && performance.now() - lateSince <= maxPatienceMs) return;
    late = patientRaises + slack;
    atOnce = Math.min(atOnce * 2, concurrency);
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
    return dueBesides(places);
  }

  /** Where none runs alone: the next in turn, what is marked already included, as far as the gates have room, and a little ahead. */
  function dueBesides(places: number): ChunkMark[] {
    const batches = [...held.values()].filter(({ abort, ready }) => {
      return ready.length > 0 && !abort.signal.aborted;
    });
    const gates = new Map<Gate, { room: number; marked: number }>();
    const marked = new Map<HeldBatch, number>();
    for (const batch of batches) {
      const { gate } = batch.plan.model;
      const state = gates.get(gate) ?? { room: gate.room(places), marked: 0 };
      marked.set(batch, countMarked(batch));
      state.marked += marked.get(batch) ?? 0;
      gates.set(gate, state);
    }
    const open = batches.filter((batch) => isOpen(batch, marked.get(batch) ?? 0, gates));
    // What waits at a closed gate keeps nobody else from being marked.
    const unsent = sum(open.map((batch) => marked.get(batch) ?? 0));
    const ahead = Math.max(minAhead, Math.floor((concurrency - room()) * shareAhead));
    // Early enough that the last of them is not waited for, and not for each one.
    const isLow =
      open.some(({ plan }) => isShort(gates.get(plan.model.gate))) || unsent <= ahead / 2;
    if (!isLow) return [];
    const now = sum([...gates.values()].map((gate) => gate.room));
    const shares = turns.share(open, Math.min(places, now + ahead));
    let left = places - unsent;
    return [...shares].flatMap(([batch, share]) => {
      const from = marked.get(batch) ?? 0;
      const to = Math.min(share, from + Math.max(0, left));
      left -= Math.max(0, to - from);
      return nextMarks(batch, from, to);
    });
  }

  return {
    raise() {
      const worker = workerId();
      if (raising || worker === null) return;
      if (performance.now() - endedAt > pauseMs) {
        late = 0;
        atOnce = firstAtOnce;
      }
      const marks = dueMarks();
      if (ended) pace(marks.length === 0);
      ended = false;
      if (marks.length === 0) return;
      raising = true;
      // Both ways are handled, and neither throws.
      void raiseSentMarks(sql, worker, marks).then(
        () => {
          raising = false;
          ended = true;
          endedAt = performance.now();
          for (const { batchKey, first, sentTo } of marks) {
            const chunk = held.get(batchKey)?.chunks.get(first);
            if (chunk) chunk.sentTo = Math.max(chunk.sentTo, sentTo);
          }
          onRaised();
        },
        (error: unknown) => {
          raising = false; // the worker's next look tries again
          log.warn({ err: error }, 'could not raise marks; trying again');
        },
      );
    },
  };
}

/** There are items to mark, and their gate has room, or will have some before long. */
function isOpen(
  { plan, ready }: HeldBatch,
  marked: number,
  gates: ReadonlyMap<Gate, { room: number }>,
): boolean {
  const { gate } = plan.model;
  const next = ready[marked];
  if (next && runsAlone(next)) return false;
  return (gates.get(gate)?.room ?? 0) > 0 || gate.blocked() === null;
}

function isShort(gate: { room: number; marked: number } | undefined): boolean {
  return gate !== undefined && gate.marked < gate.room;
}

/** Items in front that may be sent as far as their mark goes. Behind the first that may not, none may. */
function countMarked({ ready }: HeldBatch): number {
  let [from, to] = [0, ready.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = ready[middle];
    if (item && item.index <= item.chunk.sentTo) from = middle + 1;
    else to = middle;
  }
  return from;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** What these items of a batch need, up to one that runs alone. A chunk has one mark. */
function nextMarks({ ready }: HeldBatch, from: number, to: number): ChunkMark[] {
  const marks = new Map<number, ChunkMark>();
  for (const item of ready.slice(from, to)) {
    if (runsAlone(item)) break;
    const { batchKey, first, sentTo } = item.chunk;
    if (item.index > sentTo) marks.set(first, { batchKey, first, sentTo: item.index });
  }
  return [...marks.values()];
}
