/** The list of batches, as pages are read and changes are told. */
import { expect, it } from 'vitest';
import type { BatchRow } from '../../src/console/pages/batches/documents.ts';
import { emptyList, totalOf, withChange, withPage } from '../../src/console/pages/batches/list.ts';

const row = (id: string) => ({ id, createdAt: `2026-12-01T00:00:0${id}Z` }) as BatchRow;
const how = { filter: {}, still: false };

it('counts a batch once that came between the rows and the count of a page', () => {
  const read = withPage(emptyList, { rows: [row('1')], total: 2, next: null });

  expect(totalOf(withChange(read, row('2'), how))).toBe(2);
  expect(totalOf(withChange(read, row('2'), { ...how, still: true }))).toBe(2);
});

it('takes the count of the server while not all is read', () => {
  const read = withPage(emptyList, { rows: [row('2')], total: 9, next: 'cursor' });

  expect(totalOf(emptyList)).toBeNull();
  expect(totalOf(read)).toBe(9);
  expect(totalOf(withChange(read, row('3'), how))).toBe(10);
});
