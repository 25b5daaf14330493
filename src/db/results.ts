/** Writing and reading the one final answer of each item. */

import type { ItemError } from '../core/errors.ts';
import type { Usage } from '../core/usage.ts';
import { storedConfidence } from './confidence.ts';
import type { Sql } from './driver/client.ts';
import { isInPreview } from './guards.ts';
import { addSpending } from './spending.ts';
import type { BatchStatus, Execution, FinalStatus } from './tables.ts';
import { toArray, type WrittenUsage, writtenUsage } from './usage.ts';
import { insertWebhooks } from './webhooks.ts';

/** A final answer on its way to the database. */
export interface NewResult {
  index: number;
  /** Where the chunk begins that its worker holds it in. */
  first: number;
  /** Requests beyond its first that were marked for it; none when absent. */
  repeats?: number;
  /** Requests whose answer counted against the item; a 429 is none. */
  attempts: number;
  usage: Usage;
  /** The model that was asked, as provider/name; that of the batch when absent. */
  model?: string | undefined;
  outcome: /** `confidence`: how sure the output is, 0 to 1; absent where nothing says. */
    | { status: 'SUCCEEDED'; output: unknown; confidence?: number }
    | { status: 'FAILED'; error: ItemError; rejectedAnswer?: string };
}

/** What a write left behind: how many results were really new, and where the batch stands. */
export interface Recorded {
  recorded: number;
  status: BatchStatus;
  ending: FinalStatus | null;
}

/** The time constant of `batches.rate`, in seconds: items older than this hardly count any more. */
export const rateWindowSeconds = 10;

/**
 * The flush: one statement that locks the batch, inserts the results that belong to chunks which
 * `worker` still holds, adds what was really inserted to the batch's counters, and closes chunks
 * and batch when their last item is in. A result that is already there stays as it is, and a worker
 * that lost its lease writes nothing. Null when the batch has gone.
 *
 * It is what the speed of a batch hangs on: each result names its chunk, because a join of results
 * and chunks by range costs one times the other; and the results come as one array a column, which
 * Postgres reads in a fraction of the time that a JSON object takes it.
 */
export async function recordResults(sql: Sql, flush: Flush): Promise<Recorded | null> {
  try {
    return await flushResults(sql, flush, { someWritten: false });
  } catch (error) {
    // Written before, by a statement whose answer was lost. To expect that of every row would cost
    // an eighth of the write-ahead log.
    if (!isWrittenBefore(error)) throw error;
    return await flushResults(sql, flush, { someWritten: true });
  }
}

/** SQLSTATE unique_violation of the key of `results`. */
function isWrittenBefore(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && 'constraint_name' in error)) return false;
  return error.code === '23505' && error.constraint_name === 'results_batch_key_index_pk';
}

interface Flush {
  batchKey: bigint;
  worker: string;
  /** By which way the answers came. */
  execution: Execution;
  results: readonly NewResult[];
}

