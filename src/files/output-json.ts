import type { ItemRecord } from '../db/items.ts';
import type { OutputWriter } from './output.ts';
import { customIdOf, decodeRow, metadataText, type RowFile } from './row.ts';

/** One record a line. */
export function jsonLinesWriter(file: RowFile, includeInput: boolean): OutputWriter {
  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    head: '',
    record: (item) => `${jsonRecord(file, item, includeInput)}\n`,
    separator: '',
    tail: '',
  };
}

/** One array, a record a line. */
export function jsonWriter(file: RowFile, includeInput: boolean): OutputWriter {
  return {
    contentType: 'application/json; charset=utf-8',
    head: '[\n',
    record: (item) => jsonRecord(file, item, includeInput),
    separator: ',\n',
    tail: '\n]\n',
  };
}

/**
 * {index, custom_id, status, output, error, usage}, with the input also content and metadata. What is stored as JSON text goes out
 * as that text, so that no number and no order of keys changes on the way.
 */
function jsonRecord(file: RowFile, item: ItemRecord, includeInput: boolean): string {
  const input = includeInput
    ? `,"content":${JSON.stringify(decodeRow(file, item).content)},"metadata":${metadataText(file, item)}`
    : '';
  return `{"index":${item.index},"custom_id":${JSON.stringify(customIdOf(file, item))},"status":"${item.status.toLowerCase()}"${input},"output":${item.output ?? 'null'},"error":${errorOf(item)},"usage":${usageOf(item)}}`;
}

function errorOf({ errorCode, errorMessage }: ItemRecord): string {
  return errorCode === null ? 'null' : JSON.stringify({ code: errorCode, message: errorMessage });
}

function usageOf(item: ItemRecord): string {
  if (item.seq === null) return 'null';
  return JSON.stringify({
    requests: item.requests,
    input_tokens: item.inputTokens,
    cached_input_tokens: item.cachedInputTokens,
    output_tokens: item.outputTokens,
    cost_usd: item.costUsd,
  });
}
