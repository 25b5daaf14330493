import type { BatchErrorCode, ItemErrorCode } from '../../core/errors.ts';
import { noUsage } from '../../core/usage.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { ExportedItem } from '../../db/item-export.ts';
import { messageUsage } from '../../model/dialects/usage.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import { answerTextOf, storedMessage } from './answer.ts';
import type { OutputWriter } from './output.ts';
import { type RowTexts, toBytes } from './text.ts';

/**
 * Lines as the results of Anthropic's message batches have them: {custom_id, result}, one for each
 * item that has ended. What a failed batch left undone has the batch's error. Of chat the message
 * is as the provider sent it, or what a chat completion is as one; of everything else it has the
 * output as its text, so that tools for Anthropic's results read every batch.
 * https://docs.anthropic.com/en/api/retrieving-message-batch-results
 */
export function anthropicLinesWriter(
  { id, model, status, error, errorCode }: WrittenBatch,
  rows: RowTexts,
  operation: PreparedOperation,
): OutputWriter {
  const suffix = id.slice('batch_'.length);
  const modelBytes = toBytes(model);
  const text = answerTextOf(operation);
  const leftUndone = status === 'FAILED' ? { errorCode, errorMessage: toBytes(error ?? '') } : null;

  function errored(failed: Failed, index: number): string {
    const request_id = `req_${suffix}_${index}`;
    return JSON.stringify({ type: 'errored', error: { ...errorOf(failed), request_id } });
  }

  /** A byte string of JSON. */
  function message(item: ExportedItem): string {
    const { index, output } = item;
    const name = `msg_${suffix}_${index}`;
    const answer = storedMessage(operation, item, { id: name, model });
    if (answer) return toBytes(JSON.stringify(answer));
    return JSON.stringify({
      id: name,
      type: 'message',
      role: 'assistant',
      model: modelBytes,
      content: [{ type: 'text', text: text(output ?? 'null') }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: messageUsage(item.usage ?? noUsage),
    });
  }

  function result(item: ExportedItem): string | null {
    switch (item.status) {
      case 'PENDING':
      case 'PROCESSING':
        return leftUndone && errored(leftUndone, item.index);
      case 'SUCCEEDED':
        return `{"type":"succeeded","message":${message(item)}}`;
      case 'FAILED':
        return errored(item, item.index);
      case 'CANCELLED':
        return '{"type":"canceled"}';
      case 'EXPIRED':
        return '{"type":"expired"}';
      default:
        return item.status satisfies never;
    }
  }

  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    columns: {
      row: rows.idsInRows,
      usage: true,
      completedAt: false,
      rejectedAnswer: false,
      attempts: false,
      cached: false,
    },
    head: '',
    separator: '',
    tail: '',
    record(item) {
      const ended = result(item);
      if (ended === null) return '';
      return `{"custom_id":${JSON.stringify(rows.customId(item))},"result":${ended}}\n`;
    },
  };
}

type WrittenBatch = Pick<BatchRecord, 'id' | 'model' | 'status' | 'error' | 'errorCode'>;

interface Failed {
  errorCode: ItemErrorCode | BatchErrorCode | null;
  errorMessage: string | null;
}

/** Anthropic's type says whether sending again may help; our code beside it says more. */
function errorOf({ errorCode, errorMessage }: Failed): object {
  const type = errorCode === null ? 'api_error' : errorTypes[errorCode];
  const code = errorCode?.toLowerCase() ?? null;
  return { type: 'error', error: { type, message: errorMessage ?? '', code } };
}

/** https://docs.anthropic.com/en/api/errors */
const errorTypes: Readonly<Record<ItemErrorCode | BatchErrorCode, string>> = {
  INVALID_REQUEST: 'invalid_request_error',
  CONTEXT_TOO_LONG: 'invalid_request_error',
  TEMPLATE_FIELD_MISSING: 'invalid_request_error',
  TRUNCATED: 'invalid_request_error',
  REFUSED: 'invalid_request_error',
  CONTENT_FILTERED: 'invalid_request_error',
  RATE_LIMITED: 'rate_limit_error',
  TIMEOUT: 'timeout_error',
  INVALID_OUTPUT: 'api_error',
  PROVIDER_ERROR: 'api_error',
  WORKER_CRASHED: 'api_error',
  EMPTY_CONTENT: 'invalid_request_error',
  INTERNAL: 'api_error',
  INVALID_KEY: 'authentication_error',
  QUOTA_EXHAUSTED: 'billing_error',
  UNKNOWN_MODEL: 'not_found_error',
  PROVIDER_REJECTED_FILE: 'invalid_request_error',
  DUPLICATE_CUSTOM_ID: 'invalid_request_error',
  INVALID_INPUT_FILE: 'invalid_request_error',
};
