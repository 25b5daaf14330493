/**
 * Identical rows. The first of them is the leader, which is asked; the others are its twins, which
 * take what is written for the leader: the answer, the error, or that it was not reached.
 *
 * A twin is an item like any other: it is in a chunk, and gets a row in `results`. But no chunk
 * waits for its twins: `chunks.done` counts the results of other items alone.
 */

import { announceEnd, closeWhenFull, countErrors, failedByCode, toldOfBatch } from './closing.ts';
import type { Sql } from './driver/client.ts';
import { isNotFinal, isUnended } from './guards.ts';
import { type PreparedFile, preparedFile } from './prepared-file.ts';
import { type Recorded, rateWindowSeconds, recordedOf, type WrittenRow } from './results.ts';

/** Twins recorded by one statement, which holds the lock of the batch. */
const stepSize = 5_000;

/**
 * A part of a row that a prompt takes, as text. `content` is the text of an inline item or a line
 * of a text file, null in all other rows; `fields` is the whole of the others. A cell is one of a
 * CSV row, by its position; a member is one of a JSON row, or of the metadata beside it.
 */
export type TakenText =
  | { kind: 'content' | 'fields' | 'metadata' }
  | { kind: 'cell' | 'otherCells'; column: number }
  | { kind: 'member' | 'otherMembers'; name: string }
  | { kind: 'request'; idField: string | null };

/** A batch whose identical rows are still to be found, and how its file is written. */
export interface UnmatchedBatch extends PreparedFile {
  key: bigint;
  operation: string;
  /** JSON text, as of the file. */
  options: string;
}

/** The oldest batches that wait for their identical rows. */
export async function listUnmatched(sql: Sql, limit: number): Promise<UnmatchedBatch[]> {
  return await sql<UnmatchedBatch[]>`
    select b.key, b.operation, b.options,
           ${preparedFile(sql)}
    from batches b join files f on f.key = b.file_key
    where not b.twins_found and coalesce(b.ids_indexed = b.total, true) and ${isUnended(sql)}
    order by b.key limit ${limit}`;
}

/**
 * Finds the identical rows of a batch, before anything of it is claimed: those that are equal byte
 * for byte in all that is taken. Null where there is nothing to do, or another process is at it.
 * Returns how many twins there are.
 */
export async function findTwins(
  sql: Sql,
  batchKey: bigint,
  taken: readonly TakenText[],
): Promise<number | null> {
  const [found] = await sql<{ twins: number }[]>`
    with batch as materialized (
      select key, file_key from batches b
      where key = ${batchKey} and not twins_found and ${isUnended(sql)}
      for update skip locked
    ),
    matched as materialized (
      select key, index, leader from (
        select batch.key, r.index, min(r.index) over (partition by ${digestOf(sql, taken)}) as leader
        from batch join rows r on r.file_key = batch.file_key
      ) alike
      where leader <> index
    ),
    stored as (
      -- In order, because the pages of an index fill one after the other then.
      insert into twins (batch_key, index, leader) select key, index, leader from matched order by index
    ),
    counted as (
      update chunks c
      set twins = m.items, state = case when m.items = c.last - c.first + 1 then 'done' else c.state end
      from (
        -- Nothing has cut a chunk yet: all are as long as the first, but for the last.
        select m.index - m.index % size.items as first, count(*)::int as items
        from matched m, (select last + 1 as items from chunks where batch_key = ${batchKey} and first = 0) size
        group by 1
      ) m
      where c.batch_key = ${batchKey} and c.first = m.first
    )
    update batches b set twins_found = true, twins = (select count(*) from matched)
    from batch where b.key = batch.key
    returning b.twins`;
  return found?.twins ?? null;
}

/** Number of rows of a file that have an earlier one that is equal in all that is taken. */
export async function countTwins(
  sql: Sql,
  fileKey: bigint,
  taken: readonly TakenText[],
): Promise<number> {
  const [counted] = await sql<{ twins: number }[]>`
    select (count(*) - count(distinct digest))::int as twins
    from (select ${digestOf(sql, taken)} as digest from rows r where file_key = ${fileKey}) as digests`;
  return counted?.twins ?? 0;
}

/** The batch runs as if nobody had asked for its identical rows. */
export async function giveUpTwins(sql: Sql, batchKey: bigint): Promise<void> {
  await sql`update batches set twins_found = null where key = ${batchKey} and not twins_found`;
}

/** A digest of 16 bytes of all that is taken of a row `r`. */
function digestOf(sql: Sql, taken: readonly TakenText[]) {
  const digests = taken.map((part) => sql`coalesce(md5(${textOf(sql, part)}), '')`);
  const [only, ...others] = digests;
  if (!only) return sql`0`;
  if (others.length === 0) return sql`${only}`;
  return sql`md5(${others.reduce((all, next) => sql`${all} || ',' || ${next}`, only)})`;
}

