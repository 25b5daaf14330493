/** Uploaded files: the type, the list and deletion. POST /files and uploadFile store files. */
import { z } from 'zod';
import { dependsOnUse, fileDeletesAt } from '../../app/deletes-at.ts';
import { readFileSample } from '../../app/file-sample.ts';
import { AppError } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import type { PlaceInPage } from '../../db/bytes.ts';
import { readFileRows, type StoredRow } from '../../db/file-rows.ts';
import {
  countFiles,
  deleteFile,
  type FileRecord,
  listFiles,
  readFile,
  readFilesWithin,
} from '../../db/files.ts';
import { type FileUse, readFileUse } from '../../db/retention.ts';
import { previewRow } from '../../files/decoded-row.ts';
import type { fileFormats } from '../../files/read/format.ts';
import { maxRejections } from '../../files/read/limits.ts';
import { maxProblems } from '../../files/read/line-problem.ts';
import { namesOf, rowFileOf } from '../../files/row.ts';
import type { Budget } from './budget.ts';
import { builder, deletedPayload, notFound } from './builder.ts';
import type { Context } from './context.ts';
import { presentError } from './errors.ts';
import { pageCost, readKeyPage } from './page.ts';
import { loadRejections, type Rejection } from './rejections.ts';
import { createRounds } from './rounds.ts';

export const maxPreviewRows = 100;
const defaultPreview = 5;
const defaultSample = 20;
const rowsArg = {
  description: `Number of rows, 1 to ${maxPreviewRows}.`,
  validate: {
    schema: z
      .int()
      .min(1, `must be between 1 and ${maxPreviewRows}`)
      .max(maxPreviewRows, `must be at most ${maxPreviewRows}`)
      .nullish() as never,
  },
};
/** A thousand of them a file. */
const rejectionsCost = 10;

export const FileFormatEnum = builder.enumType('FileFormat', {
  description: 'Format of the rows of a file.',
  values: {
    CSV: { description: 'Rows of cells under a header. The delimiter is detected.' },
    JSON: {
      description: 'One array of objects or of strings, or one object that contains such an array.',
    },
    JSONL: { description: 'One JSON object or string per line.' },
    TEXT: { description: 'One text per line.' },
    OPENAI_JSONL: { description: 'OpenAI batch input: lines {custom_id, body}.' },
    ANTHROPIC_JSONL: { description: 'Anthropic batch input: lines {custom_id, params}.' },
    OPENAI_RESULTS: {
      description:
        'OpenAI batch output or error lines, or Anthropic result lines, for parseResults.',
    },
  } satisfies Record<(typeof fileFormats)[number], { description: string }>,
});

/** The use of a file by the batches over it. */
const loadUse = createRounds<FileUse>(async (keys, { db, retention }) => {
  const used = await readFileUse(db.sql, keys, retention);
  return new Map(used.map((use) => [use.fileKey, use]));
});

/** Columns of a file that a page has many times: there may be 10,000. */
const columns = new WeakMap<FileRecord, string[]>();

function columnsOf(file: FileRecord): string[] {
  const names = columns.get(file) ?? namesOf(rowFileOf(file));
  columns.set(file, names);
  return names;
}

const RowRejection = builder.objectRef<Rejection>('RowRejection').implement({
  description:
    'A row that was refused at upload. The other rows were stored. Of a file of POST /v1/files: a line that is not a request.',
  fields: (t) => ({
    row: t.exposeInt('row', {
      description:
        'Number of the row, counted from 1: data rows of a CSV, elements of an array, else lines.',
    }),
    reason: t.exposeString('reason', { description: 'Problem of the row, for people.' }),
  }),
});

