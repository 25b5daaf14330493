/** The input of a command: a path, or standard input; its hash, its upload and its first rows. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { UploadOptions, Winnow, WinnowFile } from '../client/index.ts';
import { isRecord } from '../core/json.ts';
import { WrongUse } from './failure.ts';
import type { Given } from './flags.ts';
import type { SampleItem } from './operation.ts';
import type { Shell } from './shell.ts';

export interface Input {
  /** Null: standard input. */
  path: string | null;
  /** Hash of the bytes; of standard input known after the upload alone. */
  hash(): Promise<string>;
  /** At most once for standard input. */
  upload(winnow: Winnow): Promise<WinnowFile>;
}

/** The FILE of a command line. Throws what the system throws for one that cannot be read. */
export async function openInput(given: Given, shell: Shell): Promise<Input> {
  const [command, file] = given.words;
  if (file === undefined) throw new WrongUse(`winnow ${command} needs a FILE, or - for its input`);
  const { signal } = shell.ending;
  const options: UploadOptions = {
    contentField: given.text('column'),
    customIdField: given.text('id'),
    signal,
  };
  if (file === '-') return openStandardInput(shell, options);
  if ((await stat(file)).isDirectory()) {
    throw Object.assign(new Error(`${file} is a folder`), { code: 'EISDIR' });
  }
  return {
    path: file,
    async hash() {
      const hash = createHash('sha256');
      for await (const piece of createReadStream(file, { signal })) hash.update(piece);
      return hash.digest('hex');
    },
    upload: (winnow) => winnow.files.upload(file, options),
  };
}

function openStandardInput({ stdin }: Shell, options: UploadOptions): Input {
  const hash = createHash('sha256');
  async function* hashed() {
    for await (const piece of stdin) {
      hash.update(piece);
      yield piece;
    }
  }
  return {
    path: null,
    hash: async () => hash.copy().digest('hex'),
    upload: (winnow) => {
      const stream = Readable.toWeb(Readable.from(hashed())) as ReadableStream<Uint8Array>;
      return winnow.files.upload(stream as Parameters<Winnow['files']['upload']>[0], {
        ...options,
        name: 'stdin',
      });
    },
  };
}

/** Makes the same command the same batch: of the bytes of the file and all that shapes it. */
export function keyOf(
  fileHash: string,
  facts: { path: string | null; isNew: boolean; [fact: string]: unknown },
): string {
  const { path, isNew, ...rest } = facts;
  const kind = extname(path ?? '').toLowerCase();
  const salt = isNew ? randomUUID() : '';
  const text = JSON.stringify([fileHash, kind, salt, rest], inOrder);
  return `cli-${createHash('sha256').update(text).digest('hex')}`;
}

/** Members of objects by their names, whatever order they were given in. */
function inOrder(_key: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The first rows of a file as items, at most 50. */
export async function firstItems(
  winnow: Winnow,
  file: WinnowFile,
  count: number,
  signal: AbortSignal,
): Promise<SampleItem[]> {
  const document = `query Preview($id: ID!, $first: Int) {
    file(id: $id) { preview(first: $first) }
  }`;
  const variables = { id: file.id, first: count };
  const { file: found } = await winnow.graphql<{
    file: { preview: Record<string, unknown>[] } | null;
  }>(document, variables, { signal });
  return (found?.preview ?? []).map((row) => toItem(row, file));
}

function toItem(
  row: Record<string, unknown>,
  { contentField, customIdField }: WinnowFile,
): SampleItem {
  const { [contentField ?? '']: content, ...others } = row;
  const id = customIdField === null ? undefined : row[customIdField];
  return {
    content: textOf(content ?? Object.values(row)[0]),
    ...(id === undefined || id === null ? {} : { customId: textOf(id) }),
    metadata: others,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '');
}
