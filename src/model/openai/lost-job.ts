/** Finds a batch that was created but whose answer was lost. */
import { isRecord } from '../../core/json.ts';
import type { Job, LostJob } from '../batch-api.ts';
import { type JobList, readId, searchJobs } from '../read.ts';

/** The key in a batch's metadata that holds our id of the job. */
export const jobIdKey = 'winnow_batch';

/** Name of the upload of `jobId` at the provider. */
export function uploadName(jobId: string): string {
  return `${jobId}.jsonl`;
}

/** Jobs without metadata whose input is looked at. */
const maxLookups = 20;

export interface SearchedJobs extends JobList {
  /** The provider's name of a file; null where it has no such file, or no name for it. */
  fileName(fileId: string): Promise<string | null>;
  read(batch: unknown): Job;
}

/**
 * The batch with our id in its metadata. Where a server shows no metadata of any batch: the batch
 * whose input has the name of our upload. A rejected batch does not count: it cost nothing, and the
 * next batch of the same jobId is another one. Null where no batch is found; `unsure` where there
 * are more than can be looked through.
 */
export async function findJob(
  list: SearchedJobs,
  { jobId, since, others }: LostJob,
): Promise<Job | 'unsure' | null> {
  const nameless: { batch: unknown; fileId: string }[] = [];
  let keepsMetadata = false;

  async function findByUpload(): Promise<Job | 'unsure' | null> {
    if (keepsMetadata) return null;
    for (const { batch, fileId } of nameless.slice(0, maxLookups)) {
      if ((await list.fileName(fileId)) !== uploadName(jobId)) continue;
      return list.read(batch);
    }
    return nameless.length > maxLookups ? 'unsure' : null;
  }

  const found = await searchJobs({ ...list, since }, (batch, isOlder) => {
    const metadata = isRecord(batch.metadata) ? batch.metadata : {};
    keepsMetadata ||= Object.keys(metadata).length > 0;
    if (isOlder) return null;
    if (metadata[jobIdKey] === jobId) {
      const job = list.read(batch);
      return job.phase === 'rejected' ? null : job;
    }
    const fileId = readId(batch.input_file_id);
    if (fileId === null || others.has(String(batch.id)) || isRejected(batch, list)) return null;
    nameless.push({ batch, fileId });
    return null;
  });
  if (found !== null && found !== 'unsure') return found;
  return (await findByUpload()) ?? found;
}

/** Hundreds of jobs that their provider rejected may stand in the list. */
function isRejected(batch: Record<string, unknown>, { read }: SearchedJobs): boolean {
  const isBatch = readId(batch.id) !== null && typeof batch.status === 'string';
  return isBatch && read(batch).phase === 'rejected';
}
