/** Upload of a small file in a GraphQL request, by the same readers and storage as POST /files. */

import { BadUserInput } from '../../core/errors.ts';
import type { FileRecord } from '../../db/files.ts';
import { UploadRefused } from '../../files/ingest.ts';
import {
  type OptionTexts,
  parseOptions,
  UnknownOptionValue,
} from '../../files/read/given-options.ts';
import { uploadFile } from '../../files/upload.ts';
import { preflightHeaders } from '../http/cors.ts';
import { builder } from './builder.ts';
import { FileFormatEnum } from './file.ts';
import { maxMultipartBytes, UploadedPart } from './multipart.ts';

/** Each holds a database connection and a file; so many as a query may cost go into one request. */
export const uploadCost = 24_000;
const notAFile =
  'must be a file of a multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec)';

builder.scalarType('Upload', {
  description: `A file part of a GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec). The variable is null in \`operations\`, and \`map\` names it as variables.<name>. The request must have at most ${maxMultipartBytes.toLocaleString('en')} bytes. The request must have one of the headers ${preflightHeaders.join(', ')} with any value, since web pages cannot send these without permission. Larger files go to POST /files.`,
  parseValue: (value) => {
    if (!(value instanceof UploadedPart)) throw new TypeError(notAFile);
    return value;
  },
  parseLiteral: () => {
    throw new TypeError(notAFile);
  },
  serialize: () => {
    throw new TypeError('must be an input');
  },
});

const UploadFilePayload = builder.objectRef<{ file: FileRecord }>('UploadFilePayload').implement({
  description: 'The stored file.',
  fields: (t) => ({
    file: t.expose('file', {
      type: 'File',
      description:
        'File with its rows, ready for submitBatch. Its rejections name the rows that were left out.',
    }),
  }),
});

builder.mutationField('uploadFile', (t) =>
  t.field({
    type: UploadFilePayload,
    description:
      'Stores a small file. POST /files stores files of any size. BAD_USER_INPUT for an unreadable file, PAYLOAD_TOO_LARGE for a file over the limits.',
    complexity: { field: uploadCost, multiplier: 1 },
    args: {
      file: t.arg({
        type: 'Upload',
        required: true,
        description: 'File part of the request, given as a variable.',
      }),
      name: t.arg.string({ description: 'Name of the file. Absent: the name in the form.' }),
      format: t.arg({
        type: FileFormatEnum,
        description: 'Format of the file. Absent: detected by name, content type and content.',
      }),
      contentField: t.arg.string({
        description:
          'Column or JSON field that holds the text. Absent: content, text, or the only column.',
      }),
      customIdField: t.arg.string({
        description:
          'Column or JSON field that holds the custom id. Absent: custom_id, id, else the place of the row in the file, from 0. Empty: the place. A row without a custom id is refused. A repeated custom id refuses the file.',
      }),
      charset: t.arg.string({
        description:
          'Encoding of the file, such as windows-1252 or utf-16le. A byte order mark overrides the given encoding. Absent: the charset of the content type, else detected.',
      }),
      delimiter: t.arg.string({
        description:
          'Delimiter of the cells of a CSV row: , ; | tab, or any other single ASCII character. Absent: detected.',
      }),
      quote: t.arg.string({
        description:
          'Quotes of the cells of a CSV: " where cells can be quoted, none where quotes are text. Absent: detected.',
      }),
      rowsField: t.arg.string({
        description:
          'Member that holds the rows of a JSON file that is one object. Absent: the only array of objects or strings.',
      }),
    },
    resolve: async (_root, { file, name, ...given }, { db, copy, owner, events, limitsOf }) => {
      try {
        const stored = await uploadFile({
          db,
          copy,
          owner,
          source: inOnePiece(file.bytes),
          name: name ?? file.name,
          contentType: file.contentType,
          options: parseOptions(withoutNulls(given)),
          ownerLimits: limitsOf(owner),
          events,
          face: 'graphql',
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
