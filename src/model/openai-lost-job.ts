/**
 * Finds a batch that was created but whose answer was lost.
 */
import type { Job, LostJob } from './batch-api.ts';
import { isRecord } from './json-record.ts';
import { readId, readTime, unusable } from './openai-job.ts';

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
  /** One page of batches, newest first. */
  page(query: { limit: number; after?: string }): Promise<unknown>;
  /** What the provider calls a file; null where it has no such file, or no name for it. */
  fileName(fileId: string): Promise<string | null>;
  read(batch: unknown): Job;
}

/**
 * The batch with our id in its metadata, or, where a server keeps no metadata, the one whose input has the name of our upload. Null where
 * there is none; `unsure` where there are more than can be looked through.
 */
export async function findJob(
  list: JobList,
  { intent, since, others }: LostJob,
): Promise<Job | 'unsure' | null> {
  const oldest = since.getTime() - skewMs;
  const nameless: { batch: unknown; fileId: string }[] = [];
  let after: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const { batches, hasMore } = readPage(
      await list.page({ limit: pageSize, ...(after === undefined ? {} : { after }) }),
      list.provider,
    );
    for (const batch of batches) {
      const createdAt = readTime(batch.created_at);
      if (createdAt !== null && createdAt.getTime() < oldest) {
        return findByUpload(list, intent, nameless);
      }
      if (isRecord(batch.metadata) && batch.metadata[intentKey] === intent) return list.read(batch);
      const fileId = readId(batch.input_file_id);
      const isKnown = others.has(String(batch.id));
      if (!isKnown && batch.metadata == null && fileId !== null) nameless.push({ batch, fileId });
    }
    const last = readId(batches.at(-1)?.id);
    if (!hasMore || last === null || last === after) return findByUpload(list, intent, nameless);
    after = last;
  }
  return (await findByUpload(list, intent, nameless)) ?? 'unsure';
}

async function findByUpload(
  list: JobList,
  intent: string,
  nameless: readonly { batch: unknown; fileId: string }[],
): Promise<Job | 'unsure' | null> {
  for (const { batch, fileId } of nameless.slice(0, maxLookups)) {
    if ((await list.fileName(fileId)) === uploadName(intent)) return list.read(batch);
  }
  return nameless.length > maxLookups ? 'unsure' : null;
}

function readPage(page: unknown, provider: string) {
  if (!isRecord(page) || !Array.isArray(page.data)) {
    throw unusable(`${provider} answered with something that is no list of batches.`);
  }
  return { batches: page.data.filter(isRecord), hasMore: page.has_more === true };
}
