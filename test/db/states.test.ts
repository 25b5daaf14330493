/**
 * The state machine of batch, chunk and item under random sequences of everything that can happen
 * to it.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { beginCancel, beginExpiry, beginFailure } from '../../src/db/batch-life.ts';
import { raiseSentMarks, releaseChunks, releaseUnknownChunks } from '../../src/db/chunks.ts';
import { hideBatch, listPurgeable, purgeBatchStep } from '../../src/db/deletions.ts';
import { finishChunks } from '../../src/db/finish-chunks.ts';
import { endPause } from '../../src/db/pauses.ts';
import { choosePreview, pausePreviews, resumePreview } from '../../src/db/previews.ts';
import { fatalCrashes, reclaimChunks } from '../../src/db/reclaims.ts';
import { retryItems } from '../../src/db/retries.ts';
import { deleteWorker } from '../../src/db/workers.ts';
import { openTestDatabase } from '../support/database.ts';
import { runsOf } from '../support/random.ts';
import {
  type Audit,
  audit,
  claimOf,
  enterWorker,
  failed,
  finishAllEnding,
  insertBatch,
  range,
  readId,
  recordAnswers,
  succeeded,
  sum,
  unanswered,
} from './queue.ts';

const items = 12;
const final = ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'];
const asked = process.env.STATES_RUNS;
const runs: ReturnType<typeof runsOf> = asked ? { numRuns: Number(asked) } : runsOf(50);
const maxCommands = runs.seed === undefined ? 200 : 40;

const { db } = await openTestDatabase();

const who = fc.nat(2);
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('claim'),
      who,
      limit: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('mark'), who, upTo: fc.nat(5) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('record'),
      who,
      picks: fc.array(fc.nat(items - 1), { minLength: 1, maxLength: 6 }),
      good: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release'), who, upTo: fc.nat(5) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('let go'), who, upTo: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget'), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('kill'), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('reap') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('crash'), who, upTo: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('cancel', 'expire', 'fail') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('retry', 'retry', 'resume') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('clock forward', 'clock back') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete') }) },
);
type Command = {
  do: string;
  who?: number;
  limit?: number;
  upTo?: number;
  picks?: number[];
  good?: boolean;
};

/**
 * One batch, three workers that come back under new ids when they are killed, and what is known of
 * them without asking.
 */
async function createWorld(previewItems: number | null) {
  const batchKey = await insertBatch(db.sql, { items, chunkSize: 4, previewItems });
  const id = await readId(db.sql, batchKey);
  /** Ids of workers that died, which go on trying. */
  const zombies: string[] = [];
  const workers = await Promise.all([enterWorker(db), enterWorker(db), enterWorker(db)]);
  const answered = new Map<number, string>();

  async function reap() {
    await choosePreview(db.sql, batchKey);
    await reclaimChunks(db.sql);
    await pausePreviews(db.sql);
    const error = { code: 'WORKER_CRASHED', message: 'died' } as const;
    await finishChunks(db.sql, { batchKey, status: 'FAILED', error, crashes: fatalCrashes });
    await beginExpiry(db);
    await finishAllEnding(db);
  }

  async function resume() {
    await resumePreview(db.sql, 'local', id);
    await endPause(db.sql, 'local', id, undefined);
  }

  async function record(worker: string, picks: readonly number[], good: boolean) {
    const results = [...new Set(picks)].map((index) => (good ? succeeded(index) : failed(index)));
    await recordAnswers(db.sql, { batchKey, worker, results });
  }

  /** Gives back whatever a worker holds, and tells what each item has cost that may be sent. */
  async function release(worker: string, upTo: number) {
    const sent = await db.sql<{ first: number; index: number }[]>`
      select first, index from chunks cross join lateral generate_series(first, sent_to) as sent(index)
      where batch_key = ${batchKey} and owner = ${worker}
        and not exists (select from results r where r.batch_key = ${batchKey} and r.index = sent.index)`;
    const requests = 1 + (upTo % 3);
    await releaseChunks(db.sql, {
      worker,
      batchKey,
      unanswered: sent.map(({ first, index }) =>
        unanswered(index, { first, requests, cutOff: (index + upTo) % 2 }),
      ),
    });
  }

  return {
    batchKey,
    answered,
    reap,
    async run({ do: what, who: at = 0, limit = 1, upTo = 0, picks = [], good = true }: Command) {
      const worker = workers[at] as string;
      switch (what) {
        case 'claim':
          await claimOf(db.sql, batchKey, worker, limit);
          return;
        case 'mark': {
          const held = await db.sql<{ first: number }[]>`
            select first from chunks where batch_key = ${batchKey} and owner = ${worker}`;
          const marks = held.map(({ first }) => ({
            batchKey,
            first,
            sentTo: first + (upTo % 4),
            repeats: upTo % 3,
          }));
          await raiseSentMarks(db.sql, worker, marks);
          return;
        }
        case 'record':
          await record(worker, picks, good);
          for (const zombie of zombies) await record(zombie, picks, !good);
          return;
        case 'release':
          for (const one of [worker, ...zombies]) await release(one, upTo);
          return;
        case 'let go':
          for (const step of ['claim', 'mark', 'release']) {
            await this.run({ do: step, who: at, limit: 2, upTo });
          }
          return;
        case 'forget':
          await releaseUnknownChunks(db.sql, worker, []);
          return;
        case 'kill':
          await deleteWorker(db, worker);
          zombies.push(worker);
          workers[at] = await enterWorker(db);
          return;
        case 'reap':
          await reap();
          return;
        case 'crash':
          for (const step of ['claim', 'mark', 'kill', 'reap']) {
            await this.run({ do: step, who: at, limit: 1, upTo });
          }
          return;
        // Time is the database's alone: what a jump of its clock does is that every lease has run
        // out, or runs for longer.
        case 'clock forward':
          await db.sql`update workers set expires_at = now() - interval '1 hour' where id = any(${[...workers]}::text[])`;
          zombies.push(...workers);
          for (const each of range(0, 2)) workers[each] = await enterWorker(db);
          return;
        case 'clock back':
          await db.sql`update workers set expires_at = expires_at + interval '1 hour' where id = any(${[...workers]}::text[])`;
          return;
        case 'retry':
          await retryItems(db.sql, { owner: 'local', id });
          return;
        case 'resume':
          await resume();
          return;
        case 'delete':
          await hideBatch(db, 'local', id);
          return;
        case 'cancel':
          await beginCancel(db, 'local', id);
          return;
        case 'expire':
          await db.sql`update batches set expires_at = now() where key = ${batchKey}`;
          return;
        case 'fail':
          await beginFailure(db, batchKey, { code: 'INVALID_KEY', message: 'no' });
      }
    },
    /**
     * What a service does that goes on: a worker that answers whatever it can claim, and the
     * reaper.
     */
    async finish() {
      for (const worker of workers) await deleteWorker(db, worker);
      if ((await audit(db.sql, batchKey)).deleted) {
        await reap();
        expect(await listPurgeable(db.sql)).toContain(batchKey);
        while (await purgeBatchStep(db.sql, batchKey));
        return;
      }
      const last = await enterWorker(db);
      for (const _ of range(1, 3 * items)) {
        await reap();
        await resume();
        if (final.includes((await audit(db.sql, batchKey)).status)) return;
        const chunks = await claimOf(db.sql, batchKey, last, 3);
        await record(
          last,
          chunks.flatMap(({ first, last: end }) => range(first, end)),
          true,
        );
      }
    },
  };
}

