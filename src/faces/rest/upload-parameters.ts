/** What is said about a file beside its bytes: in the URL, or in fields of a form. */

import type { Reading } from '../../files/read/file-reader.ts';
import { parseFormat } from '../../files/read/format.ts';
import {
  type OptionName,
  optionNames,
  parseOptions,
  UnknownOptionValue,
} from '../../files/read/given-options.ts';
import type { ReadOptions } from '../../files/read/read-options.ts';
import { didYouMean } from '../http/form-words.ts';
import { RouteError } from '../http/route-error.ts';
import type { FormFields } from '../http/upload-form.ts';

const knownParameters = ['name', ...optionNames] as const;
/** What is said about a file beside its bytes, as text. */
export type Parameters = Partial<Record<(typeof knownParameters)[number], string>>;

/**
 * The query of the URL, in snake or camel case. Throws RouteError 400 for what it does not know.
 */
export function readParameters(query: URLSearchParams): Parameters {
  const parameters: Parameters = {};
  for (const [given, value] of query) {
    const name = knownParameters.find((known) => given === known || given === toSnakeCase(known));
    if (!name) {
      throw bad(
        `${given.slice(0, 100)} is unknown${didYouMean(given, knownParameters)}; known are ${knownParameters.join(', ')}`,
      );
    }
    if (parameters[name] !== undefined) throw bad(`${name} is given more than once`);
    parameters[name] = value;
  }
  return parameters;
}

/** What a form says about its file, in snake or camel case; the query may say the same. */
export function mergeFields(parameters: Parameters, fields: FormFields): Parameters {
  const merged: Parameters = { ...parameters };
  for (const name of optionNames) {
    const snake = toSnakeCase(name);
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
  const settled: Partial<Record<OptionName, string>> = {
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
    if ((name === 'format' ? (parseFormat(late) ?? late) : late) === settled[name]) continue;
    throw bad(`${name} has to come before the file, or in the URL: the file was read without it`);
  }
}

/** Throws RouteError 400 for a value that an option does not have. */
export function readOptions(parameters: Parameters): ReadOptions {
  try {
    return parseOptions(parameters);
  } catch (error) {
    if (!(error instanceof UnknownOptionValue)) throw error;
    throw bad(`${error.option} ${error.message}`);
  }
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function bad(message: string): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message);
}
