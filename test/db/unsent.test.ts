/** What a worker gives back is its own, however long the statement waits. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { reclaimChunks } from '../../src/db/reclaims.ts';
import { releaseUnsent } from '../../src/db/unsent.ts';
import { deleteWorker } from '../../src/db/workers.ts';
import { openTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { claimOf, enterWorker, insertBatch } from './queue.ts';

const { db, url } = await openTestDatabase();
let other: Database;

beforeAll(async () => {
  other = openDatabase(url, { maxConnections: 1 });
});
afterAll(async () => {
  await other.close();
});

test.each([
  ['a chunk', -1],
  ['the rest of a chunk', 4],
])(
  'a give-back of %s that waited while its lease was lost leaves the next holder alone',
  async (_what, keptTo) => {
    const [dead, heir] = [await enterWorker(db), await enterWorker(db)];
    const batchKey = await insertBatch(db.sql, { items: 10 });
    await claimOf(db.sql, batchKey, dead);
    const { sql } = other;
    await sql`begin`;
    await sql`select from batches where key = ${batchKey} for update`;
    const givingBack = releaseUnsent(db.sql, {
      worker: dead,
      batchKey,
      parts: [{ first: 0, keptTo }],
      unanswered: [],
    });
    await until(
      async () => {
        const waiting = await db.sql`
        select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
        return waiting.count > 0;
      },
      { deadlineMs: 10_000, what: 'the give-back to wait' },
    );

    await deleteWorker(other, dead);
    await reclaimChunks(sql);
    const claimed = await claimOf(sql, batchKey, heir);
    await sql`commit`;
    await givingBack;

    expect(claimed).toHaveLength(1);
    const chunks = await db.sql`
    select first, last, state, owner from chunks where batch_key = ${batchKey} order by first`;
    expect([...chunks]).toEqual([{ first: 0, last: 9, state: 'leased', owner: heir }]);
  },
);
