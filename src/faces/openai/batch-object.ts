/** Batches as OpenAI's API has them: https://platform.openai.com/docs/api-reference/batch/object */
import type { BatchInput } from '../../db/batch-inputs.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { ShownStatus } from '../../db/pauses.ts';
import { itemsPerSecond, progressOf } from '../../engine/live/pace.ts';
import { outputFileId, toSeconds } from './file-object.ts';

export const chatEndpoint = '/v1/chat/completions';
export const completionWindow = '24h';

/**
 * Every key is always there, null where it has no value yet. What OpenAI's API has no word for is
 * under `winnow`.
 */
export function describeBatch(batch: BatchRecord, input: BatchInput | undefined) {
  const { id, status, model, metadata, succeeded, failed, expired, cancelled } = batch;
  const ended = batch.completedAt && toSeconds(batch.completedAt);
  const endedAs = (wanted: ShownStatus) => (status === wanted ? ended : null);
  const unsuccessful = failed + expired + cancelled;
  return {
    id,
    object: 'batch',
    endpoint: chatEndpoint,
    model,
    errors: status === 'FAILED' ? { object: 'list', data: errorsOf(batch, input) } : null,
    input_file_id: input?.id ?? null,
    completion_window: completionWindow,
    status: statuses[status],
    output_file_id: ended && succeeded > 0 ? outputFileId(id, 'output') : null,
    error_file_id: ended && unsuccessful > 0 ? outputFileId(id, 'errors') : null,
    created_at: toSeconds(batch.createdAt),
    in_progress_at: batch.startedAt && toSeconds(batch.startedAt),
    expires_at: toSeconds(batch.expiresAt),
    // Output and errors are made as they are read, so that nothing is left to be finalized.
    finalizing_at: endedAs('COMPLETED'),
    completed_at: endedAs('COMPLETED'),
    failed_at: endedAs('FAILED'),
    expired_at: endedAs('EXPIRED'),
    cancelling_at: batch.cancelInitiatedAt && toSeconds(batch.cancelInitiatedAt),
    cancelled_at: endedAs('CANCELLED'),
    request_counts: { total: batch.total, completed: succeeded, failed: unsuccessful },
    usage: usageOf(batch),
    metadata: metadata === null ? {} : textsOf(JSON.parse(metadata) as Record<string, unknown>),
    winnow: {
      execution: batch.execution.toLowerCase(),
      rescue: batch.rescue,
      progress: progressOf(batch),
      cost_usd: batch.costUsd,
      operation: batch.operation,
      items_per_second: itemsPerSecond(batch),
      pause: pauseOf(batch),
    },
  };
}

const statuses: Readonly<Record<ShownStatus, string>> = {
  DRAFT: 'validating',
  QUEUED: 'validating',
  PROCESSING: 'in_progress',
  // OpenAI's API has no word for it; `winnow.pause` says why.
  PAUSED: 'in_progress',
  CANCELLING: 'cancelling',
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  EXPIRED: 'expired',
};

function pauseOf({ pauseReason, pauseMessage, pauseResumesAt }: BatchRecord): object | null {
  if (pauseReason === null) return null;
  return {
    reason: pauseReason.toLowerCase(),
    message: pauseMessage,
    resumes_at: pauseResumesAt && toSeconds(pauseResumesAt),
  };
}

/** Why a batch was stopped: by the lines of its input file, or in one sentence. */
function errorsOf({ errorCode, error }: BatchRecord, input: BatchInput | undefined): object[] {
  const problems = errorCode === 'INVALID_INPUT_FILE' ? (input?.problems ?? []) : [];
  if (problems.length > 0) {
    return problems.map(({ code, message, line, param }) => ({ code, message, line, param }));
  }
  const code = errorCode?.toLowerCase() ?? null;
  return [{ code, message: error ?? '', line: null, param: null }];
}

function usageOf(batch: BatchRecord): object {
  const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens, reasoningTokens } = batch;
  return {
    input_tokens: inputTokens,
    input_tokens_details: {
      cached_tokens: cachedInputTokens,
      cache_write_tokens: cacheWriteTokens,
    },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

/** Metadata whose values are texts: any other value, which GraphQL takes, as its JSON text. */
function textsOf(metadata: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
