/**
 * The lines of OpenAI's output and error files. Source:
 * https://platform.openai.com/docs/api-reference/batch/request-output.
 */
import type { RowAnswer } from './job.ts';
import type { RowOutcome } from './row.ts';

/** A failure stands in the error file, with the body that the HTTP answer would have had. */
export function resultLine(outcome: RowOutcome, customId: string, id: string): RowAnswer {
  if (outcome.kind === 'timeout') {
    const error = { code: 'request_timeout', message: 'The request to the model timed out.' };
    return { line: line(id, customId, null, error), file: 'error', failed: true, usage: null };
  }
  const { status, body } = responseOf(outcome);
  const response = { status_code: status, request_id: `req_${id}`, body };
  return {
    line: line(id, customId, response, null),
    file: status === 200 ? 'output' : 'error',
    failed: status !== 200,
    usage: outcome.kind === 'answered' ? usageOf(outcome.body) : null,
  };
}

export function unansweredLine(why: 'expired' | 'cancelled', customId: string, id: string): object {
  const message =
    why === 'expired'
      ? 'This request could not be executed before the completion window expired.'
      : 'This request was not executed because the batch was cancelled.';
  return line(id, customId, null, { code: `batch_${why}`, message });
}

function line(id: string, customId: string, response: object | null, error: object | null) {
  return { id: `batch_req_${id}`, custom_id: customId, response, error };
}

function responseOf(outcome: Exclude<RowOutcome, { kind: 'timeout' }>): {
  status: number;
  body: unknown;
} {
  switch (outcome.kind) {
    case 'answered':
      return { status: 200, body: outcome.body };
    case 'refused':
      return { status: outcome.status, body: { error: outcome.error } };
    case 'raw':
      return outcome;
    default: {
      const never: never = outcome;
      throw new TypeError(String(never));
    }
  }
}

function usageOf(body: object): RowAnswer['usage'] {
  const { usage } = body as {
    usage: {
      prompt_tokens: number;
      completion_tokens: number;
      prompt_tokens_details: { cached_tokens: number };
    };
  };
  return {
    input: usage.prompt_tokens,
    cached: usage.prompt_tokens_details.cached_tokens,
    output: usage.completion_tokens,
  };
}
