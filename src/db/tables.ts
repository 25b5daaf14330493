/**
 * Every table, and the one rule that they follow: what is large is append-only. `rows` and
 * `results` are written once. Workers update rows of `chunks` alone, one per hundred items. So an
 * old snapshot (an export, a backup, a forgotten session) does not slow the queue down.
 *
 * Keys are numbers inside and prefixed random ids outside: a number costs eight bytes in each of a
 * million rows. Everything is keyed by file or batch first, so that the large tables partition or
 * distribute by that key. `rows`, `chunks` and `results` carry no foreign keys: a check per row
 * would cost more than the row; the deletion of a batch or a file deletes them.
 */
export * from './tables/api-keys.ts';
export * from './tables/batches.ts';
export * from './tables/chunks.ts';
export * from './tables/erasures.ts';
export * from './tables/files.ts';
export * from './tables/processes.ts';
export * from './tables/provider-batches.ts';
export * from './tables/results.ts';
export * from './tables/spending.ts';
export * from './tables/takings.ts';
export * from './tables/webhooks.ts';
