/**
 * An owner's settings for reading a file: one list for the URL, forms and uploadFile's arguments.
 */

import { quotedName } from '../../core/quoted-name.ts';
import { type FileFormat, fileFormats, parseFormat } from './format.ts';
import type { ReadOptions } from './read-options.ts';

export const optionNames = [
  'format',
  'contentField',
  'customIdField',
  'charset',
  'delimiter',
  'quote',
  'rowsField',
] as const;
export type OptionName = (typeof optionNames)[number];

/** The options as they were given. */
export type OptionTexts = { readonly [Name in OptionName]?: string | undefined };

/** An option that has no such value. The message begins behind the option's name. */
export class UnknownOptionValue extends Error {
  override readonly name = 'UnknownOptionValue';
  readonly option: OptionName;

  constructor(option: OptionName, message: string) {
    super(message);
    this.option = option;
  }
}

/**
 * An empty contentField or rowsField says nothing; an empty customIdField says that the file has no
 * custom ids. Throws UnknownOptionValue.
 */
export function parseOptions(given: OptionTexts): ReadOptions {
  const { format, contentField, customIdField, charset, delimiter, quote, rowsField } = given;
  return {
    format: format === undefined ? undefined : knownFormat(format),
    contentField: contentField || undefined,
    customIdField,
    charset: charset === undefined ? undefined : knownCharset(charset),
    delimiter: delimiter === undefined ? undefined : delimiterByte(delimiter),
    quote: quote === undefined ? undefined : knownQuote(quote),
    rowsField: rowsField || undefined,
  };
}

function knownFormat(given: string): FileFormat {
  const format = parseFormat(given);
  if (format) return format;
  throw new UnknownOptionValue('format', `must be one of ${fileFormats.join(', ')}`);
}

function knownCharset(given: string): string {
  const label = given.trim().toLowerCase();
  try {
    new TextDecoder(label);
    return label;
  } catch {
    throw new UnknownOptionValue(
      'charset',
      `must be utf-8, utf-16le, utf-16be, windows-1252 or another name of https://encoding.spec.whatwg.org/#names-and-labels, not ${quotedName(given)}`,
    );
  }
}

const tabs: ReadonlySet<string> = new Set(['\t', '\\t', 'tab', 'TAB', 'Tab']);

function delimiterByte(given: string): number {
  const one = tabs.has(given) ? '\t' : given;
  const byte = one.charCodeAt(0);
  // A letter in UTF-8 has several bytes, and these end a line, a cell or a text.
  if (one.length !== 1 || byte > 0x7f || '\0\n\r"'.includes(one)) {
    throw new UnknownOptionValue(
      'delimiter',
      `must be , ; | tab, or any other single ASCII character but a quote or a line break, not ${quotedName(given)}`,
    );
  }
  return byte;
}

function knownQuote(given: string): '"' | 'none' {
  if (given === '"') return given;
  if (given.toLowerCase() === 'none') return 'none';
  throw new UnknownOptionValue(
    'quote',
    `must be " where cells may be quoted, or none where quotes are text, not ${quotedName(given)}`,
  );
}
