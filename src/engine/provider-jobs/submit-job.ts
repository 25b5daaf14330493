/**
 * From chunks to a job at the provider: input, upload, create. A row says before each step what is
 * about to happen.
 */

import { ItemFailure } from '../../core/errors.ts';
import { readInputItems } from '../../db/provider-batch-items.ts';
import { listProviderIds } from '../../db/provider-batches.ts';
import type { BatchInput, Job } from '../../model/batch-api.ts';
import { ModelError } from '../../model/model.ts';
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
  type HeldJob,
  type Outcome,
  providerOf,
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

/**
 * The step of state `preparing`: nothing has been asked of the provider yet, but for an upload,
 * which costs nothing.
 */
export async function prepareJob(job: HeldJob): Promise<Outcome> {
  if (endWanted(job)) return cancelled(job);
  // What was uploaded stays the input: made again it might be another one by now.
  if (job.held.inputId !== null) return await uploadAndCreate(job, null);
  const outcome = await withInput(job, (input) => uploadAndCreate(job, input));
  return outcome ?? { kind: 'end', status: 'empty', round: false };
}

/**
 * The step of state `creating`: somebody was about to create the job, or has, and did not live to
 * tell. It is looked for; where the provider knows nothing of it, time after time, it is created.
 */
export async function recoverJob(job: HeldJob): Promise<Outcome> {
  const { held, stopping, pollMs } = job;
  let found: Job | 'unsure' | null;
  try {
    found = await findJob(job);
  } catch (error) {
    // A look that failed is none. One for an unwanted job is not tried for ever.
    if (!(error instanceof ModelError) || error.failure.kind !== 'later' || held.unwanted)
      throw error;
    const { retryAfterMs } = error.failure;
    const dueInMs = Math.max(retryAfterMs ?? 0, nextPollMs(ageMs(job), pollMs));
    return { kind: 'later', dueInMs, why: error.message };
  }
  if (found === 'unsure') {
    if (endWanted(job)) {
      // A server that tells of too many jobs, and nothing of what is in them, stays unsure.
      const since = held.cancelledAt ?? held.now;
      if (held.now.getTime() - since.getTime() > maxEndingMs) {
        return { kind: 'end', status: held.status, round: false };
      }
      await change(job, { cancelledAt: since });
    }
    return { kind: 'later', dueInMs: nextPollMs(ageMs(job), pollMs) };
  }
  if (found) {
    await adopt(job, found);
    return { kind: 'later', dueInMs: 0 };
  }
  if (held.failures < looks) {
    // A request that outlived its sender may still be on its way.
    await change(job, { failures: held.failures + 1, status: 'looked for' });
    return { kind: 'later', dueInMs: Math.max(minLookMs, nextPollMs(0, pollMs)) };
  }
  stopping.throwIfAborted();
  await change(job, { state: 'preparing', failures: 0, status: 'preparing' });
  return prepareJob(job);
}

async function findJob({ held, api, db, stopping }: HeldJob): Promise<Job | 'unsure' | null> {
  const others = await listProviderIds(db, providerOf(held), held.createdAt);
  return await api.find(
    { intent: held.id, since: held.createdAt, requests: held.requests, others: new Set(others) },
    stopping,
  );
}

/** `input` null: it was uploaded before. */
async function uploadAndCreate(job: HeldJob, input: BatchInput | null): Promise<Outcome> {
  const { held, api, stopping, ended } = job;
  const failures = held.failures + 1;
  try {
    if (input !== null) {
      await change(job, { status: 'uploading' });
      await change(job, { inputId: await api.upload(input, stopping) });
    }
    stopping.throwIfAborted();
    if (await endWantedNow(job)) return cancelled(job);
    // From here on it may exist. It has not been looked for yet, however often the
    // upload failed.
    await change(job, { state: 'creating', status: 'creating', failures: 0 });
    const { inputId, id: intent } = held;
    if (!job.isOurs()) throw new HandsLost('the lease ran out before the job was created');
    await adopt(job, await api.create({ intent, inputId, input }, ended));
    job.publish();
    return { kind: 'later', dueInMs: nextPollMs(0, job.pollMs) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return refused(job, error, { failures, bytes: input?.bytes ?? null });
  }
}

function cancelled(job: HeldJob): Outcome {
  discardInput(job);
  return { kind: 'end', status: 'cancelled', round: false };
}

async function adopt(job: HeldJob, found: Job): Promise<void> {
  await change(job, { state: 'working', failures: 0, ...changeOf(found) });
}

/**
 * `failures`: how often in a row by now. `bytes`: of the input that was sent; null where it was
 * uploaded before.
 */
async function refused(
  job: HeldJob,
  error: ModelError,
  { failures, bytes }: { failures: number; bytes: number | null },
): Promise<Outcome> {
  const { held, pollMs } = job;
  const { inputId } = held;
  const { failure, message } = error;
  if (failure.kind !== 'later') {
    // Nothing exists: a provider that refuses the key, the quota, the model or the input has
    // created nothing.
    await change(job, { state: 'preparing', status: 'preparing', inputId: null });
    discardInput(job, inputId);
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
        ? ((await halve(job, bytes)) ?? (await failOnly(job, message)))
        : rejected(message);
    case 'later': {
      const { retryAfterMs, code } = failure;
      // A 429 has created nothing for certain; of everything else that is not known.
      const isKnown = code === 'RATE_LIMITED' && held.state === 'creating';
      await change(job, {
        failures: held.state === 'creating' && !isKnown ? 0 : failures,
        ...(isKnown ? { state: 'preparing' } : {}),
        status: code === 'RATE_LIMITED' ? 'waiting for the provider’s limits' : held.status,
      });
      return { kind: 'later', dueInMs: retryMs({ failures, retryAfterMs }, pollMs), why: message };
    }
  }
}

function rejected(message: string): Outcome {
  return { kind: 'stop', code: 'PROVIDER_REJECTED_FILE', message, over: true };
}

/**
 * The provider takes less at once than it is known for: the next input has half of it at most. Null
 * where it is one request.
 */
async function halve(job: HeldJob, bytes: number | null): Promise<Outcome | null> {
  const { held, learned } = job;
  if (held.requests <= 1) return null;
  if (bytes !== null) learned.bytes.refused(providerOf(held), bytes);
  await change(job, { requests: Math.ceil(held.requests / 2) });
  return { kind: 'later', dueInMs: 0 };
}

/**
 * The one request of the input is too much alone: its item fails, and the others go on without it.
 */
async function failOnly(job: HeldJob, message: string): Promise<Outcome> {
  const failure = new ItemFailure('CONTEXT_TOO_LONG', message);
  const items = await readInputItems(job.db.sql, job.held);
  const isHeld = await failItems(job, new Map(items.map((index) => [index, failure])));
  return isHeld ? { kind: 'end', status: 'failed', round: false } : rejected(message);
}

function ageMs({ held }: HeldJob): number {
  return held.now.getTime() - held.createdAt.getTime();
}
