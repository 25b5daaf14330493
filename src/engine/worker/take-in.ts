/** Takes in claimed chunks: binds their batch to its model and reads their items. */
import { BadUserInput, internalError } from '../../core/errors.ts';
import type { ClaimedChunk } from '../../db/chunks.ts';
import type { OpenItem } from '../../db/items.ts';
import { type DecodedRow, decodeRow } from '../../files/decoded-row.ts';
import { beginCaching } from '../run/caching.ts';
import type { Plan } from '../run/plan.ts';
import { type HeldBatch, holdBatch } from './held-batch.ts';
import { holdChunk } from './held-chunks.ts';
import { beginStop } from './release.ts';
import type { WorkerState } from './state.ts';

/** The items of one run are read by one statement. */
const maxRunItems = 2_000;

/**
 * Takes in chunks of one batch. False where they must not be worked on, not by this process, or not
 * under this lease any more: they are to be given back.
 */
export async function takeIn(
  state: WorkerState,
  worker: string,
  { batchKey, chunks }: { batchKey: bigint; chunks: readonly ClaimedChunk[] },
): Promise<boolean> {
  const { batches, statements, lease, publisher, tracing } = state;
  const batch = batches.get(batchKey) ?? (await hold(state, worker, batchKey));
  if (!batch) return false;
  // Given back, but the answer to that is lost or still to come: another try would free it again.
  if (chunks.some(({ first }) => batch.chunks.get(first)?.leaving?.isGiving)) {
    await batch.givingBack;
    return false;
  }
  const inOrder = [...chunks].sort((a, b) => a.first - b.first);
  const { fileKey } = batch;
  const items = (
    await Promise.all(runsOf(inOrder).map((run) => statements.readItems({ ...run, fileKey })))
  ).flat();
  await beginCaching(batch.plan, decoded(batch, items), {
    asked: batch.promptCaching,
    items: batch.askedItems,
    atOnce: Math.min(state.concurrency, batch.askedItems),
  });
  // It may have been dropped while the items were read, or the lease lost.
  if (batch.abort.signal.aborted || lease.id() !== batch.worker) return false;
  // Nor is it held any more if its other chunks were all stored meanwhile.
  batches.set(batchKey, batch);
  let next = 0;
  for (const claimed of inOrder) {
    const start = next;
    while ((items[next]?.index ?? Number.POSITIVE_INFINITY) <= claimed.last) next += 1;
    holdChunk(state, batch, { claimed, items: items.slice(start, next), tracing });
  }
  publisher.publish(batchKey);
  return true;
}

/** Rows are read no further than somebody asks for. */
function* decoded({ file }: HeldBatch, items: readonly OpenItem[]): Generator<DecodedRow> {
  for (const item of items) yield decodeRow(file, item);
}

/** Null where the batch must not be worked on, or not by this process. */
async function hold(state: WorkerState, worker: string, key: bigint): Promise<HeldBatch | null> {
  const { batches, statements, preparePlan, lease, log, events, tracing } = state;
  const found = await statements.readPlan(key);
  if (!found || lease.id() !== worker) return null;
  let plan: Plan;
  try {
    plan = preparePlan(found);
  } catch (error) {
    // A batch that no worker can run must not go round for ever.
    if (error instanceof BadUserInput) {
      await beginStop(state, found, { code: 'UNKNOWN_MODEL', message: error.message });
    } else {
      log.error({ err: error, batchId: found.id }, 'a stored batch cannot be run');
      await beginStop(state, found, internalError);
    }
    return null;
  }
  const batch = holdBatch(found, { worker, plan, events, tracing });
  batches.set(key, batch);
  return batch;
}

interface Run {
  batchKey: bigint;
  first: number;
  last: number;
  someDone: boolean;
  someTwins: boolean;
}

/**
 * Chunks that follow each other, and of which either some items or none have a result, and are
 * twins, as one range; all of one batch, in order.
 */
function runsOf(chunks: readonly ClaimedChunk[]) {
  const runs: Run[] = [];
  for (const { batchKey, first, last, done, twins } of chunks) {
    const run = runs.at(-1);
    const someDone = done > 0;
    const someTwins = twins > 0;
    const isAlike = run?.someDone === someDone && run.someTwins === someTwins;
    const goesOn = isAlike && run.last + 1 === first;
    if (goesOn && last - run.first < maxRunItems) run.last = last;
    else runs.push({ batchKey, first, last, someDone, someTwins });
  }
  return runs;
}
