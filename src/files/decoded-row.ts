/** Stored rows as objects: for prompts, and for the preview of a file. */

import { parseExact, parseKeepingNumbers } from '../core/exact-json.ts';
import type { Dialect } from '../model/request.ts';
import type { NamedParts } from '../operations/operation.ts';
import { rowFields, rowMembers } from './item-members.ts';
import { mayBeRequests, readBareRow, readLine } from './request-row.ts';
import { cellOf, namesOf, planOf, type RowFile, type RowText } from './row.ts';

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
