/** The status that a batch says instead of its own, by the outcome `unknown_status`. */
import type { Job } from './job.ts';

/** Counts the look. Undefined where the true status is told. */
export function createLooks(): (job: Job) => string | undefined {
  const looked = new WeakMap<Job, number>();
  return (job) => {
    if (job.outcome?.kind !== 'unknown_status') return undefined;
    const { status, looks = Number.POSITIVE_INFINITY } = job.outcome;
    const number = (looked.get(job) ?? 0) + 1;
    looked.set(job, number);
    return number <= looks ? status : undefined;
  };
}
