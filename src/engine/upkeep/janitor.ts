/**
 * Removes what nobody will ask for again: rows of uploads that died, and files that were deleted, once no batch uses them. Runs in every process,
 * whatever its role; each step is one statement and safe beside itself.
 */

import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import { listDeletedFiles, removeFile } from '../../db/files.ts';
import { deleteDeadIngests, listDeadIngests } from '../../db/ingests.ts';
import { removeRows } from '../../files/rows-removal.ts';

const intervalMs = 10_000;

export interface FileJanitor {
  start(): void;
  /** Cleans up now, or once more behind what runs; resolves when it is done. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

export function createFileJanitor({ db, log }: { db: Database; log: Log }): FileJanitor {
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  let waiting = 0;
  let stopping = false;

  async function clean(): Promise<void> {
    for (const fileKey of await listDeadIngests(db.sql)) {
      if (stopping) return;
      await removeRows(db.sql, fileKey);
    }
    await deleteDeadIngests(db.sql);
    for (const fileKey of await listDeletedFiles(db.sql)) {
      if (stopping) return;
      await removeRows(db.sql, fileKey);
      await removeFile(db.sql, fileKey);
    }
  }

  function sweep(): Promise<void> {
    waiting += 1;
    running = running
      .then(clean)
      .catch((error: unknown) => {
        log.warn({ err: error }, 'could not clean up files; trying again');
      })
      .finally(() => {
        waiting -= 1;
      });
    return running;
  }

  return {
    start() {
      void sweep(); // logs its failures itself
      timer = setInterval(() => {
        if (waiting === 0) void sweep();
      }, intervalMs);
      timer.unref();
    },
    sweep,
    async stop() {
      stopping = true;
      if (timer) clearInterval(timer);
      timer = null;
      await running;
    },
  };
}
