/**
 * An upload: bytes in, a file with its rows out, or nothing. Rows go to the database while they
 * arrive, at its pace; nothing is held but the row and the piece at hand, and there are no
 * temporary files.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Database } from '../db/driver/client.ts';
import type { Copy, RowsIn } from '../db/driver/copy.ts';
import { RowEncoder } from '../db/driver/row-encoder.ts';
import { type FileRecord, insertFile, readFile, type StoredProblem } from '../db/files.ts';
import { abandonIngest, countCustomId, countCustomIdsAlike, deleteIngest } from '../db/ingests.ts';
import type { Telling } from '../telemetry/events.ts';
import { fileNameOf } from './file-name.ts';
import { takeIngestLease } from './ingest-lease.ts';
import { duplicateIds } from './read/custom-ids.ts';
import { createFileReader, type Reading } from './read/file-reader.ts';
import { type ReadLimits, readLimits } from './read/limits.ts';
import type { LineProblem } from './read/line-problem.ts';
import type { ReadOptions } from './read/read-options.ts';
import { createRequestLinesReader } from './read/request-lines.ts';
import { UnreadableFile } from './read/unreadable.ts';
import { removeRows } from './rows-removal.ts';

/**
 * Others get their turn after this time: a socket with much to read would otherwise be read for 2
 * MB in one turn of the event loop.
 */
const turnMs = 3;

export interface Upload {
  db: Database;
  copy: Copy;
  owner: string;
  /** The bytes of the file. When it throws, so does the upload, and leaves nothing. */
  source: AsyncIterable<Uint8Array>;
  /** As the client gave it: any text. */
  name: string | null;
  /** The content type of the file, not of a form around it. */
  contentType: string | null;
  options: ReadOptions;
  /** Lines for OpenAI's batch API, of which none is refused. Nothing is guessed then. */
  areRequests?: boolean;
  limits?: ReadLimits;
  events: Telling;
}

/** Why a file is refused. GraphQL shows the code; HTTP makes its status of `kind`. */
export class UploadRefused extends AppError {
  override readonly name = 'UploadRefused';
  readonly kind: UnreadableFile['kind'];

  constructor(kind: UnreadableFile['kind'], message: string, options?: ErrorOptions) {
    super(kind === 'too_large' ? 'PAYLOAD_TOO_LARGE' : 'BAD_USER_INPUT', message, options);
    this.kind = kind;
  }
}

/** Reads a file and stores it. Throws UploadRefused, and what the source throws. */
export async function uploadFile(upload: Upload): Promise<FileRecord> {
  const ingested = await ingestFile(upload);
  return await ingested.store();
}

/** What else is known of a file when it is entered. */
interface StoredAs {
  /** In place of the upload's. */
  name?: string | undefined;
  /** What an upload of OpenAI's API says that the file is for. */
  purpose?: string;
  /** The file is deleted after this time, when no batch needs it. */
  expiresInSeconds?: number | null;
}

/** Rows that are in, of a file that is not yet. Exactly one of the two is to be called. */
export interface Ingested {
  reading: Reading;
  /** Enters the file. */
  store(as?: StoredAs): Promise<FileRecord>;
  /** Removes the rows. */
  discard(): Promise<void>;
}

