/**
 * Byte strings: text as one character, of 0 to 255, for each byte of its UTF-8. What is stored goes
 * out as it is stored, so most of it need not be decoded: quotes, commas and line breaks are the
 * same in both, and so is what JSON.parse and JSON.stringify do. The exception is `\u` in JSON
 * text, behind which there may be any character.
 */
import type { ExportedItem } from '../../db/item-export.ts';
import { type DecodedRow, decodeRow } from '../decoded-row.ts';
import { customIdOf, namesOf, type RowFile, rowNumberOf } from '../row.ts';
import { metadataText, ownCells } from '../row-output.ts';
import { flatTexts } from './flat.ts';

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
  /** True where custom ids stand in the rows themselves. */
  idsInRows: boolean;
  /** True where custom ids are others than the file's. */
  ownIds: boolean;
  /** The custom id, as a byte string. */
  customId(item: ExportedItem): string;
  /** The number of the row in the file; null where it has none. */
  row(item: ExportedItem): number | null;
  /** `"content":…,"metadata":…`, as a byte string of JSON. */
  input(item: ExportedItem): string;
  /** The cells under `ownColumns`, as byte strings. */
  cells(item: ExportedItem): string[];
  /** The row as text. */
  decode(item: ExportedItem): DecodedRow;
}

/** An output's texts of a file's rows. */
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
  const flat = file.format === 'CSV' && file.listed ? createFlatInput(inBytes) : null;
  const count = file.columns.length;
  return {
    idsInRows: file.idsInFields ?? false,
    ownIds: file.listed && (file.idsInFields || (file.customIdPrefix ?? '') !== ''),
    customId: (item) =>
      file.idsInFields && hasUnicodeEscape(item.fields)
        ? toBytes(customIdOf(file, decoded(item)))
        : customIdOf(inBytes, item),
    row: (item) => rowNumberOf(file, item),
    input(item) {
      const { fields } = item;
      const texts = flat && fields !== null ? flatTexts(fields, count) : null;
      if (flat && texts) return flat(texts);
      return hasUnicodeEscape(fields)
        ? toBytes(inputOf(file, decoded(item)))
        : inputOf(inBytes, item);
    },
    cells(item) {
      const { fields } = item;
      const texts = flat && fields !== null ? flatTexts(fields, count) : null;
      if (texts) return texts;
      return hasUnicodeEscape(fields)
        ? ownCells(file, decoded(item)).map(toBytes)
        : ownCells(inBytes, item);
    },
    decode: (item) => decodeRow(file, decoded(item)),
  };
}

/** `input` of a CSV row with flat cells. Null without a content field: the row is the content. */
function createFlatInput(file: RowFile): ((cells: readonly string[]) => string) | null {
  const names = namesOf(file);
  const contentAt = file.contentField === null ? -1 : names.indexOf(file.contentField);
  const customIdAt = file.customIdField === null ? -1 : names.indexOf(file.customIdField);
  if (contentAt < 0) return null;
  const others = names
    .map((name, at) => ({ at, head: `${JSON.stringify(name)}:"` }))
    .filter(({ at }) => at !== contentAt && at !== customIdAt);
  return (cells) => {
    let members = '';
    for (const { at, head } of others) {
      members += `${members === '' ? '' : ','}${head}${cells[at] as string}"`;
    }
    return `"content":"${cells[contentAt] as string}","metadata":{${members}}`;
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
