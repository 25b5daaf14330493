/** When batches and files go by themselves. */
import type { BatchRecord } from '../db/batches.ts';
import type { FileRecord } from '../db/files.ts';
import { type FileUse, leftSeconds, type Retention } from '../db/retention.ts';

/** When a batch goes by itself; null before its end, and for one that stays. */
export function batchDeletesAt(
  { completedAt, retainSeconds }: Pick<BatchRecord, 'completedAt' | 'retainSeconds'>,
  { batchSeconds }: Pick<Retention, 'batchSeconds'>,
): Date | null {
  const seconds = soonest([retainSeconds, batchSeconds]);
  return completedAt === null || seconds === null ? null : later(completedAt, seconds);
}

/**
 * When the rows, answers and messages of a batch go by themselves; null before its end, for one
 * that keeps them, and where all of it goes before or they have gone.
 */
export function contentDeletesAt(
  batch: Pick<BatchRecord, 'completedAt' | 'retainSeconds' | 'contentDeletedAt'>,
  { batchSeconds, contentSeconds }: Pick<Retention, 'batchSeconds' | 'contentSeconds'>,
): Date | null {
  const { completedAt, contentDeletedAt } = batch;
  if (completedAt === null || contentDeletedAt !== null || contentSeconds === null) return null;
  const at = later(completedAt, contentSeconds);
  const all = batchDeletesAt(batch, { batchSeconds });
  return all === null || at < all ? at : null;
}

/** True where it depends on the batches over a file when that goes. */
export function dependsOnUse(
  { leftAt }: FileRecord,
  { fileSeconds, contentSeconds }: Pick<Retention, 'fileSeconds' | 'contentSeconds'>,
): boolean {
  return leftAt !== null || fileSeconds !== null || contentSeconds !== null;
}

/**
 * When a file goes by itself; null for one that stays. `use`: by the batches over it, undefined
 * where there are none.
 */
export function fileDeletesAt(
  { createdAt, expiresAt, leftAt }: FileRecord,
  use: Pick<FileUse, 'freeAt' | 'contentGoesAt'> | undefined,
  { fileSeconds }: Pick<Retention, 'fileSeconds'>,
): Date | null {
  const kept = [
    leftAt && later(leftAt, leftSeconds),
    fileSeconds === null ? null : later(createdAt, fileSeconds),
  ].map((date) => date?.getTime() ?? null);
  const freeAt = use?.freeAt;
  const unused = freeAt === null ? null : soonest(kept);
  const free = unused === null ? null : Math.max(unused, freeAt?.getTime() ?? unused);
  const at = soonest([free, expiresAt?.getTime() ?? null, use?.contentGoesAt?.getTime() ?? null]);
  return at === null ? null : new Date(at);
}

function soonest(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function later(date: Date, seconds: number): Date {
  return new Date(date.getTime() + seconds * 1_000);
}
