/**
 * A process's knowledge of its database without asking: whether statements are answered. Tells when
 * the database goes, what failed while it is away, and when it is back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Telling } from '../../telemetry/events.ts';
import type { Database } from './client.ts';
import { absenceCode, ConnectionLost, databaseAway } from './failure.ts';

/** A single connection that breaks is replaced within this, and is not worth a line. */
const patienceMs = 500;
const tellEveryMs = 60_000;
const askMs = 2_000;
/** Lines about requests that failed, in each minute that the database is away. */
const linesPerMinute = 10;

export interface Presence {
  /** False from the first sign that something is wrong until a statement is answered. */
  isSure(): boolean;
  /** It was told that the database is away. */
  isAway(): boolean;
  /** A statement failed, or a line of the log tells that one did. */
  failed(error: unknown): void;
  /** A connection ended. */
  doubt(): void;
  /** A statement was answered. */
  answered(): void;
  /** True where one more line may tell of a request that failed. */
  mayTell(): boolean;
  stop(): void;
}

interface Absence {
  reason: string;
  since: number;
  failed: number;
  /** Since the last line. */
  failedLately: number;
  lines: number;
  isTold: boolean;
  timer: NodeJS.Timeout;
}

export function createPresence(events: Telling): Presence {
  let isSure = true;
  let absence: Absence | null = null;

  function begin(reason: string): Absence {
    const began: Absence = {
      reason,
      since: performance.now(),
      failed: 0,
      failedLately: 0,
      lines: 0,
      isTold: false,
      timer: setTimeout(() => tell(began), patienceMs).unref(),
    };
    return began;
  }

  function tell(absent: Absence): void {
    const { reason, isTold, failedLately } = absent;
    if (isTold) events.emit('database.stays_away', { reason, failed: failedLately });
    else events.emit('database.away', { reason });
    absent.isTold = true;
    absent.failedLately = 0;
    absent.lines = 0;
    absent.timer = setTimeout(() => tell(absent), tellEveryMs).unref();
  }

  return {
    isSure: () => isSure,
    isAway: () => absence?.isTold ?? false,
    failed(error) {
      const reason = absenceCode(error);
      if (reason === null) return;
      isSure = false;
      absence ??= begin(reason);
      absence.reason = reason;
      absence.failed += 1;
      absence.failedLately += 1;
    },
    doubt() {
      isSure = false;
    },
    answered() {
      if (isSure) return;
      isSure = true;
      if (absence === null) return;
      const { isTold, failed, since, timer } = absence;
      clearTimeout(timer);
      absence = null;
      if (isTold) events.emit('database.back', { failed, afterMs: performance.now() - since });
    },
    mayTell() {
      if (absence === null) return true;
      absence.lines += 1;
      return absence.lines <= linesPerMinute;
    },
    stop() {
      if (absence) clearTimeout(absence.timer);
    },
  };
}

/** Throws DATABASE_UNAVAILABLE where the database gives no answer within 2 s. */
export async function askDatabase({ sql }: Pick<Database, 'sql'>): Promise<void> {
  const late = new AbortController();
  const asked = sql`select 1`;
  try {
    await Promise.race([
      asked,
      delay(askMs, undefined, { signal: late.signal }).then((): never => {
        throw new ConnectionLost('the database does not answer');
      }),
    ]);
  } catch (error) {
    throw databaseAway(error);
  } finally {
    late.abort();
    asked.catch(() => undefined); // where it was given up
  }
}
