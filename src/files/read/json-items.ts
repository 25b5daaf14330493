/** Rows as GraphQL takes items and outputs write them: a text `content`, an object `metadata`. */
import { isRecord } from '../../core/json.ts';

type Row = Readonly<Record<string, unknown>>;

/** Names of the members that make an object an item. */
export const itemText = 'content';
export const itemMetadata = 'metadata';
/** An item's id, in GraphQL and in outputs; in lower case. */
export const itemIds = ['custom_id', 'customid'] as const;

export function isItem(row: Row): boolean {
  const { content, metadata } = row;
  return typeof content === 'string' && isRecord(metadata);
}

/** The fields of a row; those of an item's metadata among them. */
export function itemFields(row: Row): Row {
  if (!isItem(row)) return row;
  const { metadata, ...own } = row;
  return { ...(metadata as Row), ...own };
}
