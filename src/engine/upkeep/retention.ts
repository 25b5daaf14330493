/**
 * Deletes what has been kept long enough: batches a while after their end, files that nobody uses,
 * keys that ended a month ago. Batches and files it hides; the purge that removes what people
 * delete removes their rows too. What batches were about may go before them. Runs in every process,
 * whatever its role; each step is one statement and safe beside itself.
 */
import type { Log } from '../../core/log.ts';
import { createLooper } from '../../core/looper.ts';
import { deleteEndedKeys } from '../../db/api-keys.ts';
import type { Database } from '../../db/driver/client.ts';
import {
  deleteLeftFiles,
  deleteOldFiles,
  hiddenAtOnce,
  hideEndedBatches,
  type Retention,
  readShortestRetain,
} from '../../db/retention.ts';
import type { Events } from '../../telemetry/events.ts';
import type { Nudges } from '../process/nudges.ts';
import type { Summaries } from '../summaries/summaries.ts';
import { createContentRemoval } from './content-removal.ts';

const usualMs = 60_000;
/** Where something is kept for less than an hour. */
const hurriedMs = 1_000;
const hourSeconds = 3_600;

export interface Retaining {
  start(): void;
  /** Looks now, or once more after the look under way. Resolves when that is over. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

export function createRetention({
  db,
  rules,
  summaries,
  nudges,
  log,
  events,
  now = () => new Date(),
}: {
  db: Database;
  rules: Retention;
  summaries: Summaries;
  nudges: Pick<Nudges, 'send' | 'sendDeleted'>;
  log: Pick<Log, 'info' | 'warn'>;
  events: Pick<Events, 'emit' | 'on'>;
  now?: () => Date;
}): Retaining {
  let timer: NodeJS.Timeout | null = null;
  let unsubscribe = () => {};
  /** Something is known to be kept for less than an hour. */
  let isSoon = false;
  let stopping = false;
  const mayGoOn = () => !stopping && isWithin(rules.hours, now().getHours());
  const { contentSeconds } = rules;
  const content = createContentRemoval({ db, contentSeconds, summaries, nudges, mayGoOn });

  async function removeDue(): Promise<void> {
    if (!mayGoOn()) return;
    const batches = await hideDue();
    const left = await deleteLeftFiles(db.sql);
    const old = rules.fileSeconds === null ? 0 : await deleteOldFiles(db.sql, rules.fileSeconds);
    const { batches: contents, files: forgotten } = await content.remove();
    const files = left + old + forgotten;
    if (contents > 0) events.emit('retention.deleted', { kind: 'content', count: contents });
    if (batches > 0) events.emit('retention.deleted', { kind: 'batch', count: batches });
    if (files > 0) events.emit('retention.deleted', { kind: 'file', count: files });
    const keys = await deleteEndedKeys(db);
    if (batches + files + contents + keys > 0) {
      log.info({ batches, files, contents, keys }, 'retention deleted what was due');
    }
  }

  async function hideDue(): Promise<number> {
    let count = 0;
    while (mayGoOn()) {
      const hidden = await hideEndedBatches(db.sql, rules.batchSeconds);
      for (const { id, owner } of hidden) await nudges.sendDeleted({ id, owner });
      count += hidden.length;
      if (hidden.length < hiddenAtOnce) break;
    }
    return count;
  }

  const looks = createLooper(removeDue, (error) =>
    log.warn({ err: error }, 'could not delete what was kept long enough; trying again'),
  );

  async function lookAndWait(): Promise<void> {
    timer = null;
    isSoon = false;
    await looks.run();
    isSoon ||= await isHurried();
    wait();
  }

  function wait(): void {
    if (stopping) return;
    timer = setTimeout(() => void lookAndWait(), isSoon ? hurriedMs : usualMs);
    timer.unref();
  }

  /** A batch was submitted here that goes soon after its end: the next look may be far away. */
  function hurry(): void {
    if (isSoon) return;
    isSoon = true;
    if (timer === null) return;
    clearTimeout(timer);
    wait();
  }

  async function isHurried(): Promise<boolean> {
    const all = [rules.batchSeconds, rules.fileSeconds, contentSeconds];
    const least = Math.min(...all.map((seconds) => seconds ?? hourSeconds));
    if (least < hourSeconds || content.hasMore()) return true;
    try {
      return ((await readShortestRetain(db.sql)) ?? hourSeconds) < hourSeconds;
    } catch {
      return false; // the look has told of it
    }
  }

  return {
    start() {
      unsubscribe = events.on('batch.submitted', ({ retainSeconds }) => {
        if ((retainSeconds ?? hourSeconds) < hourSeconds) hurry();
      });
      void lookAndWait();
    },
    look: looks.run,
    async stop() {
      stopping = true;
      unsubscribe();
      if (timer) clearTimeout(timer);
      await looks.stop();
    },
  };
}

/** True where an hour of the day is one of `hours`, which may go over midnight. */
function isWithin(hours: Retention['hours'], hour: number): boolean {
  if (hours === null) return true;
  const { from, to } = hours;
  return from < to ? from <= hour && hour < to : from <= hour || hour < to;
}
