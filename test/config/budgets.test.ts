import { expect, test } from 'vitest';
import { strangeOwners } from '../../src/config/budgets.ts';
import { readConfig } from '../../src/config.ts';

const key = 'k'.repeat(24);
const withKeys = { API_KEYS: `acme:${key}a,other:${key}b` };

test('budgets are read by owner, and for all others', () => {
  const BUDGETS = '{"acme": {"monthlyUsd": 50}, "*": {"monthlyUsd": 200.5}}';
  expect(readConfig({ ...withKeys, BUDGETS }).budgets).toEqual({
    owners: new Map([['acme', 50]]),
    others: 200.5,
  });
  expect(readConfig({}).budgets).toEqual({ owners: new Map(), others: null });
  expect(readConfig({ BUDGETS: '{"local": {"monthlyUsd": 1}}' }).budgets.owners.size).toBe(1);
});

test.each([
  ['{"acme": 50}', 'BUDGETS.acme must be an object'],
  ['{"acme": {"monthlyUsd": -1}}', 'BUDGETS.acme.monthlyUsd must be at least 0'],
  ['{"acme": {"monthlyUsd": "50"}}', 'BUDGETS.acme.monthlyUsd must be a number'],
  ['{"acme": {"montlyUsd": 50}}', 'BUDGETS.acme must not have the setting montlyUsd'],
  ['acme: 50', 'BUDGETS must be JSON'],
])('%s is refused at the start, by its place and not by its value', (BUDGETS, message) => {
  expect(() => readConfig({ ...withKeys, BUDGETS })).toThrow(message);
});

test('names that are the owner of no key are told of', () => {
  const named = strangeOwners('BUDGETS', ['acme', 'acne', 'a key?'], new Set(['acme']));

  expect(named).toEqual([
    expect.stringMatching(/^BUDGETS\.acne must be the owner of a key, or \*/),
    expect.stringMatching(/^BUDGETS\.\? must be/),
  ]);
});
