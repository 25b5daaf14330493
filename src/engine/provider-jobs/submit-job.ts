/** From chunks to a job at the provider, each step told by a row beforehand. */

import { ItemFailure } from '../../core/errors.ts';
import { readInputItems } from '../../db/provider-batch-items.ts';
import { listProviderIds } from '../../db/provider-batches.ts';
import type { BatchInput, Job } from '../../model/batch-api.ts';
import { ModelError } from '../../model/model-error.ts';
import { failItems } from './fail-items.ts';
import { maxEndingMs } from './follow-job.ts';
import { withInput } from './input.ts';
import {
  change,
  changeOf,
  discardInput,
  endWanted,
  endWantedNow,
  HandsLost,
  type JobStep,
  providerOf,
  type StepOutcome,
} from './job.ts';
import { nextPollMs, retryMs } from './timing.ts';

/**
 * A job that may have been created by a call whose answer never came is looked for so often before
 * another one is created: half a minute, for a provider that still takes in hundreds of megabytes
 * when their sender is dead and replaced. A second job would cost all of it again.
 */
const looks = 6;
/** Between two of them at least, however often jobs are looked at otherwise. */
const minLookMs = 2_000;

/** The step of state `preparing`: the provider has an upload at most, which costs nothing. */
export async function prepareJob(step: JobStep): Promise<StepOutcome> {
  if (endWanted(step) || step.job.paused) return cancelled(step);
  // What was uploaded stays the input: made again it might be another one by now.
  if (step.job.inputId !== null) return await uploadAndCreate(step, null);
  const outcome = await withInput(step, (input) => uploadAndCreate(step, input));
  return outcome ?? { kind: 'end', status: 'empty', round: false };
}

/**
 * The step of state `creating`: somebody was about to create the job, or has, and did not live to
 * tell. It is looked for; where the provider knows nothing of it, time after time, it is created.
 */
export async function recoverJob(step: JobStep): Promise<StepOutcome> {
  const { job, stopping, pollMs } = step;
  let found: Job | 'unsure' | null;
  try {
    found = await findJob(step);
  } catch (error) {
    // A look that failed is none. One for an unwanted job is not tried for ever.
    if (!(error instanceof ModelError) || error.failure.kind !== 'later' || job.unwanted)
      throw error;
    const { retryAfterMs } = error.failure;
    const dueInMs = Math.max(retryAfterMs ?? 0, nextPollMs(ageMs(step), pollMs));
    return { kind: 'later', dueInMs, why: error.message };
  }
  if (found === 'unsure') {
    if (endWanted(step)) {
      // A server that tells of too many jobs, and nothing of what is in them, stays unsure.
      const since = job.cancelledAt ?? job.now;
      if (job.now.getTime() - since.getTime() > maxEndingMs) {
        return { kind: 'end', status: job.status, round: false };
      }
      await change(step, { cancelledAt: since });
    }
    return { kind: 'later', dueInMs: nextPollMs(ageMs(step), pollMs) };
  }
  if (found) {
    await adopt(step, found);
    return { kind: 'later', dueInMs: 0 };
  }
  if (job.failures < looks) {
    // A request that outlived its sender may still be on its way.
    await change(step, { failures: job.failures + 1, status: 'looked for' });
    return { kind: 'later', dueInMs: Math.max(minLookMs, nextPollMs(0, pollMs)) };
  }
  stopping.throwIfAborted();
  await change(step, { state: 'preparing', failures: 0, status: 'preparing' });
  return prepareJob(step);
}

async function findJob({ job, api, db, stopping }: JobStep): Promise<Job | 'unsure' | null> {
  const others = await listProviderIds(db, providerOf(job), job.createdAt);
  return await api.find(
    { jobId: job.id, since: job.createdAt, requests: job.requests, others: new Set(others) },
    stopping,
  );
}

