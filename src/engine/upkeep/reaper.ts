/**
 * Upkeep of batches whether or not anybody works on them: leases of the dead are taken back,
 * batches whose time is over are ended. Runs in every process, whatever its role; each step is one
 * statement and safe beside itself.
 */

import type { Log } from '../../core/log.ts';
import { createLooper } from '../../core/looper.ts';
import { beginExpiry, type Ending, endFailure, listEnding } from '../../db/batch-life.ts';
import { listPurgeable, purgeBatchStep } from '../../db/deletions.ts';
import type { Database } from '../../db/driver/client.ts';
import { finishChunks } from '../../db/finish-chunks.ts';
import { endOwnerPauses, type OwnerLimits } from '../../db/owner-limits.ts';
import { pausePreviews } from '../../db/previews.ts';
import { fatalCrashes, listFatal, reclaimChunks } from '../../db/reclaims.ts';
import { deleteDeadReservations } from '../../db/reservations.ts';
import { listTwinsLeft } from '../../db/twins.ts';
import { deleteDeadWorkers } from '../../db/workers.ts';
import type { Telling } from '../../telemetry/events.ts';
import { copyTwins } from '../process/copy-twins.ts';
import type { Nudges } from '../process/nudges.ts';
import { tellEnded, tellRecorded } from '../process/tell-recorded.ts';
import { createRemovalShare } from './removal-share.ts';

const intervalMs = 1_000;

export interface Reaper {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createReaper({
  db,
  limits,
  nudges,
  log,
  events,
}: {
  db: Database;
  /** Owners' limits of spending in a month. */
  limits: OwnerLimits;
  nudges: Nudges;
  log: Log;
  events: Telling;
}): Reaper {
  const share = createRemovalShare(db);
  let timer: NodeJS.Timeout | null = null;
  let unsubscribe = () => undefined as unknown;

  async function sweep(): Promise<void> {
    const reclaimed = await reclaimChunks(db.sql);
    // Looked for, not told by the reclaim: the process that reclaimed them may have died since.
    for (const key of await listFatal(db.sql)) {
      const written = await finishChunks(db.sql, {
        batchKey: key,
        status: 'FAILED',
        error: {
          code: 'WORKER_CRASHED',
          message: `The worker died each of the ${fatalCrashes} times it ran this item`,
        },
        crashes: fatalCrashes,
      });
      tellRecorded(events, key, written);
      await nudges.send(key, 'progress');
    }
    const previewed = await pausePreviews(db.sql);
    for (const key of previewed) {
      events.emit('batch.paused', { batchKey: key, reason: 'PREVIEW' });
      await nudges.send(key, 'progress');
    }
    const reclaimedKeys = reclaimed.map(({ key }) => key);
    for (const key of [...reclaimedKeys, ...previewed, ...(await listTwinsLeft(db.sql))]) {
      const copied = await copyTwins(db.sql, { batchKey: key, leaders: null }, () => undefined);
      tellRecorded(events, key, copied);
      if (copied && copied.recorded > 0) await nudges.send(key, 'progress');
    }
    for (const { key, chunks, resent } of reclaimed) {
      events.emit('chunk.reclaimed', { batchKey: key, chunks, resent });
      await nudges.send(key, 'work');
    }
    for (const key of await endOwnerPauses(db.sql, limits)) {
      events.emit('batch.goes_on', { batchKey: key });
      await nudges.send(key, 'work');
    }
    for (const key of await beginExpiry(db)) await nudges.send(key, 'stop');
    for (const { key, ending } of await listEnding(db))
      await finishEnding({ db, nudges, events }, key, ending);
    await purge();
    await deleteDeadWorkers(db);
    await deleteDeadReservations(db.sql);
  }

  /** Removes deleted batches in steps, as far as there is time. */
  async function purge(): Promise<void> {
    for (const key of await listPurgeable(db.sql)) {
      for (let hasMore = true; hasMore; ) {
        if (!(await share.hasTime())) return;
        hasMore = await share.spend(() => purgeBatchStep(db.sql, key));
      }
    }
  }

  const sweeps = createLooper(sweep, (error) =>
    log.warn({ err: error }, 'could not sweep; trying again'),
  );

  return {
    async start() {
      // What a killed process left behind is taken back before anything else.
      await sweeps.run();
      timer = setInterval(sweeps.run, intervalMs);
      timer.unref();
      unsubscribe = nudges.subscribe((hint) => {
        if (hint === null || hint.nudge === 'stop') void sweeps.run();
      });
    },
    async stop() {
      unsubscribe();
      if (timer) clearInterval(timer);
      await sweeps.stop();
    },
  };
}

/**
 * Ends a batch that is being ended, as far as no worker holds items of it. Of a cancelled or
 * expired one the open items get their final rows, the last of which ends it; of a failing one they
 * stay as they are.
 */
export async function finishEnding(
  { db, nudges, events }: { db: Database; nudges: Nudges; events: Telling },
  batchKey: bigint,
  ending: Ending,
): Promise<void> {
  if (ending === 'FAILED') {
    const ended = await endFailure(db.sql, batchKey);
    if (!ended) return;
    await nudges.send(batchKey, 'progress');
    tellEnded(events, batchKey, ended);
    return;
  }
  for (;;) {
    const written = await finishChunks(db.sql, { batchKey, status: ending });
    if (!written) return;
    if (written.recorded === 0) break;
    await nudges.send(batchKey, 'progress');
    tellRecorded(events, batchKey, written);
    if (written.status === ending) return;
  }
  // Twins share what their leaders have, also where these were not reached.
  const copied = await copyTwins(db.sql, { batchKey, leaders: null }, () => undefined);
  if (!copied || copied.recorded === 0) return;
  await nudges.send(batchKey, 'progress');
  tellRecorded(events, batchKey, copied);
}
