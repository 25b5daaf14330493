/** The cost of items that were sent, and that nobody waits for any more without an answer. */
import type postgres from 'postgres';
import type { Usage } from '../core/usage.ts';
import type { Sql } from './driver/client.ts';
import { isRunning } from './guards.ts';
import { addSpending } from './spending.ts';
import type { Execution } from './tables.ts';
import { toArray, writtenUsage } from './usage.ts';

/** An item that was sent, and has no answer. */
export interface Unanswered {
  index: number;
  /** Where the chunk begins that it is held in. */
  first: number;
  /** Requests whose answer counted against it. */
  attempts: number;
  usage: Usage;
  /** Requests that were aborted; they are among the unmetered ones of `usage`. */
  cutOff: number;
  /** The model that was asked, as provider/name; that of the batch when absent. */
  model?: string;
}

/**
 * Keeps what items have cost that a provider job leaves unanswered. They stay in its chunks. An
 * answer that is read again from the same job is not counted again: `readUnansweredAt` tells.
 */
export async function recordUnanswered(
  sql: Sql,
  { batchKey, worker, items }: { batchKey: bigint; worker: string; items: readonly Unanswered[] },
): Promise<void> {
  await sql`
    with ${lockedBatch(sql, batchKey)},
    held_chunks as materialized (
      select first, last from chunks
      where batch_key = ${batchKey} and exists (select from batch) and owner = ${worker} and state = 'leased'
        and first = any(${toArray([...new Set(items.map(({ first }) => first))])}::int[])
      order by first
      for update
    ),
    ${keptUsage(sql, { items, execution: 'PROVIDER_BATCH', chunks: sql`held_chunks` })}
    select from counted`;
}

/** The row `batch` that `keptUsage` takes. */
export function lockedBatch(sql: Sql, batchKey: bigint): postgres.PendingQuery<object[]> {
  return sql`batch as materialized (
    select key, seq, owner, model, ${isRunning(sql)} as goes_on from batches b where key = ${batchKey} for update
  )`;
}

/**
 * Parts of a statement with `lockedBatch`: a row of `superseded_results` for each of these items
 * that lies in `chunks`, rows of `first` and `last`; the batch's counters; the ledger. Where the
 * batch goes on, what was aborted is sent again, and is counted as that: not as an unmetered
 * request of the item, or it would be counted twice.
 */
export function keptUsage(
  sql: Sql,
  {
    items,
    execution,
    chunks,
  }: { items: readonly Unanswered[]; execution: Execution; chunks: ReturnType<Sql> },
): postgres.PendingQuery<object[]> {
  const rows = items.flatMap(rowsOf);
  const usage = writtenUsage(
    sql,
    rows.map((row) => row.usage),
  );
  const { columns, arrays, sums, added } = usage;
  const numbers = (of: (row: Row) => number) => sql`${toArray(rows.map(of))}::int[]`;
  const models = rows.map(({ model }) => model ?? null);
  const spent: ReturnType<Sql> = sql`
    select batch.key as batch_key, batch.owner, used.model, ${columns}
    from batch cross join (
      select coalesce(g.model, batch.model) as model, ${sums}
      from lying g cross join batch
      where g.ledger and g.goes_on = batch.goes_on
      group by 1
    ) used`;
  return sql`
    told as (
      select * from unnest(
        ${numbers(({ index }) => index)}, ${numbers(({ first }) => first)},
        ${numbers(({ attempts }) => attempts)}, ${numbers(({ resent }) => resent)},
        ${rows.map(({ goesOn }) => String(goesOn))}::text[]::boolean[],
        ${rows.map(({ isForLedger }) => String(isForLedger))}::text[]::boolean[], ${models}::text[], ${arrays}
      ) as g(index, first, attempts, resent, goes_on, ledger, model, ${columns})
    ),
    lying as materialized (
      select g.* from told g join ${chunks} h on g.first = h.first and g.index between h.first and h.last
    ),
    unanswered as materialized (
      select g.* from lying g join batch on g.goes_on = batch.goes_on where not g.ledger
    ),
    kept as (
      insert into superseded_results (batch_key, seq, completed_at, index, status, attempts, ${columns})
      select batch.key, batch.seq + 1, now(), index, 'CANCELLED', attempts, ${columns}
      from unanswered cross join batch
      where requests > 0
    ),
    total as (select coalesce(sum(resent), 0) as resent, ${sums} from unanswered),
    counted as (
      update batches b
      set seq = b.seq + 1, resent_requests = b.resent_requests + t.resent, ${added}
      from total t, batch
      where b.key = batch.key and exists (select from unanswered)
      returning b.key
    ),
    spent as (${addSpending(sql, { spent, usage, execution })})`;
}

interface Row extends Unanswered {
  goesOn: boolean;
  resent: number;
  isForLedger: boolean;
}

/**
 * That the batch goes on is known under its lock alone: an item is given for both cases. The
 * ledger counts what is sent again as unmetered.
 */
function rowsOf(item: Unanswered): Row[] {
  const { usage, cutOff } = item;
  const finished = usage.requests - cutOff;
  const unmetered = usage.unmeteredRequests - cutOff;
  const ended = { ...item, goesOn: false, resent: 0 };
  const again = { ...item, goesOn: true, resent: cutOff };
  return [
    { ...ended, isForLedger: false },
    { ...ended, isForLedger: true },
    {
      ...again,
      isForLedger: false,
      usage: { ...usage, requests: finished, unmeteredRequests: unmetered },
    },
    { ...again, isForLedger: true, usage: { ...usage, requests: finished } },
  ];
}
