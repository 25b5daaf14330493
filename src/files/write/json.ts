import type { ExportedItem } from '../../db/item-export.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import type { DecodedRow } from '../decoded-row.ts';
import { createRenamer } from './names.ts';
import type { OutputWriter } from './output.ts';
import { type RowTexts, toBytes } from './text.ts';

/** What a record holds beside the answer; null and false leave it out. */
export interface JsonIncludes {
  input: boolean;
  /** What was or would be sent to the model for a row; null where nothing can be. */
  request: ((row: DecodedRow) => Readonly<Record<string, unknown>> | null) | null;
}

/** One record a line. */
export function jsonLinesWriter(
  rows: RowTexts,
  operation: PreparedOperation,
  includes: JsonIncludes,
): OutputWriter {
  const record = createRecord(rows, operation, includes);
  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    columns: {
      row: includes.input || includes.request !== null || rows.idsInRows,
      usage: true,
      completedAt: false,
      rejectedAnswer: true,
    },
    head: '',
    record: (item) => `${record(item)}\n`,
    separator: '',
    tail: '',
  };
}

/** One array, a record a line. */
export function jsonWriter(
  rows: RowTexts,
  operation: PreparedOperation,
  includes: JsonIncludes,
): OutputWriter {
  return {
    ...jsonLinesWriter(rows, operation, includes),
    contentType: 'application/json; charset=utf-8',
    head: '[\n',
    record: createRecord(rows, operation, includes),
    separator: ',\n',
    tail: '\n]\n',
  };
}

/**
 * {index, row, custom_id, status, output, error, rejected_answer, usage}, with the input also
 * content and metadata, then request. What is stored as JSON text goes out as that text, so that no
 * number and no order of keys changes on the way; names of ours are in snake case.
 */
function createRecord(
  rows: RowTexts,
  operation: PreparedOperation,
  includes: JsonIncludes,
): (item: ExportedItem) => string {
  const rename = createRenamer(operation);
  return (item) => {
    const { index } = item;
    const input = includes.input ? `,${rows.input(item)}` : '';
    const request = includes.request
      ? `,"request":${toBytes(JSON.stringify(includes.request(rows.decode(item))))}`
      : '';
    return `{"index":${index},"row":${rows.row(item)},"custom_id":${JSON.stringify(rows.customId(item))},"status":"${item.status.toLowerCase()}"${input}${request},"output":${item.output === null ? 'null' : rename(item.output)},"error":${errorOf(item)},"rejected_answer":${rejectedOf(item)},"usage":${usageOf(item)}}`;
  };
}

function errorOf({ errorCode, errorMessage }: ExportedItem): string {
  return errorCode === null ? 'null' : JSON.stringify({ code: errorCode, message: errorMessage });
}

function rejectedOf({ rejectedAnswer }: ExportedItem): string {
  return rejectedAnswer === null ? 'null' : JSON.stringify(rejectedAnswer);
}

function usageOf({ usage }: ExportedItem): string {
  if (usage === null) return 'null';
  const { requests, inputTokens, cachedInputTokens, outputTokens, costUsd } = usage;
  return `{"requests":${requests},"input_tokens":${inputTokens},"cached_input_tokens":${cachedInputTokens},"output_tokens":${outputTokens},"cost_usd":${costUsd}}`;
}
