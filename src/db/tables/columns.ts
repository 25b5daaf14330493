/** Kinds of columns that tables share. */
import { bigint, customType, timestamp } from 'drizzle-orm/pg-core';
import { toItemSet } from '../item-set.ts';

/** A number that names a row: in code a bigint. */
export const key = (name: string) => bigint(name, { mode: 'bigint' });
/** A time to the millisecond: in code a Date. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
/** Items by index: runs of neighbours cost as much as one of them. */
export const itemSet = customType<{ data: readonly number[]; driverData: string }>({
  dataType: () => 'int4multirange',
  toDriver: toItemSet,
});
/** A sum that outgrows 32 bits but not 2^53. */
export const sum = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
/** Raw bytes. */
export const bytes = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
