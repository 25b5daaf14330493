import { describe, expect, it } from 'vitest';
import { deleteWorker } from '../../../src/db/workers.ts';
import { createRemovalShare } from '../../../src/engine/upkeep/removal-share.ts';
import { claimOf, enterWorker, insertBatch } from '../../db/queue.ts';
import { openTestDatabase } from '../../support/database.ts';

const { db } = await openTestDatabase();

describe('the share of the time in which rows are removed', () => {
  it('is a tenth, and less as long as a worker that lives holds items', async () => {
    let now = 0;
    const share = createRemovalShare(db, () => now);
    const pauseAfter = async (ms: number) => {
      await share.hasTime();
      await share.spend(async () => {
        now += ms;
      });
      const waitMs = share.waitMs();
      now += waitMs;
      return Math.round(waitMs);
    };
    const worker = await enterWorker(db);
    const dead = await enterWorker(db, -1_000);
    const batch = await insertBatch(db.sql, { items: 20 });

    await claimOf(db.sql, batch, dead);
    await pauseAfter(1_000);
    const idle = await pauseAfter(1_000);
    await claimOf(db.sql, batch, worker);
    now += 1_000;
    await pauseAfter(1_000);
    const beside = await pauseAfter(1_000);
    await deleteWorker(db, worker);
    now += 1_000;
    await pauseAfter(1_000);
    const afterwards = await pauseAfter(1_000);

    expect({ idle, beside, afterwards }).toEqual({
      idle: 9_000,
      beside: 32_333,
      afterwards: 9_000,
    });
  });
});
