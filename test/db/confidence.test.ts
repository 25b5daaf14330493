import { expect, test } from 'vitest';
import { confidenceOf } from '../../src/db/confidence.ts';
import { outputJson } from '../../src/db/output-json.ts';
import { recordTwins } from '../../src/db/twins.ts';
import { openTestDatabase } from '../support/database.ts';
import { claimOf, enterWorker, failed, insertBatch, recordAnswers, succeeded } from './queue.ts';

const { db } = await openTestDatabase({ maxConnections: 4 });

/** An answer of label, as sure as that. */
function sure(index: number, confidence: number) {
  const answer = succeeded(index);
  const outcome = {
    status: 'SUCCEEDED',
    output: { label: 'yes', confidence },
    confidence,
  } as const;
  return { ...answer, outcome };
}

/** A batch of ten items that a worker holds, and these answers in it. */
async function answered(results: Parameters<typeof recordAnswers>[1]['results']) {
  const worker = await enterWorker(db);
  const batchKey = await insertBatch(db.sql, { items: 10 });
  await claimOf(db.sql, batchKey, worker);
  await recordAnswers(db.sql, { batchKey, worker, results });
  return batchKey;
}

/** By item: what is stored, and what is read. */
async function confidences(batchKey: bigint) {
  const found = await db.sql<{ index: number; stored: number | null; read: number | null }[]>`
    select r.index, r.confidence as stored, ${confidenceOf(db.sql)} as read
    from results r where r.batch_key = ${batchKey} order by r.index`;
  return found.map(({ index, stored, read }) => [index, stored, read]);
}

test('a confidence is kept with its answer, and null where nothing says one', async () => {
  const batchKey = await answered([sure(0, 0.95), succeeded(1), failed(2), sure(3, 0), sure(4, 1)]);

  expect(await confidences(batchKey)).toEqual([
    [0, 0.95, 0.95],
    [1, null, null],
    [2, null, null],
    [3, 0, 0],
    [4, 1, 1],
  ]);
});

test('a confidence that a real has no room for is kept as 0', async () => {
  const batchKey = await answered([sure(0, 1e-300), sure(1, 5e-324)]);

  expect(await confidences(batchKey)).toEqual([
    [0, 0, 0],
    [1, 0, 0],
  ]);
});

test('answers older than the column are read with the confidence of their output', async () => {
  const batchKey = await answered([sure(0, 0.95), sure(1, 1e-60), succeeded(2), failed(3)]);
  await db.sql`update results set confidence = null where batch_key = ${batchKey}`;

  expect(await confidences(batchKey)).toEqual([
    [0, null, 0.95],
    [1, null, 0],
    [2, null, null],
    [3, null, null],
  ]);
});

test('a twin has the confidence of its leader', async () => {
  const batchKey = await answered([sure(0, 0.25), succeeded(1)]);
  await db.sql`insert into twins (batch_key, index, leader) values (${batchKey}, 5, 0), (${batchKey}, 6, 1)`;

  await recordTwins(db.sql, batchKey, { leaders: null });

  expect((await confidences(batchKey)).slice(2)).toEqual([
    [5, 0.25, 0.25],
    [6, null, null],
  ]);
});

test('an answer is read whatever its JSON escapes', async () => {
  const texts = ['\0', '\0\0', '\ud800', '\udc00\ud800', '\\u0000', '\\\0', '\\\\u0000"', '"\\\0"'];
  const answers = texts.map((text, index) => ({
    ...succeeded(index, { note: text, confidence: 0.5 }),
  }));
  const batchKey = await answered(answers);

  const found = await db.sql<{ note: string; read: number }[]>`
    select ${outputJson(db.sql)} ->> 'note' as note, ${confidenceOf(db.sql)} as read
    from results r where r.batch_key = ${batchKey} order by r.index`;

  expect(found.map(({ read }) => read)).toEqual(texts.map(() => 0.5));
  expect(found.map(({ note }) => note)).toEqual(
    texts.map((text) => text.toWellFormed().replaceAll('\0', '\ufffd')),
  );
});
