/**
 * This process's counts of the answers of batches. What is asked for again is counted on from
 * there, or back: counts are always those of the instant at which their batch was read.
 */
import type { Log } from '../../core/log.ts';
import { createRecent } from '../../core/recent.ts';
import type { Database } from '../../db/driver/client.ts';
import { readStretchEnd, readSummary, storeSummary } from '../../db/summaries.ts';
import type { CountedBatch, Summary } from './summary.ts';

/** One has some 5 KB for a label batch, and 150 KB at most. */
const maxKept = 256;
/** A statement counts so many rows in some seconds, and a request's may take ten. */
const defaultStepRows = 1_000_000;
/** To count so many again after a restart takes 0.1 s. */
const defaultStoreRows = 50_000;

export interface Summaries {
  /**
   * The counts of a batch as it was read. `keep`: they outlive this process however few they are.
   * Rejects as `reader` does; what was counted until then is counted no second time.
   */
  read<Counts>(
    reader: Pick<Database, 'sql'>,
    batch: CountedBatch,
    summary: Summary<Counts>,
    options?: { keep?: boolean },
  ): Promise<Counts>;
}

/** Counts up to a seq: `rows` of any status, `storedSeq` of them in the database. */
interface Counted<Counts> {
  seq: number;
  rows: number;
  counts: Counts;
  stored: { seq: number; rows: number };
}

/**
 * `db` is for what is kept over a restart. A statement counts some `stepRows` rows at most;
 * `storeRows` new ones are worth keeping.
 */
export function createSummaries(
  { db, log }: { db: Database; log: Pick<Log, 'warn'> },
  { stepRows = defaultStepRows, storeRows = defaultStoreRows } = {},
): Summaries {
  const kept = createRecent<Counted<unknown>>(maxKept);
  /** The last in line for each summary: what one counts, the next need not. Never reject. */
  const turns = new Map<string, Promise<unknown>>();

  function inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (turns.get(name) ?? Promise.resolve()).then(work);
    const end = turn
      .catch(() => undefined)
      .then(() => {
        if (turns.get(name) === end) turns.delete(name);
      });
    turns.set(name, end);
    return turn;
  }

  function counter<Counts>(
    { sql }: Pick<Database, 'sql'>,
    batch: CountedBatch,
    summary: Summary<Counts>,
  ) {
    const { key: batchKey, seq } = batch;
    const name = nameOf(batch, summary);
    const all = batch.succeeded + batch.failed + batch.cancelled + batch.expired;
    const nothing = (stored = { seq: 0, rows: 0 }): Counted<Counts> => {
      return { seq: 0, rows: 0, counts: summary.none, stored };
    };

    async function begin(): Promise<Counted<Counts>> {
      // Answers that were deleted can be counted no more: what was kept before is all there is.
      const isGone = batch.contentDeletedAt != null;
      const known = kept.get(name) as Counted<Counts> | undefined;
      if (known && !isGone) return known;
      const isKept = isGone || all >= storeRows;
      const stored = isKept ? await readSummary(db, batchKey, summary.field) : null;
      if (!stored) return nothing();
      const { rows } = stored;
      const counts = summary.fromJson(JSON.parse(stored.counts));
      return { seq: stored.seq, rows, counts, stored: { seq: stored.seq, rows } };
    }

    /** Counts on to the seq of the batch. */
    async function goOn(from: Counted<Counts>): Promise<Counted<Counts>> {
      let one = from;
      while (one.seq < seq) {
        const rest = { batchKey, after: one.seq, upTo: seq };
        const end = all - one.rows > stepRows ? await readStretchEnd(sql, rest, stepRows) : null;
        const upTo = end ?? seq;
        const counts = await summary.count(sql, one.counts, { ...rest, upTo }, 1);
        one = { ...one, seq: upTo, rows: end === null ? all : one.rows + stepRows, counts };
        kept.set(name, one);
      }
      return one;
    }

    /** Takes away what was recorded after the batch was read, for this one reader. */
    async function goBack(from: Counted<Counts>): Promise<Counts> {
      const beyond = { batchKey, after: seq, upTo: from.seq };
      const counts = await summary.count(sql, from.counts, beyond, -1);
      if (summary.isWhole(counts, batch)) return counts;
      return await summary.count(sql, summary.none, { batchKey, after: 0, upTo: seq }, 1);
    }

    async function store(one: Counted<Counts>): Promise<void> {
      const { rows, counts } = one;
      const text = JSON.stringify(summary.toJson(counts));
      try {
        const stored = { field: summary.field, seq: one.seq, rows, counts: text };
        await storeSummary(db.sql, batchKey, stored);
        kept.set(name, { ...one, stored: { seq: one.seq, rows } });
      } catch (error) {
        log.warn({ err: error }, 'could not keep what was counted of a batch');
      }
    }

    return { begin, goOn, goBack, store, nothing };
  }

  return {
    async read<Counts>(
      reader: Pick<Database, 'sql'>,
      batch: CountedBatch,
      summary: Summary<Counts>,
      { keep = false } = {},
    ) {
      const name = nameOf(batch, summary);
      const known = kept.get(name) as Counted<Counts> | undefined;
      if (known?.seq === batch.seq && !keep) return known.counts;
      return await inTurn(name, async () => {
        const { begin, goOn, goBack, store, nothing } = counter(reader, batch, summary);
        const begun = await begin();
        if (begun.seq > batch.seq) return await goBack(begun);
        let one = await goOn(begun);
        if (!summary.isWhole(one.counts, batch))
          one = await goOn(nothing({ ...one.stored, rows: 0 }));
        const isNew = keep ? one.seq > one.stored.seq : one.rows - one.stored.rows >= storeRows;
        if (isNew) await store(one);
        return one.counts;
      });
    },
  };
}

function nameOf({ key }: CountedBatch, { field }: Summary<unknown>): string {
  return `${key} ${field}`;
}
