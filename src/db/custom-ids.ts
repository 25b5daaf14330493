/** Which items custom ids name, and the index of ids that a batch takes from its own field. */
import { blankCharacters } from '../core/blank-characters.ts';
import { maxCustomIdLength } from '../core/ids.ts';
import type { Sql } from './driver/client.ts';
import { isUnended } from './guards.ts';

/** Rows indexed by one statement, which holds the batch's lock. */
const stepSize = 20_000;

/**
 * The indexes of the items that `customIds` name in a batch, as a query. `batch` is a query of the
 * batch's row: key, file_key, custom_id_field and custom_id_prefix. An item without a custom id is
 * known by its place in the file, counted from 0.
 */
export function itemsNamed(
  sql: Sql,
  batch: ReturnType<typeof sql<object[]>>,
  customIds: readonly string[],
) {
  return sql`(
    with wanted as materialized (
      select b.key, b.file_key, b.custom_id_field is null as at_upload, coalesce(b.custom_id_field = '', false) as by_index,
             substr(given, length(coalesce(b.custom_id_prefix, '')) + 1) as id
      from (${batch}) b, unnest(${[...customIds]}::text[]) as given
      where starts_with(given, coalesce(b.custom_id_prefix, ''))
    ),
    placed as materialized (
      select *, id::int as place from wanted where id ~ '^(0|[1-9][0-9]{0,8})$' and (at_upload or by_index)
    )
    select r.index from wanted w
    join rows r on r.file_key = w.file_key and r.custom_id = w.id and r.custom_id is not null
    where w.at_upload
    union all
    select r.index from placed w
    join rows r on r.file_key = w.file_key and r.index = w.place and r.row is null
    where w.by_index or w.at_upload and r.custom_id is null
    union all
    select r.index from placed w
    join rows r on r.file_key = w.file_key and r.row = w.place + 1 and r.row is not null
    where w.by_index or w.at_upload and r.custom_id is null
    union all
    select c.index from wanted w
    join custom_ids c on c.batch_key = w.key and c.custom_id in (w.id, btrim(w.id, ${blankCharacters}))
  )`;
}

/** A batch some of whose custom ids are not indexed yet, and how its file is written. */
export interface UnindexedBatch {
  key: bigint;
  customIdField: string;
  format: string;
  /** JSON text. */
  columns: string;
  /** True where the file's rows have numbers. */
  isNumbered: boolean;
}

/** The oldest batches that wait for their custom ids, `limit` at most. */
export async function listUnindexed(sql: Sql, limit: number): Promise<UnindexedBatch[]> {
  return await sql<UnindexedBatch[]>`
    select b.key, b.custom_id_field as "customIdField", f.format, f.columns,
           f.encoding is not null as "isNumbered"
    from batches b join files f on f.key = b.file_key
    where b.ids_indexed < b.total
      and ${isUnended(sql)}
    order by b.key limit ${limit}`;
}

/** Two items of one custom id, or (`second` null) one of too long an id: by index and row. */
export interface CustomIdProblem {
  customId: string;
  first: ItemPlace;
  second: ItemPlace | null;
}

export interface ItemPlace {
  index: number;
  /** Right where the file's rows have numbers. */
  row: number;
}

export interface IndexedStep {
  /** All of them are indexed now. */
  done: boolean;
  /** Up to five; then nothing was written. */
  problems: CustomIdProblem[];
}

/**
 * Indexes the custom ids of the next 20,000 rows of a batch; `column` is the position of the field
 * in a row of cells, null where rows are objects. Null where there is nothing to do, or another
 * process is at it.
 */
export async function indexCustomIds(
  sql: Sql,
  batchKey: bigint,
  field: { name: string; column: number | null },
): Promise<IndexedStep | null> {
  const value =
    field.column === null
      ? sql`coalesce(r.fields::json ->> ${field.name}::text, ${inMetadata(sql, field.name)})`
      : sql`r.fields::json ->> ${field.column}::int`;
  const [step] = await sql<IndexedStep[]>`
    with batch as materialized (
      select key, file_key, ids_indexed as first, total from batches b
      where key = ${batchKey} and ids_indexed < total
        and ${isUnended(sql)}
      for update skip locked
    ),
    given as materialized (
      -- Two ids that differ in the white space around them are one to a reader who joins by ids.
      select b.key, r.index, coalesce(nullif(btrim(${value}, ${blankCharacters}), ''), coalesce(r.row - 1, r.index)::text) as id
      from batch b join rows r on r.file_key = b.file_key
       and r.index >= b.first and r.index < b.first + ${stepSize}
    ),
    problems as materialized (
      select id as "customId", least(index, other) as first, greatest(index, other) as second
      from (
        select id, index, coalesce(
          (select c.index from custom_ids c where c.batch_key = g.key and c.custom_id = g.id),
          nullif(min(index) over (partition by id), index)
        ) as other
        from given g where length(id) <= ${maxCustomIdLength}
      ) twice
      where other is not null
      union all
      select left(id, 80), index, null from given where length(id) > ${maxCustomIdLength}
      limit 5
    ),
    stored as (
      insert into custom_ids (batch_key, custom_id, index)
      select key, id, index from given where not exists (select from problems)
    ),
    moved as (
      update batches b set ids_indexed = least(b.total, b.ids_indexed + ${stepSize})
      from batch where b.key = batch.key and not exists (select from problems)
      returning b.ids_indexed = b.total as done
    )
    select coalesce((select done from moved), false) as done,
           (select coalesce(json_agg(json_build_object(
              'customId', p."customId", 'first', ${placeOf(sql, sql`p.first`)}, 'second', ${placeOf(sql, sql`p.second`)})), '[]')
            from problems p) as problems
    from batch b`;
  return step ?? null;
}

/** An item of the file of `b`, by its index and its row; null for null. */
function placeOf(sql: Sql, index: ReturnType<Sql>) {
  return sql`(
    select json_build_object('index', r.index, 'row', coalesce(r.row, r.index + 1))
    from rows r where r.file_key = b.file_key and r.index = ${index})`;
}

/** A field of a row that is an item: it stands in the metadata beside the text. */
function inMetadata(sql: Sql, name: string) {
  return sql`case when json_typeof(r.fields::json -> 'content') = 'string' and json_typeof(r.fields::json -> 'metadata') = 'object'
    then r.fields::json -> 'metadata' ->> ${name}::text end`;
}
