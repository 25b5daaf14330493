/** Uploaded files: the type, the list, and their end. They come in by POST /files, small ones by uploadFile too. */
import { z } from 'zod';
import { AppError, PageTooLarge } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import {
  countFiles,
  deleteFile,
  type FileRecord,
  listFiles,
  readFile,
  readFileRows,
  readFilesWithin,
} from '../../db/files.ts';
import type { fileFormats } from '../../files/read/format.ts';
import { maxRejections } from '../../files/read/limits.ts';
import { namesOf, previewRow, rowFileOf } from '../../files/row.ts';
import { measure } from './budget.ts';
import { builder, notFound } from './builder.ts';
import type { Context } from './context.ts';
import { presentError } from './errors.ts';
import { cursorOf, pageCost, readPage, wholePage } from './page.ts';
import { loadRejections, type Rejection } from './rejections.ts';
import { createRounds } from './rounds.ts';

const maxPreviewRows = 100;
/** A thousand of them a file. */
const rejectionsCost = 10;

export const FileFormatEnum = builder.enumType('FileFormat', {
  description: 'How the rows of a file are written.',
  values: {
    CSV: { description: 'Rows of cells under a header; the delimiter is found.' },
    JSON: {
      description: 'One array, of objects or of strings, or one object with such an array in it.',
    },
    JSONL: { description: 'A JSON object or string a line.' },
    TEXT: { description: 'A text a line.' },
    OPENAI_JSONL: { description: 'OpenAI batch input: lines {custom_id, body}.' },
    ANTHROPIC_JSONL: { description: 'Anthropic batch input: lines {custom_id, params}.' },
    OPENAI_RESULTS: {
      description: 'OpenAI batch output or error lines, or Anthropic’s results: for parseResults.',
    },
  } satisfies Record<(typeof fileFormats)[number], { description: string }>,
});

/** Of a file that a page has many times: there may be 10,000. */
const columns = new WeakMap<FileRecord, string[]>();

function columnsOf(file: FileRecord): string[] {
  const names = columns.get(file) ?? namesOf(rowFileOf(file));
  columns.set(file, names);
  return names;
}

const RowRejection = builder.objectRef<Rejection>('RowRejection').implement({
  description: 'A row that was refused at upload, while the others went in.',
  fields: (t) => ({
    row: t.exposeInt('row', {
      description:
        'Counted from 1: data rows of a CSV, elements of an array, lines of anything else.',
    }),
    reason: t.exposeString('reason', { description: 'What was wrong with it.' }),
  }),
});

builder.node('File', {
  description:
    'An uploaded dataset. Any number of batches can run over it; its rows are stored once.',
  id: { description: 'Begins with file_.', resolve: ({ id }) => id },
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'sizeBytes' in value,
  loadOne: (id, context) => findFile(id, context),
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As it was uploaded, without folders.' }),
    format: t.field({
      type: FileFormatEnum,
      description: 'As it was found or given at upload.',
      resolve: ({ format }) => format as (typeof fileFormats)[number],
    }),
    sizeBytes: t.exposeInt('sizeBytes', { description: 'Bytes as they were uploaded.' }),
    itemCount: t.exposeInt('itemCount', {
      description: 'Rows that went in: the items of a batch over it.',
    }),
    columns: t.stringList({
      description: 'The columns or JSON fields, as templates name them, in the file’s order.',
      resolve: columnsOf,
    }),
    contentField: t.exposeString('contentField', {
      nullable: true,
      description: 'Which of them holds the text; null where the row is the text, or none does.',
    }),
    customIdField: t.exposeString('customIdField', {
      nullable: true,
      description:
        'Which of them holds the custom id; null where the place of a row in the file serves, counted from 0.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the upload ended.' }),
    rejections: t.field({
      type: [RowRejection],
      description: `What was refused at upload; the first ${maxRejections.toLocaleString('en')}, rejectedCount has them all.`,
      complexity: { field: rejectionsCost, multiplier: 1 },
      resolve: ({ key }, _args, context) => loadRejections(context, key),
    }),
    rejectedCount: t.exposeInt('rejectedCount', {
      description: 'How many rows were refused at upload.',
    }),
    warnings: t.stringList({
      description:
        'What was guessed, decoded, skipped or renamed while the file was read, a sentence each, with the option that changes it. Empty when there is nothing to say.',
      resolve: ({ warnings }) => JSON.parse(warnings) as string[],
    }),
    encoding: t.exposeString('encoding', {
      nullable: true,
      description:
        'How the bytes were read: utf-8, utf-16le, utf-16be or windows-1252. Null for files of before.',
    }),
    blankCount: t.exposeInt('blankCount', {
      description: 'Rows of blank cells alone, which were skipped.',
    }),
    preview: t.field({
      type: ['JSONObject'],
      description:
        'The first rows, each as an object. PAYLOAD_TOO_LARGE where they are larger than a request reads; fewer of them would be right.',
      args: {
        first: t.arg.int({
          defaultValue: 5,
          description: `How many, 1 to ${maxPreviewRows}.`,
          validate: {
            schema: z
              .int()
              .min(1, `needs 1 to ${maxPreviewRows}`)
              .max(maxPreviewRows, `takes at most ${maxPreviewRows}`)
              .nullish() as never,
          },
        }),
      },
      complexity: { field: 10, multiplier: 1 },
      resolve: async (file, { first }, { db, budget }) => {
        const rowFile = rowFileOf(file);
        const { rows, bytes, isCut } = await budget.read(async (allowance) =>
          measure(
            await readFileRows(db.sql, file.key, {
              afterIndex: -1,
              limit: first ?? 5,
              maxBytes: allowance.bytes,
            }),
            allowance,
          ),
        );
        if (isCut) throw new PageTooLarge(null);
        budget.send(bytes, null);
        return rows.map((row) => previewRow(rowFile, row));
      },
    }),
  }),
});

