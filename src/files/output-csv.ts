import type { ItemRecord } from '../db/items.ts';
import type { OutputWriter } from './output.ts';

/**
 * The input's columns in their order, then the output's, then status, error_code and error_message. `outputColumns` null: one
 * column `output` of JSON. A name that the user has already gets `_2`.
 */
export function csvWriter(
  fieldColumns: readonly string[],
  outputColumns: readonly string[] | null,
): OutputWriter {
  const taken = new Set<string>();
  const unique = (name: string) => {
    let free = name;
    for (let n = 2; taken.has(free); n += 1) free = `${name}_${n}`;
    taken.add(free);
    return free;
  };
  // The user's own columns keep their names, so they are taken first.
  const fieldNames = fieldColumns.map(unique);
  const header = [
    unique('custom_id'),
    unique('content'),
    ...fieldNames,
    ...(outputColumns ?? ['output']).map(unique),
    ...['status', 'error_code', 'error_message'].map(unique),
  ];
  return {
    contentType: 'text/csv; charset=utf-8; header=present',
    head: row(header),
    record: (item) => row(cells(item, fieldColumns, outputColumns)),
    separator: '',
    tail: '',
  };
}

function cells(
  item: ItemRecord,
  fieldColumns: readonly string[],
  outputColumns: readonly string[] | null,
): string[] {
  const fields = parse(item.fields);
  const output = outputColumns ? pick(parse(item.output), outputColumns) : [item.output ?? ''];
  return [
    item.customId,
    item.content,
    ...pick(fields, fieldColumns),
    ...output,
    item.status.toLowerCase(),
    item.errorCode ?? '',
    item.errorMessage ?? '',
  ];
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
