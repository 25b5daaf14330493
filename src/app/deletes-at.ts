/** When batches and files go by themselves. */
import type { BatchRecord } from '../db/batches.ts';
import type { FileRecord } from '../db/files.ts';
import { leftSeconds, type Retention } from '../db/retention.ts';

/** When a batch goes by itself; null before its end, and for one that stays. */
export function batchDeletesAt(
  { completedAt, retainSeconds }: Pick<BatchRecord, 'completedAt' | 'retainSeconds'>,
  { batchSeconds }: Pick<Retention, 'batchSeconds'>,
): Date | null {
  const seconds = soonest([retainSeconds, batchSeconds]);
  return completedAt === null || seconds === null ? null : later(completedAt, seconds);
}

/** Whether it depends on the batches over a file when that goes. */
export function dependsOnUse(
  { leftAt }: FileRecord,
  { fileSeconds }: Pick<Retention, 'fileSeconds'>,
): boolean {
  return leftAt !== null || fileSeconds !== null;
}

/**
 * When a file goes by itself; null for one that stays. `freeAt` is when the last batch over it has
 * gone: null where one stays, undefined where no batch is over it.
 */
export function fileDeletesAt(
  { createdAt, expiresAt, leftAt }: FileRecord,
  freeAt: Date | null | undefined,
  { fileSeconds }: Pick<Retention, 'fileSeconds'>,
): Date | null {
  const kept = [
    leftAt && later(leftAt, leftSeconds),
    fileSeconds === null ? null : later(createdAt, fileSeconds),
  ].map((date) => date?.getTime() ?? null);
  const unused = freeAt === null ? null : soonest(kept);
  const free = unused === null ? null : Math.max(unused, freeAt?.getTime() ?? unused);
  const at = soonest([free, expiresAt?.getTime() ?? null]);
  return at === null ? null : new Date(at);
}

function soonest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1_000);
}
