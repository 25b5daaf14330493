/** Where the items of a submit come from, and how a batch reads them. */

import { AppError, BadUserInput, type InputIssue } from '../core/errors.ts';
import { isId } from '../core/ids.ts';
import type { Database } from '../db/driver/client.ts';
import { readFileRows } from '../db/file-rows.ts';
import { hasProblems, readFile, readProblems, type StoredProblem } from '../db/files.ts';
import { decodeRow } from '../files/decoded-row.ts';
import { mayBeRequests } from '../files/request-row.ts';
import { type FileReading, namesOf, type RowFile, rowFileOf } from '../files/row.ts';
import type { Operation, PromptItem } from '../operations/operation.ts';
import type { Caller } from './caller.ts';
import type { CheckedItem } from './inputs.ts';
import type { StoredRequests, Submission } from './store-batch.ts';

export interface CheckedSource {
  given: Submission['source'];
  /** Inline: all items. Of a file: the first. */
  items: readonly PromptItem[];
  /** The way to read the file's rows; null where items are given inline. */
  file: RowFile | null;
  /** Where the rows are; null where items are given inline. */
  fileKey: bigint | null;
  itemCount: number;
  /** Lines that are not requests, of a file of OpenAI's API: the first, in order. */
  problems: readonly StoredProblem[];
}

export function inlineSource(items: readonly CheckedItem[]): CheckedSource {
  return {
    given: { items },
    items,
    file: null,
    fileKey: null,
    itemCount: items.length,
    problems: [],
  };
}

/** Requests that are rows of a file to come. */
export async function storedSource(
  rows: StoredRequests,
  { db }: Pick<Caller, 'db'>,
): Promise<CheckedSource> {
  const file = { format: rows.format, columns: [], contentField: null, customIdField: null };
  const { fileKey, itemCount } = rows;
  const items = await firstItem(db, fileKey, file);
  return { given: { rows }, items, file, fileKey, itemCount, problems: [] };
}

/** An uploaded file as a source. Throws NOT_FOUND. */
export async function fileSource(
  fileId: string,
  { db, owner }: Pick<Caller, 'db' | 'owner'>,
): Promise<CheckedSource> {
  const record = isId('file', fileId) ? await readFile(db, owner, fileId) : null;
  if (!record) throw new AppError('NOT_FOUND', 'There is no file with this id');
  const file = rowFileOf(record);
  return {
    given: { fileId },
    items: await firstItem(db, record.key, file),
    file,
    fileKey: record.key,
    itemCount: record.itemCount,
    problems: hasProblems(record) ? await readProblems(db, record.key) : [],
  };
}

/** The first row of a file, as it is read. Empty where the file has none. */
export async function firstItem(
  db: Database,
  fileKey: bigint,
  file: RowFile,
): Promise<PromptItem[]> {
  const rows = await readFileRows(db.sql, fileKey, { afterIndex: -1, limit: 1, maxBytes: 0 });
  return rows.map((row) => decodeRow(file, row));
}

/** Names of columns and the like in a submit. */
type Named = { [Name in keyof FileReading]?: string | null | undefined };

/**
 * A batch's own reading of its file, where that differs from the upload. Throws BadUserInput for
 * unknown fields.
 */
export function readingOf(named: Named, file: RowFile | null, path: string): FileReading {
  const { contentField = null, customIdField = null, customIdPrefix = null } = named;
  const names = file ? namesOf(file) : [];
  const issues: InputIssue[] = [];
  for (const [field, name] of Object.entries({ contentField, customIdField })) {
    if (name === null || name === '' || names.includes(name)) continue;
    const message = file
      ? `must be a column of the file (${shown(names)}), not ${JSON.stringify(name)}`
      : 'must be absent for inline items, which have content and customId';
    issues.push({ path: path + field, message });
  }
  if (issues.length > 0) throw new BadUserInput(issues);
  return {
    contentField: contentField === file?.contentField ? null : contentField,
    customIdField: (customIdField || null) === file?.customIdField ? null : customIdField,
    customIdPrefix: customIdPrefix || null,
  };
}

const maxShown = 50;

function shown(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const some = names.slice(0, maxShown).map((name) => JSON.stringify(name));
  return names.length > maxShown ? `${some.join(', ')} and more` : some.join(', ');
}

/** Items that have every metadata field that the source's have: to check a template by. */
export function sampleOf(
  { items, file }: CheckedSource,
  reading: FileReading,
): readonly PromptItem[] {
  if (!file) return items;
  const contentField = reading.contentField ?? file.contentField;
  const customIdField = reading.customIdField ?? file.customIdField;
  const metadata = Object.fromEntries(
    namesOf(file)
      .filter((name) => name !== contentField && name !== customIdField)
      .map((name) => [name, '']),
  );
  return [
    {
      content: '',
      metadata,
      named: { content: contentField, id: customIdField || null, idValue: '' },
    },
  ];
}

/** The fault of a source on which no operation can work; null for any other. */
export function invalidSource({ problems, itemCount }: CheckedSource): string | null {
  if (problems.length > 0) return refusalOf(problems);
  return itemCount === 0 ? 'must have a row' : null;
}

/**
 * Throws BadUserInput at `path` where an operation cannot work on what the source has, or nothing
 * can.
 */
export function refuseMismatch(
  operation: Operation | undefined,
  source: CheckedSource,
  path: string,
): void {
  const { items, file } = source;
  const message =
    invalidSource(source) ??
    (operation?.whole
      ? problemForRequests(operation.name, items, file)
      : problemForTexts(operation?.name ?? '', items, file));
  if (message !== null) throw new BadUserInput([{ path, message }]);
}

/** Enough to correct a file by; all are its rejections. */
const maxShownProblems = 10;

function refusalOf(problems: readonly StoredProblem[]): string {
  const told = problems.slice(0, maxShownProblems).map(({ message }) => message);
  const more = problems.length > told.length ? `; and in more lines: ${linesOf(problems)}` : '';
  return `must be a file with a request in each line. ${told.join('; ')}${more}`;
}

function linesOf(problems: readonly StoredProblem[]): string {
  return problems
    .slice(maxShownProblems)
    .map(({ line }) => line)
    .join(', ');
}

function problemForRequests(
  name: string,
  items: readonly PromptItem[],
  file: RowFile | null,
): string | null {
  if (!file)
    return items.every(({ request }) => request)
      ? null
      : `must be requests, or a file of requests, for ${name}`;
  if (file.format === 'OPENAI_JSONL' || file.format === 'ANTHROPIC_JSONL') return null;
  if (file.format.startsWith('JSON') && mayBeRequests(namesOf(file))) return null;
  return `must be a file of complete requests for ${name}, not ${file.format}: lines {custom_id, body: {messages}} as for OpenAI's batch API, {custom_id, params: {messages}} as for Anthropic's, {messages}, or an output with include=request`;
}

function problemForTexts(
  name: string,
  items: readonly PromptItem[],
  file: RowFile | null,
): string | null {
  if (file?.format === 'OPENAI_RESULTS') {
    return 'must not be the output of a batch; parseResults reads such a file';
  }
  return !file && items.some(({ request }) => request)
    ? `must be items or texts for ${name}; requests are for chat`
    : null;
}
