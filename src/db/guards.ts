/** Conditions over a row `b` of `batches`, for statements that may touch some batches alone. */
import type { Sql } from './driver/client.ts';

/** Workers and provider jobs may answer its items. */
export function isRunning(sql: Sql) {
  return sql`(b.status in ('QUEUED', 'PROCESSING') and b.ending is null and b.deleted_at is null)`;
}

/** Neither ended nor being ended; a DRAFT counts too. */
export function isUnended(sql: Sql) {
  return sql`(b.status in ('DRAFT', 'QUEUED', 'PROCESSING') and b.ending is null and b.deleted_at is null)`;
}
