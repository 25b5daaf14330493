/** The rows of an uploaded file as lines, whatever its format. */
import type { Copy } from '../../db/driver/copy.ts';
import type { FileRecord } from '../../db/files.ts';
import type { ExportedRow } from '../../db/row-export.ts';
import { previewRow } from '../decoded-row.ts';
import { oneLine } from '../json-text.ts';
import { type RowFile, rowFileOf } from '../row.ts';
import { readRows } from './ranges.ts';
import { toBytes, toText } from './text.ts';

/** Bytes that are written at a time: little enough that other requests get their turn. */
const pieceLength = 32_768;

/**
 * A line for each row behind `offset` rows, in byte strings of about `pieceLength`; read as fast as
 * they are taken. A line that came by OpenAI's API is as it came, all others are JSON. Throws when
 * the file goes meanwhile.
 */
export async function* writeRows(
  copy: Copy,
  file: FileRecord,
  offset: number,
): AsyncGenerator<string, void, undefined> {
  const toLine = file.purpose === null ? lineOf(rowFileOf(file)) : asItCame;
  const range = { fileKey: file.key, first: offset, last: file.itemCount - 1 };
  let piece = '';
  let lines = offset;
  for await (const rows of readRows(copy, range)) {
    for (const row of rows) {
      piece += `${toLine(row)}\n`;
      lines += 1;
      if (piece.length < pieceLength) continue;
      yield piece;
      piece = '';
    }
  }
  if (lines < file.itemCount) throw new Error('the file has been deleted');
  if (piece !== '') yield piece;
}

function asItCame({ content, fields }: ExportedRow): string {
  return content ?? fields ?? '';
}

function lineOf(file: RowFile): (row: ExportedRow) => string {
  if (file.format === 'CSV') {
    return ({ fields }) => toBytes(JSON.stringify(previewRow(file, decoded(fields))));
  }
  return ({ content, fields }) =>
    content === null ? oneLine(fields ?? '') : `{"content":${JSON.stringify(content)}}`;
}

function decoded(fields: string | null) {
  const text = fields === null ? null : toText(fields);
  return { index: 0, row: null, customId: null, content: null, fields: text };
}
