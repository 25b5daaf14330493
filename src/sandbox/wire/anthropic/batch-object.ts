/**
 * A batch of messages in Anthropic's shape. Source:
 * https://platform.claude.com/docs/en/api/messages/batches/retrieve.
 */
import { dayMs } from '../batch/batch-object.ts';
import type { Job } from '../batch/job.ts';

export function messageBatch(job: Job, resultsUrl: string) {
  const { id, counts, times, createdAt } = job;
  const expired = job.stage === 'expired';
  const { completed, failed, unanswered } = counts;
  return {
    id,
    type: 'message_batch' as const,
    processing_status: statusOf(job),
    // Anthropic counts every row as processing until all of them have ended.
    request_counts: job.ended
      ? {
          processing: 0,
          succeeded: completed,
          errored: failed,
          canceled: expired ? 0 : unanswered,
          expired: expired ? unanswered : 0,
        }
      : { processing: counts.total, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    created_at: new Date(createdAt).toISOString(),
    expires_at: new Date(createdAt + dayMs).toISOString(),
    ended_at: timestamp(times.completed ?? times.expired ?? times.cancelled),
    archived_at: null,
    cancel_initiated_at: timestamp(times.cancelling),
    results_url: job.ended ? resultsUrl : null,
  };
}

function statusOf(job: Job): string {
  if (job.ended) return 'ended';
  return job.stage === 'cancelling' ? 'canceling' : 'in_progress';
}

function timestamp(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
