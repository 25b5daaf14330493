/**
 * The jobs that batches are cut into for their provider's own batch API. A chunk whose items are in
 * one is `leased` with the id of the provider batch as its owner. So its answers are recorded,
 * counted, and kept from coming twice, by the statement of live calls. No worker has to stay alive
 * for it.
 *
 *     preparing --create is begun--> creating --it exists--> working --it ended--> reading --all
 *     read--> done
 *
 * A worker takes a provider batch for one step at a time. One that dies in the middle of a step
 * leaves its id behind, and the next one does the step again.
 */
import { and, eq, gte, isNotNull, type SQL, sql } from 'drizzle-orm';
import { allowedItems, jobGate } from './budgets.ts';
import { after } from './clock.ts';
import type { Builder, Sql } from './driver/client.ts';
import { isInPreview, isRunning } from './guards.ts';
import type { OwnerLimits } from './owner-limits.ts';
import { addResent } from './spending.ts';
import { type FinalStatus, providerBatches } from './tables.ts';

/** A provider batch in the hands of a worker, with what its batch says at that moment. */
export type ProviderJob = Omit<
  typeof providerBatches.$inferSelect,
  'firsts' | 'items' | 'worker' | 'dueAt'
> & {
  /** The end that the batch is coming to; null while it runs. */
  ending: FinalStatus | null;
  /** Nothing new of the batch is to be sent. */
  paused: boolean;
  /** The batch, as its owner knows it. */
  batchId: string;
  /** Whose the batch is. */
  owner: string;
  /** Nobody waits for it any more: the batch was deleted, or has ended without it. */
  unwanted: boolean;
  /** The rest that the provider leaves undone is to be called live. */
  rescue: boolean;
  /** Open items of the batch go to live calls by now. */
  rescued: boolean;
  /** It was put aside when its batch failed: its chunks are open. */
  suspended: boolean;
  /** The database's clock. */
  now: Date;
};

/** Columns of a provider batch that a step changes. */
export type ProviderBatchChange = Partial<
  Pick<
    typeof providerBatches.$inferInsert,
    | 'model'
    | 'state'
    | 'requests'
    | 'items'
    | 'inputId'
    | 'providerId'
    | 'status'
    | 'succeeded'
    | 'failed'
    | 'cancelled'
    | 'expired'
    | 'results'
    | 'expiresAt'
    | 'cancelledAt'
    | 'failures'
    | 'liveCalls'
  >
>;

/**
 * Takes open chunks of the next running batch that goes through a provider's batch API. Enters
 * their provider batch, in this worker's hands. Null where there is nothing to take. A batch of
 * which one waits because its provider did not take it is left alone until that one's time has
 * come; one whose limit leaves nothing, until it does. `begun`: it is the first of its batch.
 */
export async function planProviderBatch(
  sql: Sql,
  plan: {
    id: string;
    worker: string;
    maxChunks: number;
    /** Without a result. */
    maxItems: number;
    maxRounds: number;
    busyOwners: readonly string[];
    limits: OwnerLimits;
  },
): Promise<{ batchKey: bigint; begun: boolean } | null> {
  const { id, worker, maxChunks, maxItems, maxRounds, busyOwners, limits } = plan;
  const allowed = allowedItems(sql, limits, sql`w.whose`);
  const gate = jobGate(sql, limits);
  const isOpen = sql`(c.state = 'open' and c.rounds < ${maxRounds} and not c.left_to_rescue)`;
  const [planned] = await sql<{ batchKey: bigint; begun: boolean }[]>`
    with next as materialized (
      select b.key, b.owner, b.model, b.status, ${allowed} as cap ${gate.seen} from batches b
      -- As this statement sees it: a limit is not reckoned by what came after.
      join batches seen on seen.key = b.key and seen.xmin = b.xmin
      cross join lateral (select b.owner as whose) w
      where b.execution = 'PROVIDER_BATCH' and b.rescued_at is null
        and ${isRunning(sql)} and b.pause_reason is null and not ${isInPreview(sql)}
        and coalesce(b.ids_indexed = b.total, true) and coalesce(b.twins_found, true)
        and coalesce(${allowed} > 0, true)
        and b.owner <> all(${[...busyOwners]}::text[])
        and exists (
          select from chunks c
          where c.batch_key = b.key and ${isOpen}
            and not exists (select from provider_batches p where p.batch_key = b.key and p.state <> 'done' and c.first = any(p.firsts)))
        and not exists (
          -- In no hands: the time of one that was just made is rounded, and may lie ahead.
          select from provider_batches p
          where p.batch_key = b.key and p.state = 'preparing' and p.worker is null and p.due_at > now())
      order by b.key
      limit 1
      for update of b skip locked
    ),
    ${gate.entered}
    fitting as materialized (
      select first, sum(last - first + 1 - done - twins) over (order by first) as items
      from chunks c
      where c.batch_key = (select key from next) and ${isOpen}
        and c.first not in (
          select unnest(p.firsts) from provider_batches p where p.batch_key = (select key from next) and p.state <> 'done')
      order by first
      limit ${maxChunks}
    ),
    picked as materialized (
      select c.first from chunks c, next
      where c.batch_key = next.key and c.state = 'open' and ${gate.isFresh}
        and c.first in (
          select first from fitting where items <= greatest(least(${maxItems}, (select cap from next)), (select min(items) from fitting)))
      order by c.first
      for update of c
    ),
    taken as (
      update chunks c set state = 'leased', owner = ${id}, sent_to = c.first - 1
      from picked, next
      where c.batch_key = next.key and c.first = picked.first
      returning c.first
    ),
    started as (
      update batches b set status = 'PROCESSING', started_at = coalesce(b.started_at, now())
      from next where b.key = next.key and (next.status = 'QUEUED' or next.cap is not null)
      returning next.status = 'QUEUED' as begun
    )
    -- The input has no more requests than are written down before it is made.
    insert into provider_batches (batch_key, id, model, firsts, worker, requests)
    select next.key, ${id}, next.model, array(select first from taken order by first), ${worker}, coalesce(next.cap, 0)
    from next
    where exists (select from taken)
    returning batch_key as "batchKey", coalesce((select begun from started), false) as begun`;
  return planned ?? null;
}