function textOf(sql: Sql, part: TakenText) {
  switch (part.kind) {
    case 'content':
      return sql`r.content`;
    case 'fields':
      return sql`case when r.content is null then r.fields end`;
    case 'metadata':
      return sql`r.fields`;
    case 'cell':
      return sql`(r.fields::json -> ${part.column}::int)::text`;
    case 'otherCells':
      return sql`(
        select string_agg(cell.value::text, ',' order by cell.at)
        from json_array_elements(r.fields::json) with ordinality as cell(value, at)
        where cell.at <> ${part.column + 1})`;
    case 'member':
      // What an object `metadata` beside the text has is a field like the row's others.
      return sql`concat_ws(',', r.fields::json -> ${part.name}::text, 'in',
        case when json_typeof(r.fields::json -> 'metadata') = 'object' then r.fields::json -> 'metadata' -> ${part.name}::text end)`;
    case 'otherMembers':
      return membersBut(sql, [part.name]);
    case 'request': {
      const isBody = sql`json_typeof(r.fields::json -> 'messages') = 'array'`;
      const idFields = ['custom_id', ...(part.idField === null ? [] : [part.idField])];
      return sql`case when ${isBody} then ${membersBut(sql, idFields)}
        else coalesce(nullif(concat_ws(',', r.fields::json -> 'request', 'body', r.fields::json -> 'body',
          'params', r.fields::json -> 'params', r.fields::json ->> 'url'), 'body,params'), r.fields) end`;
    }
  }
}

/** The members of a row but those that name it, in their order. */
function membersBut(sql: Sql, names: readonly string[]) {
  return sql`(
    select string_agg(to_json(member.name)::text || ':' || member.value::text, ',' order by member.at)
    from json_each(r.fields::json) with ordinality as member(name, value, at)
    where member.name <> all(${[...names]}::text[]))`;
}

/** A place in the order in which twins are recorded: by leader, then by index. */
export interface TwinPlace {
  leader: number;
  index: number;
}

const beginning: TwinPlace = { leader: -1, index: -1 };

/**
 * Writes what stands for their leaders to up to 5,000 twins behind a place that have nothing yet:
 * of the given leaders, or of all. Nothing was asked for them, so that they have no attempts and no
 * usage. `next`: where to go on; null behind the last. Null when the batch has gone or ended.
 */
export async function recordTwins(
  sql: Sql,
  batchKey: bigint,
  {
    leaders,
    after = beginning,
  }: { leaders: readonly number[] | null; after?: TwinPlace | undefined },
): Promise<(Recorded & { next: TwinPlace | null }) | null> {
  const [written] = await sql<(WrittenRow & { next: TwinPlace | null })[]>`
    with batch as materialized (
      select key, seq, status from batches b
      where key = ${batchKey} and ${isNotFinal(sql)}
      for update
    ),
    picked as materialized (
      select t.leader, t.index from twins t
      where t.batch_key = ${batchKey} and exists (select from batch)
        ${leaders ? sql`and t.leader = any(${`{${leaders.join()}}`}::int[])` : sql``}
        and (t.leader, t.index) > (${after.leader}::int, ${after.index}::int)
        and exists (select from results r where r.batch_key = t.batch_key and r.index = t.leader)
        and not exists (select from results r where r.batch_key = t.batch_key and r.index = t.index)
      order by t.leader, t.index
      limit ${stepSize}
    ),
    inserted as (
      insert into results (batch_key, seq, index, status, output, error_code, error_message, rejected_answer, confidence)
      select batch.key, batch.seq + 1, p.index, r.status, r.output, r.error_code, r.error_message, r.rejected_answer,
             r.confidence
      from batch cross join picked p
      join results r on r.batch_key = batch.key and r.index = p.leader
      on conflict do nothing
      returning status, error_code, error_message
    ),
    ${countErrors(sql, batchKey)},
    total as (
      select count(*)::int as items,
             (count(*) filter (where status = 'SUCCEEDED'))::int as succeeded,
             (count(*) filter (where status = 'FAILED'))::int as failed,
             (count(*) filter (where status = 'CANCELLED'))::int as cancelled,
             (count(*) filter (where status = 'EXPIRED'))::int as expired
      from inserted
    ),
    counted as (
      update batches b
      set seq = b.seq + (t.items > 0)::int,
          succeeded = b.succeeded + t.succeeded,
          failed = b.failed + t.failed,
          cancelled = b.cancelled + t.cancelled,
          expired = b.expired + t.expired,
          twins_recorded = b.twins_recorded + t.items,
          rate = b.rate + t.items / ${rateWindowSeconds}::float8,
          ${closeWhenFull(sql, sql`t.items`)}
      from total t, batch
      where b.key = batch.key
      returning b.*, t.items as recorded, t.succeeded as new_succeeded, t.cancelled as new_cancelled,
                t.expired as new_expired, ${failedByCode(sql, sql`t.failed`)} as new_failed
    ),
    ${announceEnd(sql)}
    select ${toldOfBatch(sql)}, new_succeeded as "newSucceeded", new_failed as "newFailed",
           new_cancelled as "newCancelled", new_expired as "newExpired",
           case when (select count(*) from picked) = ${stepSize} then (
             select json_build_object('leader', leader, 'index', index)
             from picked order by leader desc, index desc limit 1) end as next
    from counted`;
  if (!written) return null;
  const { next, ...row } = written;
  return { ...recordedOf(row), next };
}

/**
 * Batches all of whose other items have their results, while some twins have none: the process that
 * was to write them died, or the leaders had theirs before a retry.
 */
export async function listTwinsLeft(sql: Sql): Promise<bigint[]> {
  const found = await sql<{ key: bigint }[]>`
    select key from batches b
    where ${isNotFinal(sql)} and b.twins > b.twins_recorded
      and (b.pause_reason is null or ending is not null)
      and ending is distinct from 'FAILED'
      and not exists (select from chunks c where c.batch_key = b.key and c.state <> 'done')
    order by key limit 100`;
  return found.map(({ key }) => key);
}
