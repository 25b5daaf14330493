/**
 * A batch in OpenAI's shape. Source: https://platform.openai.com/docs/api-reference/batch/object.
 */
import type { Job, Stage } from './job.ts';

export const dayMs = 24 * 60 * 60 * 1_000;

export function batchObject(job: Job, endpoint: string) {
  const { id, inputFileId, counts, usage } = job;
  const at = (stage: Stage) => seconds(job.times[stage]);
  const { total, completed, failed } = counts;
  const { input, cached, output } = usage;
  return {
    id,
    object: 'batch' as const,
    endpoint,
    model: job.model,
    errors: job.problems ? { object: 'list', data: job.problems } : null,
    input_file_id: inputFileId,
    completion_window: '24h',
    status: job.stage,
    output_file_id: job.files.output ?? null,
    error_file_id: job.files.error ?? null,
    created_at: seconds(job.createdAt),
    in_progress_at: at('in_progress'),
    expires_at: seconds(job.createdAt + dayMs),
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: { total, completed, failed },
    usage: {
      input_tokens: input,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: input + output,
    },
    metadata: job.metadata,
  };
}

function seconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.floor(ms / 1_000);
}
