/**
 * Finds a batch that was created but whose answer was lost. Anthropic keeps no metadata: what tells a batch is the custom ids of its results,
 * which there are none of before its end.
 */

import { isRecord, recordsOf } from '../../core/json-record.ts';
import type { Job, LostJob } from '../batch-api.ts';
import { ModelError } from '../model.ts';
import { readCustomIds } from './batch-results.ts';
import { readTime, sizeOf, unusable } from './job.ts';

/** How far the provider's clock may be behind ours. */
const skewMs = 10 * 60_000;
const pageSize = 100;
/** Ten thousand batches since the job was lost; more are no list of the last minutes. */
const maxPages = 100;
/** So many lines are looked at for a custom id: some may be broken. */
const maxLines = 20;

export interface BatchList {
  /** Named in messages. */
  provider: string;
  /** One page of batches, newest first as a rule. */
  page(query: { limit: number; after_id?: string }): Promise<unknown>;
  results(url: string): AsyncIterable<Uint8Array>;
  read(batch: unknown): Job;
}

/**
 * The batch whose custom ids begin with the intent. `unsure` where one of that size, created since, is still at work, or has no readable results;
 * null where there is neither.
 */
export async function findJob(
  list: BatchList,
  { intent, since, requests, others }: LostJob,
): Promise<Job | 'unsure' | null> {
  const oldest = since.getTime() - skewMs;
  let unsure = false;
  let after: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const query = { limit: pageSize, ...(after === undefined ? {} : { after_id: after }) };
    const { batches, hasMore } = readPage(await list.page(query), list.provider);
    const times = batches.map((batch) => readTime(batch.created_at)?.getTime() ?? null);
    for (const [index, batch] of batches.entries()) {
      const time = times[index] ?? null;
      if (time !== null && time < oldest) continue;
      if (others.has(String(batch.id)) || sizeOf(batch) !== requests) continue;
      const job = list.read(batch);
      const ids = await idsOf(job, list);
      if (ids.some((id) => id.startsWith(`${intent}-`))) return job;
      if (ids.length === 0) unsure = true;
    }
    const last = batches.at(-1)?.id;
    if (!hasMore || typeof last !== 'string' || last === after || endsBefore(oldest, times)) {
      return unsure ? 'unsure' : null;
    }
    after = last;
  }
  return 'unsure';
}

/** Whether a page ends with a batch that is older than `oldest`, newest first, as documented: a gateway may list the oldest first. */
function endsBefore(oldest: number, times: readonly (number | null)[]): boolean {
  const [first, last] = [times.at(0) ?? null, times.at(-1) ?? null];
  return first !== null && last !== null && last < oldest && first >= last;
}

/** None where there are no results yet, or no longer any. */
async function idsOf({ results }: Job, list: BatchList): Promise<string[]> {
  if (results === null) return [];
  try {
    return await readCustomIds(list.results(results), maxLines);
  } catch (error) {
    if (error instanceof ModelError && error.failure.kind !== 'later') return [];
    throw error;
  }
}

function readPage(page: unknown, provider: string) {
  if (!isRecord(page) || !Array.isArray(page.data)) {
    throw unusable(`${provider} answered with something that is no list of batches.`);
  }
  return { batches: recordsOf(page.data), hasMore: page.has_more === true };
}
