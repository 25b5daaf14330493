/** A stored row, and what has to be known of its file to read it. */

import { withoutBlanks } from '../core/blank-characters.ts';
import { type ItemFile, rowMembers } from './item-members.ts';
import { columnNames } from './read/csv-names.ts';

/**
 * The facts on a file that its rows are read by. Of a CSV file, `columns` are the header's cells or
 * `columnNames` of them.
 */
export interface RowFile extends ItemFile {
  /** For a batch that reads the file its own way: its custom ids stand in the field. */
  idsInFields?: boolean;
  /** Stands before every custom id. */
  customIdPrefix?: string;
  /** True where its rows have numbers: those of inline items and of files of before have none. */
  isNumbered?: boolean;
}

/**
 * A batch's own reading of its file, where it differs from what was chosen at upload; null where it
 * does not. An empty customIdField: the place in the file serves.
 */
export interface FileReading {
  contentField: string | null;
  customIdField: string | null;
  customIdPrefix: string | null;
}

/**
 * A row as it is stored. An inline item has its text in `content` and its metadata in `fields`.
 * `row` is its number in the file where that is not index + 1.
 */
export interface RowText {
  index: number;
  row: number | null;
  customId: string | null;
  content: string | null;
  fields: string | null;
}

/**
 * The number of a row in its file, counted from 1 as rejections count it; null where rows have
 * none. An index has no gaps for what was refused or skipped, a row number has.
 */
export function rowNumberOf({ isNumbered }: RowFile, { index, row }: RowText): number | null {
  return row ?? (isNumbered ? index + 1 : null);
}

/** The row's custom id, else the place in the file from 0, behind the batch's prefix. */
export function customIdOf(file: RowFile, row: RowText): string {
  const own = file.idsInFields ? idInFields(file, row) : row.customId;
  return (file.customIdPrefix ?? '') + (own ?? placeOf(row));
}

/** The place in the file, counted from 0, with gaps for what was refused or skipped. */
export function placeOf({ index, row }: RowText): string {
  return String(row === null ? index : row - 1);
}

function idInFields(file: RowFile, { content, fields }: RowText): string | null {
  if (file.customIdField === null || fields === null || content !== null) return null;
  const id =
    file.format === 'CSV'
      ? (JSON.parse(fields) as string[])[planOf(file).customId]
      : cellOf(new Map(rowMembers(file, fields)).get(file.customIdField));
  return id === undefined || withoutBlanks(id) === '' ? null : id;
}

/**
 * The facts on a stored file that its rows are read by, as `reading` has it. One object for all
 * rows: what is derived from it is kept with it.
 */
export function rowFileOf(
  file: {
    listed: boolean;
    format: string;
    columns: string;
    contentField: string | null;
    customIdField: string | null;
    encoding: string | null;
  },
  reading?: FileReading,
): RowFile & { listed: boolean } {
  const { listed, format } = file;
  const customIdField = reading?.customIdField ?? file.customIdField;
  return {
    listed,
    format,
    columns: JSON.parse(file.columns) as string[],
    contentField: reading?.contentField ?? file.contentField,
    customIdField: customIdField === '' ? null : customIdField,
    idsInFields: typeof reading?.customIdField === 'string',
    customIdPrefix: reading?.customIdPrefix ?? '',
    isNumbered: file.encoding !== null,
  };
}

/** The names of a file's columns, as templates and options know them. */
export function namesOf({ format, columns }: Pick<RowFile, 'format' | 'columns'>): string[] {
  return format === 'CSV' ? columnNames(columns) : [...columns];
}

export function cellOf(json: string | undefined): string {
  if (json === undefined || json === 'null') return '';
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

export function isChat({ format }: RowFile): boolean {
  return format === 'OPENAI_JSONL' || format === 'ANTHROPIC_JSONL' || format === 'OPENAI_RESULTS';
}

/** Where the cells of a file's rows go. Made once per file object, as long as that is the same. */
interface CellPlan {
  names: string[];
  content: number;
  customId: number;
}

const plans = new WeakMap<RowFile, CellPlan>();

export function planOf(file: RowFile): CellPlan {
  const made = plans.get(file);
  if (made) return made;
  const names = columnNames(file.columns);
  const plan = {
    names,
    content: file.contentField === null ? -1 : names.indexOf(file.contentField),
    customId: file.customIdField === null ? -1 : names.indexOf(file.customIdField),
  };
  plans.set(file, plan);
  return plan;
}
