/**
 * Finds a batch that was created but whose answer was lost.
 */

import { isRecord } from '../../core/json-record.ts';
import type { Job, LostJob } from '../batch-api.ts';
import { readId, readTime, unusable } from './job.ts';

/** The key in a batch's metadata that holds our id of the job. */
export const intentKey = 'winnow_batch';

/** How the upload of `intent` is called at the provider. */
export function uploadName(intent: string): string {
  return `${intent}.jsonl`;
}

/** How far the provider's clock may be behind ours. */
const skewMs = 10 * 60_000;
const pageSize = 100;
const maxPages = 100;
/** Jobs without metadata whose input is looked at. */
const maxLookups = 20;

export interface JobList {
  /** Named in messages. */
  provider: string;
  /** One page of batches, newest first as a rule. */
  page(query: { limit: number; after?: string }): Promise<unknown>;
  /** What the provider calls a file; null where it has no such file, or no name for it. */
  fileName(fileId: string): Promise<string | null>;
  read(batch: unknown): Job;
}

/**
 * The batch with our id in its metadata, or, where a server shows none of any batch, the one whose input has the name of our upload. One that was
 * rejected is none: it cost nothing, and the next one that is created for the same intent is not it. Null where there is none; `unsure` where there are more than can be looked through.
 */
export async function findJob(
  list: JobList,
  { intent, since, others }: LostJob,
): Promise<Job | 'unsure' | null> {
  const oldest = since.getTime() - skewMs;
  const nameless: { batch: unknown; fileId: string }[] = [];
  let keepsMetadata = false;

  async function findByUpload(): Promise<Job | 'unsure' | null> {
    if (keepsMetadata) return null;
    for (const { batch, fileId } of nameless.slice(0, maxLookups)) {
      if ((await list.fileName(fileId)) !== uploadName(intent)) continue;
      return list.read(batch);
    }
    return nameless.length > maxLookups ? 'unsure' : null;
  }

  let after: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const { batches, hasMore } = readPage(
      await list.page({ limit: pageSize, ...(after === undefined ? {} : { after }) }),
      list.provider,
    );
    const times = batches.map((batch) => readTime(batch.created_at)?.getTime() ?? null);
    for (const [index, batch] of batches.entries()) {
      const metadata = isRecord(batch.metadata) ? batch.metadata : {};
      keepsMetadata ||= Object.keys(metadata).length > 0;
      const time = times[index] ?? null;
      if (time !== null && time < oldest) continue;
      if (metadata[intentKey] === intent) {
        const job = list.read(batch);
        if (job.phase !== 'rejected') return job;
        continue;
      }
      const fileId = readId(batch.input_file_id);
      if (fileId === null || others.has(String(batch.id)) || isRejected(batch, list)) continue;
      nameless.push({ batch, fileId });
    }
    const last = readId(batches.at(-1)?.id);
    if (!hasMore || last === null || last === after || endsBefore(oldest, times)) {
      return findByUpload();
    }
    after = last;
  }
  return (await findByUpload()) ?? 'unsure';
}

/** Of those that wait for their provider's limits there may be hundreds, which nobody knows any more. */
function isRejected(batch: Record<string, unknown>, { read }: JobList): boolean {
  const isBatch = readId(batch.id) !== null && typeof batch.status === 'string';
  return isBatch && read(batch).phase === 'rejected';
}

/** Whether a page of batches ends with one that is older than `oldest`, newest first: some servers list the oldest first. */
function endsBefore(oldest: number, times: readonly (number | null)[]): boolean {
  const [first, last] = [times.at(0) ?? null, times.at(-1) ?? null];
  return first !== null && last !== null && last < oldest && first >= last;
}

function readPage(page: unknown, provider: string) {
  if (!isRecord(page) || !Array.isArray(page.data)) {
    throw unusable(`${provider} answered with something that is no list of batches.`);
  }
  return { batches: page.data.filter(isRecord), hasMore: page.has_more === true };
}
