/**
 * The note on columns that were taken for the text of a row where nobody named one: it decides what
 * is sent, and what that costs.
 */

import { quotedName } from '../../core/quoted-name.ts';
import { contentColumn } from './json-rows.ts';
import type { ReadOptions } from './read-options.ts';

const namesShown = 10;

/** Null where there is nothing to say: the column was named, or is called what a text is called. */
export function toldOfText(
  {
    format,
    columns,
    contentField,
    areRequests,
  }: {
    format: string;
    columns: readonly string[];
    contentField: string | null;
    /** Rows that are complete requests are sent as what they are, and so are strings. */
    areRequests: boolean;
  },
  options: ReadOptions,
): string | null {
  if (!['CSV', 'JSON', 'JSONL'].includes(format) || options.contentField !== undefined) return null;
  if (contentField === null) {
    const areTexts = columns.length === 1 && columns[0] === contentColumn;
    return areRequests || areTexts ? null : noText(columns);
  }
  const other = 'contentField= names another, where that is not right';
  const name = contentField.toLowerCase();
  if (name === 'content' || name === 'text') {
    const also = columns.find((one) => one !== contentField && /^(content|text)$/i.test(one));
    return also === undefined
      ? null
      : `The column ${quotedName(contentField)} was taken for the text, though there is ${quotedName(also)} too; ${other}`;
  }
  const others = columns.filter((one) => one !== contentField && !isIdName(one));
  if (others.length === 0 && !isIdName(contentField)) return null;
  const why =
    others.length === 0 ? 'the only one' : 'the only one that is text in every row looked at';
  return `The column ${quotedName(contentField)} was taken for the text, as ${why}; ${other}`;
}

function isIdName(name: string): boolean {
  return /^(id|custom_?id)$/i.test(name);
}

function noText(columns: readonly string[]): string {
  const names = columns.slice(0, namesShown).map(quotedName).join(', ');
  const more = columns.length > namesShown ? ', …' : '';
  return `No column was found to hold the text, so that each row is sent whole, as JSON with all its columns; contentField= names the one that does: ${names}${more}`;
}
