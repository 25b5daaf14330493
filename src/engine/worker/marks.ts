/**
 * The marks of what may have been sent, one a chunk: up to which item, and how many requests beyond
 * the first of each. An item is sent only when the database knows its mark, so that a crash never
 * costs more requests than it reports. A mark is raised only as far as there is room to send, and a
 * little ahead. So a crash reports hardly more than it cost: what is marked and not yet sent at
 * that instant. For that reason a mark is a short statement of its own, and not part of the flush
 * that makes the room.
 */
import type { ChunkMark } from '../../db/chunks.ts';
import type { Gate } from '../../model/limits/permit.ts';
import { shareInOrder } from './fair-order.ts';
import { countStuck, type GateRoom, isShort, newRoom } from './gate-room.ts';
import type { HeldBatch } from './held-batch.ts';
import { type HeldItem, isMarked, runsAlone } from './held-item.ts';
import { firstAtOnce, learnPace } from './mark-pace.ts';
import { isAlone, nextInQuarantine } from './quarantine.ts';
import { countMarked } from './ready-items.ts';
import { listenTo, placesLeft, type WorkerState, waitsForFirst } from './state.ts';

/** After this long without a statement the pace begins again. */
const pauseMs = 10;
/**
 * Items marked before there is a place for them: this many, or this share of what a crash would
 * cost now. So a place that falls free is not empty until a statement ends. A crash reports these
 * items too many.
 */
const minAhead = 3;
const shareAhead = 0.05;

/** The items of a batch that one statement marks: the next of those that wait to be sent. */
interface Due {
  batch: HeldBatch;
  items: readonly HeldItem[];
}

/** Marks items that could be sent now but for their mark. One statement at a time. */
export function raiseMarks(state: WorkerState, now: number): void {
  const { marks: pace, lease } = state;
  const worker = lease.id();
  if (pace.isRaising || state.stopping || worker === null) return;
  if (now - pace.endedAt > pauseMs && !pace.isHeldUp) {
    pace.late = 0;
    pace.atOnce = firstAtOnce(state);
  }
  pace.isHeldUp = false;
  const due = dueMarks(state);
  if (pace.hasEnded) learnPace(state, now, due.length === 0 && !pace.isHeldUp);
  pace.hasEnded = false;
  if (due.length > 0) void raise(state, worker, due); // never rejects
}

async function raise(state: WorkerState, worker: string, due: readonly Due[]): Promise<void> {
  const { marks: pace, statements, clock, log } = state;
  pace.isRaising = true;
  for (const { batch, items } of due) batch.marking = items.length;
  try {
    await statements.mark(worker, marksOf(due));
    pace.hasEnded = true;
    pace.endedAt = clock.now();
    for (const { items } of due) for (const item of items) noteMarked(item);
    state.wake();
  } catch (error) {
    // The worker's next look tries again.
    log.warn({ err: error }, 'could not raise marks; trying again');
  } finally {
    pace.isRaising = false;
    for (const { batch } of due) batch.marking = 0;
  }
}

function noteMarked(item: HeldItem): void {
  const { chunk, index } = item;
  chunk.sentTo = Math.max(chunk.sentTo, index);
  if (!item.isRepeat) return;
  item.isRepeat = false;
  item.repeats += 1;
}

/** A chunk has one mark. */
function marksOf(due: readonly Due[]): ChunkMark[] {
  const marks = new Map<HeldItem['chunk'], ChunkMark>();
  for (const { items } of due) {
    for (const { index, chunk, isRepeat } of items) {
      const repeats = isRepeat ? 1 : 0;
      const mark = marks.get(chunk);
      if (mark) {
        mark.sentTo = Math.max(mark.sentTo, index);
        mark.repeats += repeats;
      } else {
        const { batchKey, first } = chunk;
        marks.set(chunk, { batchKey, first, sentTo: index, repeats });
      }
    }
  }
  return [...marks.values()];
}

function dueMarks(state: WorkerState): Due[] {
  const places = Math.min(placesLeft(state), state.marks.atOnce);
  // Beside an item that runs alone nothing is sent, and must not be charged with its crash.
  if (places === 0 || state.runningAlone) return [];
  const batch = nextInQuarantine(state);
  const [item] = batch?.ready ?? [];
  if (!batch || !item) return dueTogether(state, places);
  return !isMarked(item) && isAlone(state) ? [{ batch, items: [item] }] : [];
}