async function flushResults(
  sql: Sql,
  { batchKey, worker, execution, results }: Flush,
  { someWritten }: { someWritten: boolean },
): Promise<Recorded | null> {
  const given = toColumns(results);
  const usage = writtenUsage(
    sql,
    results.map((result) => result.usage),
  );
  const [written] = await sql<Recorded[]>`
    with batch as materialized (
      select key, seq, status, owner, model from batches where key = ${batchKey} for update
    ),
    given as materialized (
      select * from unnest(
        ${given.index}::int[], ${given.first}::int[], ${given.attempts}::int[], ${usage.arrays},
        ${given.output}::text[], ${given.code}::text[], ${given.message}::text[]
        ${given.rejected ? sql`, ${given.rejected}::text[]` : sql``}
        ${given.repeats ? sql`, ${given.repeats}::int[]` : sql``}
        ${given.models ? sql`, ${given.models}::text[]` : sql``}
        ${given.confidence ? sql`, ${given.confidence}::real[]` : sql``}
      ) as g(index, first, attempts, ${usage.columns}, output, code, message
             ${given.rejected ? sql`, rejected` : sql``} ${given.repeats ? sql`, repeats` : sql``}
             ${given.models ? sql`, model` : sql``} ${given.confidence ? sql`, confidence` : sql``})
    ),
    held_chunks as materialized (
      select first, last from chunks
      where batch_key = (select key from batch) and owner = ${worker} and state = 'leased'
        and first = any(${given.firsts}::int[])
      order by first
      for update
    ),
    inserted as (
      insert into results (batch_key, seq, index, status, attempts, ${usage.columns},
                           output, error_code, error_message
                           ${given.rejected ? sql`, rejected_answer` : sql``}
                           ${given.confidence ? sql`, confidence` : sql``})
      select batch.key, batch.seq + 1, g.index, (case when g.code is null then 'SUCCEEDED' else 'FAILED' end)::final_status,
             g.attempts, ${usage.columns}, g.output, g.code, g.message
             ${given.rejected ? sql`, g.rejected` : sql``}
             ${given.confidence ? sql`, g.confidence` : sql``}
      from given g join held_chunks h on g.first = h.first and g.index between h.first and h.last cross join batch
      ${someWritten ? sql`on conflict do nothing` : sql``}
      returning index, status, ${usage.columns}, error_code, error_message
    ),
    advanced as (
      select g.first, count(distinct g.index)::int as items
             ${given.repeats ? sql`, sum(g.repeats)::int as repeats` : sql``}
      from inserted join given g on g.index = inserted.index
      group by g.first
    ),
    closed as (
      update chunks c
      set done = c.done + a.items,
          state = case when c.done + a.items + c.twins = c.last - c.first + 1 then 'done' else c.state end,
          owner = case when c.done + a.items + c.twins = c.last - c.first + 1 then null else c.owner end
          ${given.repeats ? sql`, repeats = greatest(0, c.repeats - a.repeats)` : sql``}
      from advanced a
      where c.batch_key = ${batchKey} and c.first = a.first
    ),
    errors as (
      insert into batch_errors (batch_key, code, count, message)
      select ${batchKey}, error_code, count(*), min(error_message)
      from inserted where error_code is not null group by error_code
      on conflict (batch_key, code) do update set count = batch_errors.count + excluded.count
    ),
    total as (
      select count(*)::int as items,
             (count(*) filter (where status = 'SUCCEEDED'))::int as succeeded,
             (count(*) filter (where status = 'FAILED'))::int as failed,
             ${usage.sums}
      from inserted
    ),
    counted as (
      update batches b
      set seq = b.seq + (t.items > 0)::int,
          succeeded = b.succeeded + t.succeeded,
          failed = b.failed + t.failed,
          ${usage.added},
          -- now() is when the statement began: it may have waited for one that began later.
          rate = b.rate * exp(least(0, extract(epoch from coalesce(b.rate_at, b.started_at, now()) - now()))
                              / ${rateWindowSeconds}::float8)
                 + t.items / ${rateWindowSeconds}::float8,
          rate_at = greatest(b.rate_at, now()),
          ${closeWhenFull(sql, sql`t.items`)}
      from total t
      where b.key = ${batchKey}
      returning b.*, t.items as recorded
    ),
    spent as (${addSpending(sql, { spent: given.models ? spentByModel(sql, usage) : spentOnOne(sql, usage), usage, execution })}),
    ${announceEnd(sql)}
    select recorded, status, ending from counted`;
  return written ?? null;
}

/** What the results of a flush have used, all of them by the model of the batch. */
function spentOnOne(sql: Sql, { columns }: WrittenUsage): ReturnType<Sql> {
  return sql`
    select batch.key as batch_key, batch.owner, batch.model, ${columns}
    from total, batch where total.requests > 0`;
}

/** The same by model, where rows name others. */
function spentByModel(sql: Sql, { columns, sums }: WrittenUsage): ReturnType<Sql> {
  return sql`
    select batch.key as batch_key, batch.owner, coalesce(used.named, batch.model) as model, ${columns}
    from batch cross join (
      select g.named, ${sums}
      from inserted
      join (
        select distinct on (index) index, nullif(model, (select model from batch)) as named from given
      ) g on g.index = inserted.index
      group by g.named
    ) used
    where used.requests > 0`;
}

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
 * behind a preview. Returns null when
 * the batch is not in a state for it (any more).
 */
