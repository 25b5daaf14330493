/** Files and outputs of batches in one list, as OpenAI's API has them. */
import type { Sql } from './driver/client.ts';
import { fileIsThere } from './files.ts';
import type { OutputKind } from './output-files.ts';

/** Where an entry stands in the list. */
export interface ListPlace {
  at: Date;
  /** Rank among entries of one instant. */
  rank: number;
  key: bigint;
}

/** An uploaded file, or an output of a batch. */
export interface ListedFile extends ListPlace {
  kind: 'input' | OutputKind;
  /** Id of the file, or of the batch. */
  id: string;
  /** Name of the file; null for an output. */
  name: string | null;
  /** Null for an output that nobody has asked about. */
  bytes: number | null;
  purpose: string;
  expiresAt: Date | null;
}

/** A page of an owner's files and outputs by their time; `after` itself is left out. */
export async function listFilesAndOutputs(
  sql: Sql,
  owner: string,
  page: { purpose: string | null; after: ListPlace | null; ascending: boolean; limit: number },
): Promise<ListedFile[]> {
  const { purpose, after, ascending, limit } = page;
  const order = ascending ? sql`asc` : sql`desc`;
  const place = after && sql`(${after.at.toISOString()}::timestamptz, ${after.rank}, ${after.key})`;
  const behind = ascending ? sql`>` : sql`<`;
  return await sql<ListedFile[]>`
    select * from (${entriesOf(sql, owner)}) as entries
    where true
      ${purpose === null ? sql`` : sql`and purpose = ${purpose}`}
      ${place ? sql`and (at, rank, key) ${behind} ${place}` : sql``}
    order by at ${order}, rank ${order}, key ${order}
    limit ${limit}`;
}

/** Where a file or an output stands, also one that was deleted a moment ago. */
export async function findPlace(
  sql: Sql,
  owner: string,
  { kind, id }: Pick<ListedFile, 'kind' | 'id'>,
): Promise<ListPlace | null> {
  const [place] =
    kind === 'input'
      ? await sql<ListPlace[]>`
          select created_at as at, ${ranks.input}::int as rank, key
          from files where id = ${id} and owner = ${owner} and listed`
      : await sql<ListPlace[]>`
          select completed_at as at, ${ranks[kind]}::int as rank, key
          from batches where id = ${id} and owner = ${owner} and completed_at is not null`;
  return place ?? null;
}

const ranks = { input: 0, output: 1, errors: 2 } as const;

function entriesOf(sql: Sql, owner: string) {
  const ended = sql`owner = ${owner} and deleted_at is null
    and status in ('COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED')`;
  const ofBatch = sql`id, null::text as name`;
  return sql`
    select 'input' as kind, ${ranks.input}::int as rank, key, created_at as at, id, name,
           size_bytes::float8 as bytes, expires_at as "expiresAt",
           coalesce(purpose, case when format = 'OPENAI_JSONL' then 'batch' else 'user_data' end)
             as purpose
    from files f
    where owner = ${owner} and listed and ${fileIsThere(sql)}
    union all
    select 'output', ${ranks.output}::int, key, completed_at, ${ofBatch},
           output_bytes::float8, null, 'batch_output'
    from batches
    where ${ended} and output_deleted_at is null and succeeded > 0
    union all
    select 'errors', ${ranks.errors}::int, key, completed_at, ${ofBatch},
           error_bytes::float8, null, 'batch_output'
    from batches
    where ${ended} and errors_deleted_at is null and failed + expired + cancelled > 0`;
}