/**
 * Where no item runs alone: the next in fair order, as far as the gates have room, and a little
 * ahead. What is marked already counts.
 */
function dueTogether(state: WorkerState, places: number): Due[] {
  const batches = [...state.batches.values()].filter(({ abort, ready, plan }) => {
    return ready.length > 0 && !abort.signal.aborted && !waitsForFirst(state, plan);
  });
  const gates = new Map<Gate, GateRoom>();
  const marked = new Map<HeldBatch, number>();
  for (const batch of batches) {
    const { gate } = batch.plan.model;
    const known = gates.get(gate) ?? newRoom(roomOf(state, gate, places));
    marked.set(batch, countMarked(batch));
    known.marked += marked.get(batch) ?? 0;
    gates.set(gate, known);
  }
  // What waits at a closed gate, or for a provider that takes no connection, keeps no other item
  // from being marked.
  const open = batches.filter(
    (batch) => isOpen(batch, marked.get(batch) ?? 0, gates) && !waitsToConnect(state, batch),
  );
  const gateOf = ({ plan }: HeldBatch) => gates.get(plan.model.gate) ?? newRoom(0);
  for (const batch of open) gateOf(batch).unsent += marked.get(batch) ?? 0;
  const all = [...gates.values()];
  const unsent = sum(all.map((gate) => gate.unsent));
  const underWay = state.concurrency - placesLeft(state);
  const ahead = Math.max(minAhead, Math.floor(underWay * shareAhead));
  // Early enough that the last of them is not waited for, and not for each one.
  const isLow = open.some((batch) => isShort(gateOf(batch))) || unsent <= ahead / 2;
  if (!isLow) return [];
  const now = sum(all.map((gate) => gate.room));
  const shares = shareInOrder(state.fairOrder, open, {
    places: Math.min(places, now + ahead),
    roomOf: gateOf,
  });
  // What waits at one gate takes no place of what goes through another.
  const sendable = unsent - sum(all.map(countStuck));
  let left = Math.min(places, state.marks.atOnce - countConnecting(open)) - sendable;
  return [...shares].flatMap(([batch, share]) => {
    const from = marked.get(batch) ?? 0;
    const to = Math.min(share, from + Math.max(0, left - countStuck(gateOf(batch))));
    left -= Math.max(0, to - from);
    const items = nextItems(batch, from, to);
    return items.length > 0 ? [{ batch, items }] : [];
  });
}

function roomOf(state: WorkerState, gate: Gate, atMost: number): number {
  const room = gate.room(atMost);
  if (room === 0) listenTo(state, gate);
  return room;
}

/** There are items to mark, and their gate has room, or will have some before long. */
function isOpen(
  { plan, ready }: HeldBatch,
  marked: number,
  gates: ReadonlyMap<Gate, GateRoom>,
): boolean {
  const { gate } = plan.model;
  const next = ready[marked];
  if (next && runsAlone(next)) return false;
  return (gates.get(gate)?.room ?? 0) > 0 || gate.blocked() === null;
}

/**
 * Requests that wait for a connection are marked and not sent, as what is marked ahead. While they
 * are more than half of what one statement marks, nothing is marked behind them.
 */
function waitsToConnect({ marks: pace, wake }: WorkerState, { plan }: HeldBatch): boolean {
  const { connecting } = plan.model;
  if (!connecting || connecting.count <= pace.atOnce / 2) return false;
  connecting.whenFewer(wake);
  pace.isHeldUp = true;
  return true;
}

/** Models of one provider share its connections. */
function countConnecting(batches: readonly HeldBatch[]): number {
  const shared = new Set(batches.map(({ plan }) => plan.model.connecting));
  return sum([...shared].map((connecting) => connecting?.count ?? 0));
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** These items of a batch, up to one that runs alone. */
function nextItems({ ready }: HeldBatch, from: number, to: number): HeldItem[] {
  const items = ready.slice(from, to);
  const alone = items.findIndex(runsAlone);
  return alone === -1 ? items : items.slice(0, alone);
}
