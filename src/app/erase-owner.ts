/** The end of an owner: all that it gave is deleted, and its name stands nowhere any more. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { isPurgeable, purgeBatchStep } from '../db/deletions.ts';
import type { Database } from '../db/driver/client.ts';
import { notifyBatch, notifyDeleted, notifyErased, notifyKey } from '../db/driver/notifications.ts';
import { noteErasure } from '../db/erasures.ts';
import { removeFile } from '../db/files.ts';
import {
  eraseBatches,
  erasedAtOnce,
  eraseFiles,
  eraseKeys,
  eraseSpending,
  listErased,
} from '../db/owners.ts';
import { removeRows } from '../files/rows-removal.ts';

/** Workers let go of a deleted batch as soon as they hear of it. */
const patienceMs = 10_000;
const pollMs = 100;
/**
 * Longer than a statement takes that was under way and saw no erasure yet: what it writes stands
 * under the name, and is found by a second look.
 */
const settledMs = 2_000;

/** Counts of the rows that went, and the name of those that stay. */
export interface ErasedOwner {
  owner: string;
  /** Keys that were good until now. */
  keys: number;
  /** Batches and files that were there for the owner. */
  batches: number;
  files: number;
  /** Spending stays under a name that says nothing. */
  spending: { sums: number; owner: string };
  /** Deleted batches that a worker or a provider still has. Their rows go once it lets go. */
  waitingBatches: number;
}

/** Erases an owner. Safe to repeat; batches that run are cut off. */
export async function eraseOwner(db: Database, owner: string): Promise<ErasedOwner> {
  const names = { owner, erasedAs: `erased-${randomBytes(8).toString('hex')}` };
  const keys = await eraseKeys(db.sql, names);
  for (const id of keys) await notifyKey(db.sql, id);
  const batches = await hideBatches(db, names);
  const files = await eraseFiles(db, names);
  await noteErasure(db.sql, names);
  await notifyErased(db.sql, names);
  const settled = delay(settledMs);
  const sums = await eraseSpending(db, names);
  const waitingBatches = await purge(db, names.erasedAs);
  await settled;
  const laterSums = await eraseSpending(db, names);
  return {
    owner,
    keys: keys.length,
    batches,
    files,
    spending: { sums: sums + laterSums, owner: names.erasedAs },
    waitingBatches,
  };
}

async function hideBatches(
  db: Database,
  names: { owner: string; erasedAs: string },
): Promise<number> {
  for (let count = 0; ; ) {
    const { found, hidden } = await eraseBatches(db.sql, names);
    count += hidden.length;
    for (const batch of hidden) {
      await notifyBatch(db.sql, batch.key, 'stop');
      await notifyDeleted(db.sql, batch);
    }
    if (found < erasedAtOnce) return count;
  }
}

/** Removes what was hidden, as far as nobody holds it. Returns how many batches are left. */
async function purge(db: Database, erasedAs: string): Promise<number> {
  const until = performance.now() + patienceMs;
  for (;;) {
    for (const key of (await listErased(db.sql, erasedAs)).batches) {
      if (await isPurgeable(db.sql, key)) while (await purgeBatchStep(db.sql, key));
    }
    const { batches, files } = await listErased(db.sql, erasedAs);
    if (batches.length === 0 || performance.now() > until) {
      for (const key of files) {
        await removeRows(db, key);
        await removeFile(db.sql, key);
      }
      return batches.length;
    }
    await delay(pollMs);
  }
}
