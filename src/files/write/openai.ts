import type { ItemErrorCode } from '../../core/errors.ts';
import { noUsage } from '../../core/usage.ts';
import type { ExportedItem } from '../../db/item-export.ts';
import { completionUsage } from '../../model/dialects/usage.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import { answerTextOf, storedCompletion } from './answer.ts';
import type { OutputWriter } from './output.ts';
import { type RowTexts, toBytes } from './text.ts';

/**
 * Lines as OpenAI's batch output and error files have them: {id, custom_id, response: {status_code,
 * request_id, body}, error}, one for each item that has ended. The body is a chat completion with
 * the output as its content, so that tools for OpenAI's files read every batch; of chat it is the
 * completion as the provider sent it, or what a message of Anthropic's is as one. A failed item has
 * both a response, whose body is an error, and an error: some tools read the one, some the other.
 * https://platform.openai.com/docs/api-reference/batch/request-output
 */
export function openAiLinesWriter(
  { id, model }: { id: string; model: string },
  rows: RowTexts,
  operation: PreparedOperation,
): OutputWriter {
  const suffix = id.slice('batch_'.length);
  const modelBytes = toBytes(model);
  const content = answerTextOf(operation);

  function answer(item: ExportedItem): object {
    return {
      id: `chatcmpl-${suffix}_${item.index}`,
      object: 'chat.completion',
      created: Math.floor(item.completedAt ?? 0),
      model: modelBytes,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: content(item.output ?? 'null'), refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: completionUsage(item.usage ?? noUsage),
    };
  }

  /** The answer to an item's request; null for one that was not asked to its end. */
  function response(item: ExportedItem): object | null {
    const request_id = `req_${suffix}_${item.index}`;
    switch (item.status) {
      case 'SUCCEEDED':
        return { status_code: 200, request_id, body: answer(item) };
      case 'FAILED':
        return refusal(request_id, item);
      default:
        return null;
    }
  }

  /** The provider's own answer where the output has it, as a byte string of JSON. */
  function completionOf(item: ExportedItem): string | null {
    const completion = item.status === 'SUCCEEDED' ? storedCompletion(operation, item) : null;
    return completion && toBytes(JSON.stringify(completion));
  }

  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    columns: {
      row: rows.idsInRows,
      usage: true,
      completedAt: true,
      rejectedAnswer: false,
      attempts: false,
      cached: false,
    },
    head: '',
    separator: '',
    tail: '',
    record(item) {
      if (item.status === 'PENDING' || item.status === 'PROCESSING') return '';
      const completion = completionOf(item);
      if (completion !== null) {
        const id = JSON.stringify(rows.customId(item));
        return `{"id":"batch_req_${suffix}_${item.index}","custom_id":${id},"response":{"status_code":200,"request_id":"req_${suffix}_${item.index}","body":${completion}},"error":null}\n`;
      }
      const line = {
        id: `batch_req_${suffix}_${item.index}`,
        custom_id: rows.customId(item),
        response: response(item),
        error: errorOf(item),
      };
      return `${JSON.stringify(line)}\n`;
    },
  };
}

/** A failed item's error as OpenAI's API would have answered with it; the code is ours. */
function refusal(request_id: string, { errorCode, errorMessage }: ExportedItem): object {
  const { status, type } = httpErrors[errorCode ?? 'INTERNAL'];
  const error = { message: errorMessage ?? '', type, param: null, code: codeOf(errorCode) };
  return { status_code: status, request_id, body: { error } };
}

const isRefused = { status: 400, type: 'invalid_request_error' };
const isBroken = { status: 500, type: 'server_error' };

/** https://platform.openai.com/docs/guides/error-codes */
const httpErrors: Readonly<Record<ItemErrorCode, { status: number; type: string }>> = {
  INVALID_REQUEST: isRefused,
  CONTEXT_TOO_LONG: isRefused,
  TEMPLATE_FIELD_MISSING: isRefused,
  TRUNCATED: isRefused,
  REFUSED: isRefused,
  CONTENT_FILTERED: isRefused,
  EMPTY_CONTENT: isRefused,
  RATE_LIMITED: { status: 429, type: 'requests' },
  TIMEOUT: { status: 504, type: 'server_error' },
  INVALID_OUTPUT: isBroken,
  PROVIDER_ERROR: isBroken,
  WORKER_CRASHED: isBroken,
  INTERNAL: isBroken,
};

function codeOf(errorCode: ItemErrorCode | null): string {
  return errorCode?.toLowerCase() ?? 'error';
}

function errorOf({ status, errorCode, errorMessage }: ExportedItem): object | null {
  switch (status) {
    case 'FAILED':
      return { code: codeOf(errorCode), message: errorMessage ?? '' };
    case 'EXPIRED':
      return {
        code: 'batch_expired',
        message: 'This request could not be executed before the completion window expired.',
      };
    case 'CANCELLED':
      return {
        code: 'batch_cancelled',
        message: 'This request was not executed because the batch was cancelled.',
      };
    default:
      return null;
  }
}
