/** Stored rows as outputs give them back: metadata as JSON text, and the columns of a CSV. */

import { decodeRow } from './decoded-row.ts';
import { rowMembers } from './item-members.ts';
import { oneLine } from './json-text.ts';
import { cellOf, customIdOf, isChat, placeOf, planOf, type RowFile, type RowText } from './row.ts';

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
