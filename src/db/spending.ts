/**
 * The ledger: what was spent by month, model and lane. Statements that count a batch's usage add it
 * to the ledger too, under the lock of the batch. So both say the same at every instant. Its rows
 * outlive their batches.
 */
import type { Usage } from '../core/usage.ts';
import type { Sql } from './driver/client.ts';
import { erasuresOf } from './erasures.ts';
import type { Execution } from './tables.ts';
import { ledgerSet, ledgerSums, usageOf, usageValues, type WrittenUsage } from './usage.ts';

/** Months that are kept behind the present one. */
const keptMonths = 25;

/** The present month in UTC, by the clock of the database. */
function presentMonth(sql: Sql) {
  return sql`to_char(now() at time zone 'UTC', 'YYYY-MM')`;
}

/**
 * A part of a statement: adds to the ledger what `spent` gives, a query of batch_key, owner, model
 * and the columns of `usage`.
 */
export function addSpending(
  sql: Sql,
  {
    spent,
    usage,
    execution,
  }: { spent: ReturnType<Sql>; usage: WrittenUsage; execution: Execution },
) {
  const { columns, ledgered } = usage;
  return sql`
    insert into spending as s (batch_key, month, owner, model, execution, ${columns})
    select batch_key, ${presentMonth(sql)}, owner, model, ${execution}, ${columns} from (${spent}) spent
    on conflict (batch_key, month, model, execution) do update set ${ledgered}`;
}

/**
 * A part of a statement: adds requests of whose answer nothing is known. `resent` is a query of the
 * key of a batch, their number, as `requests`, and as `own` how many of them the batch counts among
 * its requests: none where they are sent again.
 */
export function addResent(sql: Sql, resent: ReturnType<Sql>) {
  return sql`
    insert into spending as s (batch_key, month, owner, model, execution, unmetered, requests)
    select b.key, ${presentMonth(sql)}, b.owner, b.model, 'LIVE', r.requests, r.own
    from (${resent}) r join batches b on b.key = r.key
    where r.requests > 0
    on conflict (batch_key, month, model, execution) do update
    set unmetered = s.unmetered + excluded.unmetered, requests = s.requests + excluded.requests`;
}

/** One owner's spending on one model by calls outside of batches, in the present month. */
interface CallSpending {
  /** Below 0: of the process and the owner. */
  key: bigint;
  owner: string;
  /** The owner is the name that an erased one was given. */
  isErased: boolean;
  /** Seconds since its calls were first added up here. */
  age: number;
  model: string;
  usage: Usage;
}

/** The outcome of a write. */
export interface WrittenSpending {
  isWritten(key: bigint, model: string): boolean;
  /** By key: owners that were erased meanwhile go by these names. */
  renamed: ReadonlyMap<bigint, string>;
}

/**
 * Writes sums of a process in place of those it has written before. Nothing is written where the
 * month has changed meanwhile, nor where an owner was erased: the rows of its key, or its erasure
 * where it has none, have another name then, which the sums must have too.
 */
export async function writeCallSpending(
  sql: Sql,
  month: string,
  sums: readonly CallSpending[],
): Promise<WrittenSpending> {
  const keys = `{${sums.map(({ key }) => key).join()}}`;
  const owners = sums.map(({ owner }) => owner);
  const ages = sums.map(({ age }) => String(age));
  const models = sums.map(({ model }) => model);
  const erased = sums.flatMap(({ isErased, owner }) => (isErased ? [owner] : []));
  const { arrays, columns } = usageValues(
    sql,
    sums.map(({ usage }) => usage),
  );
  const rows = await sql<{ key: bigint; model: string | null; owner: string }[]>`
    with given as materialized (
      select * from unnest(${keys}::bigint[], ${owners}::text[], ${ages}::text[]::float8[],
          ${models}::text[], ${arrays})
        as given(key, owner, age, model, ${columns})
    ),
    renamed as materialized (
      select distinct on (g.key) g.key, o.owner
      from given g cross join lateral (
        select s.owner, null as at from spending s
        where s.batch_key = g.key and s.owner <> g.owner
        union all
        ${erasuresOf(sql, { owner: sql`g.owner`, seconds: sql`g.age` })}
      ) o
      where g.owner <> all(${erased}::text[])
      order by g.key, o.at nulls first
    ),
    written as (
      insert into spending as s (batch_key, month, owner, model, execution, ${columns})
      select key, ${month}, owner, model, 'LIVE', ${columns}
      from given where ${presentMonth(sql)} = ${month} and not exists (select from renamed)
      on conflict (batch_key, month, model, execution)
        do update set ${ledgerSet(sql)}, owner = excluded.owner
        where s.owner = excluded.owner or excluded.owner = any(${erased}::text[])
      returning batch_key, model, owner
    )
    select batch_key as key, model, owner from written
    union all
    select key, null, owner from renamed`;
  const written = new Set(rows.map(({ key, model }) => `${key} ${model}`));
  return {
    isWritten: (key, model) => written.has(`${key} ${model}`),
    renamed: new Map(
      rows.flatMap(({ key, model, owner }) => (model === null ? [[key, owner]] : [])),
    ),
  };
}

/** The present month in UTC, as 2026-11. */
export async function readMonth(sql: Sql): Promise<string> {
  const [now] = await sql<{ month: string }[]>`select ${presentMonth(sql)} as month`;
  return now?.month ?? '';
}

/** The spending on one model in one lane. */
export interface ModelSpending {
  model: string;
  execution: Execution;
  usage: Usage;
}

/** An owner's spending in a month, the highest cost first. */
export async function readSpending(
  sql: Sql,
  owner: string,
  month: string,
): Promise<ModelSpending[]> {
  type Row = { model: string; execution: Execution } & Usage;
  const rows = await sql<Row[]>`
    select model, execution, ${ledgerSums(sql)}
    from spending where owner = ${owner} and month = ${month}
    group by model, execution
    order by sum(cost_usd) desc nulls last, model, execution`;
  return rows.map(({ model, execution, ...usage }) => ({
    model,
    execution,
    usage: usageOf(usage),
  }));
}

/** The spending of each of some batches on each model in each lane. */
export async function listBatchSpending(
  sql: Sql,
  batchKeys: readonly bigint[],
): Promise<(ModelSpending & { batchKey: bigint })[]> {
  type Row = { batchKey: bigint; model: string; execution: Execution } & Usage;
  const rows = await sql<Row[]>`
    select batch_key as "batchKey", model, execution, ${ledgerSums(sql)}
    from spending where batch_key = any(${batchKeys.map(String)}::text[]::bigint[])
    group by batch_key, model, execution`;
  return rows.map(({ batchKey, model, execution, ...usage }) => ({
    batchKey,
    model,
    execution,
    usage: usageOf(usage),
  }));
}

/** Deletes what is older than is kept. */
export async function deleteOldSpending(sql: Sql): Promise<void> {
  await sql`
    delete from spending
    where month < to_char(now() at time zone 'UTC' - make_interval(months => ${keptMonths}), 'YYYY-MM')`;
}
