import type { BatchRecord } from '../../db/batches.ts';
import type { Sql } from '../../db/driver/client.ts';
import type { Stretch } from '../../db/summaries.ts';

/** Facts on a batch whose answers are counted. */
export type CountedBatch = Pick<
  BatchRecord,
  'key' | 'seq' | 'succeeded' | 'failed' | 'cancelled' | 'expired'
> &
  Partial<Pick<BatchRecord, 'contentDeletedAt'>>;

/** One way in which the answers of a batch are counted. Counts are never changed in place. */
export interface Summary<Counts> {
  /** Names it among those of its batch. */
  readonly field: string;
  /** The counts of no answer. */
  readonly none: Counts;
  /** Adds the answers of a stretch, or takes them away with sign -1. */
  count(sql: Sql, counts: Counts, stretch: Stretch, sign: 1 | -1): Promise<Counts>;
  /** False where answers were counted that a retry has taken back since. */
  isWhole(counts: Counts, batch: CountedBatch): boolean;
  /** As JSON takes it. */
  toJson(counts: Counts): unknown;
  fromJson(json: unknown): Counts;
}
