/** What calls set aside of a month, and what is told of models without a price. */
import { expect, test } from 'vitest';
import { eraseOwner } from '../../src/app/erase-owner.ts';
import { createOwnerBudget, maxTold } from '../../src/app/owner-budget.ts';
import { openDatabase } from '../../src/db/driver/client.ts';
import { createTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

test('a model without a price is told of once, and many models keep no memory for good', async () => {
  const told: string[] = [];
  const unpriced = { costUsd: () => null, savedUsd: () => null };
  const budget = createOwnerBudget({
    dbOf: () => {
      throw new Error('nothing is set aside for what has no price');
    },
    providers: { prices: () => ({ live: unpriced, batch: unpriced }) as never },
    limits: { owners: new Map(), others: 10 },
    presence: { isSure: () => true },
    log: { warn: (fields: object) => void told.push((fields as { model: string }).model) } as never,
  });
  const call = (model: string) =>
    budget.admit('acme', {
      model,
      promptCharacters: () => 1,
      answers: 1,
      maxOutputTokens: null,
      cause: { requestId: 'abc-1' },
    });

  for (const model of ['first', 'first', 'second']) await call(model);
  expect(told).toEqual(['first', 'second']);

  for (let at = 0; at < maxTold; at += 1) await call(`model ${at}`);
  told.length = 0;
  for (const model of ['first', 'first']) await call(model);
  expect(told).toEqual(['first']);
});

test('the end of a call of before an erasure gives back nothing of a later one', async () => {
  const database = await createTestDatabase();
  // One connection keeps the order of statements.
  const db = openDatabase(database.url, { maxConnections: 1 });
  const price = { costUsd: () => 2, savedUsd: () => null };
  const budget = createOwnerBudget({
    dbOf: () => db,
    providers: { prices: () => ({ live: price, batch: price }) as never },
    limits: { owners: new Map(), others: 10 },
    presence: { isSure: () => true },
    log: { warn: () => undefined } as never,
  });
  const call = () =>
    budget.admit('acme', {
      model: 'test/rules',
      promptCharacters: () => 1,
      answers: 1,
      maxOutputTokens: null,
      cause: { requestId: 'abc-1' },
    });
  const readHeld = async () => {
    const [sum] = await db.sql<{ usd: number }[]>`
      select coalesce(sum(held_usd), 0) as usd from reservations where owner = 'acme'`;
    return sum?.usd;
  };
  try {
    const endBefore = await call();
    await eraseOwner(db, 'acme');
    budget.forgetHeld();
    const [endFirst] = [await call(), await call()];

    endBefore();
    endFirst();
    await until(async () => (await readHeld()) !== 4, { deadlineMs: 10_000, what: 'an end' });

    expect(await readHeld()).toBe(2);
  } finally {
    await db.close();
    await database.drop();
  }
});
