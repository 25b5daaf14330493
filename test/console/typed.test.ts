/** What people type into the console, as the API takes it. */
import { expect, it } from 'vitest';
import { canBeSure, filterOf } from '../../src/console/pages/batch/results/filter.ts';
import { parseTypedJson } from '../../src/console/pages/new-batch/typed-json.ts';
import { readAmount } from '../../src/console/words/amount.ts';

it.each([
  ['12.50', 12.5],
  [' $0.005 ', 0.005],
  ['$ 5', 5],
  ['.5', 0.5],
  ['3.', 3],
  ['', undefined],
  ['$', undefined],
])('reads %j as an amount', (typed, amount) => {
  expect(readAmount(typed)).toBe(amount);
});

it.each([
  // A limit of 5 for what was meant as half a cent.
  '0,005',
  '$5,5',
  '1,000',
  '0',
  '-1',
  '.',
  '1e3',
  '0x10',
  '5 USD',
])('refuses %j as an amount', (typed) => {
  expect(readAmount(typed)).toBeNull();
});

it('reads an object whose names have no quotes, as the hint of the field shows it', () => {
  expect(
    parseTypedJson('{company: "string", revenue: "number", year: "integer", tags: "string[]"}'),
  ).toEqual({ company: 'string', revenue: 'number', year: 'integer', tags: 'string[]' });
  expect(parseTypedJson('{a : {b_2:\n[1, true]}, "c d": null}')).toEqual({
    a: { b_2: [1, true] },
    'c d': null,
  });
  expect(parseTypedJson('{a: "b: \\"c: d\\", e: f"}')).toEqual({ a: 'b: "c: d", e: f' });
  expect(() => parseTypedJson('{a: b}')).toThrow(/position 1/);
});

it('keeps the order by confidence for rows that may have one', () => {
  const filter = (address: string) => filterOf(new URLSearchParams(address));
  expect(filter('order=sure').leastSureFirst).toBe(true);
  expect(filter('order=sure&status=succeeded&label=praise').leastSureFirst).toBe(true);
  for (const address of ['order=sure&status=failed', 'order=sure&code=empty_content']) {
    expect(filter(address).leastSureFirst).toBe(false);
    expect(canBeSure(filter(address))).toBe(false);
  }
});
