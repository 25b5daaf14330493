/** The formats that a file can have; the names are the API's. */
export const fileFormats = [
  'CSV',
  'JSON',
  'JSONL',
  'TEXT',
  'OPENAI_JSONL',
  'ANTHROPIC_JSONL',
  'OPENAI_RESULTS',
] as const;
export type FileFormat = (typeof fileFormats)[number];

const aliases: ReadonlyMap<string, FileFormat> = new Map([
  ...fileFormats.map((format) => [format, format] as const),
  ['TSV', 'CSV'],
  ['NDJSON', 'JSONL'],
  ['TXT', 'TEXT'],
]);

/** The format that somebody names, in any case; null for an unknown name. */
export function parseFormat(name: string): FileFormat | null {
  return aliases.get(name.trim().toUpperCase()) ?? null;
}
