/** Pages of an owner's rows by their keys: the newest first, or read from the far end. */
import { and, asc, desc, gt, lt, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';

export interface KeyPage {
  limit: number;
  /** Keys bound the page on both sides, themselves left out. */
  afterKey?: bigint | undefined;
  beforeKey?: bigint | undefined;
  /** True: the oldest first. */
  inverted: boolean;
  maxBytes: number;
}

export function orderOf(key: PgColumn, { inverted }: KeyPage): SQL {
  return inverted ? asc(key) : desc(key);
}

/** Undefined for a page without bounds. */
export function boundsOf(key: PgColumn, { afterKey, beforeKey }: KeyPage): SQL | undefined {
  return and(
    afterKey === undefined ? undefined : lt(key, afterKey),
    beforeKey === undefined ? undefined : gt(key, beforeKey),
  );
}
