/** The output of a batch as a stream of byte strings, in input order, at any time. */
import { setImmediate } from 'node:timers/promises';
import type { AnswerFilter } from '../../db/answer-filter.ts';
import type { BatchRecord } from '../../db/batches.ts';
import { readBatchByKey, readBatchFile } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { Copy } from '../../db/driver/copy.ts';
import type { ExportColumns, ExportedItem } from '../../db/item-export.ts';
import type { ItemStatus } from '../../db/item-filter.ts';
import type { OutputBytes } from '../../db/output-files.ts';
import { finalStatuses } from '../../db/tables.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import { rowFileOf } from '../row.ts';
import { anthropicLinesWriter } from './anthropic.ts';
import { type CsvOptions, csvWriter } from './csv.ts';
import { type JsonShape, jsonLinesWriter, jsonWriter } from './json.ts';
import { openAiLinesWriter } from './openai.ts';
import { readItems } from './ranges.ts';
import { createRowTexts, type RowTexts } from './text.ts';

export const outputFormats = ['json', 'jsonl', 'csv', 'openai_jsonl', 'anthropic_jsonl'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/**
 * A format: what stands before, between and after the records, and a record itself; all of them
 * byte strings, for output-text.ts says why.
 */
export interface OutputWriter {
  contentType: string;
  /** Columns that records are made of, beside those that every one needs. */
  columns: ExportColumns;
  head: string;
  record(item: ExportedItem): string;
  separator: string;
  tail: string;
}

export interface OutputRequest {
  format: OutputFormat;
  /** Only items with one of these statuses. Undefined: all. */
  status: readonly ItemStatus[] | undefined;
  /** Only items with such answers. Undefined: all. */
  answers?: AnswerFilter | undefined;
  /** Begins behind this index: how an interrupted download goes on. */
  afterIndex: number;
  /** Ends with this index. Undefined: with the last of the batch. */
  lastIndex?: number;
}

/** Characters that are written at a time: little enough that other requests get their turn. */
const pieceLength = 32_768;

/**
 * Chooses the writer; a CSV's columns are fixed before its first row.
 */
export async function outputWriter(
  db: Database,
  batch: BatchRecord,
  {
    operation,
    format,
    json,
    csv,
  }: {
    operation: PreparedOperation;
    format: OutputFormat;
    json: JsonShape;
    csv: CsvOptions;
  },
): Promise<OutputWriter> {
  const file = rowFileOf(await readBatchFile(db, batch.fileKey), batch);
  const rows = createRowTexts(file);
  const hasTwins = batch.twins > 0;
  switch (format) {
    case 'json':
      return jsonWriter(rows, operation, { ...json, hasTwins });
    case 'jsonl':
      return jsonLinesWriter(rows, operation, { ...json, hasTwins });
    case 'csv':
      return csvWriter(file, rows, operation, { ...csv, hasTwins });
    case 'openai_jsonl':
      return openAiLinesWriter(batch, rows, operation);
    case 'anthropic_jsonl':
      return anthropicLinesWriter(batch, rows, operation);
  }
}

/** The writer of the lines that OpenAI's API gives of a batch. */
export async function openAiWriter(
  db: Database,
  batch: BatchRecord,
  operation: PreparedOperation,
): Promise<OutputWriter> {
  return openAiLinesWriter(batch, await rowTextsOf(db, batch), operation);
}

/** The writer of the lines that Anthropic's API gives of a batch. */
export async function messageResultsWriter(
  db: Database,
  batch: BatchRecord,
  operation: PreparedOperation,
): Promise<OutputWriter> {
  return anthropicLinesWriter(batch, await rowTextsOf(db, batch), operation);
}

async function rowTextsOf(db: Database, batch: BatchRecord): Promise<RowTexts> {
  return createRowTexts(rowFileOf(await readBatchFile(db, batch.fileKey), batch));
}

/**
 * The output in pieces of about `pieceLength`; read as fast as it is taken. Throws when the batch
 * or its content is deleted meanwhile, because what came until then might look like all of it.
 */
export async function* writeOutput(
  { db, copy }: { db: Database; copy: Copy },
  batch: BatchRecord,
  writer: OutputWriter,
  { status, answers, afterIndex, lastIndex }: Omit<OutputRequest, 'format'>,
): AsyncGenerator<string, void, undefined> {
  const { key: batchKey, fileKey, total } = batch;
  const parts = readItems(copy, {
    source: { batchKey, fileKey },
    first: afterIndex + 1,
    last: lastIndex ?? total - 1,
    status,
    answers,
    with: writer.columns,
  });
  let piece = writer.head;
  let written = false;
  for await (const items of parts) {
    for (const item of items) {
      if (written) piece += writer.separator;
      piece += writer.record(item);
      written = true;
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = '';
    }
  }
  // The rows of a batch go only after the batch itself, or after it was said to have none.
  const left = await readBatchByKey(db, batchKey);
  if (!left) throw new Error('the batch has been deleted');
  if (left.contentDeletedAt !== null) throw new Error('the answers of the batch have been deleted');
  yield piece + writer.tail;
}

/**
 * Bytes of the records of an ended batch, of the items that succeeded and of the others: what
 * `writeOutput` would send, without sending it. Rejects with the signal's reason.
 */
export async function measureOutput(
  { copy }: { copy: Copy },
  { key: batchKey, fileKey, total }: BatchRecord,
  { writer, signal }: { writer: OutputWriter; signal: AbortSignal },
): Promise<OutputBytes> {
  const bytes = { output: 0, errors: 0 };
  const parts = readItems(copy, {
    source: { batchKey, fileKey },
    first: 0,
    last: total - 1,
    status: finalStatuses,
    with: writer.columns,
  });
  for await (const items of parts) {
    signal.throwIfAborted();
    for (const item of items) {
      bytes[item.status === 'SUCCEEDED' ? 'output' : 'errors'] += writer.record(item).length;
    }
    await setImmediate();
  }
  return bytes;
}
