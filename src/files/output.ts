/** The output of a batch as a stream of text, in input order, whatever its size and however far the batch is. */
import type { BatchRecord } from '../db/batches.ts';
import { readBatchFile } from '../db/batches.ts';
import type { Database } from '../db/client.ts';
import { type ItemRecord, type ItemStatus, listItems } from '../db/items.ts';
import type { PreparedOperation } from '../operations/operation.ts';
import { csvWriter } from './output-csv.ts';
import { jsonLinesWriter, jsonWriter } from './output-json.ts';
import { openAiLinesWriter } from './output-openai.ts';
import { rowFileOf } from './row.ts';

export const outputFormats = ['json', 'jsonl', 'csv', 'openai_jsonl'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** A format: what stands before, between and after the records, and a record itself. */
export interface OutputWriter {
  contentType: string;
  head: string;
  record(item: ItemRecord): string;
  separator: string;
  tail: string;
}

export interface OutputRequest {
  format: OutputFormat;
  /** Only items that stand so; all when undefined. */
  status: readonly ItemStatus[] | undefined;
  /** JSON and JSONL: also content and metadata. CSV has the input's columns anyway. */
  includeInput: boolean;
  /** Begins behind this index: how an interrupted download goes on. */
  afterIndex: number;
}

/** Items read at a time: one statement and so one snapshot each, so that a slow reader holds none. */
const pageSize = 2_000;

/** Chooses the writer; a CSV's columns are fixed before its first row. */
export async function outputWriter(
  db: Database,
  batch: BatchRecord,
  operation: PreparedOperation,
  { format, includeInput }: OutputRequest,
): Promise<OutputWriter> {
  const file = rowFileOf(await readBatchFile(db, batch.fileKey), batch);
  switch (format) {
    case 'json':
      return jsonWriter(file, includeInput);
    case 'jsonl':
      return jsonLinesWriter(file, includeInput);
    case 'csv':
      return csvWriter(file, operation.columns);
    case 'openai_jsonl':
      return openAiLinesWriter(batch, file, operation);
  }
}

/** The output's text in pieces of a page; read as fast as it is taken. */
export async function* writeOutput(
  db: Database,
  batch: BatchRecord,
  writer: OutputWriter,
  { status, afterIndex }: OutputRequest,
): AsyncGenerator<string> {
  yield writer.head;
  let after = afterIndex;
  let written = false;
  for (;;) {
    const items = await listItems(
      db.sql,
      { batchKey: batch.key, fileKey: batch.fileKey },
      { status },
      { limit: pageSize, afterIndex: after, inverted: false },
    );
    if (items.length > 0) {
      const page = items.map((item) => writer.record(item)).join(writer.separator);
      yield written ? writer.separator + page : page;
      written = true;
    }
    const last = items.at(-1);
    if (!last || items.length < pageSize) break;
    after = last.index;
  }
  yield writer.tail;
}
