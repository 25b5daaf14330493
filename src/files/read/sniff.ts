/**
 * Which format a file has: what is asked for, else what its name or content type says unless its content clearly is something else, else
 * what its content looks like.
 */
import { chatFormat } from './chat-lines.ts';
import { looksLikeCsv } from './csv-sniff.ts';
import type { FileFormat } from './format.ts';
import { JsonScanner } from './json-scanner.ts';
import { UnreadableFile } from './unreadable.ts';

/** The first bytes of what is no text, and what its owner can do. */
const binaryKinds: readonly [bytes: string, kind: string, advice: string][] = [
  ['PK\x03\x04', 'a ZIP archive or an Excel workbook', 'unpack it, or save the sheet as CSV'],
  ['PK\x05\x06', 'an empty ZIP archive', 'unpack it'],
  ['\x1f\x8b', 'gzip', 'unpack it'],
  ['\xd0\xcf\x11\xe0', 'an old Excel or Word file', 'save the sheet as CSV'],
  ['%PDF-', 'a PDF', 'upload its text'],
  ['BZh', 'bzip2', 'unpack it'],
  ['\xfd7zXZ', 'xz', 'unpack it'],
  ['\x28\xb5\x2f\xfd', 'zstd', 'unpack it'],
  ['7z\xbc\xaf', 'a 7z archive', 'unpack it'],
  ['Rar!', 'a RAR archive', 'unpack it'],
  ['PAR1', 'Parquet', 'convert it to CSV or JSONL'],
  ['SQLite format 3', 'an SQLite database', 'export a table as CSV'],
  ['\x89PNG', 'an image', 'write down its text'],
  ['\xff\xd8\xff', 'an image', 'write down its text'],
];

/** Throws UnreadableFile for bytes that begin no text. */
export function refuseBinary(head: Buffer): void {
  const start = head.toString('latin1', 0, 16);
  // A text may begin with BZh or with Rar!; an archive goes on with what no text has.
  const isBinary = head.subarray(0, 512).some((byte) => byte < 9 || byte >= 0x80);
  for (const [bytes, kind, advice] of binaryKinds) {
    if (start.startsWith(bytes) && (isBinary || bytes === '%PDF-')) {
      throw new UnreadableFile(
        'unsupported',
        `The file is ${kind}, whatever it is called; ${advice}, and upload that (CSV, JSON, JSONL or text)`,
      );
    }
  }
}

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

const sniffedLines = 20;

/** text/plain and application/octet-stream say nothing; nor does what curl sends when nobody says anything. */
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

/** `head` is the beginning of the file as UTF-8; `isWhole`: all of it. `asked` is believed. */
export function sniffFormat({
  head,
  isWhole,
  asked,
  name,
  mediaType,
}: {
  head: Buffer;
  isWhole: boolean;
  asked: FileFormat | null;
  name: string;
  mediaType: string | null;
}): FileFormat {
  if (asked !== null) return asked;
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const said = own(byExtension, extension) ?? own(byContentType, mediaType ?? '') ?? null;
  const json = said === 'TEXT' ? null : sniffJson(head, isWhole);
  if (json !== null) return said === 'JSONL' && json === 'JSON' && isLine(head) ? 'JSONL' : json;
  if (said !== null) return said;
  return looksLikeCsv(head, isWhole) ? 'CSV' : 'TEXT';
}

/** JSON when the head begins an array of strings or objects, JSONL or a provider's lines when its first line is an object or string; else null. */
function sniffJson(head: Buffer, isWhole: boolean): FileFormat | null {
  const scanner = new JsonScanner({ lines: false, maxDepth: 100 });
  // The scanner looks one byte behind the end.
  const bytes = Buffer.concat([head, Buffer.alloc(16)]);
  const end = head.length;
  const at = scanner.skipSpace(bytes, 0);
  if (bytes[at] === 0x5b) {
    const first = scanner.skipSpace(bytes, at + 1);
    if (bytes[first] === 0x5d) return 'JSON';
    if (bytes[first] !== 0x7b && bytes[first] !== 0x22) return null;
    const to = scanner.value(bytes, first, end);
    // So long a first element that the head ends in it: what else could it be?
    if (to === -1) return isWhole ? null : 'JSON';
    return to > 0 && [0x2c, 0x5d].includes(bytes[scanner.skipSpace(bytes, to)] as number)
      ? 'JSON'
      : null;
  }
  if (bytes[at] !== 0x7b) return null;
  const to = scanner.value(bytes, at, end);
  if (to === -1) return isWhole ? null : 'JSONL';
  if (to < 0 || bytes.subarray(at, to).includes(0x0a)) return null;
  return lineFormat(head);
}

/** Which lines these are, by the first that is JSON: the very first may be the one that is broken. */
function lineFormat(head: Buffer): FileFormat {
  for (const line of head.toString('utf8').split('\n', sniffedLines)) {
    try {
      return chatFormat(JSON.parse(line)) ?? 'JSONL';
    } catch {
      // The next one, then.
    }
  }
  return 'JSONL';
}

/** Whether the first line is JSON by itself, as each is in a file of arrays per line. */
function isLine(head: Buffer): boolean {
  const feed = head.indexOf(0x0a);
  try {
    JSON.parse(head.toString('utf8', 0, feed < 0 ? head.length : feed));
    return feed >= 0 && feed < head.length - 1;
  } catch {
    return false;
  }
}

function own<Value>(values: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}
