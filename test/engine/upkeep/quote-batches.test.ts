import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Counter } from '../../../src/counting/counter.ts';
import { createCounter } from '../../../src/counting/counter.ts';
import { readBatchByKey } from '../../../src/db/batches.ts';
import type { OwnerLimits } from '../../../src/db/owner-limits.ts';
import { createPlanner } from '../../../src/engine/run/plan.ts';
import { quoteBatches } from '../../../src/engine/upkeep/quote-batches.ts';
import { createProviders, type Providers } from '../../../src/model/providers.ts';
import { insertBatch } from '../../db/queue.ts';
import { openTestDatabase } from '../../support/database.ts';

const { db } = await openTestDatabase();
let providers: Providers;
const counter = createCounter();
const warned: unknown[] = [];

beforeAll(async () => {
  const config = { apiKey: null, headers: {}, query: {}, models: [], closed: false };
  providers = createProviders({
    configs: [{ ...config, name: 'test', baseUrl: 'http://127.0.0.1:9/v1' }],
    timeoutMs: 1_000,
    concurrency: 1,
  });
});
beforeEach(() => warned.splice(0));
afterAll(async () => {
  await counter.stop();
  await providers.close();
});

const unlimited: OwnerLimits = { owners: new Map(), others: null };

/** The step in a process that counts with `counting`. */
function stepWith(counting: Counter, limits = unlimited) {
  const planner = createPlanner({ providers, defaultModel: 'test/rules' });
  return quoteBatches({
    db,
    counter: counting,
    preparePlan: ({ model }) => planner('label', { categories: ['a', 'b'] }, model),
    pricesOf: providers.prices,
    limits,
    log: { warn: (fields: unknown) => warned.push(fields) } as never,
  });
}

async function quoteOf(key: bigint) {
  const record = await readBatchByKey(db, key);
  return record?.quote == null ? record?.quote : JSON.parse(record.quote);
}

it('quotes each batch once, whichever process comes first', async () => {
  const key = await insertBatch(db.sql, { items: 300 });
  const [one, other] = [stepWith(counter), stepWith(counter)];
  const [mine] = await one.list();
  const [theirs] = await other.list();
  expect([mine?.key, theirs?.key]).toEqual([key, key]);
  const ways = await Promise.all([one.advance(mine!), other.advance(theirs!)]);

  expect(ways.toSorted()).toEqual(['done', 'left']);
  const quote = await quoteOf(key);
  expect(quote).toMatchObject({ model: 'test/rules', tokenizerExact: false, liveUsd: null });
  // Each row is `text <n>`: two to four tokens of some sixty.
  expect(quote.inputTokens.low).toBeLessThan(quote.inputTokens.expected);
  expect(quote.inputTokens.expected / 300).toBeGreaterThan(50);
  expect(await one.list()).toEqual([]);
});

it('leaves a batch without a quote when counting fails twice, and says so once', async () => {
  const key = await insertBatch(db.sql, { items: 3 });
  let counts = 0;
  const broken = {
    count: async () => {
      counts += 1;
      throw new Error('no');
    },
    stop: async () => undefined,
  };
  const step = stepWith(broken as unknown as Counter);
  const [batch] = await step.list();

  expect(await step.advance(batch!)).toBe('done');
  expect(counts).toBe(2);
  expect(warned).toHaveLength(1);
  expect(await quoteOf(key)).toBeNull();
  expect(await step.list()).toEqual([]);
});

it('goes on where a process died over a batch, after a minute', async () => {
  const key = await insertBatch(db.sql, { items: 3 });
  const step = stepWith(counter);
  await db.sql`update batches set counted_tokens = -extract(epoch from now()) where key = ${key}`;
  expect(await step.list()).toEqual([]);
  await db.sql`update batches set counted_tokens = -extract(epoch from now()) + 61 where key = ${key}`;
  const [batch] = await step.list();

  expect(await step.advance(batch!)).toBe('done');
  expect(await quoteOf(key)).toMatchObject({ outputBasis: 'GUESSED' });
});

it('tells once of a model without a price whose owner has a budget', async () => {
  const step = stepWith(counter, { owners: new Map(), others: 10 });
  for (const _ of [1, 2]) await insertBatch(db.sql, { items: 3 });
  for (const batch of await step.list()) await step.advance(batch);

  expect(warned).toEqual([{ model: 'test/rules', batchId: expect.stringMatching(/^batch_/) }]);
});
