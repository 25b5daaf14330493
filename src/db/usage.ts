/**
 * Where usage is stored, and how it is added up: said here for every statement. A count is a column
 * of `results`, `superseded_results`, `batches` and `spending`; the cost is `cost_usd` in all.
 */
import { sql as expression } from 'drizzle-orm';
import type postgres from 'postgres';
import { isUnpriced, snakeCase, toldUsage, type Usage } from '../core/usage.ts';
import type { Sql } from './driver/client.ts';
import { batches } from './tables.ts';

type CountName = Exclude<keyof Usage, 'costUsd'>;

interface Count {
  name: CountName;
  column: string;
  /** Hardly any answer has it: null is 0, and a statement goes without where none has any. */
  isRare: boolean;
  /** Reads it. By a name that varies it is several times as slow, and each answer has them all. */
  of: (usage: Usage) => number;
  /** In `batches`, where it is called otherwise. */
  inBatches?: string;
}

const counts: readonly Count[] = [
  { name: 'requests', column: 'requests', isRare: false, of: (usage) => usage.requests },
  { name: 'inputTokens', column: 'input_tokens', isRare: false, of: (usage) => usage.inputTokens },
  {
    name: 'cachedInputTokens',
    column: 'cached_input_tokens',
    isRare: false,
    of: (usage) => usage.cachedInputTokens,
  },
  {
    name: 'outputTokens',
    column: 'output_tokens',
    isRare: false,
    of: (usage) => usage.outputTokens,
  },
  {
    name: 'cacheWriteTokens',
    column: 'cache_write_tokens',
    isRare: true,
    of: (usage) => usage.cacheWriteTokens,
  },
  {
    name: 'cacheWriteLongTokens',
    column: 'cache_write_long_tokens',
    isRare: true,
    of: (usage) => usage.cacheWriteLongTokens,
  },
  {
    name: 'reasoningTokens',
    column: 'reasoning_tokens',
    isRare: true,
    of: (usage) => usage.reasoningTokens,
  },
  {
    name: 'unmeteredRequests',
    column: 'unmetered',
    isRare: true,
    of: (usage) => usage.unmeteredRequests,
    inBatches: 'unmetered_requests',
  },
];

/** Parts of a statement that writes answers. */
export interface WrittenUsage {
  /** An array a column, in the order of `columns`. */
  arrays: postgres.Fragment;
  /** The columns that are written, the cost last. */
  columns: postgres.Fragment;
  /** Their sums, of rows that have the columns, under their names. */
  sums: postgres.Fragment;
  /** Adds the sums, a row `t`, to the batch, a row `b`. */
  added: postgres.Fragment;
  /** Adds a row of the columns to the one of the ledger, a row `s`, that is there already. */
  ledgered: postgres.Fragment;
}

/** For a statement that writes answers with these usages, one each. */
export function writtenUsage(sql: Sql, usages: readonly Usage[]): WrittenUsage {
  const hasRare = counts.some(({ of, isRare }) => isRare && usages.some((usage) => of(usage) > 0));
  const hasUnpriced = usages.some(isUnpriced);
  const written = hasRare ? counts : counts.filter(({ isRare }) => !isRare);
  const arrays = written.map(({ of, isRare }) => {
    const values = usages.map(of);
    return sql`${toArray(isRare ? values.map((value) => value || null) : values)}::int[]`;
  });
  const costs = sql`${toArray(usages.map(({ costUsd }) => costUsd))}::float8[]`;
  return {
    arrays: [...arrays, costs].reduce((before, next) => sql`${before}, ${next}`),
    columns: literal(sql, columnsOf(written)),
    sums: literal(sql, `${sumsOf(written)}${hasUnpriced ? `, ${unpricedAnswers}` : ''}`),
    added: literal(sql, `${addedOf(written)}${hasUnpriced ? `, ${addedUnpriced}` : ''}`),
    ledgered: literal(sql, ledgeredOf(written)),
  };
}

const unpricedAnswers = `(count(*) filter (where ${isUnknown('')}))::int as unpriced`;
const addedUnpriced = 'unpriced = b.unpriced + t.unpriced';

/** True of a row of a usage, whose columns `row` stands before: its tokens have no known price. */
function isUnknown(row: string): string {
  return `${row}cost_usd is null and ${row}input_tokens + ${row}output_tokens > 0`;
}

/** A constant of this file as a part of a statement. */
function literal(sql: Sql, text: string): postgres.Fragment {
  return sql.unsafe(text);
}

/** Every column of an answer's usage, the cost last. */
export function usageColumns(sql: Sql): postgres.Fragment {
  return literal(sql, columnsOf(counts));
}

function columnsOf(some: readonly Count[]): string {
  return [...some.map(({ column }) => column), 'cost_usd'].join(', ');
}

function sumsOf(some: readonly Count[]): string {
  const sums = some.map(({ column }) => `coalesce(sum(${column}), 0) as ${column}`);
  return [...sums, 'sum(cost_usd) as cost_usd'].join(', ');
}

function addedOf(some: readonly Count[]): string {
  const sums = some.map(
    ({ column, inBatches = column }) => `${inBatches} = b.${inBatches} + t.${column}`,
  );
  const cost = `cost_usd = case when t.cost_usd is null then b.cost_usd
    else coalesce(b.cost_usd, 0) + t.cost_usd end`;
  return [...sums, cost].join(', ');
}

