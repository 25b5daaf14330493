/** An upload: bytes in, a file with its rows out, or nothing. */
import { LimitExceeded } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Limits } from '../core/limits.ts';
import type { Database } from '../db/driver/client.ts';
import { type FileRecord, insertFile, readFile, type StoredProblem } from '../db/files.ts';
import { countCustomId, countCustomIdsAlike } from '../db/ingests.ts';
import { readBytesLeft, storeWithin, takingOf } from '../db/takings.ts';
import type { FaceName, Telling } from '../telemetry/events.ts';
import { fileNameOf } from './file-name.ts';
import { ingestRows, type RowBytes } from './ingest.ts';
import { LeaseLost } from './ingest-lease.ts';
import { duplicateIds } from './read/custom-ids.ts';
import { createFileReader, type Reading } from './read/file-reader.ts';
import { type ReadLimits, readLimits } from './read/limits.ts';
import type { LineProblem } from './read/line-problem.ts';
import type { ReadOptions } from './read/read-options.ts';
import { createRequestLinesReader } from './read/request-lines.ts';

export interface Upload extends RowBytes {
  owner: string;
  /** As the client gave it: any text. */
  name: string | null;
  /** The content type of the file, not of a form around it. */
  contentType: string | null;
  options: ReadOptions;
  /** Lines for OpenAI's batch API, of which none is refused. Nothing is guessed then. */
  areRequests?: boolean;
  limits?: ReadLimits;
  /** Limits of the owner; null without limits. */
  ownerLimits: Limits | null;
  events: Telling;
  /** By which it came. */
  face: FaceName;
}

/** Reads a file and stores it. Throws UploadRefused, LimitExceeded, and what the source throws. */
export async function uploadFile(upload: Upload): Promise<FileRecord> {
  const ingested = await ingestFile(upload);
  return await ingested.store();
}

/** Further facts on a file when it is entered. */
interface StoredAs {
  /** In place of the upload's. */
  name?: string | undefined;
  /** Purpose of the file that an upload of OpenAI's API gives. */
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
  const { db, owner, contentType, options, limits = readLimits } = upload;
  const name = fileNameOf(upload.name);
  const source = await withinStorage(upload, upload.source);
  const rows = await ingestRows(
    { ...upload, source },
    {
      createReader: (sink) =>
        upload.areRequests
          ? createRequestLinesReader(sink, limits)
          : createFileReader({ sink, name, contentType, options, limits }),
      async judge(fileKey, reading) {
        await refuseRepeatedIds(db, fileKey, reading);
        return await withProvenProblems(db, fileKey, reading);
      },
    },
  );
  const { fileKey, read: reading } = rows;
  return {
    reading,
    discard: () => rows.discard(),
    async store({ name: otherName, purpose = null, expiresInSeconds = null } = {}) {
      try {
        const id = newId('file');
        rows.checkLease();
        const entered = {
          key: fileKey,
          id,
          owner,
          name: otherName === undefined ? name : fileNameOf(otherName),
          purpose,
          expiresInSeconds,
          ...stored(reading),
        };
        const taking = takingOf(upload.ownerLimits, { owner, bytes: reading.sizeBytes });
        const isIn = await storeWithin(db.sql, taking, () => insertFile(db.sql, entered, taking));
        if (!isIn) throw new LeaseLost();
        rows.release();
        const file = await readFile(db, owner, id);
        if (!file) throw new Error('a file was deleted before its upload was answered');
        const { itemCount: items, sizeBytes: bytes } = file;
        upload.events.emit('upload.stored', { file: id, owner, items, bytes });
        upload.events.emit('upload.taken', { face: upload.face, bytes });
        return file;
      } catch (error) {
        await rows.discard().catch(() => undefined);
        throw error;
      }
    },
  };
}

/**
 * The bytes of a source, which break off with LimitExceeded behind what its owner may still store.
 * What others store meanwhile is counted when the file is entered.
 */
export async function withinStorage(
  { db, owner, ownerLimits }: Pick<Upload, 'db' | 'owner' | 'ownerLimits'>,
  source: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const left = await readBytesLeft(db.sql, owner, ownerLimits);
  return left === null
    ? source
    : cutBehind(source, { left, allowed: ownerLimits?.storageBytes ?? 0 });
}

async function* cutBehind(
  source: AsyncIterable<Uint8Array>,
  { left, allowed }: { left: number; allowed: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > left) {
      const use = { limit: 'storageBytes', allowed, used: allowed - left, resetsAt: null } as const;
      throw new LimitExceeded(use, bytes);
    }
    yield chunk;
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
