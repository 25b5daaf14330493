/**
 * Sums over the answers of a batch, counted over what was recorded in a stretch of its `seq`. Rows
 * of a seq that a reader has seen are all there, and those that succeeded stay as they are: so
 * stretches add up, and can be taken away.
 */
import { and, eq } from 'drizzle-orm';
import { confidenceOf } from './confidence.ts';
import type { Builder, Sql } from './driver/client.ts';
import { outputJson } from './output-json.ts';
import { batchSummaries } from './tables.ts';

/** The results behind `after`, and not behind `upTo`. */
export interface Stretch {
  batchKey: bigint;
  after: number;
  upTo: number;
}

/**
 * A part of a statement: the rows `r` of a stretch. From the beginning on it is a statement of its
 * own: Postgres plans one with two bounds for few rows, and would read a million by one process.
 */
function within(sql: Sql, { batchKey, after, upTo }: Stretch) {
  return sql`r.batch_key = ${batchKey} ${after === 0 ? sql`` : sql`and r.seq > ${after}`} and r.seq <= ${upTo}`;
}

/** The same of those that succeeded. */
function succeededWithin(sql: Sql, stretch: Stretch) {
  return sql`${within(sql, stretch)} and r.status = 'SUCCEEDED'`;
}

/** Number of times that each label was given; null where an answer names none. */
export async function countLabels(
  sql: Sql,
  stretch: Stretch,
  { member, isList }: { member: string; isList: boolean },
): Promise<{ label: string | null; count: number }[]> {
  const succeeded = succeededWithin(sql, stretch);
  if (!isList) {
    return await sql<{ label: string | null; count: number }[]>`
      select ${outputJson(sql)} ->> ${member}::text as label, count(*)::int as count
      from results r where ${succeeded} group by 1`;
  }
  return await sql<{ label: string | null; count: number }[]>`
    select l.label, count(*)::int as count
    from results r
    cross join lateral (select ${outputJson(sql)} -> ${member}::text as list) o
    -- A row for an empty list too.
    left join lateral json_array_elements_text(
      case when json_typeof(o.list) = 'array' then o.list end) as l(label) on true
    where ${succeeded} group by 1`;
}

/**
 * Number of answers of a label batch by confidence, in whole thousandths. The addend is half of
 * what a real may be off by, just below 1: 0.945 is in 945, though it is less as a real.
 */
export async function countConfidences(
  sql: Sql,
  stretch: Stretch,
): Promise<{ thousandth: number; count: number }[]> {
  return await sql<{ thousandth: number; count: number }[]>`
    select floor(c.confidence::float8 * 1000 + 3e-5)::int as thousandth, count(*)::int as count
    from (
      select ${confidenceOf(sql)} as confidence from results r where ${succeededWithin(sql, stretch)}
    ) c
    where c.confidence is not null group by 1`;
}

/** The answers recorded within one interval. */
export interface Recording {
  at: Date;
  succeeded: number;
  failed: number;
  /** USD; null where no answer has a known price. */
  costUsd: number | null;
  /** True where any of the answers was asked for: a twin is not. */
  isAsked: boolean;
}

/** The answers of a stretch by the time of their record, in intervals from `origin` on. */
export async function countByTime(
  sql: Sql,
  stretch: Stretch,
  { origin, intervalMs }: { origin: Date; intervalMs: number },
): Promise<Recording[]> {
  return await sql<Recording[]>`
    select date_bin(make_interval(secs => ${intervalMs / 1_000}::float8), r.completed_at, ${origin}::timestamptz) as at,
           (count(*) filter (where r.status = 'SUCCEEDED'))::int as succeeded,
           (count(*) filter (where r.status = 'FAILED'))::int as failed,
           sum(r.cost_usd) as "costUsd", bool_or(r.requests > 0) as "isAsked"
    from results r
    where ${within(sql, stretch)} and r.status in ('SUCCEEDED', 'FAILED')
    group by 1`;
}

/** When the first and the last answer of a stretch were recorded, by seq. Null without any. */
export async function readAnswerSpan(
  sql: Sql,
  stretch: Stretch,
): Promise<{ first: Date; last: Date } | null> {
  const answers = sql`results r where ${within(sql, stretch)} and r.status in ('SUCCEEDED', 'FAILED')`;
  const [span] = await sql<{ first: Date | null; last: Date | null }[]>`
    select (select completed_at from ${answers} order by seq limit 1) as first,
           (select completed_at from ${answers} order by seq desc limit 1) as last`;
  return span?.first && span.last ? { first: span.first, last: span.last } : null;
}

/** The seq of the row that is `rows` rows behind the beginning; null where there are fewer. */
export async function readStretchEnd(
  sql: Sql,
  { batchKey, after, upTo }: Stretch,
  rows: number,
): Promise<number | null> {
  const [end] = await sql<{ seq: number }[]>`
    select seq::float8 as seq from results
    where batch_key = ${batchKey} and seq > ${after} and seq <= ${upTo}
    order by seq offset ${rows} limit 1`;
  return end?.seq ?? null;
}

/** Counts of a batch, in the columns of the table. */
export interface StoredSummary {
  seq: number;
  rows: number;
  counts: string;
}

export async function readSummary(
  { query }: Builder,
  batchKey: bigint,
  field: string,
): Promise<StoredSummary | null> {
  const { seq, rows, counts } = batchSummaries;
  const [found] = await query
    .select({ seq, rows, counts })
    .from(batchSummaries)
    .where(and(eq(batchSummaries.batchKey, batchKey), eq(batchSummaries.field, field)));
  return found ?? null;
}

/** Keeps what was counted, unless more is kept already or the batch is deleted. */
export async function storeSummary(
  sql: Sql,
  batchKey: bigint,
  { field, seq, rows, counts }: StoredSummary & { field: string },
): Promise<void> {
  await sql`
    insert into batch_summaries as s (batch_key, field, seq, rows, counts)
    select key, ${field}, ${seq}, ${rows}, ${counts} from batches
    where key = ${batchKey} and deleted_at is null
    on conflict (batch_key, field)
    do update set seq = excluded.seq, rows = excluded.rows, counts = excluded.counts
    where s.seq < excluded.seq`;
}
