/** Writing the one final answer of each item. */
import type { ItemError } from '../core/errors.ts';
import type { Usage } from '../core/usage.ts';
import type { ItemCount } from '../telemetry/events.ts';
import { announceEnd, closeWhenFull, countErrors, failedByCode, toldOfBatch } from './closing.ts';
import { storedConfidence } from './confidence.ts';
import type { Sql } from './driver/client.ts';
import { addSpending } from './spending.ts';
import type { BatchStatus, Execution, FinalStatus } from './tables.ts';
import { toArray, type WrittenUsage, writtenUsage } from './usage.ts';

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

/** Facts that are told of a batch that ended. */
export interface EndedBatch {
  status: BatchStatus;
  operation: string;
  execution: Execution;
  /** From its submit to its end; 0 before that. */
  seconds: number;
}

/** The outcome of a write: the results that were really new, and the state of the batch. */
export interface Recorded extends EndedBatch {
  recorded: number;
  /** The same by what became of the items. */
  items: readonly ItemCount[];
  ending: FinalStatus | null;
  owner: string;
}

/** A row that a statement that writes results returns. */
export interface WrittenRow extends Omit<Recorded, 'items'> {
  newSucceeded: number;
  /** By code; null where none failed. */
  newFailed: Record<string, number> | null;
  newCancelled?: number;
  newExpired?: number;
}

/** The results that were written, by what became of the items. */
export function recordedOf(row: WrittenRow): Recorded {
  const { newSucceeded, newFailed, newCancelled = 0, newExpired = 0, ...written } = row;
  const items: ItemCount[] = [
    { status: 'SUCCEEDED', errorCode: null, items: newSucceeded },
    { status: 'CANCELLED', errorCode: null, items: newCancelled },
    { status: 'EXPIRED', errorCode: null, items: newExpired },
  ];
  for (const [errorCode, failed] of Object.entries(newFailed ?? {})) {
    items.push({ status: 'FAILED', errorCode, items: failed });
  }
  return { ...written, items: items.filter((count) => count.items > 0) };
}

/** The time constant of `batches.rate`, in seconds: items older than this hardly count any more. */
export const rateWindowSeconds = 10;

/**
 * The flush, one statement. It locks the batch and inserts the results that belong to chunks which
 * `worker` still holds. It adds what was really inserted to the batch's counters, and closes chunks
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
  const [written] = await sql<WrittenRow[]>`
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
      where batch_key = ${batchKey} and exists (select from batch) and owner = ${worker} and state = 'leased'
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
    ${countErrors(sql, batchKey)},
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
      returning b.*, t.items as recorded, t.succeeded as new_succeeded,
                ${failedByCode(sql, sql`t.failed`)} as new_failed
    ),
    spent as (${addSpending(sql, { spent: given.models ? spentByModel(sql, usage) : spentOnOne(sql, usage), usage, execution })}),
    ${announceEnd(sql)}
    select ${toldOfBatch(sql)}, new_succeeded as "newSucceeded", new_failed as "newFailed"
    from counted`;
  return written ? recordedOf(written) : null;
}

/** The usage of a flush's results, all of them by the model of the batch. */
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

/** A column each, but for usage. In one go: each answer of a worker passes here. */
function toColumns(results: readonly NewResult[]) {
  const index: number[] = [];
  const first: number[] = [];
  const attempts: number[] = [];
  const output: (string | null)[] = [];
  const code: (string | null)[] = [];
  const message: (string | null)[] = [];
  const firsts = new Set<number>();
  // Hardly a flush has one of the last three: the others need not carry the column.
  const confidence = createRare<number>(results.length);
  const rejected = createRare<string>(results.length);
  const repeats = createRare<number>(results.length);
  const models = createRare<string>(results.length);
  for (let at = 0; at < results.length; at += 1) {
    const result = results[at] as NewResult;
    const { outcome } = result;
    index.push(result.index);
    first.push(result.first);
    firsts.add(result.first);
    attempts.push(result.attempts);
    if (outcome.status === 'SUCCEEDED') {
      output.push(JSON.stringify(outcome.output));
      code.push(null);
      message.push(null);
      if (outcome.confidence !== undefined) {
        confidence.set(at, storedConfidence(outcome.confidence));
      }
    } else {
      output.push(null);
      code.push(outcome.error.code);
      message.push(outcome.error.message);
      if (outcome.rejectedAnswer !== undefined) rejected.set(at, outcome.rejectedAnswer);
    }
    if (result.repeats) repeats.set(at, result.repeats);
    if (result.model !== undefined) models.set(at, result.model);
  }
  const [confidences, repeated] = [confidence.values(), repeats.values()];
  return {
    index: toArray(index),
    first: toArray(first),
    firsts: toArray([...firsts]),
    attempts: toArray(attempts),
    output,
    code,
    message,
    rejected: rejected.values(),
    confidence: confidences && toArray(confidences),
    repeats: repeated && toArray(repeated.map((value) => value ?? 0)),
    models: models.values(),
  };
}

/** A column of `length` rows that comes to be with its first value; null in all other rows. */
function createRare<Value>(length: number) {
  let column: (Value | null)[] | null = null;
  return {
    set(at: number, value: Value) {
      column ??= new Array<Value | null>(length).fill(null);
      column[at] = value;
    },
    /** Null where no row has one. */
    values: () => column,
  };
}
