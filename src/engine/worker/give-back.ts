/**
 * Gives back what was not sent of a batch that sends nothing new, at once, while its calls end and
 * are recorded. What a call brings that is not the end of its item is given back too: with the rest
 * of its chunk, when nothing of that is under way any more.
 */
import type { Unanswered } from '../../db/unanswered.ts';
import type { KeptPart } from '../../db/unsent.ts';
import { type HeldBatch, spentOn } from './held-batch.ts';
import { letGoOfChunk } from './held-chunks.ts';
import type { HeldChunk, HeldItem } from './held-item.ts';
import { clearReady } from './ready-items.ts';
import { letGoIfDone } from './release.ts';
import type { WorkerState } from './state.ts';

/** Results that come in while a chunk is cut make it wait for the next try, so often at most. */
const maxTries = 5;
/**
 * A give-back that failed is tried again after this, until it is done. The database may still have
 * the first try, behind a lock on the batch, and the next one waits behind that. A statement that
 * locks only chunks would overtake it, and the chunk could be claimed again before it comes.
 */
const retryDelayMs = 500;

/** Sends nothing more of what is held of the batch now. Never rejects. */
export async function giveBackUnsent(state: WorkerState, batch: HeldBatch): Promise<void> {
  const chunks = [...batch.chunks.values()].filter(({ leaving }) => leaving === null);
  if (chunks.length === 0 || batch.dropping !== null || batch.abort.signal.aborted) return;
  const idle = takeIdle(state, batch);
  const cuts: HeldChunk[] = [];
  for (const chunk of chunks) {
    const items = idle.get(chunk) ?? [];
    // Items go out in order: behind the first that did not, none is under way.
    const unsent = items.filter(({ sent }) => !sent);
    chunk.leaving = { aside: items.filter(({ sent }) => sent), isGiving: false };
    chunk.unrecorded -= unsent.length;
    const [next] = unsent;
    if (!next || isOver(chunk)) continue;
    chunk.last = next.index - 1;
    chunk.leaving.isGiving = true;
    cuts.push(chunk);
  }
  batch.mayHaveMore = true;
  state.claims.nextFirsts.delete(batch.key);
  await giveBackLeft(state, batch, cuts);
}

/**
 * Gives back the chunks that were being left and of which nothing is under way, and the rest of
 * those that are cut. The give-backs of a batch go one after another: of two for one chunk the
 * first could come last, and free what this worker has claimed again. Resolves when it is done.
 * Never rejects.
 */
export function giveBackLeft(
  state: WorkerState,
  batch: HeldBatch,
  cuts: readonly HeldChunk[] = [],
): Promise<void> {
  const isLeft = [...batch.chunks.values()].some(({ leaving }) => leaving !== null);
  if (isLeft) batch.givingBack = batch.givingBack.then(() => giveBackDue(state, batch, cuts));
  return batch.givingBack;
}

async function giveBackDue(
  state: WorkerState,
  batch: HeldBatch,
  cuts: readonly HeldChunk[],
): Promise<void> {
  const over = [...batch.chunks.values()].filter(isOver);
  // Of a batch that is dropped everything is given back.
  if (batch.abort.signal.aborted || (over.length === 0 && cuts.length === 0)) return;
  const aside: HeldItem[] = [];
  for (const { leaving } of over) {
    if (!leaving) continue;
    leaving.isGiving = true;
    aside.push(...leaving.aside);
  }
  const wholes = over.map(({ first }) => ({ first, keptTo: first - 1 }));
  const kept = cuts.map(({ first, last }) => ({ first, keptTo: last }));
  const unanswered = spentOn(batch, aside);
  await giveBack(state, batch, { parts: [...wholes, ...kept], unanswered });
  // Not before: what is not held is given back by others' statements, and claimed again.
  for (const chunk of over) letGoOfChunk(batch, chunk);
  for (const chunk of cuts) {
    if (chunk.leaving) chunk.leaving.isGiving = false;
    if (chunk.unrecorded === 0) letGoOfChunk(batch, chunk);
  }
  letGoIfDone(state, batch);
  state.wake();
}

/** Nothing of the chunk is under way that is being left, nor is it being given back. */
function isOver({ leaving, unrecorded }: HeldChunk): boolean {
  return leaving !== null && !leaving.isGiving && leaving.aside.length === unrecorded;
}

/** The items of each chunk that wait to be sent or to be tried again; they wait no more. */
function takeIdle(state: WorkerState, batch: HeldBatch): Map<HeldChunk, HeldItem[]> {
  const { backOffs } = state;
  const waiting = backOffs.filter((backOff) => backOff.batch === batch);
  const idle = new Map<HeldChunk, HeldItem[]>();
  for (const item of [...batch.ready, ...waiting.map((backOff) => backOff.item)]) {
    const items = idle.get(item.chunk);
    if (items) items.push(item);
    else idle.set(item.chunk, [item]);
  }
  clearReady(state, batch);
  batch.waiting = 0;
  const left = backOffs.filter((backOff) => backOff.batch !== batch);
  backOffs.splice(0, backOffs.length, ...left);
  return idle;
}

async function giveBack(
  state: WorkerState,
  batch: HeldBatch,
  { parts, unanswered }: { parts: readonly KeptPart[]; unanswered: readonly Unanswered[] },
): Promise<void> {
  const { statements, publisher, clock, log } = state;
  const { worker, key: batchKey } = batch;
  let left = parts;
  let spent = unanswered;
  for (let tries = 0; left.length > 0 && tries < maxTries && !batch.isForgotten; ) {
    try {
      const given = { worker, batchKey, parts: left, unanswered: spent };
      const missed = new Set(await statements.releaseUnsent(given));
      left = left.filter(({ first }) => missed.has(first));
      spent = [];
      tries += 1;
    } catch (error) {
      log.warn({ err: error, ...batch.about }, 'could not give items back; trying again');
      await new Promise<void>((resolve) => clock.setTimer(resolve, retryDelayMs));
    }
  }
  publisher.publish(batchKey);
}
