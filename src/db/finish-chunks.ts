/** Final rows for items that nobody will ask any more: cancelled, expired, or given up. */
import type { ItemError } from '../core/errors.ts';
import { announceEnd, closeWhenFull, toldOfBatch } from './closing.ts';
import type { Sql } from './driver/client.ts';
import { isInPreview, isNotFinal } from './guards.ts';
import type { Recorded } from './results.ts';

/** Whose rest `finishChunks` writes. Chunks that a worker holds are left to it. */
export type Unfinished =
  /** Open chunks, and those behind a preview, of a batch that is being ended. */
  | { status: 'CANCELLED' | 'EXPIRED' }
  /** Chunks of one item that killed so many workers, while the batch runs. */
  | { status: 'FAILED'; error: ItemError; crashes: number }
  /** Open chunks that so many provider batches have left unanswered, while the batch runs. */
  | { status: 'FAILED'; error: ItemError; rounds: number }
  /** The chunks of one provider batch. */
  | { status: 'EXPIRED'; providerBatch: string };

/** Chunks of a kind that are finished by one statement. */
const stepChunks = 200;

/**
 * Writes final rows for every item without one in up to 200 chunks of a batch, or 400 with those
 * behind a preview. Returns null when the batch is not in a state for it (any more).
 */
export async function finishChunks(
  sql: Sql,
  finish: { batchKey: bigint } & Unfinished,
): Promise<Recorded | null> {
  const { batchKey, status } = finish;
  const error = finish.status === 'FAILED' ? finish.error : null;
  const isEnding = finish.status !== 'FAILED' && !('providerBatch' in finish);
  const [written] = await sql<Omit<Recorded, 'items'>[]>`
    with batch as materialized (
      select key, seq, status, ${isInPreview(sql)} as in_preview from batches b
      where key = ${batchKey} and ${isNotFinal(sql)}
        and ending is not distinct from ${isEnding ? status : null}
      for update
    ),
    open as materialized (
      select first, last, twins from chunks
      where batch_key = ${batchKey} and exists (select from batch) and ${unfinished(sql, finish)}
      order by crashes, first
      limit ${stepChunks}
      for update skip locked
    ),
    -- Apart, because the index has open chunks alone.
    held as materialized (
      select first, last, twins from chunks
      where batch_key = ${batchKey} and exists (select from batch where in_preview) and state = 'held' and ${isEnding}
      order by first
      limit ${stepChunks}
      for update skip locked
    ),
    unfinished as (select * from open union all select * from held),
    inserted as (
      insert into results (batch_key, seq, index, status, error_code, error_message)
      select batch.key, batch.seq + 1, item, ${status}, ${error?.code ?? null}, ${error?.message ?? null}
      from batch, unfinished u cross join lateral generate_series(u.first, u.last) as item
      -- Twins share what becomes of their leader, which may have its answer.
      where u.twins = 0 or not exists (select from twins t where t.batch_key = batch.key and t.index = item)
      on conflict do nothing
      returning index
    ),
    closed as (
      update chunks c set state = 'done', done = c.last - c.first + 1 - c.twins, owner = null
      from unfinished u where c.batch_key = ${batchKey} and c.first = u.first
    ),
    errors as (
      insert into batch_errors (batch_key, code, count, message)
      select ${batchKey}, ${error?.code ?? null}, count(*), ${error?.message ?? null} from inserted
      where ${error !== null} having count(*) > 0
      on conflict (batch_key, code) do update set count = batch_errors.count + excluded.count
    ),
    total as (select count(*)::int as items from inserted),
    counted as (
      update batches b
      set seq = b.seq + (t.items > 0)::int,
          failed = b.failed + case when ${status} = 'FAILED' then t.items else 0 end,
          cancelled = b.cancelled + case when ${status} = 'CANCELLED' then t.items else 0 end,
          expired = b.expired + case when ${status} = 'EXPIRED' then t.items else 0 end,
          ${closeWhenFull(sql, sql`t.items`, status)}
      from total t, batch
      where b.key = batch.key
      returning b.*, t.items as recorded
    ),
    ${announceEnd(sql)}
    select ${toldOfBatch(sql)} from counted`;
  if (!written) return null;
  const { recorded } = written;
  const items = recorded > 0 ? [{ status, errorCode: error?.code ?? null, items: recorded }] : [];
  return { ...written, items };
}

function unfinished(sql: Sql, finish: Unfinished) {
  if ('providerBatch' in finish) return sql`state = 'leased' and owner = ${finish.providerBatch}`;
  if ('crashes' in finish)
    return sql`state = 'open' and first = last and crashes >= ${finish.crashes}`;
  if ('rounds' in finish) return sql`state = 'open' and rounds >= ${finish.rounds}`;
  return sql`state = 'open'`;
}
