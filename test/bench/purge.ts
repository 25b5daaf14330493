/**
 * What it costs a running batch that a million rows of another one are removed beside it, or are
 * blanked because their content was deleted. Each side has the other batch in its database, and the
 * parts of the process that remove; alone, nothing is to be removed.
 */
import pino from 'pino';
import type { Database } from '../../src/db/driver/client.ts';
import type { Nudges } from '../../src/engine/process/nudges.ts';
import { createSummaries } from '../../src/engine/summaries/summaries.ts';
import { createFileJanitor } from '../../src/engine/upkeep/janitor.ts';
import { createReaper } from '../../src/engine/upkeep/reaper.ts';
import { createRetention } from '../../src/engine/upkeep/retention.ts';
import { createEvents } from '../../src/telemetry/events.ts';
import { insertLabelled, type LabelledBatch } from '../support/labelled-batch.ts';
import { type BesideEngine, runEngine } from './engine.ts';
import { median, medianRatio, report, rounded } from './figures.ts';
import { openBenchPostgres } from './postgres.ts';

const rounds = 5;
/** The share of its speed that the batch keeps. */
const goal = 0.95;
const log = pino({ level: 'silent' });

const sides = ['alone', 'purge', 'blank'] as const;
type Side = (typeof sides)[number];

export async function benchPurge(items = 500_000, removed = 1_000_000): Promise<void> {
  const server = await openBenchPostgres();
  try {
    const speeds: Record<Side, number[]> = { alone: [], purge: [], blank: [] };
    const left: Record<Side, number[]> = { alone: [], purge: [], blank: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const side of sides) {
        const beside = (db: Database, nudges: Nudges) =>
          prepare({ db, nudges }, side, { items: removed, noteLeft: (n) => left[side].push(n) });
        const { itemsPerSecond } = await runEngine(server, { items, beside });
        speeds[side].push(itemsPerSecond);
      }
    }
    report(
      'purge',
      sides.map((side) => ({
        side,
        itemsPerSecond: rounded(median(speeds[side])),
        rowsLeftAtTheEnd: median(left[side]),
      })),
      (['purge', 'blank'] as const).map((side) => ({
        name: `speed beside ${side} of ${removed.toLocaleString('en')} rows, of that alone`,
        value: medianRatio(speeds[side], speeds.alone),
        bound: ['>=', goal],
      })),
    );
  } finally {
    await server.stop();
  }
}

/** `noteLeft` hears how many rows and answers are there after the run. */
async function prepare(
  { db, nudges }: { db: Database; nudges: Nudges },
  side: Side,
  { items, noteLeft }: { items: number; noteLeft: (rows: number) => void },
): Promise<BesideEngine> {
  const other = await insertLabelled(db.sql, items);
  await db.sql`
    insert into chunks (batch_key, first, last, done, sent_to, state)
    select ${other.batchKey}, n, n + 99, 100, n + 99, 'done'
    from generate_series(0, ${items - 1}::int, 100) as n`;
  await db.sql`vacuum analyze rows, results, chunks`;
  const events = createEvents(log);
  const limits = { owners: new Map<string, number>(), others: null };
  const reaper = createReaper({ db, limits, nudges, log, events });
  const janitor = createFileJanitor({ db, log });
  const retention = createRetention({
    db,
    rules: { batchSeconds: null, contentSeconds: 3_599, fileSeconds: null, hours: null },
    summaries: createSummaries({ db, log }),
    nudges,
    log,
    events,
  });
  return {
    async start() {
      await markFor(side, db, other);
      await reaper.start();
      janitor.start();
      retention.start();
    },
    async stop() {
      await retention.stop();
      await janitor.stop();
      await reaper.stop();
      noteLeft(await countLeft(db, other));
    },
  };
}

async function markFor(
  side: Side,
  { sql }: Database,
  { batchKey, fileKey }: LabelledBatch,
): Promise<void> {
  if (side === 'purge') {
    await sql`update batches set deleted_at = now() where key = ${batchKey}`;
    await sql`update files set deleted_at = now() where key = ${fileKey}`;
  } else if (side === 'blank') {
    const before = sql`now() - interval '1 minute'`;
    await sql`update batches set content_deleted_at = ${before} where key = ${batchKey}`;
    await sql`
      update files set content_deleted_at = ${before}, deleted_at = ${before} where key = ${fileKey}`;
  }
}

async function countLeft({ sql }: Database, { batchKey, fileKey }: LabelledBatch): Promise<number> {
  const [left] = await sql<{ count: number }[]>`
    select ((select count(*) from results where batch_key = ${batchKey} and output is not null)
            + (select count(*) from rows where file_key = ${fileKey} and fields is not null))::int as count`;
  return left?.count ?? 0;
}
