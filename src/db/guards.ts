/** Conditions that statements share which may touch some batches alone. */
import { and, eq, inArray, isNull } from 'drizzle-orm';
import type { Sql } from './driver/client.ts';
import { batches } from './tables.ts';

/** The batch of an owner, for Drizzle's builder. */
export function batchOf(owner: string, id: string) {
  return and(eq(batches.id, id), eq(batches.owner, owner));
}

/** Workers and provider jobs may answer the items of the batch, a row `b` of `batches`. */
export function isRunning(sql: Sql) {
  return sql`(b.status in ('QUEUED', 'PROCESSING') and b.ending is null and b.deleted_at is null)`;
}

/** The same for Drizzle's builder. */
export const running = and(
  inArray(batches.status, ['QUEUED', 'PROCESSING']),
  isNull(batches.ending),
  isNull(batches.deletedAt),
);

/** The batch, a row `b` of `batches`, has neither ended nor is being ended; a DRAFT counts too. */
export function isUnended(sql: Sql) {
  return sql`(b.status in ('DRAFT', 'QUEUED', 'PROCESSING') and b.ending is null and b.deleted_at is null)`;
}

/** The same for Drizzle's builder. */
export const unended = and(
  inArray(batches.status, ['DRAFT', 'QUEUED', 'PROCESSING']),
  isNull(batches.ending),
  isNull(batches.deletedAt),
);

/** The batch, a row `b` of `batches`, has not ended; it may be about to. */
export function isNotFinal(sql: Sql) {
  return sql`b.status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING')`;
}

/** The same for Drizzle's builder. */
export const notFinal = inArray(batches.status, ['DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING']);

/** The items behind the preview of the batch, a row `b` of `batches`, wait for `resumeBatch`. */
export function isInPreview(sql: Sql) {
  return sql`(b.preview_items is not null and b.preview_resumed_at is null)`;
}

/**
 * An item is asked, and takes no other's answer. `chunk` names rows with batch_key and twins, of
 * the chunk that the item is in.
 */
export function isAsked(sql: Sql, chunk: ReturnType<Sql>, index: ReturnType<Sql>) {
  return sql`(${chunk}.twins = 0 or not exists (
    select from twins t where t.batch_key = ${chunk}.batch_key and t.index = ${index}))`;
}

/** Number of items of a chunk that have a result, twins left out: its right `done`. */
export function countDone(sql: Sql, chunk: ReturnType<Sql>) {
  return sql`(
    select count(*)::int from results r
    where r.batch_key = ${chunk}.batch_key and r.index between ${chunk}.first and ${chunk}.last
      and ${isAsked(sql, chunk, sql`r.index`)})`;
}

/** Number of twins of a piece of a chunk: `piece` has the `twins` of the whole. */
export function twinsOfPiece(sql: Sql, piece: ReturnType<Sql>) {
  return sql`case when ${piece}.twins = 0 then 0 else (
    select count(*)::int from twins t
    where t.batch_key = ${piece}.batch_key and t.index between ${piece}.first and ${piece}.last) end`;
}