export async function finishChunks(
  sql: Sql,
  finish: { batchKey: bigint } & Unfinished,
): Promise<Recorded | null> {
  const { batchKey, status } = finish;
  const error = finish.status === 'FAILED' ? finish.error : null;
  const isEnding = finish.status !== 'FAILED' && !('providerBatch' in finish);
  const [written] = await sql<Recorded[]>`
    with batch as materialized (
      select key, seq, status, ${isInPreview(sql)} as in_preview from batches b
      where key = ${batchKey} and status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING')
        and ending is not distinct from ${isEnding ? status : null}
      for update
    ),
    open as materialized (
      select first, last, twins from chunks
      where batch_key = (select key from batch) and ${unfinished(sql, finish)}
      order by crashes, first
      limit ${stepChunks}
      for update skip locked
    ),
    -- Apart, because the index has open chunks alone.
    held as materialized (
      select first, last, twins from chunks
      where batch_key = (select key from batch where in_preview) and state = 'held' and ${isEnding}
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
    select recorded, status, ending from counted`;
  return written ?? null;
}

function unfinished(sql: Sql, finish: Unfinished) {
  if ('providerBatch' in finish) return sql`state = 'leased' and owner = ${finish.providerBatch}`;
  if ('crashes' in finish)
    return sql`state = 'open' and first = last and crashes >= ${finish.crashes}`;
  if ('rounds' in finish) return sql`state = 'open' and rounds >= ${finish.rounds}`;
  return sql`state = 'open'`;
}

/**
 * The batch ends with its last item; where it ends up depends on whether it was being ended, which
 * it then is no more, and on what became of items before, or does now: `ending`.
 */
export function closeWhenFull(sql: Sql, items: ReturnType<Sql>, ending: FinalStatus = 'SUCCEEDED') {
  const full = sql`b.succeeded + b.failed + b.cancelled + b.expired + ${items} = b.total
    and b.status in ('DRAFT', 'QUEUED', 'PROCESSING', 'CANCELLING')`;
  // After a retry of some items, others may have been left as they were.
  const leftUndone = sql`case when b.cancelled > 0 then 'CANCELLED'
    when b.expired > 0 or ${ending} = 'EXPIRED' then 'EXPIRED' else 'COMPLETED' end`;
  return sql`
    status = case when ${full} then coalesce(b.ending::text, ${leftUndone})::batch_status else b.status end,
    ending = case when ${full} then null else b.ending end,
    completed_at = case when ${full} then now() else b.completed_at end`;
}

/** The webhook of a batch that this statement has ended, written with the end itself. */
export function announceEnd(sql: Sql) {
  return sql`
    ended as (
      select c.* from counted c join batch on batch.key = c.key
      where batch.status <> c.status and c.completed_at is not null
    ),
    announced as (${insertWebhooks(sql, sql`ended`)})`;
}

/** A column each, but for usage. */
function toColumns(results: readonly NewResult[]) {
  const rejected = results.map(({ outcome }) =>
    outcome.status === 'FAILED' ? (outcome.rejectedAnswer ?? null) : null,
  );
  const confidences = results.map(({ outcome }) =>
    outcome.status === 'SUCCEEDED' && outcome.confidence !== undefined
      ? storedConfidence(outcome.confidence)
      : null,
  );
  const errors = results.map(({ outcome }) => (outcome.status === 'FAILED' ? outcome.error : null));
  return {
    index: toArray(results.map(({ index }) => index)),
    first: toArray(results.map(({ first }) => first)),
    firsts: toArray([...new Set(results.map(({ first }) => first))]),
    attempts: toArray(results.map(({ attempts }) => attempts)),
    output: results.map(({ outcome }) =>
      outcome.status === 'SUCCEEDED' ? JSON.stringify(outcome.output) : null,
    ),
    code: errors.map((error) => error?.code ?? null),
    message: errors.map((error) => error?.message ?? null),
    // Hardly a flush has one: the others need not carry the column.
    rejected: rejected.some((text) => text !== null) ? rejected : null,
    confidence: confidences.some((confidence) => confidence !== null) ? toArray(confidences) : null,
    repeats: results.some(({ repeats }) => repeats)
      ? toArray(results.map(({ repeats = 0 }) => repeats))
      : null,
    models: results.some(({ model }) => model !== undefined)
      ? results.map(({ model }) => model ?? null)
      : null,
  };
}