/** Writes what a step found, if the job is this worker's. False when it is another's. */
export async function changeProviderBatch(
  { query }: Builder,
  job: { key: bigint; worker: string },
  change: ProviderBatchChange,
): Promise<boolean> {
  const changed = await query
    .update(providerBatches)
    .set(change)
    .where(inHandsOf(job))
    .returning({ key: providerBatches.key });
  return changed.length === 1;
}

/** Lets go of a provider batch until its next step is due. */
export async function releaseProviderBatch(
  { query }: Builder,
  job: { key: bigint; worker: string },
  dueInMs: number,
): Promise<void> {
  await query
    .update(providerBatches)
    .set({ worker: null, dueAt: after(dueInMs) })
    .where(inHandsOf(job));
}

function inHandsOf({ key, worker }: { key: bigint; worker: string }): SQL | undefined {
  return and(eq(providerBatches.key, key), eq(providerBatches.worker, worker));
}

/** Takes back the chunks that were given up when the batch failed. */
export async function resumeProviderBatch(
  sql: Sql,
  job: { key: bigint; id: string; batchKey: bigint; worker: string },
): Promise<void> {
  await sql`
    with batch as materialized (select key from batches where key = ${job.batchKey} for update),
    mine as (select firsts from provider_batches where key = ${job.key} and worker = ${job.worker})
    update chunks c set state = 'leased', owner = ${job.id}, sent_to = c.first - 1
    from mine, batch
    where c.batch_key = batch.key and c.state = 'open' and c.first = any(mine.firsts)`;
}

/**
 * Gives the chunks of a provider batch back, which stays as it is: its batch fails, and may go on
 * with it later.
 */
export async function suspendProviderBatch(
  sql: Sql,
  job: { key: bigint; id: string; batchKey: bigint; worker: string },
): Promise<void> {
  await sql`
    with batch as materialized (select key from batches where key = ${job.batchKey} for update),
    suspended as (
      update provider_batches set worker = null, due_at = now(), failures = 0
      where key = ${job.key} and worker = ${job.worker}
      returning id
    )
    update chunks set state = 'open', owner = null, sent_to = first - 1
    where batch_key = ${job.batchKey} and exists (select from batch) and owner = (select id from suspended)`;
}

/**
 * Ends a provider batch, and gives back the chunks that it left items of unanswered, for the party
 * that is to ask next. `round`: it was tried, and the chunks are charged with it. Live calls that
 * it broke off are sent again by that party.
 */
export async function endProviderBatch(
  sql: Sql,
  job: { key: bigint; id: string; batchKey: bigint; worker: string },
  end: { status: string; round: boolean },
): Promise<void> {
  await sql`
    with batch as materialized (select key from batches where key = ${job.batchKey} for update),
    ended as (
      update provider_batches
      set state = 'done', status = ${end.status}, worker = null, ended_at = now()
      where key = ${job.key} and worker = ${job.worker}
      returning id, live_calls
    ),
    resent as (
      update batches b set resent_requests = b.resent_requests + ended.live_calls
      from ended
      where b.key = ${job.batchKey} and exists (select from batch) and ended.live_calls > 0 and ${isRunning(sql)}
      returning b.key, ended.live_calls as requests
    ),
    spent as (${addResent(sql, sql`select key, requests, 0 as own from resent`)})
    update chunks set state = 'open', owner = null, sent_to = first - 1, rounds = rounds + ${end.round ? 1 : 0}
    where batch_key = ${job.batchKey} and exists (select from batch) and owner = (select id from ended)`;
}

/**
 * True where another job for the same model is at its provider, or was within so many milliseconds,
 * of whichever batch. Those of a failed batch stay as they were until it is retried, if ever, and
 * tell nothing.
 */
export async function hasJobBesides(
  sql: Sql,
  { key, model }: { key: bigint; model: string },
  withinMs: number,
): Promise<boolean> {
  const others = await sql`
    select from provider_batches p
    where key <> ${key} and model = ${model}
      and (state in ('creating', 'working', 'reading')
             and not exists (select from batches b where b.key = p.batch_key and b.status = 'FAILED')
           or ended_at > now() - make_interval(secs => ${withinMs / 1000}))
    limit 1`;
  return others.length > 0;
}

/** The ids of all known jobs at a model's provider: a lost job is none of them. */
export async function listProviderIds(
  { query }: Builder,
  provider: string,
  since: Date,
): Promise<string[]> {
  const { model, providerId, createdAt } = providerBatches;
  const known = await query
    .select({ providerId: sql<string>`${providerId}` })
    .from(providerBatches)
    .where(
      and(
        sql`starts_with(${model}, ${`${provider}/`})`,
        isNotNull(providerId),
        gte(createdAt, sql`${since.toISOString()}::timestamptz - interval '2 days'`),
      ),
    );
  return known.map((row) => row.providerId);
}
