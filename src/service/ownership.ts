/**
 * The right of this process to work: a database that was copied while its batches ran would have
 * them asked, and paid, twice.
 */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import type { Database } from '../db/driver/client.ts';
import { adoptDatabase, isOwnDatabase } from '../db/identity.ts';
import type { ReadinessChecks } from '../faces/operator/readiness.ts';
import type { Ending } from './ending.ts';

/** Time between looks for an adoption by the command. */
const lookEveryMs = 1_000;

export interface Ownership {
  isOwn(): boolean;
  /** Calls `begin` at once, or when a copy has been adopted. */
  whenOwn(begin: () => Promise<void>): Promise<void>;
}

/** Warns once of a copy, which is then looked at until it is adopted. */
export async function watchOwnership(
  {
    config,
    db,
    readiness,
    log,
  }: { config: Pick<Config, 'databaseAdopt'>; db: Database; readiness: ReadinessChecks; log: Log },
  ending: Ending,
): Promise<Ownership> {
  if (config.databaseAdopt && (await adoptDatabase(db))) log.info(adopted);
  let isOwn = await isOwnDatabase(db);
  readiness.add('adopt', () => isOwn);
  const waiting: (() => Promise<void>)[] = [];
  if (!isOwn) {
    log.warn(
      'this database is a copy of another one, so that none of its work is done: stop the original and call "winnow database adopt", or "winnow database forget-work", which cancels what is unfinished',
    );
    const timer = setInterval(() => {
      look().catch((error: unknown) => log.warn({ err: error }, 'could not look for an adoption'));
    }, lookEveryMs);
    timer.unref();
    ending.add(async () => clearInterval(timer));

    let isLooking = false;
    async function look(): Promise<void> {
      if (isLooking) return;
      isLooking = true;
      try {
        if (!isOwn) {
          if (!(await isOwnDatabase(db))) return;
          isOwn = true;
          log.info(adopted);
        }
        // What could not begin is tried again by the next look.
        for (let begin = waiting[0]; begin; begin = waiting[0]) {
          await begin();
          waiting.shift();
        }
        clearInterval(timer);
      } finally {
        isLooking = false;
      }
    }
  }
  return {
    isOwn: () => isOwn,
    async whenOwn(begin) {
      if (isOwn) await begin();
      else waiting.push(begin);
    },
  };
}

const adopted = 'this database was adopted: its work is done from now on';
