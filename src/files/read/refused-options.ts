/** Options that were given for a file of another format. */
import type { FileFormat } from './format.ts';
import type { ReadOptions } from './read-options.ts';
import { UnreadableFile } from './unreadable.ts';

/** An option that a format lacks was given for a reason, and would go wrong in silence. */
export function refuseStrangers(
  { delimiter, quote, rowsField }: ReadOptions,
  format: FileFormat,
): void {
  const strangers = [
    ['delimiter', delimiter, 'CSV', 'CSV'],
    ['quote', quote, 'CSV', 'CSV'],
    ['rowsField', rowsField, 'JSON', 'a JSON file that is one object'],
  ] as const;
  for (const [option, value, wanted, what] of strangers) {
    if (value === undefined || format === wanted) continue;
    throw new UnreadableFile(
      'invalid',
      `${option} is for ${what}; this file is ${format}, unless format= says otherwise`,
    );
  }
}

/** Names of columns, for a file that has none to choose from. */
export function refuseFields(options: ReadOptions, reason: string): void {
  for (const option of ['contentField', 'customIdField'] as const) {
    if (options[option]) {
      throw new UnreadableFile('invalid', `${option} must be absent for this file: ${reason}`);
    }
  }
}
