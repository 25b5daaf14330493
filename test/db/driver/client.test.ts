/**
 * What the driver promises us, and what it does not when it is used otherwise: docs of
 * src/db/client.ts.
 */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { openTestDatabase } from '../../support/database.ts';
import { startProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';
import { insertBatch, range } from '../queue.ts';

const { db, url } = await openTestDatabase();
/** A second pair of eyes, and the hand that kills backends. */
let other: postgres.Sql;

beforeAll(async () => {
  other = postgres(url, { max: 2 });
});
afterAll(async () => {
  await other.end();
});

async function visibleBatches(): Promise<Set<string>> {
  const rows = await other`
    select b.key from batches b
    where exists (select from files f where f.key = b.file_key)
      and (select count(*) from rows r where r.file_key = b.file_key) = b.total
      and (select count(*) from chunks c where c.batch_key = b.key) = 1`;
  return new Set(rows.map(({ key }) => String(key)));
}

async function idleInTransaction(): Promise<number> {
  const [found] = await other`
    select count(*)::int as sessions from pg_stat_activity
    where datname = current_database() and state like 'idle in transaction%'`;
  return found?.sessions as number;
}

test('behind a queue of 1,000 statements every acknowledged write is there, whole', async () => {
  const queue = range(1, 1_000).map((at) => db.sql`select pg_sleep(${at % 50 === 0 ? 0.002 : 0})`);

  const keys = await Promise.all(range(1, 200).map(() => insertBatch(db.sql, { items: 3 })));
  const visible = await visibleBatches();
  await Promise.all(queue);

  expect(keys.filter((key) => !visible.has(String(key)))).toEqual([]);
  expect(await idleInTransaction()).toBe(0);
});

test('with backends killed all the time every acknowledged write is there, and no promise is left open', async () => {
  const before = (await visibleBatches()).size;
  const acknowledged: string[] = [];
  let refused = 0;
  let killed = 0;
  let writing = true;

  async function write() {
    for (const _ of range(1, 60)) {
      try {
        acknowledged.push(String(await insertBatch(db.sql, { items: 3 })));
      } catch {
        refused += 1;
      }
    }
  }
  async function kill() {
    while (writing) {
      const rows = await other`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'winnow'`;
      killed += rows.length;
      await other`select pg_sleep(0.03)`;
    }
  }
  const killing = kill();
  await Promise.all(range(1, 10).map(write));
  writing = false;
  await killing;

  const visible = await visibleBatches();
  expect(acknowledged.filter((key) => !visible.has(key))).toEqual([]);
  expect(acknowledged.length + refused).toBe(600);
  // What was refused may have been written: its answer was lost. Never the other way round, and
  // never a part of it.
  const [all] = await other`select count(*)::int as batches from batches`;
  expect(visible.size).toBe(all?.batches);
  expect(visible.size - before).toBeLessThanOrEqual(acknowledged.length + refused);
  expect(killed).toBeGreaterThan(10);
  expect(await idleInTransaction()).toBe(0);
});

test('a pool whose backends were all killed is whole again', async () => {
  await Promise.allSettled(range(1, 10).map(() => db.sql`select pg_sleep(0.02)`));
  await other`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'winnow'`;

  let answered = 0;
  await until(
    async () => {
      const all = await Promise.allSettled(
        range(1, 10).map(() => insertBatch(db.sql, { items: 3 })),
      );
      const good = all.every(({ status }) => status === 'fulfilled');
      answered = good ? answered + 1 : 0;
      return answered === 20;
    },
    { deadlineMs: 10_000, what: 'ten statements at once that all succeed, twenty times in a row' },
  );

  const [pool] = await other`
    select count(*)::int as backends from pg_stat_activity
    where datname = current_database() and application_name = 'winnow'`;
  expect(pool).toEqual({ backends: 10 });
});

test('text arrays arrive as they were sent', async () => {
  const texts = ['', 'a b', 'say "x"', 'back\\slash', '{1,2}', 'NULL', 'ü, 😀', "o'clock"];

  const rows = await db.sql`select text from unnest(${texts}::text[]) as text`;
  const none = await db.sql`select text from unnest(${[] as string[]}::text[]) as text`;

  expect(rows.map(({ text }) => text)).toEqual(texts);
  expect(none).toHaveLength(0);
});

test('a statement whose connection swallows everything is given up, with what waits behind it, and the pool goes on', async () => {
  const proxy = await startProxy(Number(new URL(url).port));
  const cut = openDatabase(proxy.through(url), {
    maxConnections: 2,
    statementTimeoutMs: 200,
    answerTimeoutMs: 400,
  });
  await Promise.all([cut.sql`select 1`, cut.sql`select 1`, cut.query.execute('select 1')]);
  proxy.swallow();

  const waiting = await Promise.allSettled([
    ...range(1, 6).map(() => cut.sql`select 1`),
    cut.query.execute('select 1'),
  ]);
  proxy.pass();
  const answers = await Promise.allSettled(range(1, 6).map(() => cut.sql`select 1 as one`));
  await cut.close();
  await proxy.close();

  expect(waiting.map(({ status }) => status)).toEqual(range(1, 7).map(() => 'rejected'));
  expect(String((waiting[0] as PromiseRejectedResult).reason)).toContain('did not answer');
  expect(answers.map(({ status }) => status)).toEqual(range(1, 6).map(() => 'fulfilled'));
});

test('a pool that is told to disconnect rejects what is under way at once, and connects anew', async () => {
  const [before] = await db.sql`select pg_backend_pid() as pid`;
  const sleeping = Promise.allSettled(range(1, 10).map(() => db.sql`select pg_sleep(60)`));
  await until(
    async () =>
      (await other`select from pg_stat_activity where query like 'select pg_sleep(60)%'`).count ===
      10,
    { deadlineMs: 5_000, what: 'ten sleepers' },
  );

  await db.disconnect(new Error('silent'));
  const ended = await sleeping;
  const [after] = await db.sql`select pg_backend_pid() as pid`;

  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(['rejected']));
  expect(after?.pid).not.toBe(before?.pid);
});

test('connections that break in the middle of a result end no process, and the next results are whole', async () => {
  for (const round of range(1, 10)) {
    const reading = Promise.allSettled(
      range(1, 4).map(() => db.sql`select repeat('x', 100000) from generate_series(1, 200)`),
    );
    await other`select pg_sleep(${round / 200})`;
    await db.disconnect(new Error('silent'));
    await reading;
  }

  const answers = await Promise.all(
    range(1, 10).map(() => db.sql`select n::int from generate_series(1, 3) as n`),
  );
  expect(answers.map((rows) => [...rows])).toEqual(
    range(1, 10).map(() => [{ n: 1 }, { n: 2 }, { n: 3 }]),
  );
});

test('a hundred thousand rows go in by one statement, past the limit of 65,534 parameters', async () => {
  const key = await insertBatch(db.sql, { items: 100_000, chunkSize: 100_000 });

  const [found] = await other`
    select count(*)::int as rows from rows r join batches b on b.file_key = r.file_key where b.key = ${String(key)}`;
  expect(found).toEqual({ rows: 100_000 });
});
