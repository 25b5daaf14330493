/**
 * Takes in what an ended job answered, as it comes: each answer in the way of live ones, in any
 * order, each item once.
 */

import { finishChunks } from '../../db/finish-chunks.ts';
import { readUnansweredAt } from '../../db/items.ts';
import {
  giveBackOthers,
  giveBackPaused,
  giveBackTried,
  readHeldChunks,
} from '../../db/provider-batch-items.ts';
import { leaveToRescue } from '../../db/rescues.ts';
import type { NewResult } from '../../db/results.ts';
import { recordUnanswered } from '../../db/unanswered.ts';
import { decodeRow } from '../../files/decoded-row.ts';
import type { BatchLine } from '../../model/batch-api.ts';
import type { ModelAnswer } from '../../model/model.ts';
import type { ModelError } from '../../model/model-error.ts';
import { tellRecorded } from '../process/tell-recorded.ts';
import { startItem } from '../run/execute.ts';
import type { ItemRun, ItemStep } from '../run/item-run.ts';
import { chunkOf } from './chunk-of.ts';
import { indexOf } from './input.ts';
import {
  beginJobCaching,
  change,
  endWanted,
  endWantedNow,
  type JobStep,
  record,
  recordTwins,
  type StepOutcome,
} from './job.ts';
import { openRepairLimit, pauseUsedUp } from './repair-limit.ts';
import { type Repair, repairLive } from './repair-live.ts';

/** Answers that are parsed and recorded together. */
const windowSize = 500;
/** Characters of them, beyond which they are not held any longer. */
const windowChars = 16 * 1024 * 1024;

/** The step of state `reading`. */
export async function readJob(step: JobStep): Promise<StepOutcome> {
  const { job, api, plan, stopping } = step;
  const firsts = (await readHeldChunks(step.db.sql, job)).map(({ first }) => first);
  const taken: Taken = { failedForNow: [], paused: [], stop: null };
  if (job.results !== null) {
    const whole = plan.operation.body !== undefined;
    let window: Answered[] = [];
    let chars = 0;
    for await (const line of api.results(job.results, { whole, signal: stopping })) {
      const answered = answeredBy(step, line, firsts);
      if (answered) window.push(answered);
      if (line.kind === 'answer') chars += JSON.stringify(line.answer.completion).length;
      if (window.length < windowSize && chars < windowChars) continue;
      await takeIn(step, window, taken);
      window = [];
      chars = 0;
    }
    await takeIn(step, window, taken);
    plan.cache?.jobEnded();
  }
  if (taken.stop) return taken.stop;
  await giveBack(step, taken.paused);
  if (isExpired(step)) await expire(step, taken.failedForNow);
  return { kind: 'end', status: job.status, round: !endWanted(step) };
}

interface Taken {
  /** Items whose requests failed at the provider and may succeed another time. */
  failedForNow: number[];
  /** Items to be asked again once the batch goes on. */
  paused: number[];
  /** Why the batch is to stop, once all that was answered is recorded. */
  stop: StepOutcome | null;
}

interface Answered {
  index: number;
  first: number;
  result: ModelAnswer | ModelError;
}

/** Null for a line that is about no item of this job, or whose request was left undone. */
function answeredBy({ job }: JobStep, line: BatchLine, firsts: readonly number[]): Answered | null {
  if (line.kind !== 'answer' && line.kind !== 'error') return null;
  const index = indexOf(job.id, line.customId);
  const first = index === null ? null : chunkOf(firsts, index);
  if (index === null || first === null) return null;
  return { index, first, result: line.kind === 'answer' ? line.answer : line.error };
}

/**
 * Parses and records answers. What is invalid is asked again, live, at once; what failed at the
 * provider and may succeed another time is left for the next provider batch.
 */
