/** What is said about a file beside its bytes: in the URL, or in fields of a form. */
import type { Reading, ReadOptions } from './read/file-reader.ts';
import { type FileFormat, fileFormats, parseFormat } from './read/format.ts';
import { RouteError } from './route-error.ts';
import type { FormFields } from './upload-form.ts';

const knownParameters = ['name', 'format', 'contentField', 'customIdField'] as const;
/** What is said about a file beside its bytes, as text. */
export type Parameters = Partial<Record<(typeof knownParameters)[number], string>>;

/** The query of the URL. Throws RouteError 400 for what it does not know. */
export function readParameters(query: URLSearchParams): Parameters {
  for (const name of new Set(query.keys())) {
    if (!(knownParameters as readonly string[]).includes(name)) {
      throw bad(`${name.slice(0, 100)} is unknown; known are ${knownParameters.join(', ')}`);
    }
    if (query.getAll(name).length > 1) throw bad(`${name} is given more than once`);
  }
  return Object.fromEntries(query);
}

/** What a form says about its file, in snake or camel case; the query may say the same. */
export function mergeFields(parameters: Parameters, fields: FormFields): Parameters {
  const merged: Parameters = { ...parameters };
  for (const name of ['format', 'contentField', 'customIdField'] as const) {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    for (const value of [
      ...(fields.get(name) ?? []),
      ...(snake === name ? [] : (fields.get(snake) ?? [])),
    ]) {
      if (merged[name] !== undefined && merged[name] !== value) throw bad(`${name} is given twice`);
      merged[name] = value;
    }
  }
  return merged;
}

/** How a file is read is settled when it begins; what comes behind it can only say the same. */
export function checkLateFields(
  early: Parameters,
  all: Parameters,
  reading: Reading,
  isForBatch: boolean,
): void {
  const settled = {
    format: reading.format,
    contentField: reading.contentField ?? '',
    customIdField: reading.customIdField ?? '',
  };
  for (const name of ['format', 'contentField', 'customIdField'] as const) {
    const late = all[name];
    // A batch may name others than the file.
    if (isForBatch && name !== 'format') continue;
    if (late === undefined || late === early[name]) continue;
    if ((name === 'format' ? (parseFormat(late) ?? late) : late) === settled[name]) continue;
    throw bad(`${name} has to come before the file, or in the URL: the file was read without it`);
  }
}

export function readOptions({ format, contentField, customIdField }: Parameters): ReadOptions {
  const known: FileFormat | null | undefined =
    format === undefined ? undefined : parseFormat(format);
  if (known === null) throw bad(`format is one of ${fileFormats.join(', ')}`);
  return { format: known, contentField: contentField || undefined, customIdField };
}

function bad(message: string): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message);
}
