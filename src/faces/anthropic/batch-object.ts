/**
 * Batches as message batches of Anthropic's API:
 * https://platform.claude.com/docs/en/api/messages/batches/retrieve
 */
import type { BatchRecord } from '../../db/batches.ts';
import { isFinal } from '../../db/final-status.ts';

/** `msgbatch_X` of `batch_X`. */
export function messageBatchId({ id }: Pick<BatchRecord, 'id'>): string {
  return `msg${id}`;
}

/** `baseUrl` is the server's, without a slash at its end. */
export function describeBatch(batch: BatchRecord, baseUrl: string): object {
  const id = messageBatchId(batch);
  const { status, createdAt, expiresAt, completedAt, cancelInitiatedAt, contentDeletedAt } = batch;
  const hasEnded = isFinal(status);
  return {
    id,
    type: 'message_batch',
    processing_status: hasEnded ? 'ended' : status === 'CANCELLING' ? 'canceling' : 'in_progress',
    request_counts: countsOf(batch),
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
    ended_at: completedAt?.toISOString() ?? null,
    archived_at: contentDeletedAt?.toISOString() ?? null,
    cancel_initiated_at: cancelInitiatedAt?.toISOString() ?? null,
    results_url:
      hasEnded && contentDeletedAt === null ? `${baseUrl}/v1/messages/batches/${id}/results` : null,
  };
}

/** They add up to the number of requests. What a failed batch left undone has its error. */
function countsOf({ status, total, succeeded, failed, cancelled, expired }: BatchRecord) {
  const undone = total - succeeded - failed - cancelled - expired;
  const isFailed = status === 'FAILED';
  return {
    processing: isFailed ? 0 : undone,
    succeeded,
    errored: isFailed ? failed + undone : failed,
    canceled: cancelled,
    expired,
  };
}
