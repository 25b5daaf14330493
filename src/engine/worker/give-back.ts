/**
 * Gives back what was not sent of a batch that sends nothing new, at once, while its calls end and
 * are recorded. What a call brings that is not the end of its item is given back too: with the rest
 * of its chunk, when nothing of that is under way any more.
 */
import type { KeptPart } from '../../db/unsent.ts';
import { clearReady, type HeldBatch, type HeldChunk, type HeldItem } from './held-batch.ts';
import { letGoIfDone } from './release.ts';
import type { WorkerState } from './state.ts';

/** Results that come in while a chunk is cut make it wait for the next try, so often at most. */
const maxTries = 5;

/** Sends nothing more of what is held of the batch now. Never rejects. */
export async function giveBackUnsent(state: WorkerState, batch: HeldBatch): Promise<void> {
  const chunks = [...batch.chunks.values()].filter(({ leaving }) => leaving === null);
  if (chunks.length === 0 || batch.dropping !== null || batch.abort.signal.aborted) return;
  const idle = takeIdle(state, batch);
  const cuts: KeptPart[] = [];
  for (const chunk of chunks) {
    const items = idle.get(chunk) ?? [];
    // Items go out in order: behind the first that did not, none is under way.
    const unsent = items.filter(({ sent }) => !sent);
    const answered = items.filter((item) => item.answered).length;
    chunk.leaving = { aside: items.length - unsent.length, answered, isGiven: false };
    chunk.unrecorded -= unsent.length;
    const [next] = unsent;
    if (!next || isOver(chunk)) continue;
    chunk.last = next.index - 1;
    cuts.push({ first: chunk.first, keptTo: chunk.last });
  }
  batch.mayHaveMore = true;
  state.claims.nextFirsts.delete(batch.key);
  await giveBackLeft(state, batch, cuts);
}

/**
 * Gives back the chunks that were being left and of which nothing is under way, and the rest of
 * those that are cut. Never rejects.
 */
export async function giveBackLeft(
  state: WorkerState,
  batch: HeldBatch,
  cuts: readonly KeptPart[] = [],
): Promise<void> {
  const over = [...batch.chunks.values()].filter(
    (chunk) => isOver(chunk) && !chunk.leaving?.isGiven,
  );
  if (over.length === 0 && cuts.length === 0) return;
  let resent = 0;
  for (const { leaving } of over) {
    if (!leaving) continue;
    leaving.isGiven = true;
    resent += leaving.answered;
  }
  const wholes = over.map(({ first }) => ({ first, keptTo: first - 1 }));
  await giveBack(state, batch, { parts: [...wholes, ...cuts], resent });
  // Not before: what is not held is given back by others' statements, and claimed again.
  for (const chunk of over) {
    if (batch.chunks.get(chunk.first) === chunk) batch.chunks.delete(chunk.first);
  }
  letGoIfDone(state, batch);
  state.wake();
}

/** Nothing of the chunk is under way that is being left. */
function isOver({ leaving, unrecorded }: HeldChunk): boolean {
  return leaving !== null && leaving.aside === unrecorded;
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
  { parts, resent }: { parts: readonly KeptPart[]; resent: number },
): Promise<void> {
  const { statements, publisher, log } = state;
  const { worker, key: batchKey } = batch;
  try {
    let left = parts;
    for (let tries = 0; left.length > 0 && tries < maxTries; tries += 1) {
      const given = { worker, batchKey, parts: left, resent: tries === 0 ? resent : 0 };
      const missed = new Set(await statements.releaseUnsent(given));
      left = left.filter(({ first }) => missed.has(first));
    }
  } catch (error) {
    log.warn({ err: error, batch: batch.id }, 'could not give items back; the next renewal will');
  }
  publisher.publish(batchKey);
}
