/** What is told of models without a price, of which callers may name any number. */
import { expect, test } from 'vitest';
import { createOwnerBudget, maxTold } from '../../src/app/owner-budget.ts';

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