/** What holds at every instant. */
async function check(
  world: Awaited<ReturnType<typeof createWorld>>,
  before: Audit,
  done: string,
): Promise<Audit> {
  const now = await audit(db.sql, world.batchKey);
  expect(now.counted).toEqual(now.rows);
  expect(now.usageOfRows).toEqual(now.usage);
  expect(now.ledger).toEqual(now.spent);
  expect(sum(now.rows)).toBeLessThanOrEqual(items);
  expect(now.resentRequests).toBeGreaterThanOrEqual(before.resentRequests);

  let next = 0;
  for (const [first, last] of now.chunks) {
    expect(first).toBe(next);
    next = last + 1;
  }
  expect(next).toBe(items);

  const stored = await db.sql<{ index: number; status: string }[]>`
    select index, status from results where batch_key = ${world.batchKey}`;
  for (const [first, last, state, done] of now.chunks) {
    const rows = stored.filter(({ index }) => index >= first && index <= last).length;
    expect(done).toBe(rows);
    expect(state === 'done').toBe(rows === last - first + 1);
  }
  if (done === 'retry') {
    // Only what succeeded is for ever.
    const kept = new Set(stored.map(({ index }) => index));
    for (const [index, status] of world.answered) {
      if (kept.has(index)) continue;
      expect(status).not.toBe('SUCCEEDED');
      world.answered.delete(index);
    }
  }
  for (const { index, status } of stored) {
    expect(world.answered.get(index) ?? status).toBe(status);
    world.answered.set(index, status);
  }
  expect(stored.length).toBe(world.answered.size);

  if (final.includes(before.status) && done !== 'retry' && done !== 'delete') {
    expect(now).toEqual(before);
  }
  const [worst] = await db.sql`
    select max(crashes)::int as crashes from chunks where batch_key = ${world.batchKey}`;
  expect(worst?.crashes).toBeLessThanOrEqual(fatalCrashes);
  const beyond = await db.sql`
    select from chunks c join batches b on b.key = c.batch_key
    where b.key = ${world.batchKey} and b.preview_items is not null and b.preview_resumed_at is null
      and c.state in ('open', 'leased') and c.in_preview is null`;
  expect(beyond.count).toBe(0);
  if (before.deleted) {
    const leased = (state: Audit) =>
      state.chunks.filter(([, , chunk]) => chunk === 'leased').length;
    expect(leased(now)).toBeLessThanOrEqual(leased(before));
  }
  if (final.includes(now.status)) expect(now.ending).toBeNull();
  else expect(sum(now.rows)).toBeLessThan(items);
  return now;
}

test('whatever happens: counts add up, what is final stays but for a retry, an item has one result, a batch can reach its end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 5, maxLength: maxCommands }),
      fc.option(fc.integer({ min: 1, max: items })),
      async (commands, previewItems) => {
        const world = await createWorld(previewItems);
        let state = await audit(db.sql, world.batchKey);

        for (const one of commands) {
          await world.run(one);
          state = await check(world, state, one.do);
        }
        await world.finish();
        if (state.deleted) {
          const left = await db.sql`select from batches where key = ${world.batchKey}`;
          expect(left.count).toBe(0);
          return;
        }
        state = await check(world, state, 'finish');

        expect(final).toContain(state.status);
        if (state.status !== 'FAILED') expect(sum(state.rows)).toBe(items);
      },
    ),
    { ...runs, endOnFailure: true },
  );
}, 600_000);
