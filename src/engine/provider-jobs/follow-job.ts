/** While the provider works: look, tell, and end it where it is to end. */
import type { Job } from '../../model/batch-api.ts';
import { change, changeOf, endWanted, type JobStep, type StepOutcome } from './job.ts';
import { readJob } from './read-job.ts';
import { takeBack } from './take-back.ts';
import { nextPollMs } from './timing.ts';

/** No provider works on a job for longer: one that has not confirmed its end by then never will. */
export const maxEndingMs = 24 * 60 * 60_000;

/** The step of state `working`. */
export async function followJob(step: JobStep): Promise<StepOutcome> {
  const { job, pollMs, log } = step;
  const before = JSON.stringify([job.status, job.succeeded, job.failed]);
  const found = await look(step);
  if (job.unwanted) return { kind: 'end', status: found.status, round: false };
  await change(step, { failures: 0, ...changeOf(found) });
  if (before !== JSON.stringify([job.status, job.succeeded, job.failed])) step.publish();
  switch (found.phase) {
    case 'working':
      if (job.cancelledAt && job.now.getTime() - job.cancelledAt.getTime() > maxEndingMs) {
        log.warn(
          { batchId: job.batchId, providerBatch: job.id },
          'a provider never confirmed the end of a job',
        );
        return { kind: 'end', status: job.status, round: false };
      }
      return {
        kind: 'later',
        dueInMs: nextPollMs(job.now.getTime() - job.createdAt.getTime(), pollMs),
      };
    case 'rejected':
      return await takeBack(step, found.problems);
    default:
  }
  await change(step, { state: 'reading' });
  return await readJob(step);
}

async function look(step: JobStep): Promise<Job> {
  const { job, api, stopping } = step;
  const { providerId } = job;
  if (providerId === null) throw new Error(`provider batch ${job.id} works without an id`);
  if (!endWanted(step)) return await api.retrieve(providerId, stopping);
  const isAsked = job.cancelledAt !== null && /cancel/i.test(job.status);
  await change(step, { cancelledAt: job.cancelledAt ?? job.now });
  return isAsked ? api.retrieve(providerId, stopping) : api.cancel(providerId, stopping);
}