/** The first half of an upload, for who may learn more before the file is entered. */
export async function ingestFile(upload: Upload): Promise<Ingested> {
  const { db, copy, owner, source, contentType, options, limits = readLimits } = upload;
  const name = fileNameOf(upload.name);
  await db.checkRoom();
  const lease = await takeIngestLease(db);
  const { fileKey } = lease;
  const encoder = new RowEncoder(fileKey);
  let rowsIn: RowsIn | null = null;
  /** Once the database was told to keep the rows, it may have, whatever it answered. */
  let mayBeStored = false;

  /** A connection is taken with the first full piece: a slow small file holds none. */
  async function send(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      rowsIn ??= await copy.rowsIn();
      if (await rowsIn.write(piece)) encoder.recycle(piece);
    }
  }

  async function discard(): Promise<void> {
    lease.stop();
    rowsIn?.abort();
    if (!mayBeStored) {
      await deleteIngest(db, fileKey);
      return;
    }
    // From here on the janitor does the same, should this process die.
    await abandonIngest(db, fileKey);
    await removeRows(db, fileKey);
    await deleteIngest(db, fileKey);
  }

  /** What cannot be removed now, the janitor removes once the lease has run out. */
  async function discardQuietly(): Promise<void> {
    await discard().catch(() => undefined);
  }

  try {
    const reader = upload.areRequests
      ? createRequestLinesReader(encoder, limits)
      : createFileReader({ sink: encoder, name, contentType, options, limits });
    let turnAt = performance.now();
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      for (const _step of reader.push(bytes)) {
        await send(encoder.take());
        if (performance.now() - turnAt > turnMs) {
          await nextTurn();
          turnAt = performance.now();
        }
      }
      lease.check();
      await db.checkRoom();
    }
    let reading = reader.end();
    await send(encoder.finish());
    lease.check();
    mayBeStored = true;
    await (rowsIn as RowsIn | null)?.finish();
    await refuseRepeatedIds(db, fileKey, reading);
    reading = await withProvenProblems(db, fileKey, reading);

    return {
      reading,
      discard,
      async store({ name: otherName, purpose = null, expiresInSeconds = null } = {}) {
        try {
          const id = newId('file');
          lease.check();
          const isIn = await insertFile(db.sql, {
            key: fileKey,
            id,
            owner,
            name: otherName === undefined ? name : fileNameOf(otherName),
            purpose,
            expiresInSeconds,
            ...stored(reading),
          });
          if (!isIn) throw new Error('the lease of an upload ran out before its end');
          lease.stop();
          const file = await readFile(db, owner, id);
          if (!file) throw new Error('a file was deleted before its upload was answered');
          const { itemCount: items, sizeBytes: bytes } = file;
          upload.events.emit('upload.stored', { file: id, owner, items, bytes });
          return file;
        } catch (error) {
          await discardQuietly();
          throw error;
        }
      },
    };
  } catch (error) {
    await discardQuietly();
    throw error instanceof UnreadableFile
      ? new UploadRefused(error.kind, error.message, { cause: error })
      : error;
  }
}

/** Looks at what seemed to be duplicates. Throws UnreadableFile where two are. */
async function refuseRepeatedIds(db: Database, fileKey: bigint, reading: Reading): Promise<void> {
  for (const candidate of reading.duplicateCandidates) {
    const { customId } = candidate;
    if ((await countCustomId(db.sql, fileKey, customId)) > 1) throw duplicateIds(candidate);
    if ((await countCustomIdsAlike(db.sql, fileKey, customId)) > 1) {
      throw duplicateIds(candidate, { butForBlanks: true });
    }
  }
}

/** Without what only seemed to be duplicates. */
async function withProvenProblems(
  db: Database,
  fileKey: bigint,
  reading: Reading,
): Promise<Reading> {
  const problems: LineProblem[] = [];
  for (const problem of reading.problems) {
    const id = problem.candidate?.customId;
    const isProven = id === undefined || (await countCustomId(db.sql, fileKey, id)) > 1;
    if (isProven) problems.push(problem);
  }
  const disproved = reading.problems.length - problems.length;
  return { ...reading, problems, rejectedCount: reading.rejectedCount - disproved };
}

function stored(reading: Reading) {
  const { format, sizeBytes, itemCount, contentField, customIdField } = reading;
  const { rejectedCount, blankCount, encoding, problems } = reading;
  return {
    format,
    sizeBytes,
    itemCount,
    columns: JSON.stringify(reading.columns),
    contentField,
    customIdField,
    rejectedCount,
    rejections: JSON.stringify([
      ...reading.rejections,
      ...problems.map(({ line, reason }) => ({ row: line, reason })),
    ]),
    problems: JSON.stringify(
      problems.map(({ line, code, param, reason }): StoredProblem => {
        return { line, code, message: `Line ${line} ${reason}`, param };
      }),
    ),
    blankCount,
    warnings: JSON.stringify(reading.warnings),
    encoding,
  };
}