/** Null for malformed, unknown, deleted and foreign ids alike. */
export async function findFile(
  id: string,
  { db, owner }: Pick<Context, 'db' | 'owner'>,
): Promise<FileRecord | null> {
  return isId('file', id) ? await readFile(db, owner, id) : null;
}

const fileOf = createRounds<FileRecord>(async (keys, { db, budget }) => {
  const { rows, isCut } = await budget.read(async (allowance) =>
    measure(await readFilesWithin(db, keys, allowance.bytes), allowance),
  );
  if (isCut) throw new PageTooLarge(null);
  return new Map(rows.map((file) => [file.key, file]));
});

builder.objectField('Batch', 'file', (t) =>
  t.field({
    type: 'File',
    nullable: true,
    description: 'The file that it runs over; null where its items were given inline.',
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
    description: 'A file by its id; null when there is none.',
    args: {
      id: t.arg.id({ required: true, description: 'As POST /files or uploadFile gave it.' }),
    },
    resolve: (_root, { id }, context) => findFile(id, context),
  }),
);

builder.queryField('files', (t) =>
  t.connection(
    {
      type: 'File',
      description: 'The caller’s files, newest first.',
      complexity: pageCost,
      resolve: (_root, args, context) => {
        const { db, owner, budget } = context;
        const toCursor = ({ key }: FileRecord) => String(key);
        return readPage(
          args,
          { toCursor, find: async (id) => cursorOf(await findFile(id, context)) },
          async (range) => {
            const { limit, after, before, inverted } = range;
            const { rows, isCut } = await budget.read(async (allowance) =>
              measure(
                await listFiles(db, owner, {
                  limit,
                  afterKey: after === undefined ? undefined : BigInt(after),
                  beforeKey: before === undefined ? undefined : BigInt(before),
                  inverted,
                  maxBytes: allowance.bytes,
                }),
                allowance,
              ),
            );
            return wholePage({ entries: rows, isCut }, range, toCursor);
          },
        );
      },
    },
    {
      name: 'FileConnection',
      description: 'A page of files.',
      fields: (c) => ({
        totalCount: c.int({
          description: 'How many files there are, over all pages.',
          resolve: (_connection, _args, { db, owner }) => countFiles(db, owner),
        }),
      }),
    },
    { name: 'FileEdge', description: 'A file and its place in the list.' },
  ),
);

const DeleteFilePayload = builder.objectRef<{ deletedId: string }>('DeleteFilePayload').implement({
  description: 'The file that is gone.',
  fields: (t) => ({
    deletedId: t.exposeID('deletedId', { description: 'Its id, which is unknown from now on.' }),
  }),
});

builder.mutationField('deleteFile', (t) =>
  t.field({
    type: DeleteFilePayload,
    description: 'Deletes a file with its rows. CONFLICT while a batch uses it.',
    args: {
      id: t.arg.id({ required: true, description: 'The file. NOT_FOUND when there is none.' }),
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
