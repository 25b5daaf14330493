/**
 * Files that are made to hurt, at full size: each is refused or taken as it should be, in little
 * memory, and leaves nothing behind that it should not.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/driver/client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const megabyte = 1_000_000;
const memoryMb = 150;
const memoryOfFiveMb = 400;

let database: TestDatabase;
let server: ChildProcess;
let url: string;
let idle: number;
beforeAll(async () => {
  database = await createTestDatabase();
  server = fork(fileURLToPath(new URL('../bench/server.ts', import.meta.url)), {
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: { ...process.env, DATABASE_URL: database.url, LOG_LEVEL: 'error' },
  });
  const [urls] = (await once(server, 'message')) as [{ files: string }];
  url = urls.files;
  await upload('warm.csv', ['a,b\n', '1,2\n']);
  idle = (await measure()).rss;
});
afterAll(async () => {
  const exited = once(server, 'exit');
  server.send('stop');
  await exited;
  await database.drop();
});

async function measure(): Promise<{ rss: number; peak: number }> {
  const answered = once(server, 'message');
  server.send('measure');
  const [memory] = (await answered) as [{ rss: number; peak: number }];
  return memory;
}

interface Answered {
  status: number;
  body: Record<string, unknown> & { error?: { code: string; message: string } };
}

async function upload(
  name: string,
  pieces: Iterable<string | Uint8Array>,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const body = Readable.toWeb(
    Readable.from(
      (function* () {
        for (const piece of pieces) yield Buffer.from(piece as string);
      })(),
      { objectMode: false },
    ),
  );
  const response = await fetch(`${url}?name=${encodeURIComponent(name)}`, {
    method: 'POST',
    body: body as unknown as BodyInit,
    headers,
    duplex: 'half',
  } as RequestInit);
  return { status: response.status, body: (await response.json()) as Answered['body'] };
}

function* repeat(piece: string, times: number): Generator<string> {
  // Many at a time, or it is the generator that is measured.
  const many = piece.repeat(1_000);
  for (let at = 0; at < Math.floor(times / 1_000); at += 1) yield many;
  yield piece.repeat(times % 1_000);
}

function* concat(...parts: Iterable<string>[]): Generator<string> {
  for (const part of parts) yield* part;
}

/** The most memory over idle while `work` goes on, in MB. */
async function memoryOver(work: () => Promise<unknown>): Promise<number> {
  await measure();
  await work();
  return ((await measure()).peak - idle) / megabyte;
}

async function rowsLeft(): Promise<number> {
  const db = openDatabase(database.url, { maxConnections: 1 });
  const [row] = await db.sql<{ rows: number }[]>`
    select count(*)::int as rows from rows r where not exists (select from files f where f.key = r.file_key)`;
  await db.close();
  return row?.rows ?? -1;
}

/** With its line break 100 bytes, so that a million rows are nearly as large as a file may be. */
const csvRow = `${'x'.repeat(97)},1\n`;
const rows = 1_000_000;

test.each<[string, string, () => Iterable<string>, number, RegExp]>([
  [
    'one field of 100 MB',
    'a.csv',
    () => concat(['a,b\n"'], repeat('x', 100 * megabyte)),
    413,
    /row|10 MB|large/i,
  ],
  [
    'a line without end',
    'a.jsonl',
    () => concat(['{"text":"'], repeat('x', 100 * megabyte)),
    413,
    /row|large|MB/i,
  ],
  [
    '10,001 columns',
    'a.csv',
    () => [`${Array.from({ length: 10_001 }, (_, at) => `c${at}`).join()}\n1\n`],
    400,
    /columns/i,
  ],
  ['a row too many', 'a.txt', () => repeat('x\n', 1_000_001), 413, /1,000,000/],
  [
    'a byte too many',
    'a.txt',
    () => concat(repeat(`${'x'.repeat(999)}\n`, 104_857), ['y'.repeat(601)]),
    413,
    /104,857,600|100 MB/,
  ],
])('%s is refused in little memory', async (_, name, pieces, status, message) => {
  let answered: Answered | null = null;
  const over = await memoryOver(async () => {
    answered = await upload(name, pieces());
  });

  expect(answered).toMatchObject({
    status,
    body: { error: { message: expect.stringMatching(message) } },
  });
  expect(over).toBeLessThan(memoryMb);
  await until(async () => (await rowsLeft()) === 0, { deadlineMs: 60_000, what: 'the rows to go' });
});

test('JSON of 100,000 brackets is one rejected row, and its neighbours go in', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

  const { status, body } = await upload('a.jsonl', [
    `{"text":"a"}\n{"text":"b","deep":${deep}}\n{"text":"c"}\n`,
  ]);

  expect(status).toBe(201);
  expect(body).toMatchObject({ itemCount: 2, rejectedCount: 1, rejections: [{ row: 2 }] });
});

test('a gzip bomb is refused unopened', async () => {
  const bomb = gzipSync(Buffer.alloc(200 * megabyte));

  const over = await memoryOver(async () => {
    const encoded = await upload('a.csv', [bomb], { 'content-encoding': 'gzip' });
    const plain = await upload('a.csv', [bomb]);
    expect([encoded.status, plain.status]).toEqual([415, 415]);
  });

  expect(over).toBeLessThan(memoryMb);
});

test('a million rows of 100 MB go in, with the one bad row named, alone and five at once', async () => {
  const lines = () =>
    concat(['text,n\n'], repeat(csvRow, 500_000), ['bad\0row,1\n'], repeat(csvRow, rows - 500_001));
  const one = await memoryOver(async () => {
    expect(await upload('a.csv', lines())).toMatchObject({
      status: 201,
      body: { itemCount: rows - 1, rejectedCount: 1, rejections: [{ row: 500_001 }] },
    });
  });
  const five = await memoryOver(async () => {
    const all = await Promise.all([1, 2, 3, 4, 5].map(() => upload('a.csv', lines())));
    expect(all.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  });

  process.stdout.write(
    `${JSON.stringify({ chaos: 'uploads', rows, memoryMb: Math.round(one), memoryOfFiveMb: Math.round(five) })}\n`,
  );
  expect(one).toBeLessThan(memoryMb);
  expect(five).toBeLessThan(memoryOfFiveMb);
});
