/** Files that are no text, whatever they are called. */
import { UnreadableFile } from './unreadable.ts';

/** The first bytes of files that are not text, and what the owner of such a file can do. */
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
