/** Values of flags that are more than a word: lists, JSON, and files behind an @. */
import { readFile } from 'node:fs/promises';
import { isRecord, type JsonRecord } from '../core/json.ts';
import { WrongUse } from './failure.ts';
import type { FlagName, Given } from './flags.ts';
import { readTable } from './table-file.ts';

/** The text of a flag, or of the file that it names behind an @. */
export async function textOf(given: Given, name: FlagName): Promise<string | undefined> {
  const text = given.text(name);
  return text?.startsWith('@') ? await readFile(text.slice(1), 'utf8') : text;
}

/** Throws WrongUse for what is not a JSON object. */
export async function objectOf(given: Given, name: FlagName): Promise<JsonRecord | undefined> {
  const text = await textOf(given, name);
  if (text === undefined) return undefined;
  const value = parse(text, name);
  if (!isRecord(value)) throw new WrongUse(`--${name} must be a JSON object`);
  return value;
}

/**
 * Names with commas between them, or what JSON has, here or in a file. Throws WrongUse for a name
 * in quotes, which would be cut at the commas inside of it.
 */
export async function namesOrJson(given: Given, name: FlagName): Promise<unknown> {
  const text = given.text(name);
  if (text === undefined) return undefined;
  if (text.startsWith('@')) return parse((await textOf(given, name)) ?? '', name);
  if (/^\s*[[{]/.test(text)) return parse(text, name);
  const names = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (names.some((one) => one.startsWith('"'))) {
    throw new WrongUse(
      `--${name} must be names without quotes, or a JSON array such as '["a, b", "c"]'`,
    );
  }
  return names;
}

/** Rows of a CSV file with a header: its first column is the text, its last one the labels. */
export async function examplesOf(
  given: Given,
): Promise<{ content: string; labels: string[] }[] | undefined> {
  const text = await textOf(given, 'examples');
  if (text === undefined) return undefined;
  const [header = [], ...rows] = readTable(text);
  const place = (names: readonly (string | undefined)[], otherwise: number) => {
    const at = header.findIndex((name) => names.includes(name.trim().toLowerCase()));
    return at === -1 ? otherwise : at;
  };
  const content = place([given.text('column')?.toLowerCase(), 'content', 'text'], 0);
  const label = place(['label', 'labels', 'category'], header.length - 1);
  if (header.length < 2 || content === label) {
    throw new WrongUse('--examples must be a CSV file with a column of texts and one of labels');
  }
  return rows.map((row) => ({
    content: row[content] ?? '',
    labels: labelsOf(row[label] ?? '', given.has('multi')),
  }));
}

/** Several labels are JSON in their cell, as in an output, or have a | between them. */
function labelsOf(cell: string, areSeveral: boolean): string[] {
  if (!areSeveral) return [cell];
  if (cell.startsWith('[')) return parse(cell, 'examples') as string[];
  return cell
    .split('|')
    .map((label) => label.trim())
    .filter((label) => label !== '');
}

function parse(text: string, name: FlagName): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WrongUse(`--${name} must be JSON: ${(error as Error).message}`);
  }
}
