/**
 * Byte strings: text as one character, of 0 to 255, for each byte of its UTF-8. What is stored goes out as it is stored, so most of it need not
 * be decoded: quotes, commas and line breaks are the same in both, and so is what JSON.parse and JSON.stringify do. The exception is `\u` in
 * JSON text, behind which there may be any character.
 */
import type { ExportedItem } from '../db/item-export.ts';
import {
  customIdOf,
  type DecodedRow,
  decodeRow,
  metadataText,
  ownCells,
  type RowFile,
} from './row.ts';

/** The byte string of text. */
export function toBytes(text: string): string {
  return isAscii(text) ? text : Buffer.from(text).toString('latin1');
}

/** The text of a byte string. */
export function toText(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString();
}

/** True where JSON text, as a byte string, must not be parsed as one. */
export function hasUnicodeEscape(json: string | null): boolean {
  return json?.includes('\\u') ?? false;
}

export interface RowTexts {
  /** Whether custom ids stand in the rows themselves. */
  idsInRows: boolean;
  /** The custom id, as a byte string. */
  customId(item: ExportedItem): string;
  /** `"content":…,"metadata":…`, as a byte string of JSON. */
  input(item: ExportedItem): string;
  /** The cells under `ownColumns`, as byte strings. */
  cells(item: ExportedItem): string[];
  /** The row as text. */
  decode(item: ExportedItem): DecodedRow;
}

/** What outputs say of a file's rows. */
export function createRowTexts(file: RowFile & { listed: boolean }): RowTexts {
  const inBytes: typeof file = {
    ...file,
    columns: file.columns.map(toBytes),
    contentField: file.contentField === null ? null : toBytes(file.contentField),
    customIdField: file.customIdField === null ? null : toBytes(file.customIdField),
    customIdPrefix: toBytes(file.customIdPrefix ?? ''),
  };
  const inputOf = (by: RowFile, row: ExportedItem): string =>
    `"content":${JSON.stringify(decodeRow(by, row).content)},"metadata":${metadataText(by, row)}`;
  return {
    idsInRows: file.idsInFields ?? false,
    customId: (item) =>
      file.idsInFields && hasUnicodeEscape(item.fields)
        ? toBytes(customIdOf(file, decoded(item)))
        : customIdOf(inBytes, item),
    input: (item) =>
      hasUnicodeEscape(item.fields)
        ? toBytes(inputOf(file, decoded(item)))
        : inputOf(inBytes, item),
    cells: (item) =>
      hasUnicodeEscape(item.fields)
        ? ownCells(file, decoded(item)).map(toBytes)
        : ownCells(inBytes, item),
    decode: (item) => decodeRow(file, decoded(item)),
  };
}

/** The same row in text. */
function decoded(item: ExportedItem): ExportedItem {
  const { customId, content, fields } = item;
  return {
    ...item,
    customId: customId === null ? null : toText(customId),
    content: content === null ? null : toText(content),
    fields: fields === null ? null : toText(fields),
  };
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
