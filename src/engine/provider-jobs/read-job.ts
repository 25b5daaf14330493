/**
 * Takes in what an ended job answered, as it comes: each answer on the road of live ones, in any
 * order, each item once.
 */

import { readUnansweredAt } from '../../db/items.ts';
import { giveBackOthers, giveBackTried, readHeldChunks } from '../../db/provider-batch-items.ts';
import { leaveToRescue } from '../../db/rescues.ts';
import { finishChunks, type NewResult } from '../../db/results.ts';
import { decodeRow } from '../../files/row.ts';
import type { BatchLine } from '../../model/batch-api.ts';
import type { ModelAnswer, ModelError } from '../../model/model.ts';
import { hasEnded, tellBatch } from '../process/tell-batch.ts';
import { startItem } from '../run/execute.ts';
import type { ItemRun, Step } from '../run/item-run.ts';
import { chunkOf } from './chunk-of.ts';
import { indexOf } from './input.ts';
import { endWanted, endWantedNow, type HeldJob, type Outcome, record } from './job.ts';
import { type Repair, repairLive } from './repair-live.ts';

/** Answers that are parsed and recorded together. */
const windowSize = 500;
/** Characters of them, beyond which they are not held any longer. */
const windowChars = 16 * 1024 * 1024;

/** The step of state `reading`. */
export async function readJob(job: HeldJob): Promise<Outcome> {
  const { held, api, plan, stopping } = job;
  const firsts = (await readHeldChunks(job.db.sql, held)).map(({ first }) => first);
  const taken: Taken = { failedForNow: [], stop: null };
  if (held.results !== null) {
    const whole = plan.operation.body !== undefined;
    let window: Answered[] = [];
    let chars = 0;
    for await (const line of api.results(held.results, { whole, signal: stopping })) {
      const answered = answeredBy(job, line, firsts);
      if (answered) window.push(answered);
      if (line.kind === 'answer') chars += JSON.stringify(line.answer.completion).length;
      if (window.length < windowSize && chars < windowChars) continue;
      await takeIn(job, window, taken);
      window = [];
      chars = 0;
    }
    await takeIn(job, window, taken);
  }
  if (taken.stop) return taken.stop;
  if (isExpired(job)) await expire(job, taken.failedForNow);
  return { kind: 'end', status: held.status, round: !endWanted(job) };
}

interface Taken {
  /** Items whose requests failed at the provider and may succeed another time. */
  failedForNow: number[];
  /** Why the batch is to stop, once all that was answered is recorded. */
  stop: Outcome | null;
}

interface Answered {
  index: number;
  first: number;
  result: ModelAnswer | ModelError;
}

/**
 * Null for a line that says nothing of an item of this job, or that its request was left undone.
 */
function answeredBy(
  { held }: HeldJob,
  line: BatchLine,
  firsts: readonly number[],
): Answered | null {
  if (line.kind !== 'answer' && line.kind !== 'error') return null;
  const index = indexOf(held.id, line.customId);
  const first = index === null ? null : chunkOf(firsts, index);
  if (index === null || first === null) return null;
  return { index, first, result: line.kind === 'answer' ? line.answer : line.error };
}

/**
 * Parses and records answers. What is invalid is asked again, live, at once; what failed at the
 * provider and may succeed another time is left for the next provider batch.
 */
async function takeIn(job: HeldJob, window: readonly Answered[], taken: Taken): Promise<void> {
  if (window.length === 0) return;
  const { held, plan, file, fileKey, db } = job;
  const { batchKey } = held;
  const byIndex = new Map<number, Answered>();
  // The first answer to a request is its answer, as with results.
  for (const answered of window) {
    if (!byIndex.has(answered.index)) byIndex.set(answered.index, answered);
  }
  const items = await readUnansweredAt(db.sql, {
    fileKey,
    batchKey,
    indexes: [...byIndex.keys()],
    since: held.createdAt,
  });
  const results: NewResult[] = [];
  const repairs: Repair[] = [];
  for (const item of items) {
    const answered = byIndex.get(item.index);
    if (!answered) continue;
    const { index, first } = answered;
    const run = startItem(plan, decodeRow(file, item));
    const step = received(job, run, answered);
    if (step.kind === 'stop') taken.stop ??= { ...step, over: true };
    if (step.kind === 'final') results.push({ index, first, ...step.answer });
    if (step.kind === 'again') repairs.push({ index, first, run });
    if (step.kind === 'later') taken.failedForNow.push(index);
  }
  await record(job, results);
  const wanted = taken.stop !== null || (await endWantedNow(job)) !== null ? [] : repairs;
  const repaired = await repairLive(job, wanted, (more) => record(job, more));
  taken.stop ??= repaired.stop;
}

/** An item that Winnow itself fails on does not hold up the others of its job. */
function received({ held, log }: HeldJob, run: ItemRun, { index, result }: Answered): Step {
  try {
    return run.receive(result, held.model);
  } catch (error) {
    log.error({ err: error, providerBatch: held.id, index }, 'an item failed in an unforeseen way');
    return { kind: 'final', answer: run.abandon() };
  }
}

/**
 * The provider's window has passed over it, and what was left undone is not open to live calls
 * already.
 */
function isExpired(job: HeldJob): boolean {
  const { held } = job;
  return (held.expired > 0 || /expired/i.test(held.status)) && !endWanted(job);
}

/**
 * Items of the input that the provider did not come to are EXPIRED, or left to live calls;
 * `failedForNow` it did come to.
 */
async function expire(job: HeldJob, failedForNow: readonly number[]): Promise<void> {
  const { held, worker, db, publish, log } = job;
  const { batchKey, id } = held;
  await giveBackOthers(db.sql, { ...held, worker });
  if (failedForNow.length > 0) {
    await giveBackTried(
      db.sql,
      { ...held, worker },
      failedForNow.toSorted((a, b) => a - b),
    );
  }
  if (held.rescue) {
    await leaveToRescue(db.sql, { ...held, worker });
    publish();
    return;
  }
  for (;;) {
    const written = await finishChunks(db.sql, { batchKey, status: 'EXPIRED', providerBatch: id });
    publish();
    if (hasEnded(written)) void tellBatch({ db, log }, batchKey, 'batch ended'); // never rejects
    if (!written || written.recorded === 0) return;
  }
}