/** `input` null: it was uploaded before. */
async function uploadAndCreate(step: JobStep, input: BatchInput | null): Promise<StepOutcome> {
  const { job, api, stopping, ended } = step;
  const failures = job.failures + 1;
  try {
    if (input !== null) {
      await change(step, { status: 'uploading' });
      await change(step, { inputId: await api.upload(input, stopping) });
    }
    stopping.throwIfAborted();
    if ((await endWantedNow(step)) || job.paused) return cancelled(step);
    // From here on it may exist. It has not been looked for yet, however often the
    // upload failed.
    await change(step, { state: 'creating', status: 'creating', failures: 0 });
    const { inputId, id: jobId } = job;
    if (!step.isOurs()) throw new HandsLost('the lease ran out before the job was created');
    await adopt(step, await api.create({ jobId, inputId, input }, ended));
    step.publish();
    return { kind: 'later', dueInMs: nextPollMs(0, step.pollMs) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return refused(step, error, { failures, bytes: input?.bytes ?? null });
  }
}

function cancelled(step: JobStep): StepOutcome {
  discardInput(step);
  return { kind: 'end', status: step.job.paused ? 'paused' : 'cancelled', round: false };
}

async function adopt(step: JobStep, found: Job): Promise<void> {
  await change(step, { state: 'working', failures: 0, ...changeOf(found) });
  const { batchKey, id, requests } = step.job;
  step.events.emit('job.created', { batchKey, job: id, requests });
}

/** `failures`: how many in a row. `bytes`: of the input sent; null where it was uploaded before. */
async function refused(
  step: JobStep,
  error: ModelError,
  { failures, bytes }: { failures: number; bytes: number | null },
): Promise<StepOutcome> {
  const { job, pollMs } = step;
  const { inputId } = job;
  const { failure, message } = error;
  if (failure.kind !== 'later') {
    // Nothing exists: a provider that refuses the key, the quota, the model or the input has
    // created nothing.
    await change(step, { state: 'preparing', status: 'preparing', inputId: null });
    discardInput(step, inputId);
    // An upload that has waited may be gone by now: what is wrong with the input, a fresh one
    // tells.
    const isUploads = failure.code === 'INVALID_REQUEST' || failure.code === 'UNKNOWN_MODEL';
    if (inputId !== null && bytes === null && isUploads) return { kind: 'later', dueInMs: 0 };
  }
  switch (failure.kind) {
    case 'batch':
      return { kind: 'stop', code: failure.code, message, over: true };
    case 'item':
      return failure.code === 'CONTEXT_TOO_LONG'
        ? ((await halve(step, bytes)) ?? (await failOnly(step, message)))
        : rejected(message);
    case 'later': {
      const { retryAfterMs, code } = failure;
      // A 429 has created nothing for certain; of everything else that is not known.
      const isKnown = code === 'RATE_LIMITED' && job.state === 'creating';
      await change(step, {
        failures: job.state === 'creating' && !isKnown ? 0 : failures,
        ...(isKnown ? { state: 'preparing' } : {}),
        status: code === 'RATE_LIMITED' ? 'waiting for the provider’s limits' : job.status,
      });
      return { kind: 'later', dueInMs: retryMs({ failures, retryAfterMs }, pollMs), why: message };
    }
  }
}

function rejected(message: string): StepOutcome {
  return { kind: 'stop', code: 'PROVIDER_REJECTED_FILE', message, over: true };
}

/** The provider takes less than documented: the next input is half of it. Null for one request. */
async function halve(step: JobStep, bytes: number | null): Promise<StepOutcome | null> {
  const { job, learned } = step;
  if (job.requests <= 1) return null;
  if (bytes !== null) learned.bytes.refused(providerOf(job), bytes);
  await change(step, { requests: Math.ceil(job.requests / 2) });
  return { kind: 'later', dueInMs: 0 };
}

/** The one request of the input is too large: its item fails, and the others continue. */
async function failOnly(step: JobStep, message: string): Promise<StepOutcome> {
  const failure = new ItemFailure('CONTEXT_TOO_LONG', message);
  const items = await readInputItems(step.db.sql, step.job);
  const isHeld = await failItems(step, new Map(items.map((index) => [index, failure])));
  return isHeld ? { kind: 'end', status: 'failed', round: false } : rejected(message);
}

function ageMs({ job }: JobStep): number {
  return job.now.getTime() - job.createdAt.getTime();
}
