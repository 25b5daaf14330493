/** What is deleted by itself: ended batches, files that no batch uses, uploads left behind. */
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { createFileJanitor } from '../../../src/engine/upkeep/janitor.ts';
import { createWorkShare } from '../../../src/engine/upkeep/work-share.ts';
import { submitTexts, untilEnded } from '../../faces/graphql/support.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { lookOnce } from './look.ts';

const log = pino({ level: 'silent' });
let app: App;
let db: Database;
beforeAll(async () => {
  app = await startApp();
  db = openDatabase(app.databaseUrl);
});
afterAll(async () => {
  await db.close();
  await app.stop();
});
afterEach(() => app.sandbox.faults.clear());

const look = (env: Record<string, string>, hour?: number) => lookOnce(db, env, hour);

const batchOf = async (id: string) =>
  (await app.graphql(`{ batch(id: "${id}") { status deletesAt completedAt } }`)).data!.batch;
const fileOf = async (id: string) =>
  (await app.graphql(`{ file(id: "${id}") { deletesAt createdAt } }`)).data!.file;

async function upload(fields: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob(['text\na fine day\n']), 'days.csv');
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  return (await response.json()) as any;
}

async function ended(input: Record<string, unknown> = {}): Promise<string> {
  const id = await submitTexts(app, ['a fine day', 'a bad day'], input);
  await untilEnded(app, id);
  return id;
}

