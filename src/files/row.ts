/** What a stored row holds: for prompts, for the preview, and for the columns that a CSV output gives back. */
import { jsonMembers, oneLine, parseExact } from './json-text.ts';
import { columnNames } from './read/csv-names.ts';

/** What has to be known of a file to read its rows. Of a CSV file, `columns` are the header's cells or `columnNames` of them. */
export interface RowFile {
  format: string;
  columns: readonly string[];
  contentField: string | null;
  customIdField: string | null;
}

/** A row as it is stored. An inline item has its text in `content` and its metadata in `fields`. */
export interface RowText {
  index: number;
  customId: string | null;
  content: string | null;
  fields: string | null;
}

/** A row as a prompt sees it. */
export interface DecodedRow {
  content: string;
  metadata: Record<string, unknown> | null;
  customId: string;
}

/**
 * The content of a row, its custom id (its index where it has none) and as metadata all its other fields, in their order. Where the file has
 * no content field, a row of several fields is its own content, as JSON. A line of a provider's batch file has the text of its last user
 * message as content, and no metadata. Numbers that JavaScript would change are strings.
 */
export function decodeRow(file: RowFile, row: RowText): DecodedRow {
  const customId = row.customId ?? String(row.index);
  const { content, fields } = row;
  if (content !== null) {
    return { content, metadata: fields === null ? null : toObject(parseExact(fields)), customId };
  }
  if (fields === null) throw new Error(`row ${row.index} has neither content nor fields`);
  switch (file.format) {
    case 'CSV':
      return { ...decodeCells(file, JSON.parse(fields) as string[]), customId };
    case 'OPENAI_JSONL':
    case 'ANTHROPIC_JSONL':
      return { content: lastUserText(JSON.parse(fields)), metadata: null, customId };
    case 'OPENAI_RESULTS':
      return { content: '', metadata: null, customId };
    default:
      return { ...decodeObject(file, fields), customId };
  }
}

/** What of a stored file its rows are read by. One object for all rows: what is derived from it is kept with it. */
export function rowFileOf(file: {
  listed: boolean;
  format: string;
  columns: string;
  contentField: string | null;
  customIdField: string | null;
}): RowFile & { listed: boolean } {
  const { listed, format, contentField, customIdField } = file;
  return {
    listed,
    format,
    columns: JSON.parse(file.columns) as string[],
    contentField,
    customIdField,
  };
}

/** The metadata of a row as JSON text, each value as the text that it came as; `null` where there is none. */
export function metadataText(file: RowFile, row: RowText): string {
  const { content, fields } = row;
  if (fields === null) return 'null';
  if (content !== null) return fields;
  if (isChat(file)) return 'null';
  if (file.format !== 'CSV') {
    return toJsonObject(
      jsonMembers(fields).filter(
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
    return content === null ? toObject(parsed) : { content, ...toObject(parsed) };
  const preview = {};
  for (const [at, name] of namesOf(file).entries()) setOwn(preview, name, (parsed as string[])[at]);
  return preview;
}

/** The header of a CSV output that gives a file's own columns back: as they came, in their order. Inline items have their id and content first. */
export function ownColumns(file: RowFile & { listed: boolean }): string[] {
  if (!file.listed) return ['custom_id', 'content', ...file.columns];
  return isChat(file) ? ['custom_id', 'content'] : [...file.columns];
}

/** The cells under `ownColumns`: text as it is, null and absence as nothing, everything else as the JSON text it came as. */
export function ownCells(file: RowFile & { listed: boolean }, row: RowText): string[] {
  const { content, fields } = row;
  if (file.format === 'CSV' && fields !== null) return JSON.parse(fields) as string[];
  if (file.listed && isChat(file)) {
    const decoded = decodeRow(file, row);
    return [decoded.customId, decoded.content];
  }
  const values = new Map(fields === null ? [] : jsonMembers(fields));
  const cells = file.columns.map((name) => cellOf(values.get(name)));
  if (!file.listed) return [row.customId ?? String(row.index), content ?? '', ...cells];
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

function decodeCells(file: RowFile, cells: string[]): Omit<DecodedRow, 'customId'> {
  const { names, content, customId } = planOf(file);
  const metadata = {};
  for (let at = 0; at < names.length; at += 1) {
    if (at !== content && at !== customId) setOwn(metadata, names[at] as string, cells[at]);
  }
  return { content: content < 0 ? JSON.stringify(metadata) : (cells[content] ?? ''), metadata };
}

function decodeObject(file: RowFile, fields: string): Omit<DecodedRow, 'customId'> {
  const { contentField, customIdField } = file;
  const parsed = toObject(parseExact(fields));
  const metadata = {};
  for (const name of Object.keys(parsed)) {
    if (name !== contentField && name !== customIdField) setOwn(metadata, name, parsed[name]);
  }
  if (contentField === null) return { content: fields, metadata };
  const value = Object.hasOwn(parsed, contentField) ? parsed[contentField] : '';
  // What is no text is the JSON text that it came as.
  const content =
    typeof value === 'string' ? value : cellOf(new Map(jsonMembers(fields)).get(contentField));
  return { content, metadata };
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

function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** The text of the last user message of a request line; nothing where there is none. */
function lastUserText(line: unknown): string {
  const { body, params } = toObject(line);
  const request = toObject(body ?? params);
  const messages = Array.isArray(request.messages)
    ? request.messages
    : Array.isArray(request.input)
      ? request.input
      : [];
  for (const message of messages.toReversed()) {
    const { role, content } = toObject(message);
    if (role === 'user') return textOf(content);
  }
  return typeof request.input === 'string' ? request.input : '';
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => toObject(part).text)
    .filter((text) => typeof text === 'string')
    .join('\n');
}
