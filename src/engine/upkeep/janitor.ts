/**
 * Removes what nobody will ask for again: rows of uploads that died, and files that were deleted or
 * have expired, once no batch uses them. Runs in every process, whatever its role; each step is one
 * statement and safe beside itself.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../core/log.ts';
import { createLooper } from '../../core/looper.ts';
import type { Database } from '../../db/driver/client.ts';
import { deleteUnusedFiles, listDeletedFiles, removeFile } from '../../db/files.ts';
import { deleteDeadIngests, listDeadIngests } from '../../db/ingests.ts';
import { removeRows } from '../../files/rows-removal.ts';
import { createRemovalShare } from './removal-share.ts';

const intervalMs = 10_000;

export interface FileJanitor {
  start(): void;
  /** Cleans up now, or once more after the sweep under way. Resolves when that is over. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

export function createFileJanitor({ db, log }: { db: Database; log: Log }): FileJanitor {
  const share = createRemovalShare(db);
  const ending = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let stopping = false;

  /** Does a step once there is time for it; at the end of the process the rest is left. */
  async function take(step: () => Promise<void>): Promise<void> {
    const { signal } = ending;
    if (!(await share.hasTime()))
      await delay(share.waitMs(), null, { signal }).catch(() => undefined);
    if (!stopping) await share.spend(step);
  }

  async function clean(): Promise<void> {
    for (const fileKey of await listDeadIngests(db)) {
      if (stopping) return;
      await removeRows(db, fileKey, take);
    }
    await deleteDeadIngests(db.sql);
    await deleteUnusedFiles(db.sql);
    for (const fileKey of await listDeletedFiles(db.sql)) {
      if (stopping) return;
      await removeRows(db, fileKey, take);
      await removeFile(db.sql, fileKey);
    }
  }

  const sweeps = createLooper(clean, (error) =>
    log.warn({ err: error }, 'could not clean up files; trying again'),
  );

  return {
    start() {
      void sweeps.run();
      timer = setInterval(sweeps.run, intervalMs);
      timer.unref();
    },
    sweep: sweeps.run,
    async stop() {
      stopping = true;
      ending.abort();
      if (timer) clearInterval(timer);
      await sweeps.stop();
    },
  };
}
