/**
 * The queue. A chunk is `open`, `leased` to a worker, or `done`; behind a preview it is `held`, and
 * becomes `open` when its batch is resumed:
 *
 *     open --claim--> leased --last item recorded--> done
 *       ^                |                             |
 *       +--- release ----+   (worker lets go)          |
 *       +--- reclaim ----+   (worker died)             |
 *       +--------------- retry of its items -----------+
 *
 * Lock order in every statement of this folder: batch, then chunks by their first index. A claim
 * takes chunks first, but skips those that are locked, and so never waits for one. What hangs on
 * the locked row says `exists (select from batch)`: Postgres looks at that before it reads a chunk.
 * The batch itself is a parameter, by which a database of shards finds the one it needs.
 */
import { claimSize } from './claim-size.ts';
import type { Sql } from './driver/client.ts';
import { isInPreview, isRunning } from './guards.ts';
import { areLimited, type OwnerLimits, ownerLimit } from './owner-limits.ts';
import { fatalCrashes } from './reclaims.ts';
import { keptUsage, lockedBatch, type Unanswered } from './unanswered.ts';

/** A chunk as its worker holds it. */
export interface ClaimedChunk {
  batchKey: bigint;
  batchOwner: string;
  first: number;
  last: number;
  /** Items of it that already have a result. */
  done: number;
  /** Requests may go out for items up to this index; the mark is raised before going further. */
  sentTo: number;
  crashes: number;
  /** Items of it that take the answer of an identical row, and are not asked. */
  twins: number;
  /** The claim was the first of its batch. */
  begun: boolean;
}

/** The outcome of a claim: chunks of one batch, or a batch whose chunks are claimed otherwise. */
export interface ClaimedTurn {
  chunks: ClaimedChunk[];
  /** The batch whose turn it is has a limit, or its owner: by that its chunks are claimed. */
  bounded: { batchKey: bigint; batchOwner: string } | null;
}

/** Who was served last. Owners take turns by name, the batches of each by key. */
export interface ClaimTurn {
  owner: string;
  /** The batch of each owner that was served last. */
  batches: ReadonlyMap<string, bigint>;
}

/**
 * Claims up to `limit` open chunks of one batch: the one whose turn it is after `after`, of all or
 * of `onlyBatchKeys`. A preview cuts chunks into small ones: of such a batch it is as many as have
 * the items of `limit` usual ones. Those with crashes come last: what kills workers does it when
 * the rest is done. What was hit by chance is not hit again by the same storm. Nothing may be sent
 * yet: marks are raised apart, when it is known what there is room for.
 */
