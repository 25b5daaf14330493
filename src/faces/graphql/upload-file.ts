/** The upload of a small file in a GraphQL request: the same readers and the same storage as POST /files. */

import { BadUserInput } from '../../core/errors.ts';
import type { FileRecord } from '../../db/files.ts';
import {
  type OptionTexts,
  parseOptions,
  UnknownOptionValue,
} from '../../files/read/given-options.ts';
import { UploadRefused, uploadFile } from '../../files/upload.ts';
import { preflightHeaders } from '../http/cors.ts';
import { builder } from './builder.ts';
import { FileFormatEnum } from './file.ts';
import { maxMultipartBytes, UploadedPart } from './multipart.ts';

/** Each holds a database connection and a file; so many as a query may cost go into one request. */
const uploadCost = 20_000;
const notAFile =
  'needs a file of a multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec)';

builder.scalarType('Upload', {
  description: `A file part of a GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec): a variable that is null in \`operations\` and named by \`map\` as variables.<name>. The request has at most ${maxMultipartBytes.toLocaleString('en')} bytes and one of the headers ${preflightHeaders.join(', ')} with any value, since no web page can send these unasked. Larger files go to POST /files.`,
  parseValue: (value) => {
    if (!(value instanceof UploadedPart)) throw new TypeError(notAFile);
    return value;
  },
  parseLiteral: () => {
    throw new TypeError(notAFile);
  },
  serialize: () => {
    throw new TypeError('is an input alone');
  },
});

const UploadFilePayload = builder.objectRef<{ file: FileRecord }>('UploadFilePayload').implement({
  description: 'The file that was stored.',
  fields: (t) => ({
    file: t.expose('file', {
      type: 'File',
      description: 'With its rows, ready for submitBatch; its rejections say what was left out.',
    }),
  }),
});

builder.mutationField('uploadFile', (t) =>
  t.field({
    type: UploadFilePayload,
    description:
      'Stores a small file, as POST /files does for files of any size. BAD_USER_INPUT for what cannot be read, PAYLOAD_TOO_LARGE for too much.',
    complexity: { field: uploadCost, multiplier: 1 },
    args: {
      file: t.arg({ type: 'Upload', required: true, description: 'The file, as a variable.' }),
      name: t.arg.string({ description: 'Its name; the one in the form when absent.' }),
      format: t.arg({
        type: FileFormatEnum,
        description: 'Its format; found by name, content type and content when absent.',
      }),
      contentField: t.arg.string({
        description:
          'The column or JSON field that holds the text; content, text, or the only one when absent.',
      }),
      customIdField: t.arg.string({
        description:
          'The column or JSON field that holds the custom id; custom_id, id, or the place of the row in the file, counted from 0, when absent. Empty: the place. A row without one is refused, and one that comes twice refuses the file.',
      }),
      charset: t.arg.string({
        description:
          'How its bytes are to be read, such as windows-1252 or utf-16le. A byte order mark goes before it; when absent, the charset of the content type counts, then what the bytes are.',
      }),
      delimiter: t.arg.string({
        description:
          'What stands between the cells of a CSV row: , ; | tab, or any other single character of ASCII. Found when absent.',
      }),
      quote: t.arg.string({
        description:
          'Whether the cells of a CSV can be quoted: " where they can, none where quotes are text. Found when absent.',
      }),
      rowsField: t.arg.string({
        description:
          'Of a JSON file that is one object, the member that holds the rows; the only array of objects or strings when absent.',
      }),
    },
    resolve: async (_root, { file, name, ...given }, { db, copy, owner }) => {
      try {
        const stored = await uploadFile({
          db,
          copy,
          owner,
          source: inOnePiece(file.bytes),
          name: name ?? file.name,
          contentType: file.contentType,
          options: parseOptions(withoutNulls(given)),
        });
        return { file: stored };
      } catch (error) {
        if (error instanceof UnknownOptionValue) {
          throw new BadUserInput([{ path: error.option, message: error.message }]);
        }
        if (!(error instanceof UploadRefused) || error.kind === 'too_large') throw error;
        throw new BadUserInput([{ path: 'file', message: error.message }]);
      }
    },
  }),
);

function withoutNulls(given: { [Name in keyof OptionTexts]: string | null | undefined }) {
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== null && value !== undefined),
  ) as OptionTexts;
}

async function* inOnePiece(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes;
}
