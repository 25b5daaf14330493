import { parseKeepingNumbers } from '../../core/exact-json.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import type { RowFile } from '../row.ts';
import { ownColumns } from '../row-output.ts';
import { createCellWriter, type OutputDelimiter } from './cells.ts';
import { flatMembers, memberHeads } from './flat.ts';
import type { OutputWriter } from './output.ts';
import { hasUnicodeEscape, type RowTexts, toBytes, toText } from './text.ts';

export interface CsvOptions {
  /** Text that a spreadsheet would run goes out as it is. */
  keepFormulas: boolean;
  /** With the row's number in the file. */
  includeRow: boolean;
  delimiter: OutputDelimiter;
  /** Begins with a byte order mark, without which Excel does not take it for UTF-8. */
  bom: boolean;
}

/** U+FEFF as a byte string. */
const byteOrderMark = '\u00ef\u00bb\u00bf';

/**
 * The input's columns in their order, and the row's number where it is wanted. Then the output's
 * columns, then status, error_code and error_message, and cached where the batch has identical
 * rows. Without columns of its own an output is one column `output` of JSON. Custom ids of the
 * batch's own stand behind the input. A name that the user has already gets `_2`; the user's own
 * columns keep their names as they are.
 */
export function csvWriter(
  file: RowFile & { listed: boolean },
  rows: RowTexts,
  operation: PreparedOperation,
  { keepFormulas, includeRow, delimiter, bom, hasTwins }: CsvOptions & { hasTwins: boolean },
): OutputWriter {
  const write = createCellWriter({ delimiter, keepFormulas });
  const { columns, outputNames = {} } = operation;
  // Of inline items the id and the text are columns of ours, and give way to a field of that name.
  const theirs = file.listed ? ownColumns(file) : file.columns;
  const taken = new Set(theirs);
  const unique = (name: string) => {
    let free = name;
    for (let n = 2; taken.has(free); n += 1) free = `${name}_${n}`;
    taken.add(free);
    return free;
  };
  const header = [
    ...(file.listed ? [] : ['custom_id', 'content'].map(unique)),
    ...theirs,
    ...(includeRow ? [unique('row')] : []),
    ...(rows.ownIds ? [unique('custom_id')] : []),
    ...(columns ?? ['output']).map((name) => unique(outputNames[name] ?? name)),
    ...['status', 'error_code', 'error_message'].map(unique),
    ...(hasTwins ? [unique('cached')] : []),
  ];
  const read = createOutputCells(operation);
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    columns: {
      row: true,
      usage: false,
      completedAt: false,
      rejectedAnswer: false,
      attempts: false,
      cached: hasTwins,
    },
    head: `${bom ? byteOrderMark : ''}${header.map((name) => write(toBytes(name))).join(delimiter)}\n`,
    record(item) {
      let line = '';
      for (const value of rows.cells(item)) line += write(value) + delimiter;
      if (includeRow) line += (rows.row(item) ?? '') + delimiter;
      if (rows.ownIds) line += write(rows.customId(item)) + delimiter;
      for (const value of read(item.output)) line += write(value) + delimiter;
      return `${line}${item.status.toLowerCase()}${delimiter}${item.errorCode ?? ''}${delimiter}${write(item.errorMessage ?? '')}${hasTwins ? delimiter + item.cached : ''}\n`;
    },
    separator: '',
    tail: '',
  };
}

/** The function that takes a stored output apart into its cells, byte strings both. */
function createOutputCells({
  columns,
  cells,
}: PreparedOperation): (output: string | null) => readonly string[] {
  if (!columns) return (output) => [output ?? ''];
  const none = columns.map(() => '');
  if (cells) {
    return (output) =>
      output === null
        ? none
        : cells(parseKeepingNumbers(toText(output))).map((value) => toBytes(cellText(value)));
  }
  const keys = columns.map(toBytes);
  const heads = memberHeads(keys);
  return (output) =>
    output === null ? none : (flatMembers(output, heads) ?? memberTexts(output, columns, keys));
}

/**
 * The members of an output under its columns, as byte strings: text as it is, null and absence as
 * nothing, everything else as JSON.
 */
function memberTexts(
  output: string,
  columns: readonly string[],
  keys: readonly string[],
): string[] {
  if (hasUnicodeEscape(output)) {
    const values = parseKeepingNumbers(toText(output)) as Record<string, unknown>;
    return columns.map((column) => toBytes(cellText(ownValue(values, column))));
  }
  const values = parseKeepingNumbers(output) as Record<string, unknown>;
  return keys.map((key) => cellText(ownValue(values, key)));
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function ownValue(values: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] : null;
}