async function takeIn(step: JobStep, window: readonly Answered[], taken: Taken): Promise<void> {
  if (window.length === 0) return;
  const { job, plan, file, fileKey, db } = step;
  const { batchKey } = job;
  const byIndex = new Map<number, Answered>();
  // The first answer to a request is its answer, as with results.
  for (const answered of window) {
    if (!byIndex.has(answered.index)) byIndex.set(answered.index, answered);
  }
  const items = await readUnansweredAt(db.sql, {
    fileKey,
    batchKey,
    indexes: [...byIndex.keys()],
    since: job.createdAt,
  });
  const results: NewResult[] = [];
  const repairs: Repair[] = [];
  const unanswered: Repair[] = [];
  for (const item of items) {
    const answered = byIndex.get(item.index);
    if (!answered) continue;
    const { index, first } = answered;
    const row = decodeRow(file, item);
    await beginJobCaching(step, row);
    const run = startItem(plan, row, step.origin);
    const next = received(step, run, { ...answered, isCounted: item.isCounted });
    if (next.kind === 'stop') taken.stop ??= { ...next, over: true };
    if (next.kind === 'final') results.push({ index, first, ...next.answer });
    if (next.kind === 'again') repairs.push({ index, first, run });
    if (next.kind === 'later') {
      taken.failedForNow.push(index);
      if (isSpent(run)) unanswered.push({ index, first, run });
    }
  }
  await record(step, results);
  const isOver = taken.stop !== null || (await endWantedNow(step)) !== null || job.paused;
  const wanted = isOver ? [] : repairs;
  const limit = await openRepairLimit(
    step,
    wanted.map(({ run }) => run),
  );
  const { left, stop } = await repairLive(step, wanted, {
    limit,
    record: (more) => record(step, more),
  });
  taken.stop ??= stop;
  unanswered.push(...(isOver ? repairs : left));
  await keepUnanswered(step, unanswered);
  const usedUp = limit?.usedUp ?? null;
  if (usedUp !== null) await pauseUsedUp(step, usedUp);
  if (job.paused || usedUp !== null) taken.paused.push(...repairs.map(({ index }) => index));
}

/** The provider bills a failure, or may. */
function isSpent({ usage }: ItemRun): boolean {
  return usage.inputTokens + usage.outputTokens + usage.unmeteredRequests > 0;
}

/** The cost of answers, and of their repairs, that are no item's final answer. */
async function keepUnanswered(step: JobStep, given: readonly Repair[]): Promise<void> {
  const { job, db } = step;
  if (given.length === 0) return;
  const { batchKey, id: worker } = job;
  const items = given.map(({ index, first, run: { attempts, usage, cutOff } }) => {
    return { index, first, attempts, usage, cutOff, model: job.model };
  });
  await recordUnanswered(db.sql, { batchKey, worker, items });
  // Those that were cut off are counted with them.
  if (job.liveCalls > 0) await change(step, { liveCalls: 0 });
}

/** Items of a paused batch, for the job that it goes on with. Those that were recorded stay. */
async function giveBack({ job, worker, db }: JobStep, indexes: readonly number[]): Promise<void> {
  if (indexes.length === 0) return;
  const inOrder = indexes.toSorted((a, b) => a - b);
  await giveBackPaused(db.sql, { ...job, worker }, inOrder);
}

/** An item that Winnow itself fails on does not hold up the others of its job. */
function received(
  { job, log, origin }: JobStep,
  run: ItemRun,
  { index, result, isCounted }: Answered & { isCounted: boolean },
): ItemStep {
  try {
    return run.receive(result, job.model, isCounted);
  } catch (error) {
    log.error(
      { err: error, ...origin.about, providerBatch: job.id, index },
      'an item failed in an unforeseen way',
    );
    return { kind: 'final', answer: run.abandon() };
  }
}

/** The provider's window is over, and what it left undone is not open to live calls already. */
function isExpired(step: JobStep): boolean {
  const { job } = step;
  return (job.expired > 0 || /expired/i.test(job.status)) && !endWanted(step);
}

/** Items that the provider did not reach are EXPIRED or left to live calls, not `failedForNow`. */
async function expire(step: JobStep, failedForNow: readonly number[]): Promise<void> {
  const { job, worker, db, publish, events } = step;
  const { batchKey, id } = job;
  await giveBackOthers(db.sql, { ...job, worker });
  if (failedForNow.length > 0) {
    await giveBackTried(
      db.sql,
      { ...job, worker },
      failedForNow.toSorted((a, b) => a - b),
    );
  }
  if (job.rescue) {
    await leaveToRescue(db.sql, { ...job, worker });
    publish();
    return;
  }
  for (;;) {
    const written = await finishChunks(db.sql, { batchKey, status: 'EXPIRED', providerBatch: id });
    publish();
    tellRecorded(events, batchKey, written);
    if (written && written.recorded > 0) continue;
    tellRecorded(events, batchKey, await recordTwins(step, null));
    return;
  }
}
