import pino from 'pino';
import { expect, it } from 'vitest';
import { createSummaries } from '../../../src/engine/summaries/summaries.ts';
import { createAnswerCount } from '../../../src/engine/upkeep/count-answers.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import {
  claimOf,
  enterWorker,
  insertBatch,
  range,
  recordAnswers,
  succeeded,
} from '../../db/queue.ts';
import { openTestDatabase } from '../../support/database.ts';
import { until } from '../../support/until.ts';

const log = pino({ level: 'silent' });
const { db } = await openTestDatabase({ maxConnections: 8 });

async function endedBatch(items: number): Promise<bigint> {
  const batchKey = await insertBatch(db.sql, { items });
  const worker = await enterWorker(db);
  await claimOf(db.sql, batchKey, worker, items);
  await recordAnswers(db.sql, {
    batchKey,
    worker,
    results: range(0, items - 1).map((index) => succeeded(index)),
  });
  return batchKey;
}

it('counts the answers of a large batch when it ends, and keeps them; of no other', async () => {
  const events = createEvents(log);
  const summaries = createSummaries({ db, log });
  const count = createAnswerCount({ db, summaries, events, log, large: 10 });
  count.start();
  const [small, large] = [await endedBatch(10), await endedBatch(11)];

  const ended = { operation: 'label', status: 'COMPLETED', lane: 'live', seconds: 1 } as const;
  events.emit('batch.ended', { batchKey: small, ...ended });
  events.emit('batch.ended', { batchKey: large, ...ended });

  const stored = async () => {
    const found = await db.sql<{ batch_key: bigint; rows: number; field: string }[]>`
      select batch_key, rows, field from batch_summaries order by field`;
    return found.length < 3 ? null : found;
  };
  const found = await until(stored, { deadlineMs: 10_000, what: 'three summaries' });
  await count.stop();
  expect(found?.map((one) => [one.batch_key, one.rows])).toEqual(
    range(1, 3).map(() => [large, 11]),
  );
  expect(found?.map(({ field }) => field.split(' ')[0])).toEqual([
    'confidence',
    'label',
    'timeline',
  ]);
});