export async function claimChunks(
  sql: Sql,
  claim: {
    worker: string;
    after: ClaimTurn;
    limit: number;
    onlyBatchKeys: readonly bigint[] | null;
    /** Batches that are passed over. */
    except: readonly bigint[];
    /** Owners' own limits: their batches are claimed by `claimWithin` too. */
    limits: OwnerLimits;
    /**
     * By batch, the index before which chunks without crashes are not looked for, because they were
     * claimed: they stay in the index while an old snapshot is held, and would be read again by
     * each claim. All of a batch that is not in it is looked through.
     */
    from: ReadonlyMap<bigint, number>;
  },
): Promise<ClaimedTurn> {
  const { worker, after, limit, onlyBatchKeys, except, limits, from } = claim;
  const isBounded = areLimited(limits)
    ? sql`max_cost_usd is not null or ${ownerLimit(sql, limits, sql`owner`)} is not null`
    : sql`max_cost_usd is not null`;
  const only = onlyBatchKeys === null ? null : `{${onlyBatchKeys.join()}}`;
  const lastBatches = JSON.stringify(
    [...after.batches].map(([owner, key]) => ({ owner, key: String(key) })),
  );
  const firsts = JSON.stringify([...from].map(([key, first]) => ({ key: String(key), first })));
  const isNext = sql`
    batch_key = (select key from turn where not bounded) and state = 'open'
    and (crashes, first) >= (0, coalesce((
      select f.first from json_to_recordset(${firsts}::text::json) as f(key bigint, first int)
      where f.key = (select key from turn)), 0))
    and crashes < ${fatalCrashes}`;
  const rows = await sql<(ClaimedChunk & { isBounded: boolean })[]>`
    with turn as materialized (
      -- Sorted first, so that chunks are looked for in the batch whose turn it is, and not in a
      -- thousand others.
      select key, owner, preview_items, ${isBounded} as bounded from (
        select b.key, b.owner, b.max_cost_usd, b.preview_items from batches b
        left join json_to_recordset(${lastBatches}::text::json) as l(owner text, key bigint) on l.owner = b.owner
        where ${isRunning(sql)} and b.pause_reason is null
          and (execution = 'LIVE' or rescued_at is not null or ${isInPreview(sql)})
          and coalesce(ids_indexed = total, true) and coalesce(twins_found, true)
          and (${only}::text is null or b.key = any(${only}::text::bigint[]))
          ${except.length > 0 ? sql`and b.key <> all(${`{${except.join()}}`}::text::bigint[])` : sql``}
        order by b.owner <= ${after.owner}, b.owner, b.key <= coalesce(l.key, 0), b.key
      ) in_turn
      -- From the far end: under an old snapshot everything that was claimed before is still in the
      -- index, in front.
      where (select true from chunks
             where batch_key = in_turn.key and state = 'open' and crashes < ${fatalCrashes}
             order by crashes desc, first desc limit 1)
      limit 1
    ),
    picked as materialized (
      select batch_key, first from chunks
      where ${isNext}
      order by crashes, first
      limit ${claimSize(sql, { chunks: limit, open: isNext, previewItems: sql`(select preview_items from turn)` })}
      for update skip locked
    ),
    started as (
      update batches set status = 'PROCESSING', started_at = coalesce(started_at, now())
      where key = (select batch_key from picked limit 1) and status = 'QUEUED'
      returning true as begun
    ),
    taken as (
      update chunks c
      set state = 'leased', owner = ${worker}, sent_to = c.first - 1, repeats = 0
      from picked p
      where c.batch_key = p.batch_key and c.first = p.first
      returning c.batch_key, c.first, c.last, c.done, c.sent_to, c.crashes, c.twins
    )
    select turn.key as "batchKey", turn.owner as "batchOwner", turn.bounded as "isBounded", taken.first, taken.last,
           taken.done, taken.sent_to as "sentTo", taken.crashes, taken.twins, coalesce((select begun from started), false) as begun
    from turn left join taken on true
    where bounded or taken.first is not null`;
  const [first] = rows;
  if (first?.isBounded) return { chunks: [], bounded: first };
  return { chunks: rows, bounded: null };
}

/** Requests may go out for items of the chunk that begins at `first`, up to the index `sentTo`. */
export interface ChunkMark {
  batchKey: bigint;
  first: number;
  sentTo: number;
  /** So many requests more than before may go out beyond the first of each item. */
  repeats: number;
}

/** Most that the column holds. An outage of days costs one item no more requests than that. */
const maxRepeats = 32_767;

