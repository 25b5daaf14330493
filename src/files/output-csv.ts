import type { OutputWriter } from './output.ts';
import { ownCells, ownColumns, type RowFile } from './row.ts';

/**
 * The input's columns in their order, then the output's, then status, error_code and error_message. `outputColumns` null: one
 * column `output` of JSON. A name that the user has already gets `_2`; the user's own columns keep their names as they are.
 */
export function csvWriter(
  file: RowFile & { listed: boolean },
  outputColumns: readonly string[] | null,
): OutputWriter {
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
    ...(outputColumns ?? ['output']).map(unique),
    ...['status', 'error_code', 'error_message'].map(unique),
  ];
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: row(header),
    record: (item) =>
      row([
        ...ownCells(file, item),
        ...(outputColumns ? pick(parse(item.output), outputColumns) : [item.output ?? '']),
        item.status.toLowerCase(),
        item.errorCode ?? '',
        item.errorMessage ?? '',
      ]),
    separator: '',
    tail: '',
  };
}

function parse(json: string | null): Record<string, unknown> {
  return json === null ? {} : (JSON.parse(json) as Record<string, unknown>);
}

/** Text as it is, null and absence as nothing, everything else as JSON. */
function pick(values: Record<string, unknown>, columns: readonly string[]): string[] {
  return columns.map((column) => {
    const value = Object.hasOwn(values, column) ? values[column] : null;
    if (value === null || value === undefined) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
}

function row(values: readonly string[]): string {
  return `${values.map(cell).join(',')}\n`;
}

function cell(value: string): string {
  const safe = isFormula(value) ? `'${value}` : value;
  return /["\r\n,]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
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
