/** While the provider works: look, tell, and end it where it is to end. */
import type { Job } from '../../model/batch-api.ts';
import { change, changeOf, endWanted, type HeldJob, type Outcome } from './job.ts';
import { readJob } from './read-job.ts';
import { takeBack } from './take-back.ts';
import { nextPollMs } from './timing.ts';

/** No provider works on a job for longer: one that has not confirmed its end by then never will. */
export const maxEndingMs = 24 * 60 * 60_000;

/** The step of state `working`. */
export async function followJob(job: HeldJob): Promise<Outcome> {
  const { held, pollMs, log } = job;
  const before = JSON.stringify([held.status, held.succeeded, held.failed]);
  const found = await look(job);
  if (held.unwanted) return { kind: 'end', status: found.status, round: false };
  await change(job, { failures: 0, ...changeOf(found) });
  if (before !== JSON.stringify([held.status, held.succeeded, held.failed])) job.publish();
  switch (found.phase) {
    case 'working':
      if (held.cancelledAt && held.now.getTime() - held.cancelledAt.getTime() > maxEndingMs) {
        log.warn(
          { batch: held.batchId, providerBatch: held.id },
          'a provider never confirmed the end of a job',
        );
        return { kind: 'end', status: held.status, round: false };
      }
      return {
        kind: 'later',
        dueInMs: nextPollMs(held.now.getTime() - held.createdAt.getTime(), pollMs),
      };
    case 'rejected':
      return await takeBack(job, found.problems);
    default:
  }
  await change(job, { state: 'reading' });
  return await readJob(job);
}

async function look(job: HeldJob): Promise<Job> {
  const { held, api, stopping } = job;
  const { providerId } = held;
  if (providerId === null) throw new Error(`provider batch ${held.id} works without an id`);
  if (!endWanted(job)) return await api.retrieve(providerId, stopping);
  const isAsked = held.cancelledAt !== null && /cancel/i.test(held.status);
  await change(job, { cancelledAt: held.cancelledAt ?? held.now });
  return isAsked ? api.retrieve(providerId, stopping) : api.cancel(providerId, stopping);
}
