/** Answers of a batch: to a file, to standard output, or the first ones as a table. */
import { createWriteStream } from 'node:fs';
import { access, constants, rename, rm } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { Batch, FileFormat, OutputFormat, OutputOptions, Winnow } from '../client/index.ts';
import { type AnswerRow, answerTable } from './answer-table.ts';
import { ReaderLeft, WrongUse } from './failure.ts';
import { formats, type Given } from './flags.ts';
import { painter, type Shell } from './shell.ts';

/** Number of answers that a terminal is shown. */
const shownAnswers = 10;
/** Without a terminal. */
const plainColumns = 120;

type Format = (typeof formats)[number];

const routeFormats: Readonly<Record<Format, OutputFormat>> = {
  csv: 'csv',
  json: 'json',
  jsonl: 'jsonl',
  openai: 'openai_jsonl',
  anthropic: 'anthropic_jsonl',
};

const byExtension: Readonly<Record<string, Format>> = {
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

const byInput: Readonly<Record<FileFormat, Format>> = {
  csv: 'csv',
  text: 'csv',
  json: 'json',
  jsonl: 'jsonl',
  openai_jsonl: 'openai',
  openai_results: 'openai',
  anthropic_jsonl: 'anthropic',
};

/** Where a command writes, looked at before anything is sent. */
export interface Target {
  /** Null: standard output. */
  file: string | null;
  /** Null: that of the input. */
  format: OutputFormat | null;
}

/** Throws what the system throws for a folder that cannot be written to. */
export async function readTarget(given: Given): Promise<Target> {
  const file = given.text('output') ?? null;
  if (file !== null) {
    const [, input] = given.words;
    if (input !== undefined && resolve(input) === resolve(file)) {
      throw new WrongUse('-o must be another file than the input');
    }
    await access(dirname(file), constants.W_OK);
  }
  const name = formats.find((one) => one === given.text('format'));
  const format = name ?? byExtension[extname(file ?? '').toLowerCase()];
  return { file, format: format ? routeFormats[format] : null };
}

/** The format of the target, else the one that belongs to the batch's input. */
export async function formatFor(
  { format }: Target,
  { winnow, id, signal }: { winnow: Winnow; id: string; signal: AbortSignal },
): Promise<OutputFormat> {
  if (format) return format;
  const document = 'query Input($id: ID!) { batch(id: $id) { file { format } } }';
  const { batch } = await winnow.graphql<{
    batch: { file: { format: Uppercase<FileFormat> } | null } | null;
  }>(document, { id }, { signal });
  const input = (batch?.file?.format ?? 'JSONL').toLowerCase() as FileFormat;
  return routeFormats[byInput[input]];
}

/** Written beside its place and moved there when it is whole: the bytes of the output route. */
export async function saveOutput(
  batch: Batch,
  file: string,
  format: OutputFormat,
  options: OutputOptions,
): Promise<void> {
  const part = `${file}.part`;
  try {
    const stream = batch.output(format, options) as ReadableStream<Uint8Array>;
    await pipeline(Readable.fromWeb(stream), createWriteStream(part), {
      signal: options.signal,
    });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** On standard output until the end, or until its reader leaves. */
export async function printOutput(
  shell: Shell,
  batch: Batch,
  format: OutputFormat,
  options: OutputOptions,
): Promise<void> {
  try {
    for await (const piece of batch.output(format, options) as ReadableStream<Uint8Array>) {
      await shell.write(piece);
    }
  } catch (error) {
    if (!(error instanceof ReaderLeft)) throw error;
  }
}

/** The first answers of a batch in columns. */
export async function printFirst(shell: Shell, batch: Batch, signal: AbortSignal): Promise<void> {
  const rows: AnswerRow[] = [];
  for await (const item of batch.items({ include: ['content'], signal })) {
    const { customId, content = '', output, status, error } = item;
    rows.push({ id: customId, text: content, answer: output, problem: error?.code ?? status });
    if (rows.length === shownAnswers) break;
  }
  await printTable(shell, rows);
}

export async function printTable(shell: Shell, rows: readonly AnswerRow[]): Promise<void> {
  const paint = painter(shell.stdout, shell.env);
  const columns = shell.stdout.columns || plainColumns;
  await shell.print(answerTable(rows, { columns, paint }).join('\n'));
}

const includes = ['input', 'request', 'row'] as const;

/** The parts of --include. Throws WrongUse. */
export function includesOf(given: Given): OutputOptions['include'] {
  return given
    .text('include')
    ?.split(',')
    .map((part) => {
      const found = includes.find((one) => one === part.trim());
      if (!found) throw new WrongUse(`--include must be of ${includes.join(', ')}, not ${part}`);
      return found;
    });
}
