import { setImmediate as nextTurn } from 'node:timers/promises';
import { count, sql as drizzleSql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { type Copy, copySql, openCopy } from '../../src/db/driver/copy.ts';
import { databaseFailure } from '../../src/db/driver/failure.ts';
import { createRequestLine } from '../../src/db/driver/request-line.ts';
import { files } from '../../src/db/tables.ts';
import { openTestDatabase } from '../support/database.ts';
import { startProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';

const places = { statements: 6, copies: 6 };

const { db, url } = await openTestDatabase({ maxConnections: places.statements });
let copy: Copy;
/** Looks at what the others do. */
let observer: Database;

beforeAll(async () => {
  copy = openCopy(url);
  observer = openDatabase(url);
});
afterAll(async () => {
  await Promise.all([copy.close(), observer.close()]);
});

/** How many statements with this text are at work. */
async function atWork(text: string): Promise<number> {
  const [row] = await observer.sql<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity
    where state = 'active' and query like ${`%${text}%`} and pid <> pg_backend_pid()`;
  return row?.count ?? 0;
}

/** A lock that statements wait for; `open` lets them go. */
async function closeGate(key: number) {
  const holder = openDatabase(url, { maxConnections: 1 });
  await holder.sql`select pg_advisory_lock(${key}::int)`;
  return { open: () => holder.close() };
}

test('an owner has four statements at work at once, and another does not wait behind the rest', async () => {
  const line = createRequestLine({ db, copy }, places);
  const gate = await closeGate(1);
  const { sql } = line.of('many').db;
  const many = Array.from({ length: 20 }, () => sql`select pg_advisory_lock_shared(1), 'of many'`);
  const answered = Promise.all(many);
  await until(async () => (await atWork('of many')) === 4, {
    deadlineMs: 5_000,
    what: 'four are at work',
  });

  const other = await line.of('one').db.sql`select 1 as one`;

  expect(other).toEqual([{ one: 1 }]);
  expect(await atWork('of many')).toBe(4);
  await gate.open();
  await answered;
});

test('what waits when places are free again goes on in turn of the owners', async () => {
  const line = createRequestLine({ db, copy }, { ...places, statements: 1 });
  const gate = await closeGate(2);
  const order: string[] = [];
  const ask = (owner: string, number: number) =>
    line.of(owner).db.sql`select ${number}::int`.then(() => order.push(`${owner} ${number}`));
  const first = line.of('a').db.sql`select pg_advisory_lock_shared(2)`.then(() => undefined);
  const rest = [ask('a', 1), ask('a', 2), ask('a', 3), ask('b', 1), ask('c', 1), ask('b', 2)];
  await until(async () => (await atWork('pg_advisory_lock_shared(2)')) === 1, {
    deadlineMs: 5_000,
    what: 'the first is at work',
  });

  await gate.open();
  await Promise.all([first, ...rest]);

  // Who was served last goes last: a had the first place.
  expect(order).toEqual(['a 1', 'b 1', 'c 1', 'a 2', 'b 2', 'a 3']);
});

test('a read ends in the database with its client, and one that waited is never begun', async () => {
  const line = createRequestLine({ db, copy }, { ...places, statements: 1 });
  const gone = new AbortController();
  const { sql } = line.reads('owner', gone.signal);
  const slow = sql`select pg_sleep(60), 'slow read'`.catch((error: unknown) => error);
  const behind = sql`select 1`.catch((error: unknown) => error);
  await until(async () => (await atWork('slow read')) === 1, {
    deadlineMs: 5_000,
    what: 'it is at work',
  });
  const reason = new Error('the client has gone');

  gone.abort(reason);

  expect(await Promise.all([slow, behind])).toEqual([reason, reason]);
  await until(async () => (await atWork('slow read')) === 0, {
    deadlineMs: 1_000,
    what: 'the database has ended it',
  });
  expect(await line.of('owner').db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  await expect(sql`select 1`).rejects.toBe(reason);
});

test('a read that takes too long ends in the database', async () => {
  const line = createRequestLine({ db, copy }, places, { timeoutMs: 200 });
  const { sql } = line.reads('owner', new AbortController().signal);

  await expect(sql`select pg_sleep(60), 'long read'`).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
  });

  await until(async () => (await atWork('long read')) === 0, {
    deadlineMs: 1_000,
    what: 'the database has ended it',
  });
});

test('a read that takes too long is told as that, also by the builder', async () => {
  const line = createRequestLine({ db, copy }, places, { timeoutMs: 200 });
  const { query } = line.reads('owner', new AbortController().signal);

  const failed = await query.execute(drizzleSql`select pg_sleep(60)`).catch((error) => error);

  expect(databaseFailure(failed)).toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringContaining('took longer than'),
  });
});

test('a read ends in time where the database says nothing any more', async () => {
  const proxy = await startProxy(Number(new URL(url).port));
  const through = openDatabase(proxy.through(url), { maxConnections: 2 });
  const line = createRequestLine({ db: through, copy }, places, { timeoutMs: 500 });
  const { sql } = line.reads('owner', new AbortController().signal);
  await sql`select 1`;

  const read = sql`select pg_sleep(60), 'unheard read'`.catch((error: unknown) => error);
  await until(async () => (await atWork('unheard read')) === 1, {
    deadlineMs: 5_000,
    what: 'it is at work',
  });
  proxy.swallow();
  let failed: unknown = null;
  void read.then((error) => {
    failed = error;
  });

  await until(() => failed !== null, { deadlineMs: 20_000, what: 'the end of the read' });
  expect(failed).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await proxy.close();
  await through.close();
});

test('a read that is nearly done is not ended: what comes behind it would be', async () => {
  const line = createRequestLine({ db, copy }, places, { cancelAfterMs: 60_000 });
  const gone = new AbortController();
  const gate = await closeGate(4);
  const { sql } = line.reads('owner', gone.signal);
  const reading = sql`select pg_advisory_lock_shared(4), 'nearly done' as state`.execute();
  await until(async () => (await atWork('nearly done')) === 1, {
    deadlineMs: 5_000,
    what: 'it is at work',
  });

  gone.abort(new Error('the client has gone'));
  for (let look = 0; look < 50; look += 1) expect(await atWork('nearly done')).toBe(1);
  await gate.open();

  expect(await reading).toMatchObject([{ state: 'nearly done' }]);
});

test('queries of the builder stand in the same line, and end with their client too', async () => {
  const line = createRequestLine({ db, copy }, { ...places, statements: 1 });
  const gone = new AbortController();
  const reads = line.reads('owner', gone.signal);
  const gate = await closeGate(3);
  const first = line.of('owner').db.sql`select pg_advisory_lock_shared(3)`.then(() => undefined);
  await nextTurn();

  const counted = reads.query.select({ count: count() }).from(files);
  const refused = expect(counted).rejects.toMatchObject({ cause: new Error('gone') });
  gone.abort(new Error('gone'));

  await refused;
  await gate.open();
  await first;
  expect(await line.of('owner').db.query.select({ count: count() }).from(files)).toEqual([
    { count: 0 },
  ]);
});

test('a COPY takes its turn too, and gives its place back when it is left early', async () => {
  const line = createRequestLine({ db, copy }, { ...places, copies: 1 });
  const own = line.of('owner').copy;

  for (const _ of [1, 2, 3]) {
    for await (const piece of own.out(copySql`select generate_series(1, 100000)`)) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
  }
});
