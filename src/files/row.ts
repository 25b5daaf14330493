/** What a stored row holds: for prompts, the preview, and a CSV output's own columns. */

import { withoutBlanks } from '../core/blank-characters.ts';
import { parseExact, parseKeepingNumbers } from '../core/exact-json.ts';
import type { NamedParts } from '../operations/operation.ts';
import { rowFields, rowMembers } from './item-members.ts';
import { oneLine } from './json-text.ts';
import { columnNames } from './read/csv-names.ts';
import { type Dialect, mayBeRequests, readBareRow, readLine } from './request-row.ts';

/**
 * What has to be known of a file to read its rows. Of a CSV file, `columns` are the header's cells
 * or `columnNames` of them.
 */
export interface RowFile {
  format: string;
  columns: readonly string[];
  contentField: string | null;
  customIdField: string | null;
  /** For a batch that reads the file its own way: its custom ids stand in the field. */
  idsInFields?: boolean;
  /** Stands before every custom id. */
  customIdPrefix?: string;
  /** Whether its rows have numbers: those of inline items and of files of before have none. */
  isNumbered?: boolean;
}

/**
 * How a batch reads its file where it differs from what was chosen at upload; null where it does
 * not. An empty customIdField: the place in the file serves.
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

/** A row as a prompt sees it. */
export interface DecodedRow {
  content: string;
  metadata: Record<string, unknown> | null;
  /** By which names the text and the id stand in the row; absent where it has no fields. */
  named?: NamedParts;
  /** The body of a complete chat request, numbers as their text; null for any other row. */
  request: Record<string, unknown> | null;
  /** Whose API the request is written for. Absent without a request. */
  dialect?: Dialect | undefined;
}

/**
 * The content of a row, and as metadata all its other fields but the id, in their order. Where the
 * file has no content field, a row of several fields is its own content, as JSON. A line of a
 * provider's batch file has the text of its last user message as content, and no metadata. Numbers
 * that JavaScript would change are strings.
 */
export function decodeRow(file: RowFile, row: RowText): DecodedRow {
  const { content, fields } = row;
  if (content !== null) {
    const metadata = fields === null ? null : toObject(parseExact(fields));
    return { content, metadata, request: null };
  }
  if (fields === null) throw new Error(`row ${row.index} has neither content nor fields`);
  switch (file.format) {
    case 'CSV':
      return { ...decodeCells(file, JSON.parse(fields) as string[]), request: null };
    case 'OPENAI_JSONL':
    case 'ANTHROPIC_JSONL':
      return { ...readLine(parseKeepingNumbers(fields)), metadata: null };
    case 'OPENAI_RESULTS':
      return { content: '', metadata: null, request: null };
    default:
      return { ...decodeObject(file, fields), ...bareRequest(file, fields) };
  }
}

/**
 * The number of a row in its file, counted from 1 as rejections count it; null where rows have
 * none. An index has no gaps for what was refused or skipped, a row number has.
 */
export function rowNumberOf({ isNumbered }: RowFile, { index, row }: RowText): number | null {
  return row ?? (isNumbered ? index + 1 : null);
}

/** What stands for the custom id, else the place in the file from 0, behind the batch's prefix. */
export function customIdOf(file: RowFile, row: RowText): string {
  const own = file.idsInFields ? idInFields(file, row) : row.customId;
  return (file.customIdPrefix ?? '') + (own ?? placeOf(row));
}

