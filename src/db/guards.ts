/** Conditions that statements share which may touch some batches alone. */
import { and, inArray, isNull } from 'drizzle-orm';
import type { Sql } from './driver/client.ts';
import { batches } from './tables.ts';

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