function ledgeredOf(some: readonly Count[]): string {
  const sums = some.map(({ column }) => `${column} = s.${column} + excluded.${column}`);
  const cost = `cost_usd = case when excluded.cost_usd is null then s.cost_usd
    else coalesce(s.cost_usd, 0) + excluded.cost_usd end`;
  return [...sums, cost].join(', ');
}

/** Usages as values of a statement: every column, and nothing is null but the cost. */
export function usageValues(
  sql: Sql,
  usages: readonly Usage[],
): Pick<WrittenUsage, 'arrays' | 'columns'> {
  const arrays = counts.map(
    ({ name }) => sql`${toArray(usages.map((usage) => usage[name]))}::bigint[]`,
  );
  const costs = sql`${toArray(usages.map(({ costUsd }) => costUsd))}::float8[]`;
  return {
    arrays: [...arrays, costs].reduce((before, next) => sql`${before}, ${next}`),
    columns: literal(sql, columnsOf(counts)),
  };
}

/** Replaces the columns of a row of the ledger by those that were to be inserted. */
export function ledgerSet(sql: Sql): postgres.Fragment {
  const columns = [...counts.map(({ column }) => column), 'cost_usd'];
  return literal(sql, columns.map((column) => `${column} = excluded.${column}`).join(', '));
}

/** The sums of rows of the ledger, under the names of a `Usage`. */
export function ledgerSums(sql: Sql): postgres.Fragment {
  const sums = counts.map(({ name, column }) => `sum(${column})::float8 as "${name}"`);
  return literal(sql, [...sums, 'sum(cost_usd) as "costUsd"'].join(', '));
}

/** An array as Postgres reads it: the driver knows arrays of text alone. */
export function toArray(values: readonly (number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join()}}`;
}

/**
 * Text of the columns of an item's usage, which is that of its result, a row `r`, and of what was
 * put aside, a row `s` of `earlierUsage`. They have the names of a `Usage`, in the order of
 * `usageNames`; all are null where there is neither.
 */
export const itemUsage = [
  ...counts.map(({ name, column }) => `${eitherOrBoth(column)} as "${name}"`),
  `case when not coalesce(${isUnknown('r.')}, false) and not coalesce(${isUnknown('s.')}, false)
        then ${eitherOrBoth('cost_usd')} end as "costUsd"`,
].join(', ');

function eitherOrBoth(column: string): string {
  return `coalesce(r.${column} + s.${column}, r.${column}, s.${column})`;
}

/** Text of the sums of what was put aside of an item, under the names of their columns. */
export const earlierUsage = [
  ...counts.map(({ column }) => `sum(${column})::int as ${column}`),
  `case when not bool_or(${isUnknown('')}) then sum(cost_usd) end as cost_usd`,
].join(', ');

/** The order of `itemUsage`. */
export const usageNames: readonly (keyof Usage)[] = [...counts.map(({ name }) => name), 'costUsd'];

/** For Drizzle's builder. */
export const batchUsage = {
  requests: batches.requests,
  inputTokens: batches.inputTokens,
  cachedInputTokens: batches.cachedInputTokens,
  cacheWriteTokens: batches.cacheWriteTokens,
  cacheWriteLongTokens: batches.cacheWriteLongTokens,
  outputTokens: batches.outputTokens,
  reasoningTokens: batches.reasoningTokens,
  unmeteredRequests: batches.unmeteredRequests,
  costUsd: expression<
    number | null
  >`case when ${batches.unpriced} = 0 then ${batches.costUsd} end`.mapWith(batches.costUsd),
} as const satisfies Record<keyof Usage, unknown>;

/** Text of the usage of a batch, a row `b` of `batches`, as a JSON object. */
export const batchUsageJson = `json_build_object(${toldUsage
  .map((name) => `'${snakeCase(name)}', ${toldOfBatch(name)}`)
  .join(', ')})`;

function toldOfBatch(name: (typeof toldUsage)[number]): string {
  if (name === 'unmeteredRequests') return 'b.unmetered_requests + b.resent_requests';
  if (name === 'costUsd') return 'case when b.unpriced = 0 then b.cost_usd end';
  return `b.${snakeCase(name)}`;
}

/** A usage as it was read: null is 0, but for the cost. */
export type UsageRecord = { [Name in keyof Usage]: number | null };

export function usageOf(record: UsageRecord): Usage {
  return {
    requests: record.requests ?? 0,
    inputTokens: record.inputTokens ?? 0,
    cachedInputTokens: record.cachedInputTokens ?? 0,
    cacheWriteTokens: record.cacheWriteTokens ?? 0,
    cacheWriteLongTokens: record.cacheWriteLongTokens ?? 0,
    outputTokens: record.outputTokens ?? 0,
    reasoningTokens: record.reasoningTokens ?? 0,
    unmeteredRequests: record.unmeteredRequests ?? 0,
    costUsd: record.costUsd,
  };
}

/** True of an item with a result that a cancel or an expiry ended before it was asked. */
export function wasNeverAsked({ status, requests }: { status: string; requests: number | null }) {
  return (status === 'CANCELLED' || status === 'EXPIRED') && (requests ?? 0) === 0;
}

/** Requests that were sent again were billed perhaps, and nobody knows what they used. */
export function usageOfBatch(batch: Usage & { resentRequests: number }): Usage {
  return { ...usageOf(batch), unmeteredRequests: batch.unmeteredRequests + batch.resentRequests };
}
