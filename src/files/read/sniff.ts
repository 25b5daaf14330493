/**
 * Which format a file has: what is asked for, else what its name or content type says unless its
 * content clearly is something else, else what its content looks like.
 */
import { looksLikeCsv, looksLikeTabs } from './csv-sniff.ts';
import type { FileFormat } from './format.ts';
import { isLine, sniffJson, sniffLines } from './json-sniff.ts';
import type { ReadOptions } from './read-options.ts';

const byExtension: Readonly<Record<string, FileFormat>> = {
  csv: 'CSV',
  tsv: 'CSV',
  tab: 'CSV',
  json: 'JSON',
  jsonl: 'JSONL',
  ndjson: 'JSONL',
  txt: 'TEXT',
  text: 'TEXT',
  log: 'TEXT',
  md: 'TEXT',
};

/**
 * text/plain and application/octet-stream say nothing; nor does what curl sends when nobody says
 * anything.
 */
const byContentType: Readonly<Record<string, FileFormat>> = {
  'text/csv': 'CSV',
  'application/csv': 'CSV',
  'text/tab-separated-values': 'CSV',
  'application/json': 'JSON',
  'text/json': 'JSON',
  'application/jsonl': 'JSONL',
  'application/x-jsonl': 'JSONL',
  'application/jsonlines': 'JSONL',
  'application/x-jsonlines': 'JSONL',
  'application/ndjson': 'JSONL',
  'application/x-ndjson': 'JSONL',
};

export interface Sniffed {
  /** The beginning of the file as UTF-8. */
  head: Buffer;
  /** True where that is all of it. */
  isWhole: boolean;
  /** Settings of the owner, which are believed. */
  options: ReadOptions;
  name: string;
  mediaType: string | null;
}

/** The format, and what is to be told where the content decided against the name. */
export function sniffFormat(file: Sniffed): { format: FileFormat; told: string | null } {
  const { options, name, mediaType } = file;
  if (options.format) return { format: options.format, told: null };
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const said = own(byExtension, extension) ?? own(byContentType, mediaType ?? '') ?? null;
  const called = own(byExtension, extension) ? `called .${extension}` : `sent as ${mediaType}`;
  const format = said === 'TEXT' ? sniffText(file, extension) : sniffOther(file, said);
  // A chat file is JSON Lines, and each of its lines says so.
  if (said === null) {
    return {
      format,
      told: `Neither the name nor the content type says what the file is; it was read as ${format} for what is in it, and format= names another format`,
    };
  }
  const isAsSaid = said === format || (said === 'JSONL' && linesOfJson.has(format));
  if (!isAsSaid) {
    return {
      format,
      told: `The file is ${called}, and was read as ${format} for what is in it; format= names another format`,
    };
  }
  return { format, told: said === 'TEXT' ? toldOfText(file, extension, called) : null };
}

const linesOfJson: ReadonlySet<FileFormat> = new Set([
  'OPENAI_JSONL',
  'ANTHROPIC_JSONL',
  'OPENAI_RESULTS',
]);

/** Names that say little: lines of objects and tables with tabs; everything else is text. */
function sniffText({ head, isWhole, options }: Sniffed, extension: string): FileFormat {
  if (options.delimiter !== undefined || options.quote !== undefined) return 'CSV';
  if (extension === 'md') return 'TEXT';
  const lines = sniffLines(head, isWhole);
  if (lines !== null) return lines;
  return looksLikeTabs(head, isWhole) ? 'CSV' : 'TEXT';
}

function sniffOther(file: Sniffed, said: FileFormat | null): FileFormat {
  const { head, isWhole, options } = file;
  const json = sniffJson(head, isWhole);
  if (json !== null) {
    const { format, isObject, isOneLine } = json;
    if (isObject) {
      if (said === 'JSON' || options.rowsField !== undefined) return 'JSON';
      // An object alone is a row of JSONL, unless it is called JSON or takes several lines.
      return isOneLine || said === 'JSONL' ? 'JSONL' : 'JSON';
    }
    return said === 'JSONL' && format === 'JSON' && isLine(head) ? 'JSONL' : format;
  }
  if (said !== null) return said;
  if (options.delimiter !== undefined || options.quote !== undefined) return 'CSV';
  return looksLikeCsv(head, isWhole) ? 'CSV' : 'TEXT';
}

/** The note on a file that is read as text, and looks like rows of something else. */
function toldOfText({ head, isWhole }: Sniffed, extension: string, called: string): string | null {
  if (extension === 'md') return null;
  const looks = sniffJson(head, isWhole)?.format ?? (looksLikeCsv(head, isWhole) ? 'CSV' : null);
  if (looks === null) return null;
  return `The file is ${called}, and was read as text, a row per line, though it looks like ${looks}; format=${looks} reads it as that`;
}

function own<Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
