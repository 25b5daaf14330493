/**
 * Rows that come as bytes. They go to the database while they arrive, at its pace; nothing is held
 * but the row and the piece at hand, and there are no temporary files.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../core/errors.ts';
import type { Database } from '../db/driver/client.ts';
import type { Copy, RowsIn } from '../db/driver/copy.ts';
import { RowEncoder } from '../db/driver/row-encoder.ts';
import { abandonIngest, deleteIngest } from '../db/ingests.ts';
import { takeIngestLease } from './ingest-lease.ts';
import type { RowSink } from './read/block-reader.ts';
import { UnreadableFile } from './read/unreadable.ts';
import { removeRows } from './rows-removal.ts';

/**
 * Others get their turn after this time: a socket with much to read would otherwise be read for 2
 * MB in one turn of the event loop.
 */
const turnMs = 3;

export interface RowBytes {
  db: Database;
  copy: Copy;
  /** When it throws, so does the ingest, and leaves nothing. */
  source: AsyncIterable<Uint8Array>;
}

/** A maker of rows from bytes. Both throw UnreadableFile. */
interface RowReader<Read> {
  /** Takes in the next bytes, of any number. */
  push(chunk: Buffer): Iterable<void>;
  /** The bytes have ended. */
  end(): Read;
}

/** Why rows are refused. GraphQL shows the code; HTTP makes its status of `kind`. */
export class UploadRefused extends AppError {
  override readonly name = 'UploadRefused';
  readonly kind: UnreadableFile['kind'];

  constructor(kind: UnreadableFile['kind'], message: string, options?: ErrorOptions) {
    super(kind === 'too_large' ? 'PAYLOAD_TOO_LARGE' : 'BAD_USER_INPUT', message, options);
    this.kind = kind;
  }
}

/** Rows that are in, of a file that is not yet: a statement that ends the ingest enters it. */
export interface IngestedRows<Read> {
  /** Key of the file to come. */
  fileKey: bigint;
  read: Read;
  /** Throws LeaseLost once others may remove the rows. */
  checkLease(): void;
  /** Stops renewing the lease. To be called once the file is entered. */
  release(): void;
  /** Removes the rows, unless their file was entered. */
  discard(): Promise<void>;
}

/**
 * Reads rows and stores them. `judge` sees them in the database, and says what was read. Throws
 * UploadRefused, and what the source throws.
 */
export async function ingestRows<Read>(
  { db, copy, source }: RowBytes,
  {
    createReader,
    judge = async (_fileKey, read) => read,
  }: {
    createReader: (sink: RowSink) => RowReader<Read>;
    judge?: (fileKey: bigint, read: Read) => Promise<Read>;
  },
): Promise<IngestedRows<Read>> {
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
    if (mayBeStored) {
      // From here on the janitor does the same, should this process die. Without an ingest the file
      // was entered, whatever was answered to that, or the janitor is at it.
      if (!(await abandonIngest(db, fileKey))) return;
      await removeRows(db, fileKey);
    }
    await deleteIngest(db, fileKey);
  }

  try {
    const reader = createReader(encoder);
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
    const read = reader.end();
    await send(encoder.finish());
    lease.check();
    mayBeStored = true;
    await (rowsIn as RowsIn | null)?.finish();
    return {
      fileKey,
      read: await judge(fileKey, read),
      checkLease: () => lease.check(),
      release: () => lease.stop(),
      discard,
    };
  } catch (error) {
    // What cannot be removed now, the janitor removes once the lease has run out.
    await discard().catch(() => undefined);
    throw error instanceof UnreadableFile
      ? new UploadRefused(error.kind, error.message, { cause: error })
      : error;
  }
}
