/** A multipart form: one file, streamed, with text fields before and behind it. */
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { createFormParser, type FormParser } from './form-parser.ts';
import { RouteError } from './route-error.ts';

/** The name of the part that is the file. */
const filePart = 'file';
const maxFields = 200;
/** A system prompt may have a million characters. */
const maxFieldBytes = 4_194_304;
const maxFieldNameLength = 200;
/** What a form may hold beside the file. */
export const maxFormBytes = 8_388_608;

/** Text fields by name; a name that came several times has several values. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

export interface FormFile {
  source: AsyncIterable<Buffer>;
  /** As the client says; any text. */
  name: string | null;
  contentType: string | null;
  /** The fields that came before the file. */
  fields: FormFields;
}

/** What became of the file, and all fields. */
export interface ReadForm<Result> {
  result: Result;
  fields: FormFields;
}

/**
 * Reads a form to its end. `take` gets the file while it arrives, and is given up with it; `undo` gets what it made when the form
 * turns out to be broken behind the file. Throws RouteError 400, and what `body` and `take` throw.
 */
export async function readForm<Result>(
  contentType: string,
  body: AsyncIterable<Buffer>,
  {
    take,
    undo,
  }: { take: (file: FormFile) => Promise<Result>; undo: (result: Result) => Promise<void> },
): Promise<ReadForm<Result>> {
  const fields = new Map<string, string[]>();
  const { parser, partType } = createParser(contentType);
  let part: Readable | null = null;
  let taken: Promise<Result> | null = null;
  let failure: { error: unknown } | null = null;
  const stop = new AbortController();
  const fail = (error: unknown): void => {
    failure ??= { error };
    stop.abort();
  };

  parser.on('field', (name, value, _nameTruncated, isTruncated) => {
    if (isTruncated) fail(bad(`A field of the form has more than ${maxFieldBytes} bytes`));
    else if (name.length > maxFieldNameLength) fail(bad('A field of the form has too long a name'));
    else fields.set(name, [...(fields.get(name) ?? []), value]);
  });
  parser.on('fieldsLimit', () => fail(bad(`The form has more than ${maxFields} fields`)));
  parser.on('filesLimit', () => fail(bad('The form has more than one file; send one at a time')));
  parser.on('partsLimit', () => fail(bad('The form has too many parts')));
  parser.on('error', () => fail(bad('The form is broken, or ends too early')));
  parser.on('file', (name, stream, fileName) => {
    // Said by the parser too, and by the iterator of whoever reads it.
    stream.on('error', () => undefined);
    if (name !== filePart) {
      stream.resume();
      fail(bad(`The part that holds the file is called ${filePart}`));
      return;
    }
    part = stream;
    taken = take({
      source: stream as AsyncIterable<Buffer>,
      name: fileName ?? null,
      contentType: partType(),
      fields: new Map(fields),
    });
    taken.catch(fail);
  });

  try {
    for await (const chunk of body) {
      if (failure) break;
      // When it fails, nobody reads on, and it would never drain.
      if (!parser.write(chunk)) await orStopped(once(parser, 'drain', { signal: stop.signal }));
    }
    if (!failure) {
      const finished = once(parser, 'finish', { signal: stop.signal });
      parser.end();
      await orStopped(finished);
    }
  } catch (error) {
    fail(error);
  }

  const broken = failure as { error: unknown } | null;
  const pending = taken as Promise<Result> | null;
  if (broken) {
    (part as Readable | null)?.destroy(new Error('the form was given up'));
    const made = await pending?.then(
      (result) => ({ result }),
      () => null, // Given up with the form, whose error is the one that counts.
    );
    if (made) await undo(made.result);
    throw broken.error;
  }
  if (!pending) throw bad(`The form has no file: it stands in a part called ${filePart}`);
  return { result: await pending, fields };
}

function createParser(contentType: string): FormParser {
  try {
    return createFormParser(contentType, {
      preservePath: true,
      // curl -F 'file=<data.csv' sends it without a file name.
      isPartAFile: (name, _type, fileName) => name === filePart || fileName !== undefined,
      limits: {
        files: 1,
        fields: maxFields,
        parts: maxFields + 1,
        fieldSize: maxFieldBytes,
        headerPairs: 50,
        headerSize: 16_384,
      },
    });
  } catch {
    throw bad('The Content-Type of the form has no boundary');
  }
}

/** Waits, unless what is waited for was called off or fails, which `failure` has then. */
async function orStopped(waiting: Promise<unknown>): Promise<void> {
  await waiting.catch(() => undefined);
}

function bad(message: string): RouteError {
  return new RouteError(400, 'BAD_USER_INPUT', message);
}