builder.node('File', {
  description: 'An uploaded dataset. Its rows are stored once, for any number of batches.',
  id: { description: 'Id of the file. Begins with file_.', resolve: ({ id }) => id },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'sizeBytes' in value,
  loadOne: (id, context) => findFile(id, context),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Name of the file as uploaded, without folders.' }),
    format: t.field({
      type: FileFormatEnum,
      description: 'Format that was detected, or given at upload.',
      resolve: ({ format }) => format as (typeof fileFormats)[number],
    }),
    sizeBytes: t.exposeInt('sizeBytes', { description: 'Size of the upload in bytes.' }),
    itemCount: t.exposeInt('itemCount', {
      description: 'Number of stored rows, which are the items of a batch.',
    }),
    columns: t.stringList({
      description: 'Columns or JSON fields in the order of the file, as templates name them.',
      resolve: columnsOf,
    }),
    contentField: t.exposeString('contentField', {
      nullable: true,
      description:
        'Column or JSON field that holds the text. Null when the row itself is the text, or when no column holds the text.',
    }),
    customIdField: t.exposeString('customIdField', {
      nullable: true,
      description:
        'Column or JSON field that holds the custom id. Null when the place of a row in the file, from 0, is its custom id.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'Time at which the upload ended.',
    }),
    deletesAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Time from which the server deletes the file by itself, as far as it is known now: a file that a batch uses stays. Null when nothing deletes it.',
      complexity: { field: 1, multiplier: 1 },
      resolve: async (file, _args, context) => {
        const { retention } = context;
        const isUsed = dependsOnUse(file, retention);
        return fileDeletesAt(
          file,
          isUsed ? await loadUse(file.key, context) : undefined,
          retention,
        );
      },
    }),
    rejections: t.field({
      type: [RowRejection],
      description: `Rows refused at upload, at most the first ${maxRejections.toLocaleString('en')}. rejectedCount counts all of them. Of a file of POST /v1/files: its lines that are not requests, at most the first ${maxProblems}. They are stored, and no batch can be submitted over the file.`,
      complexity: { field: rejectionsCost, multiplier: 1 },
      resolve: ({ key }, _args, context) => loadRejections(context, key),
    }),
    rejectedCount: t.exposeInt('rejectedCount', {
      description: 'Number of rows refused at upload, or of lines that are not requests.',
    }),
    warnings: t.stringList({
      description:
        'Sentences about guessed, decoded, skipped or renamed parts of the file, with the option that changes each. Empty when the file was read as it is.',
      resolve: ({ warnings }) => JSON.parse(warnings) as string[],
    }),
    encoding: t.exposeString('encoding', {
      nullable: true,
      description:
        'Encoding of the uploaded bytes: utf-8, utf-16le, utf-16be or windows-1252. Null for files stored before encodings were recorded.',
    }),
    blankCount: t.exposeInt('blankCount', {
      description: 'Number of skipped rows that had only blank cells.',
    }),
    preview: t.field({
      type: ['JSONObject'],
      description:
        'First rows of the file, each as an object. PAYLOAD_TOO_LARGE when the rows exceed the limit of a request: ask for fewer.',
      args: { first: t.arg.int({ defaultValue: defaultPreview, ...rowsArg }) },
      complexity: { field: 10, multiplier: 1 },
      resolve: (file, { first }, { db, budget }) =>
        showRows(file, budget, (maxBytes) =>
          readFileRows(db.sql, file.key, {
            afterIndex: -1,
            limit: first ?? defaultPreview,
            maxBytes,
          }),
        ),
    }),
    sample: t.field({
      type: ['JSONObject'],
      description:
        'Rows drawn from the whole file, each as an object, in the order of the file. The same seed draws the same rows. Every row where the file has no more. PAYLOAD_TOO_LARGE when the rows exceed the limit of a request: ask for fewer.',
      args: {
        first: t.arg.int({ defaultValue: defaultSample, ...rowsArg }),
        seed: t.arg.int({ defaultValue: 0, description: 'Another number draws other rows.' }),
      },
      complexity: { field: 10, multiplier: 1 },
      resolve: (file, { first, seed }, { db, budget }) =>
        showRows(file, budget, (maxBytes) =>
          readFileSample(db.sql, file, { size: first ?? defaultSample, seed: seed ?? 0, maxBytes }),
        ),
    }),
  }),
});

/** Rows that are read whole, as objects. */
async function showRows(
  file: FileRecord,
  budget: Budget,
  read: (maxBytes: number) => Promise<(StoredRow & PlaceInPage)[]>,
): Promise<Record<string, unknown>[]> {
  const rowFile = rowFileOf(file);
  const { rows, bytes } = await budget.readWhole(read);
  budget.send(bytes, null);
  return rows.map((row) => previewRow(rowFile, row));
}

/** Null for malformed, unknown, deleted and foreign ids alike. */
export async function findFile(
  id: string,
  { db, owner }: Pick<Context, 'db' | 'owner'>,
): Promise<FileRecord | null> {
  return isId('file', id) ? await readFile(db, owner, id) : null;
}

const fileOf = createRounds<FileRecord>(async (keys, { db, budget }) => {
  const { rows } = await budget.readWhole((maxBytes) => readFilesWithin(db, keys, maxBytes));
  return new Map(rows.map((file) => [file.key, file]));
});

builder.objectField('Batch', 'file', (t) =>
  t.field({
    type: 'File',
    nullable: true,
    description:
      'File of the batch. Null for inline items, and for a file that was deleted or has expired.',
    resolve: async ({ fileKey }, _args, context) => {
      const file = await fileOf(fileKey, context);
      return file?.listed ? file : null;
    },
  }),
);

builder.queryField('file', (t) =>
  t.field({
    type: 'File',
    nullable: true,
    description: 'A file by its id. Null for an unknown id.',
    args: {
      id: t.arg.id({
        required: true,
        description: 'Id of the file, as returned by POST /files or uploadFile.',
      }),
    },
    resolve: (_root, { id }, context) => findFile(id, context),
  }),
);

builder.queryField('files', (t) =>
  t.connection(
    {
      type: 'File',
      description: 'Files of the caller, newest first.',
      complexity: pageCost,
      resolve: (_root, args, context) =>
        readKeyPage(args, context, {
          name: 'files',
          find: (id) => findFile(id, context),
          list: (page) => listFiles(context.db, context.owner, page),
        }),
    },
    {
      name: 'FileConnection',
      description: 'A page of files.',
      fields: (c) => ({
        totalCount: c.int({
          description: 'Number of files, over all pages.',
          resolve: (_connection, _args, { db, owner }) => countFiles(db, owner),
        }),
      }),
    },
    { name: 'FileEdge', description: 'A file with its cursor.' },
  ),
);

builder.mutationField('deleteFile', (t) =>
  t.field({
    type: deletedPayload('DeleteFilePayload', 'file'),
    description: 'Deletes a file with its rows. CONFLICT while a batch uses the file.',
    args: {
      id: t.arg.id({ required: true, description: 'Id of the file. NOT_FOUND for an unknown id.' }),
    },
    resolve: async (_root, { id }, { db, owner }) => {
      switch (isId('file', id) ? await deleteFile(db.sql, owner, id) : 'unknown') {
        case 'deleted':
          return { deletedId: id };
        case 'in_use':
          throw presentError(new AppError('CONFLICT', 'A batch uses this file'));
        default:
          throw notFound('file');
      }
    },
  }),
);
