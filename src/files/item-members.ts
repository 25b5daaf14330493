/**
 * Rows of JSON in the shape that items have in GraphQL and in outputs: a text `content` with an
 * object `metadata` beside it, whose members are fields of the row like its others.
 */
import { isRecord } from '../core/json.ts';
import { jsonMembers } from './json-text.ts';

/** The part of a file that tells how its rows are read. */
export interface ItemFile {
  format: string;
  columns: readonly string[];
  contentField: string | null;
  customIdField: string | null;
}

type Member = [name: string, json: string];

/** A JSON row's members in order, as texts; those of an item's metadata in its place. */
export function rowMembers(file: ItemFile, fields: string): Member[] {
  const members = jsonMembers(fields);
  if (!mayHaveItems(file)) return members;
  const own = new Map(members);
  const metadata = own.get('metadata');
  if (!metadata?.startsWith('{') || !own.get('content')?.startsWith('"')) return members;
  const inner = jsonMembers(metadata).filter(([name]) => !isOwn(file, own.has(name), name));
  const given = new Set(inner.map(([name]) => name));
  const place = members.findLastIndex(([name]) => name === 'metadata');
  return members.flatMap((member, at) => {
    if (at === place) return inner;
    return member[0] === 'metadata' || given.has(member[0]) ? [] : [member];
  });
}

/** The same of a row that is parsed. */
export function rowFields(
  file: ItemFile,
  row: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (!mayHaveItems(file) || !Object.hasOwn(row, 'metadata') || !Object.hasOwn(row, 'content')) {
    return row;
  }
  const { content, metadata } = row;
  if (!isRecord(metadata) || typeof content !== 'string') return row;
  const inner = Object.entries(metadata).filter(
    ([name]) => !isOwn(file, Object.hasOwn(row, name), name),
  );
  const given = new Set(inner.map(([name]) => name));
  const entries = Object.entries(row).flatMap((entry) => {
    if (entry[0] === 'metadata') return inner;
    return given.has(entry[0]) ? [] : [entry];
  });
  return Object.fromEntries(entries);
}

/** Files of before, and such as have no item, have a column of that name. */
function mayHaveItems({ format, columns }: ItemFile): boolean {
  return format.startsWith('JSON') && !columns.includes('metadata');
}

/** The text and the id of a row are its own, whatever its metadata has. */
function isOwn({ contentField, customIdField }: ItemFile, isThere: boolean, name: string): boolean {
  return isThere && (name === contentField || name === customIdField);
}
