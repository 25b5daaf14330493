/** A job that its provider rejected: whose fault it is, and who goes on. */

import { type BatchErrorCode, ItemFailure } from '../../core/errors.ts';
import { readInputItems } from '../../db/provider-batch-items.ts';
import { hasJobBesides } from '../../db/provider-batches.ts';
import type { JobProblem } from '../../model/batch-api.ts';
import { failItems } from './fail-items.ts';
import { change, discardInput, endWanted, type JobStep, type StepOutcome } from './job.ts';
import { withoutModel } from './unknown-model.ts';

/** A provider lets so many tokens wait at once; what was too many is tried again after this. */
const tooMuchDelayMs = 5 * 60_000;

/**
 * No job is made smaller: somebody else may have filled the queue, and jobs of a few requests each
 * would not empty it sooner.
 */
const fewRequests = 100;

/** The provider took none of it. Items fail whose lines it names; else the batch stops. */
export async function takeBack(
  step: JobStep,
  problems: readonly JobProblem[],
): Promise<StepOutcome> {
  const { job } = step;
  const tooMuch = problems.find(({ code }) => code !== null && limitCodes.has(code));
  if (tooMuch && !endWanted(step)) return await wait(step, tooMuch);
  discardInput(step);
  if (endWanted(step)) return { kind: 'end', status: job.status, round: false };
  const everybodys = problems.find(({ code }) => code !== null && batchCodes.has(code));
  if (everybodys?.code === 'model_not_found') {
    const goesOn = await withoutModel(step, everybodys);
    if (goesOn) return goesOn;
  }
  if (!everybodys && (await failItems(step, await failingItems(step, problems)))) {
    return { kind: 'end', status: job.status, round: false };
  }
  const problem = everybodys ?? problems.find(({ line }) => line === null) ?? problems[0];
  const code = batchCodes.get(problem?.code ?? '') ?? 'PROVIDER_REJECTED_FILE';
  const told = code === 'UNKNOWN_MODEL' ? (step.plan.model.readings?.told ?? '') : '';
  const reason = `${problem?.message ?? 'it gave no reason'} ${told}`.trim();
  return { kind: 'stop', code, message: `The provider rejected the batch: ${reason}`, over: true };
}

/**
 * Another job will be created from the same upload, when those before it are done. Where there are
 * none, it would never be taken: the next input has half of the requests.
 */
async function wait(step: JobStep, { code, message: why }: JobProblem): Promise<StepOutcome> {
  const { job, db, learned } = step;
  const dueInMs = step.pollMs ?? tooMuchDelayMs;
  const isTooLarge =
    code === 'token_limit_exceeded' &&
    job.requests > fewRequests &&
    // One that has just ended may have been in the queue when this one was refused.
    !(await hasJobBesides(db.sql, job, 2 * dueInMs));
  const { inputId } = job;
  if (isTooLarge) learned.requests.refused(job.model, job.requests);
  await change(step, {
    state: 'preparing',
    status: 'waiting for the provider’s limits',
    providerId: null,
    expiresAt: null,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    expired: 0,
    ...(isTooLarge && { inputId: null, requests: Math.ceil(job.requests / 2) }),
  });
  if (isTooLarge) discardInput(step, inputId);
  step.publish();
  return { kind: 'later', dueInMs, why };
}

/** Faults of items, by index. */
async function failingItems(
  { job, db }: JobStep,
  problems: readonly JobProblem[],
): Promise<Map<number, ItemFailure>> {
  const items = await readInputItems(db.sql, job);
  const failing = new Map<number, ItemFailure>();
  for (const problem of problems) {
    const index = problem.line === null ? undefined : items[problem.line - 1];
    if (index !== undefined) failing.set(index, failureFor(problem));
  }
  return failing;
}

function failureFor({ code, message }: JobProblem): ItemFailure {
  const name = code ? ` (${code})` : '';
  return new ItemFailure('INVALID_REQUEST', `The provider rejected the request${name}: ${message}`);
}

/** Codes that say that it is too much at once, and not that anything is wrong with it. */
const limitCodes = new Set(['token_limit_exceeded', 'batch_limit_exceeded', 'rate_limit_exceeded']);

const batchCodes: ReadonlyMap<string, BatchErrorCode> = new Map([
  ['model_not_found', 'UNKNOWN_MODEL'],
  ['billing_hard_limit_reached', 'QUOTA_EXHAUSTED'],
  ['insufficient_quota', 'QUOTA_EXHAUSTED'],
  ['invalid_api_key', 'INVALID_KEY'],
]);
