import { parseKeepingNumbers } from '../model/exact-json.ts';
import type { OutputWriter } from './output.ts';
import { flatMembers, memberHeads } from './output-flat.ts';
import { hasUnicodeEscape, type RowTexts, toBytes, toText } from './output-text.ts';
import { ownColumns, type RowFile } from './row.ts';

/**
 * The input's columns in their order, the row's number where it is wanted, then the output's columns, then status, error_code and error_message. `outputColumns` null: one
 * column `output` of JSON. Custom ids of the batch's own stand behind the input. A name that the user has already gets `_2`; the user's own columns keep their names as they are.
 */
export function csvWriter(
  file: RowFile & { listed: boolean },
  rows: RowTexts,
  outputColumns: readonly string[] | null,
  { keepFormulas, includeRow }: { keepFormulas: boolean; includeRow: boolean },
): OutputWriter {
  const write = keepFormulas ? plainCell : cell;
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
    ...(outputColumns ?? ['output']).map(unique),
    ...['status', 'error_code', 'error_message'].map(unique),
  ];
  const outputKeys = outputColumns?.map(toBytes) ?? [];
  const heads = memberHeads(outputKeys);
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    columns: { row: true, usage: false, completedAt: false },
    head: `${header.map((name) => write(toBytes(name))).join(',')}\n`,
    record(item) {
      let line = '';
      for (const value of rows.cells(item)) line += `${write(value)},`;
      if (includeRow) line += `${rows.row(item) ?? ''},`;
      if (rows.ownIds) line += `${write(rows.customId(item))},`;
      const flat = item.output === null ? null : flatMembers(item.output, heads);
      const values =
        flat ??
        (outputColumns ? memberTexts(item.output, outputColumns, outputKeys) : [item.output ?? '']);
      for (const value of values) line += `${write(value)},`;
      return `${line}${item.status.toLowerCase()},${item.errorCode ?? ''},${write(item.errorMessage ?? '')}\n`;
    },
    separator: '',
    tail: '',
  };
}

/** The members of an output under its columns, as byte strings: text as it is, null and absence as nothing, everything else as JSON. */
function memberTexts(
  output: string | null,
  columns: readonly string[],
  keys: readonly string[],
): string[] {
  if (output === null) return columns.map(() => '');
  if (hasUnicodeEscape(output)) {
    const values = parseKeepingNumbers(toText(output)) as Record<string, unknown>;
    return columns.map((column) => toBytes(cellText(values, column)));
  }
  const values = parseKeepingNumbers(output) as Record<string, unknown>;
  return keys.map((key) => cellText(values, key));
}

function cellText(values: Record<string, unknown>, key: string): string {
  const value = Object.hasOwn(values, key) ? values[key] : null;
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * A cell as a byte string. Where it begins and ends with a visible ASCII character, of which the first makes no formula, nothing of it
 * has to be decoded.
 */
function cell(bytes: string): string {
  if (bytes === '') return '';
  return isVisible(bytes.charCodeAt(bytes.length - 1)) &&
    isVisible(bytes.charCodeAt(0)) &&
    !'=+-@;,'.includes(bytes[0] as string)
    ? quoted(bytes)
    : toBytes(textCell(toText(bytes)));
}

/** A cell whatever a spreadsheet makes of it, for programs. */
function plainCell(bytes: string): string {
  if (bytes === '') return '';
  return isVisible(bytes.charCodeAt(bytes.length - 1)) && isVisible(bytes.charCodeAt(0))
    ? quoted(bytes)
    : toBytes(withSpace(toText(bytes)));
}

function isVisible(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

function textCell(value: string): string {
  return withSpace(isFormula(value) ? `'${value}` : value);
}

/** White space at the ends is quoted, so that no reader takes it off. */
function withSpace(value: string): string {
  return value === value.trim() ? quoted(value) : `"${value.replaceAll('"', '""')}"`;
}

function quoted(value: string): string {
  return /["\r\n,]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/**
 * What a spreadsheet would run when the file is opened: text that begins with = + - @ or a control character (OWASP CSV injection), also
 * in full width. Plain numbers are left alone.
 */
function isFormula(value: string): boolean {
  return (
    /^[=+\-@\t\r\n＝＋－＠]|^[;,]\s*[=+\-@]/.test(value) &&
    !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)
  );
}
