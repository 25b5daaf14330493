/**
 * The lines of a batch's results. Source:
 * https://platform.claude.com/docs/en/api/messages/batches/results.
 */
import type { RowAnswer } from '../batch/job.ts';
import type { RowOutcome } from '../batch/row.ts';
import { anthropicDialect } from './dialect.ts';

/** All results stand in one file. */
export function resultLine(outcome: RowOutcome, customId: string, requestId: string): RowAnswer {
  const { result, usage = null } = resultOf(outcome, requestId);
  return { line: line(customId, result), file: 'output', failed: result.type === 'errored', usage };
}

export function unansweredLine(why: 'expired' | 'cancelled', customId: string): object {
  return line(customId, { type: why === 'expired' ? 'expired' : 'canceled' });
}

function line(customId: string, result: Result): object {
  return { custom_id: customId, result };
}

type Result =
  | { type: 'succeeded'; message: unknown }
  | { type: 'errored'; error: object }
  | { type: 'canceled' | 'expired' };

function resultOf(
  outcome: RowOutcome,
  requestId: string,
): { result: Result; usage?: RowAnswer['usage'] } {
  switch (outcome.kind) {
    case 'answered':
      return {
        result: { type: 'succeeded', message: outcome.body },
        usage: usageOf(outcome.body),
      };
    case 'raw':
      return { result: { type: 'succeeded', message: outcome.body } };
    case 'refused': {
      const { status, error } = outcome;
      return errored(anthropicDialect.errorBody(status, error, requestId));
    }
    case 'timeout': {
      const error = { type: 'timeout_error', message: 'The request to the model timed out.' };
      return errored({ type: 'error', error, request_id: requestId });
    }
    default: {
      const never: never = outcome;
      throw new TypeError(String(never));
    }
  }
}

function errored(error: object): { result: Result } {
  return { result: { type: 'errored', error } };
}

function usageOf(body: object): RowAnswer['usage'] {
  const { usage } = body as {
    usage: { input_tokens: number; cache_read_input_tokens: number; output_tokens: number };
  };
  return {
    input: usage.input_tokens,
    cached: usage.cache_read_input_tokens,
    output: usage.output_tokens,
  };
}
