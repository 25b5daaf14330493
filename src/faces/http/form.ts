/** Multipart forms, read while they arrive. */
import { type EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import { badInput } from './route-error.ts';

/** A system prompt may have a million characters. */
export const maxFieldBytes = 4_194_304;
const maxFieldNameLength = 200;
/** Fields beside the file of an upload, and their bytes together. */
export const maxFields = 200;
export const maxFormBytes = 8_388_608;

/** A file of a form. */
interface FilePart {
  /** The name of its field. */
  field: string;
  /** As the client says; any text. */
  fileName: string | null;
  /** With its parameters. */
  contentType: string | null;
  bytes: Readable;
}

export interface FormReader {
  maxParts: number;
  /** All other parts are fields. */
  isFile(field: string, fileName: string | undefined): boolean;
  onField?(name: string, value: string): void;
  /** Reads the file. The form goes on as fast as its bytes are taken. */
  onFile(part: FilePart): Promise<void>;
}

/**
 * Reads a form to its end, and its files with it. After the first failure no file is read on.
 * Rejects when every `onFile` has settled: with RouteError 400, or what `body` or `onFile` threw.
 */
export async function readForm(
  contentType: string,
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  { maxParts, isFile, onField, onFile }: FormReader,
): Promise<void> {
  const { parser, partType } = createParser(contentType, maxParts, isFile);
  const given: Readable[] = [];
  const read: Promise<void>[] = [];
  const stop = new AbortController();
  const { signal } = stop;
  const fail = (error: unknown) => stop.abort(error);

  parser.on('field', (name, value, _nameTruncated, isTruncated) => {
    if (isTruncated) fail(badInput(`A field of the form has more than ${maxFieldBytes} bytes`));
    else if (name.length > maxFieldNameLength) {
      fail(badInput('A field of the form has too long a name'));
    } else onField?.(name, value);
  });
  parser.on('partsLimit', () => fail(badInput(`The form must have at most ${maxParts} parts`)));
  parser.on('error', () =>
    fail(badInput('The form must be complete; it is broken, or ends too early')),
  );
  parser.on('file', (field, bytes: Readable, fileName) => {
    // The parser and the reader of the file tell of its errors.
    bytes.on('error', () => undefined);
    given.push(bytes);
    const part = { field, fileName: fileName ?? null, contentType: partType(), bytes };
    read.push(onFile(part).catch(fail));
  });

  try {
    for await (const chunk of body) {
      if (signal.aborted) break;
      if (!parser.write(chunk)) await once(parser, 'drain', { signal });
    }
    const finished = once(parser, 'finish', { signal });
    if (!signal.aborted) parser.end();
    await finished;
  } catch (error) {
    fail(error);
  }
  if (signal.aborted) {
    for (const bytes of given) bytes.destroy(new Error('the form was given up'));
  }
  await Promise.all(read);
  signal.throwIfAborted();
}

/** A parser, and the content type of the part that began last. */
function createParser(contentType: string, maxParts: number, isFile: FormReader['isFile']) {
  let parser: InstanceType<typeof Busboy>;
  try {
    parser = new Busboy({
      headers: { 'content-type': contentType },
      preservePath: true,
      isPartAFile: (name, _type, fileName) => isFile(name ?? '', fileName),
      limits: {
        parts: maxParts,
        fieldSize: maxFieldBytes,
        headerPairs: 50,
        headerSize: 16_384,
      },
    });
  } catch {
    throw badInput('The Content-Type of the form must have a boundary');
  }
  let type: string | null = null;
  // Busboy drops the parameters of a type, such as its charset. Its reader of headers has them.
  const { parser: headers } = (parser as unknown as { _parser: { parser: EventEmitter } })._parser;
  headers.on('part', (part: EventEmitter) => {
    part.prependListener('header', (header: { readonly [name: string]: readonly string[] }) => {
      type = header['content-type']?.[0] ?? null;
    });
  });
  return { parser, partType: () => type };
}
