/** For a copy that shall not go on with the original's work. */
import { createLog } from '../core/log.ts';
import { listEnding } from '../db/batch-life.ts';
import type { Database } from '../db/driver/client.ts';
import {
  beginCancelOfAll,
  forgetJobs,
  forgetWebhooks,
  forgetWorkers,
} from '../db/forgotten-work.ts';
import { reclaimChunks } from '../db/reclaims.ts';
import { createNudges } from '../engine/process/nudges.ts';
import { finishEnding } from '../engine/upkeep/reaper.ts';
import { createEvents } from '../telemetry/events.ts';

/** Counts of the work that was given up. */
export interface Forgotten {
  batches: number;
  providerBatches: number;
  webhooks: number;
}

/**
 * Cancels every unfinished batch, and gives up jobs at providers and webhooks, of which nothing is
 * sent. Safe to repeat. To be called while nothing works on the database.
 */
export async function forgetWork(db: Database): Promise<Forgotten> {
  const log = createLog('silent', { role: 'command' });
  const parts = { db, nudges: createNudges({ db, log }), events: createEvents(log) };
  const batches = await beginCancelOfAll(db);
  const providerBatches = await forgetJobs(db.sql);
  await forgetWorkers(db);
  while ((await reclaimChunks(db.sql)).length > 0);
  for (const { key, ending } of await listEnding(db)) await finishEnding(parts, key, ending);
  return { batches, providerBatches, webhooks: await forgetWebhooks(db) };
}