/** The place in the file, counted from 0, with gaps for what was refused or skipped. */
function placeOf({ index, row }: RowText): string {
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
 * What of a stored file its rows are read by, as `reading` has it. One object for all rows: what is
 * derived from it is kept with it.
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

/** A row's metadata as JSON text, each value as the text that it came as; `null` without any. */
export function metadataText(file: RowFile, row: RowText): string {
  const { content, fields } = row;
  if (fields === null) return 'null';
  if (content !== null) return fields;
  if (isChat(file)) return 'null';
  if (file.format !== 'CSV') {
    return toJsonObject(
      rowMembers(file, fields).filter(
        ([name]) => name !== file.contentField && name !== file.customIdField,
      ),
    );
  }
  const { names, content: contentAt, customId: customIdAt } = planOf(file);
  const cells = JSON.parse(fields) as string[];
  return toJsonObject(
    names.flatMap((name, at) =>
      at === contentAt || at === customIdAt
        ? []
        : [[name, JSON.stringify(cells[at] ?? '')] as [string, string]],
    ),
  );
}

function toJsonObject(members: readonly (readonly [name: string, json: string])[]): string {
  return `{${members.map(([name, json]) => `${JSON.stringify(name)}:${oneLine(json)}`).join()}}`;
}

/** The names of a file's columns, as templates and options know them. */
export function namesOf({ format, columns }: Pick<RowFile, 'format' | 'columns'>): string[] {
  return format === 'CSV' ? columnNames(columns) : [...columns];
}

/** A row as an object, for people: a CSV row by its columns' names, a text as {content}. */
export function previewRow(file: RowFile, row: RowText): Record<string, unknown> {
  const { content, fields } = row;
  if (fields === null) return { content };
  const parsed = parseExact(fields);
  if (file.format !== 'CSV')
    return content === null ? rowFields(file, toObject(parsed)) : { content, ...toObject(parsed) };
  const preview = {};
  for (const [at, name] of namesOf(file).entries()) setOwn(preview, name, (parsed as string[])[at]);
  return preview;
}

/**
 * The header of a CSV output that gives a file's own columns back: as they came, in their order.
 * Inline items have their id and content first.
 */
export function ownColumns(file: RowFile & { listed: boolean }): string[] {
  if (isChat(file)) return ['custom_id', 'content'];
  return file.listed ? [...file.columns] : ['custom_id', 'content', ...file.columns];
}

/** The cells under `ownColumns`: text as it is, null and absence as nothing, else JSON. */
export function ownCells(file: RowFile & { listed: boolean }, row: RowText): string[] {
  const { content, fields } = row;
  if (file.format === 'CSV' && fields !== null) return JSON.parse(fields) as string[];
  if (isChat(file)) {
    // The file's own id: that of the batch stands in a column of its own where it is another.
    const id = file.listed ? (row.customId ?? placeOf(row)) : customIdOf(file, row);
    return [id, decodeRow(file, row).content];
  }
  const values = new Map(fields === null ? [] : rowMembers(file, fields));
  const cells = file.columns.map((name) => cellOf(values.get(name)));
  if (!file.listed) return [customIdOf(file, row), content ?? '', ...cells];
  if (content !== null) return file.columns.map((name) => (name === 'content' ? content : ''));
  return cells;
}

function cellOf(json: string | undefined): string {
  if (json === undefined || json === 'null') return '';
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}

function isChat({ format }: RowFile): boolean {
  return format === 'OPENAI_JSONL' || format === 'ANTHROPIC_JSONL' || format === 'OPENAI_RESULTS';
}

/** Where the cells of a file's rows go. Made once per file object, as long as that is the same. */
interface CellPlan {
  names: string[];
  content: number;
  customId: number;
}

const plans = new WeakMap<RowFile, CellPlan>();

function planOf(file: RowFile): CellPlan {
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

type Decoded = Pick<DecodedRow, 'content' | 'metadata' | 'named'>;

function decodeCells(file: RowFile, cells: string[]): Decoded {
  const { names, content, customId } = planOf(file);
  const metadata = {};
  for (let at = 0; at < names.length; at += 1) {
    if (at !== content && at !== customId) setOwn(metadata, names[at] as string, cells[at]);
  }
  return {
    content: content < 0 ? JSON.stringify(metadata) : (cells[content] ?? ''),
    metadata,
    named: { content: file.contentField, id: file.customIdField, idValue: cells[customId] },
  };
}

function decodeObject(file: RowFile, fields: string): Decoded {
  const { contentField, customIdField } = file;
  const parsed = rowFields(file, toObject(parseExact(fields)));
  const metadata = {};
  for (const name of Object.keys(parsed)) {
    if (name !== contentField && name !== customIdField) setOwn(metadata, name, parsed[name]);
  }
  const idValue =
    customIdField !== null && Object.hasOwn(parsed, customIdField)
      ? parsed[customIdField]
      : undefined;
  const named = { content: contentField, id: customIdField, idValue };
  if (contentField === null) return { content: fields, metadata, named };
  const value = Object.hasOwn(parsed, contentField) ? parsed[contentField] : '';
  // A value other than text stays the JSON text that it came as.
  const content =
    typeof value === 'string' ? value : cellOf(new Map(rowMembers(file, fields)).get(contentField));
  return { content, metadata, named };
}

/** `__proto__` is a name like any other. */
function setOwn(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(object, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    object[name] = value;
  }
}

/** The request that a row of plain JSON is or has; other files' rows are not parsed for it. */
function bareRequest(
  { columns, customIdField }: RowFile,
  fields: string,
): Pick<DecodedRow, 'request' | 'dialect'> {
  if (!mayBeRequests(columns)) return { request: null };
  return readBareRow(parseKeepingNumbers(fields), customIdField) ?? { request: null };
}

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
