/**
 * Finds a batch that was created but whose answer was lost. Anthropic keeps no metadata: the custom
 * ids of a batch's results tell it, and results exist only after its end.
 */
import type { Job, LostJob } from '../batch-api.ts';
import { ModelError } from '../model-error.ts';
import { type JobList, searchJobs } from '../read.ts';
import { readCustomIds } from './batch-results.ts';
import { sizeOf } from './job.ts';

/** Lines that are searched for a custom id: some may be broken. */
const maxLines = 20;

export interface SearchedJobs extends JobList {
  results(url: string): AsyncIterable<Uint8Array>;
  read(batch: unknown): Job;
}

/**
 * The batch whose custom ids begin with the jobId. `unsure` where one of that size, created since,
 * is still at work, or has no readable results; null where there is neither.
 */
export async function findJob(
  list: SearchedJobs,
  { jobId, since, requests, others }: LostJob,
): Promise<Job | 'unsure' | null> {
  let unsure = false;
  const found = await searchJobs({ ...list, since }, async (batch, isOlder) => {
    if (isOlder || others.has(String(batch.id)) || sizeOf(batch) !== requests) return null;
    const job = list.read(batch);
    const ids = await idsOf(job, list);
    if (ids.length === 0) unsure = true;
    return ids.some((id) => id.startsWith(`${jobId}-`)) ? job : null;
  });
  return found ?? (unsure ? 'unsure' : null);
}

/** None where there are no results yet, or no longer any. */
async function idsOf({ results }: Job, list: SearchedJobs): Promise<string[]> {
  if (results === null) return [];
  try {
    return await readCustomIds(list.results(results), maxLines);
  } catch (error) {
    if (error instanceof ModelError && error.failure.kind !== 'later') return [];
    throw error;
  }
}
