import pino from 'pino';
import { readConfig } from '../../../src/config.ts';
import type { Database } from '../../../src/db/driver/client.ts';
import { createSummaries } from '../../../src/engine/summaries/summaries.ts';
import { createRetention } from '../../../src/engine/upkeep/retention.ts';
import { createEvents } from '../../../src/telemetry/events.ts';

const log = pino({ level: 'silent' });

/** Looks once for what is kept long enough, under these variables. Returns what was told. */
export async function lookOnce(db: Database, env: Record<string, string>, hour = 12) {
  const events = createEvents(log);
  const told: unknown[] = [];
  events.on('retention.deleted', (fact) => told.push(fact));
  await createRetention({
    db,
    rules: readConfig(env).retention,
    summaries: createSummaries({ db, log }),
    nudges: { send: async () => undefined, sendDeleted: async () => undefined },
    log,
    events,
    now: () => new Date(2026, 10, 30, hour),
  }).look();
  return told;
}
