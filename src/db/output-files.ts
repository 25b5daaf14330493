/**
 * The lines of a batch's output as files of OpenAI's API: one of the items that succeeded, one of
 * the others. Nothing of them is stored but their length, and that a client deleted them.
 */
import { and, eq, gt, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import type { BatchRecord } from './batches.ts';
import type { Builder, Sql } from './driver/client.ts';
import { endedStatuses, isFinal } from './final-status.ts';
import { batchOf } from './guards.ts';
import { batches } from './tables.ts';

/** `errors` has the items that failed, expired or were cancelled. */
export type OutputKind = 'output' | 'errors';

/** Bytes of both. */
export type OutputBytes = Readonly<Record<OutputKind, number>>;

/** True where a batch has the file: it has ended, with lines for it, and nobody deleted it. */
export function hasOutput(batch: BatchRecord, kind: OutputKind): boolean {
  const { status, succeeded, failed, expired, cancelled } = batch;
  if (!isFinal(status)) return false;
  return kind === 'output'
    ? succeeded > 0 && batch.outputDeletedAt === null
    : failed + expired + cancelled > 0 && batch.errorsDeletedAt === null;
}

/** The same of a row of `batches`. */
function outputIsThere(kind: OutputKind): SQL | undefined {
  const { succeeded, failed, expired, cancelled } = batches;
  return and(
    isNull(batches.deletedAt),
    inArray(batches.status, [...endedStatuses]),
    kind === 'output'
      ? and(gt(succeeded, 0), isNull(batches.outputDeletedAt))
      : and(gt(sql`${failed} + ${expired} + ${cancelled}`, 0), isNull(batches.errorsDeletedAt)),
  );
}

/** Deletes an output for its owner, until a retry makes another one. False for an unknown one. */
export async function deleteOutput(
  { query }: Builder,
  owner: string,
  { batchId, kind }: { batchId: string; kind: OutputKind },
): Promise<boolean> {
  const now = sql`now()`;
  const deleted = await query
    .update(batches)
    .set(kind === 'output' ? { outputDeletedAt: now } : { errorsDeletedAt: now })
    .where(and(batchOf(owner, batchId), outputIsThere(kind)))
    .returning({ key: batches.key });
  return deleted.length === 1;
}

/** Keeps how long the outputs of a batch are, unless it was retried since it was read. */
export async function storeOutputBytes(
  { query }: Builder,
  { key, completedAt }: Pick<BatchRecord, 'key' | 'completedAt'>,
  { output, errors }: OutputBytes,
): Promise<void> {
  if (!completedAt) return;
  await query
    .update(batches)
    .set({ outputBytes: output, errorBytes: errors })
    .where(and(eq(batches.key, key), eq(batches.completedAt, completedAt)));
}

/** Items that have an answer, and all before them have one too. */
export interface Beginning {
  /** Behind the last of them. */
  end: number;
  /** Number of items that succeeded, and of those that did not. */
  lines: Readonly<Record<OutputKind, number>>;
}

/**
 * Length of the beginning of a running batch that has no gap. Lines of its items up to there stay
 * as they are, unless it is retried.
 */
export async function readBeginning(sql: Sql, batchKey: bigint): Promise<Beginning> {
  const [found] = await sql<{ end: number; unsuccessful: number }[]>`
    with answered as materialized (
      select coalesce((
        select open.index
        from (
          select (
            select min(i)
            from generate_series(c.first, c.last) as i
            where not exists (select from results r where r.batch_key = c.batch_key and r.index = i)
          ) as index
          from chunks c
          where c.batch_key = b.key and (c.state <> 'done' or c.twins > 0)
          order by c.first
        ) as open
        where open.index is not null
        limit 1
      ), b.total) as end
      from batches b where b.key = ${batchKey}
    )
    select a.end, (
      select count(*)::int from results r
      where r.batch_key = ${batchKey} and r.index < a.end and r.status <> 'SUCCEEDED'
    ) as unsuccessful
    from answered a`;
  const { end = 0, unsuccessful = 0 } = found ?? {};
  return { end, lines: { output: end - unsuccessful, errors: unsuccessful } };
}

/** The index of the item that has the line behind `offset` lines; null behind the last. */
export async function findLine(
  sql: Sql,
  batchKey: bigint,
  { kind, offset }: { kind: OutputKind; offset: number },
): Promise<number | null> {
  const status = kind === 'output' ? sql`status = 'SUCCEEDED'` : sql`status <> 'SUCCEEDED'`;
  const [found] = await sql<{ index: number }[]>`
    select index from results
    where batch_key = ${batchKey} and ${status}
    order by index offset ${offset} limit 1`;
  return found?.index ?? null;
}