/** How many rows each table has of a batch. */
async function rowsOf(key: bigint, fileKey: bigint): Promise<Record<string, number>> {
  const columns = await db.sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public'
      and (column_name in ('batch_key', 'file_key') or table_name in ('batches', 'files') and column_name = 'key')`;
  const found: Record<string, number> = {};
  for (const { table, column } of columns) {
    const wanted = column === 'file_key' || table === 'files' ? fileKey : key;
    const [counted] = await db.sql<{ count: number }[]>`
      select count(*)::int as count from ${db.sql(table)} where ${db.sql(column)} = ${wanted}`;
    if (counted?.count) found[table] = counted.count;
  }
  return found;
}

describe('batches', () => {
  it('go a while after their end, with their rows in every table; those that run stay', async () => {
    const other = await startApp(
      { RETENTION_BATCH_DAYS: '0.00001' },
      { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
    );
    try {
      app.sandbox.faults.add({
        fault: { kind: 'latency', ms: 600_000 },
        when: ({ text }) => text.includes('for ever'),
      });
      const running = await submitTexts(app, ['for ever']);
      const id = await submitTexts(app, ['a fine day'], { autoStart: false });
      const [keys] = await db.sql<{ key: bigint; fileKey: bigint }[]>`
        select key, file_key as "fileKey" from batches where id = ${id}`;
      const stored = await rowsOf(keys!.key, keys!.fileKey);
      await app.graphql(`mutation { startBatch(id: "${id}") { batch { id } } }`);
      await until(async () => (await batchOf(id)) === null, {
        deadlineMs: 10_000,
        what: 'the batch to be hidden',
      });
      await until(
        async () => {
          await createFileJanitor({ db, log }).sweep();
          return !('files' in (await rowsOf(keys!.key, keys!.fileKey)));
        },
        { deadlineMs: 10_000, what: 'the file to be removed' },
      );

      expect(stored).toMatchObject({ batches: 1, chunks: 1, files: 1, rows: 1 });
      // What was paid stays paid.
      expect(await rowsOf(keys!.key, keys!.fileKey)).toEqual({ spending: 1 });
      expect((await batchOf(running)).status).toBe('PROCESSING');
      await app.graphql(`mutation { deleteBatch(id: "${running}") { deletedId } }`);
    } finally {
      await other.stop();
    }
  });

  it('go by themselves soon after a retainSeconds of a few seconds, whenever they are submitted', async () => {
    // With the end of one nothing is to go any more, so that the next look is a minute away.
    for (const what of ['the first', 'the second', 'the third']) {
      const id = await submitTexts(app, ['a fine day'], { retainSeconds: 1 });
      await until(async () => (await batchOf(id)) === null, { deadlineMs: 15_000, what });
    }
  });

  it('go sooner by retainSeconds, and never later', async () => {
    const short = await ended({ retainSeconds: 1 });
    const long = await ended({ retainSeconds: 3_600 });
    const usual = await ended();
    const told = [await batchOf(short), await batchOf(long), await batchOf(usual)];
    await db.sql`update batches set completed_at = completed_at - interval '10 s'`;

    const first = await look({});
    const left = [await batchOf(short), await batchOf(long), await batchOf(usual)];
    const second = await look({ RETENTION_BATCH_DAYS: '0.0001' });

    const kept = told.map(
      ({ deletesAt, completedAt }) => deletesAt && Date.parse(deletesAt) - Date.parse(completedAt),
    );
    expect(kept).toEqual([1_000, 3_600_000, null]);
    expect(first).toEqual([{ kind: 'batch', count: 1 }]);
    expect(left.map((batch) => batch !== null)).toEqual([false, true, true]);
    expect(second).toEqual([{ kind: 'batch', count: 2 }]);
    expect(await batchOf(usual)).toBeNull();
  });

  it('stay outside of the hours for it', async () => {
    const id = await ended();
    await db.sql`update batches set completed_at = completed_at - interval '2 days'`;
    const env = { RETENTION_BATCH_DAYS: '1', RETENTION_HOURS: '22-4' };

    expect([await look(env, 4), await look(env, 21), await batchOf(id)]).toMatchObject([
      [],
      [],
      { status: 'COMPLETED' },
    ]);
    expect([await look(env, 3), await batchOf(id)]).toEqual([[{ kind: 'batch', count: 1 }], null]);
  });
});

describe('files', () => {
  it('go a while after their upload, unless a batch uses them', async () => {
    const free = await upload();
    const used = await upload({ operation: 'label', categories: 'good,bad', auto_start: 'false' });
    const young = await upload();
    await db.sql`
      update files set created_at = created_at - interval '2 days' where id in (${free.id}, ${used.id})`;

    const told = await look({ RETENTION_FILE_DAYS: '1' });

    expect(told).toEqual([{ kind: 'file', count: 1 }]);
    expect(await fileOf(free.id)).toBeNull();
    expect(await fileOf(used.id)).toMatchObject({ deletesAt: null });
    expect(await fileOf(young.id)).toMatchObject({ deletesAt: null });
  });

  it('go after a day where their batch was refused, unless another has used them', async () => {
    const [left, taken] = [
      (await upload({ operation: 'label', categories: 'good,bad', model: 'none/none' })).error,
      (await upload({ operation: 'label', categories: 'good,bad', model: 'none/none' })).error,
    ];
    const fresh = await fileOf(left.fileId);
    const { data } = await app.graphql(
      `mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`,
      {
        input: {
          operation: { label: { categories: ['good', 'bad'] } },
          source: { fileId: taken.fileId },
          autoStart: false,
        },
      },
    );
    await db.sql`update files set left_at = left_at - interval '1 day' where left_at is not null`;
    const before = await look({});
    await app.graphql(`mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }`, {
      id: data?.submitBatch.batch.id,
    });
    const after = await look({});

    expect(Date.parse(fresh.deletesAt) - Date.parse(fresh.createdAt)).toBeGreaterThan(86_000_000);
    expect([before, after]).toEqual([[{ kind: 'file', count: 1 }], []]);
    expect(await fileOf(left.fileId)).toBeNull();
    expect(await fileOf(taken.fileId)).toMatchObject({ deletesAt: null });
  });

  it('tell when they go, by the batches over them', async () => {
    const days = 86_400_000;
    const other = await startApp(
      { RETENTION_BATCH_DAYS: '10', RETENTION_FILE_DAYS: '3', ROLE: 'api' },
      { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
    );
    try {
      const free = await upload();
      const used = await upload({ operation: 'label', categories: 'good,bad' });
      const open = await upload({
        operation: 'label',
        categories: 'good,bad',
        auto_start: 'false',
      });
      await untilEnded(app, used.batchId);
      const { data } = await other.graphql(
        `{ free: file(id: "${free.id}") { createdAt deletesAt }
           used: file(id: "${used.id}") { deletesAt }
           open: file(id: "${open.id}") { deletesAt }
           batch(id: "${used.batchId}") { completedAt deletesAt } }`,
      );

      expect(Date.parse(data!.free.deletesAt) - Date.parse(data!.free.createdAt)).toBe(3 * days);
      expect(Date.parse(data!.batch.deletesAt) - Date.parse(data!.batch.completedAt)).toBe(
        10 * days,
      );
      expect(data!.used.deletesAt).toBe(data!.batch.deletesAt);
      expect(data!.open.deletesAt).toBeNull();
    } finally {
      await other.stop();
    }
  });
});

it('work that can wait has its share of the time, and waits after a long step', async () => {
  let now = 0;
  const share = createWorkShare({ shareNow: () => 0.25, keptMs: 100 }, () => now);
  const spend = (ms: number) =>
    share.spend(async () => {
      now += ms;
    });

  await spend(60);
  const within = share.hasTime();
  await spend(160);
  const beyond = [share.hasTime(), share.waitMs()];
  now += share.waitMs() + 1;

  expect([within, ...beyond, share.hasTime()]).toEqual([true, false, 320, true]);
});

describe('keys', () => {
  const insert = (keys: Record<string, [revoked: string | null, expires: string | null]>) =>
    Promise.all(
      Object.entries(keys).map(
        ([id, [revoked, expires]], at) => db.sql`
          insert into api_keys (id, owner, name, hash, scopes, created_at, revoked_at, expires_at)
          values (${id}, 'acme', 'a key', ${id}, 'READ', now() - make_interval(days => ${90 - at}),
                  now() - ${revoked}::interval, now() - ${expires}::interval)`,
      ),
    );
  const kept = async () => {
    const rows = await db.sql<{ id: string }[]>`select id from api_keys order by id`;
    return rows.map(({ id }) => id);
  };
  afterEach(() => db.sql`delete from api_keys`);

  it('are forgotten a month after their end', async () => {
    await insert({
      revoked: ['31 days', null],
      revokedLately: ['29 days', null],
      expired: [null, '31 days'],
      expiredLately: [null, '29 days'],
      both: ['1 day', '31 days'],
      toCome: [null, '-1 day'],
      live: [null, null],
    });

    await look({});

    expect(await kept()).toEqual(['expiredLately', 'live', 'revokedLately', 'toCome']);
  });

  it('are not all forgotten, so that no server is opened by it', async () => {
    await insert({ first: ['40 days', null], second: ['40 days', null], last: ['40 days', null] });

    await Promise.all([look({}), look({}), look({})]);

    expect(await kept()).toEqual(['last']);
  });
});
