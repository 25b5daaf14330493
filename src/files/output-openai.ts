import type { ItemRecord } from '../db/items.ts';
import type { PreparedOperation } from '../operations/operation.ts';
import type { OutputWriter } from './output.ts';
import { customIdOf, type RowFile } from './row.ts';

/**
 * Lines as OpenAI's batch output and error files have them: {id, custom_id, response: {status_code, request_id, body}, error}, one
 * for each item that has ended. The body is a chat completion with the output as its content, so that tools for OpenAI's files read
 * every batch; of chat it is the completion as the provider sent it. https://platform.openai.com/docs/api-reference/batch/request-output
 */
export function openAiLinesWriter(
  { id, model }: { id: string; model: string },
  file: RowFile,
  operation: PreparedOperation,
): OutputWriter {
  const suffix = id.slice('batch_'.length);
  const content = contentOf(operation);

  function response(item: ItemRecord): object {
    const completion = operation.completion?.(JSON.parse(item.output ?? 'null'));
    if (completion) {
      return { status_code: 200, request_id: `req_${suffix}_${item.index}`, body: completion };
    }
    const inputTokens = item.inputTokens ?? 0;
    const outputTokens = item.outputTokens ?? 0;
    return {
      status_code: 200,
      request_id: `req_${suffix}_${item.index}`,
      body: {
        id: `chatcmpl-${suffix}_${item.index}`,
        object: 'chat.completion',
        created: Math.floor((item.completedAt?.getTime() ?? 0) / 1000),
        model,
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: content(item.output ?? 'null'), refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: {
          prompt_tokens: inputTokens,
          completion_tokens: outputTokens,
          total_tokens: inputTokens + outputTokens,
          prompt_tokens_details: { cached_tokens: item.cachedInputTokens ?? 0 },
        },
      },
    };
  }

  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: '',
    separator: '',
    tail: '',
    record(item) {
      if (item.status === 'PENDING' || item.status === 'PROCESSING') return '';
      const line = {
        id: `batch_req_${suffix}_${item.index}`,
        custom_id: customIdOf(file, item),
        response: item.status === 'SUCCEEDED' ? response(item) : null,
        error: errorOf(item),
      };
      return `${JSON.stringify(line)}\n`;
    },
  };
}

/** Text answers as they were written, all others as the JSON text that is stored. */
function contentOf({ format, columns }: PreparedOperation): (output: string) => string {
  const field = format.type === 'text' ? columns?.[0] : undefined;
  if (field === undefined) return (output) => output;
  return (output) => {
    const text = (JSON.parse(output) as Record<string, unknown> | null)?.[field];
    return typeof text === 'string' ? text : output;
  };
}

function errorOf({ status, errorCode, errorMessage }: ItemRecord): object | null {
  switch (status) {
    case 'FAILED':
      return { code: errorCode?.toLowerCase() ?? 'error', message: errorMessage ?? '' };
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