/** Raises the marks of chunks that `worker` holds, before it sends requests beyond them. */
export async function raiseSentMarks(
  sql: Sql,
  worker: string,
  marks: readonly ChunkMark[],
): Promise<void> {
  const [only] = marks;
  // By far the most frequent statement of all, and hardly ever of two chunks.
  if (only && marks.length === 1) {
    const { batchKey, first, sentTo, repeats } = only;
    await sql`
      update chunks set sent_to = greatest(sent_to, least(last, ${sentTo}))
        ${repeats > 0 ? sql`, repeats = least(${maxRepeats}, repeats + ${repeats}::int)` : sql``}
      where batch_key = ${batchKey} and first = ${first} and owner = ${worker}
        ${repeats > 0 ? sql`` : sql`and sent_to < ${sentTo}`}`;
    return;
  }
  const keys = `{${marks.map(({ batchKey }) => batchKey).join()}}`;
  const firsts = `{${marks.map(({ first }) => first).join()}}`;
  const sentTos = `{${marks.map(({ sentTo }) => sentTo).join()}}`;
  // Hardly an item is asked twice.
  const repeats = marks.some((mark) => mark.repeats > 0)
    ? `{${marks.map((mark) => mark.repeats).join()}}`
    : null;
  // Chunks are locked in the order in which a flush locks them. Of arrays the planner expects few
  // rows, and looks each up; of JSON a hundred, and reads all chunks.
  await sql`
    with marks as (
      select * from unnest(
        ${keys}::bigint[], ${firsts}::int[], ${sentTos}::int[] ${repeats ? sql`, ${repeats}::int[]` : sql``}
      ) as m(batch_key, first, sent_to ${repeats ? sql`, repeats` : sql``})
    ),
    held_chunks as materialized (
      select c.batch_key, c.first, m.sent_to ${repeats ? sql`, m.repeats` : sql``}
      from chunks c join marks m on c.batch_key = m.batch_key and c.first = m.first
      where c.owner = ${worker}
      order by c.batch_key, c.first
      for update of c
    )
    update chunks c set sent_to = greatest(c.sent_to, least(c.last, h.sent_to))
      ${repeats ? sql`, repeats = least(${maxRepeats}, c.repeats + h.repeats)` : sql``}
    from held_chunks h
    where c.batch_key = h.batch_key and c.first = h.first
      and (c.sent_to < h.sent_to ${repeats ? sql`or h.repeats > 0` : sql``})`;
}

/**
 * Gives back what `worker` holds of a batch, finished items aside, and keeps what those of them
 * have cost that were sent. Their number is exact, so that no mark is counted. Done again after its
 * answer was lost it keeps nothing: what it gave back is sent to nobody before it is marked.
 */
export async function releaseChunks(
  sql: Sql,
  release: { worker: string; batchKey: bigint; unanswered: readonly Unanswered[] },
): Promise<void> {
  const { worker, batchKey, unanswered } = release;
  await sql`
    with ${lockedBatch(sql, batchKey)},
    held_chunks as materialized (
      select first, sent_to from chunks
      where batch_key = ${batchKey} and exists (select from batch) and owner = ${worker} and state = 'leased'
      order by first
      for update
    )
    ${unanswered.length > 0 ? sql`, ${keptUsage(sql, { items: unanswered, execution: 'LIVE', chunks: sql`(select first, sent_to as last from held_chunks)` })}` : sql``}
    update chunks c set state = 'open', owner = null, sent_to = c.first - 1, repeats = 0
    from held_chunks h
    where c.batch_key = ${batchKey} and c.first = h.first`;
}

/**
 * Gives back chunks that are leased to `worker` but that it does not hold: a claim whose answer was
 * lost on the way, or that came too late. Nothing of them was sent. Called while no claim is under
 * way. Returns how many there were.
 */
export async function releaseUnknownChunks(
  sql: Sql,
  worker: string,
  known: readonly { batchKey: bigint; first: number }[],
): Promise<number> {
  const given = known.map(({ batchKey, first }) => ({ batchKey: String(batchKey), first }));
  const released = await sql`
    with unknown as materialized (
      select batch_key, first from chunks c
      where state = 'leased' and owner = ${worker}
        and not exists (
          select from json_to_recordset(${JSON.stringify(given)}::text::json) as k("batchKey" bigint, first int)
          where k."batchKey" = c.batch_key and k.first = c.first)
      order by batch_key, first
      for update
    )
    update chunks c set state = 'open', owner = null, sent_to = c.first - 1, repeats = 0
    from unknown u
    where c.batch_key = u.batch_key and c.first = u.first`;
  return released.count;
}
