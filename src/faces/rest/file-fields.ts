/** An upload's words about its file: in the URL, or in fields of its form. */
import type { Reading } from '../../files/read/file-reader.ts';
import { parseFormat } from '../../files/read/format.ts';
import {
  type OptionName,
  optionNames,
  parseOptions,
  UnknownOptionValue,
} from '../../files/read/given-options.ts';
import type { ReadOptions } from '../../files/read/read-options.ts';
import { toCamelCase } from '../http/form-values.ts';
import { didYouMean } from '../http/form-words.ts';
import { badInput } from '../http/route-error.ts';

/** Text fields of a form by name, snake or camel case; two values where a name comes twice. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

const fileNames = ['name', ...optionNames] as const;
/** The values as text. */
export type FileFields = Partial<Record<(typeof fileNames)[number], string>>;

/** The query of the URL. Throws RouteError 400 for an unknown name. */
export function readQuery(query: URLSearchParams): FileFields {
  const read: FileFields = {};
  for (const [given, value] of query) {
    const name = fileNames.find((known) => known === toCamelCase(given));
    if (!name) {
      const hint = didYouMean(given, fileNames);
      throw badInput(
        `Unknown parameter ${given.slice(0, 100)}${hint}. Allowed: ${fileNames.join(', ')}`,
      );
    }
    if (read[name] !== undefined) throw badInput(`${name} is given more than once`);
    read[name] = value;
  }
  return read;
}

/** Adds what a form says. The query may say the same. */
export function addFields(given: FileFields, fields: FormFields): FileFields {
  const merged = { ...given };
  for (const [field, values] of fields) {
    const name = optionNames.find((known) => known === toCamelCase(field));
    if (!name) continue;
    for (const value of values) {
      if ((merged[name] ?? value) !== value) throw badInput(`${name} is given twice`);
      merged[name] = value;
    }
  }
  return merged;
}

/** Throws RouteError 400 for a field after the file that contradicts how the file was read. */
export function checkLateFields(
  early: FileFields,
  all: FileFields,
  reading: Reading,
  isForBatch: boolean,
): void {
  const used: Partial<Record<OptionName, string>> = {
    format: reading.format,
    contentField: reading.contentField ?? '',
    customIdField: reading.customIdField ?? '',
    charset: reading.encoding,
  };
  for (const name of optionNames) {
    const late = all[name];
    // A batch may name others than the file.
    if (isForBatch && (name === 'contentField' || name === 'customIdField')) continue;
    if (late === undefined || late === early[name]) continue;
    if ((name === 'format' ? (parseFormat(late) ?? late) : late) === used[name]) continue;
    throw badInput(
      `${name} has to come before the file, or in the URL: the file was read without it`,
    );
  }
}

/** Throws RouteError 400 for a value that an option does not have. */
export function readOptions(fields: FileFields): ReadOptions {
  try {
    return parseOptions(fields);
  } catch (error) {
    if (!(error instanceof UnknownOptionValue)) throw error;
    throw badInput(`${error.option} ${error.message}`);
  }
}
