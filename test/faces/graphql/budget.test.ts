import { expect, it } from 'vitest';
import { createBudgets, smallBytes } from '../../../src/faces/graphql/budget.ts';

it('requests of one owner that read much wait for each other, and for nobody else', async () => {
  const budgets = createBudgets();
  const begun: string[] = [];
  /** A page of two rows, of which the second is large, read for this request. */
  const pageFor = (request: string) => async (maxBytes: number) => {
    if (maxBytes > smallBytes) begun.push(request);
    const page = [1_000, 9_000_000].map((bytesSoFar) => ({ bytesSoFar, rowsOfPage: 2 }));
    return page.filter(({ bytesSoFar }) => bytesSoFar <= maxBytes);
  };
  const little = async () => [{ bytesSoFar: 1_000, rowsOfPage: 1 }];
  const begin = () => budgets.begin('anna');
  const [first, second, third] = [begin(), begin(), begin()];
  const other = budgets.begin('bert');

  await first.read(pageFor('first'));
  const waiting = second.read(pageFor('second'));
  await other.read(pageFor('other'));
  await third.read(little);
  const beforeTheEnd = [...begun];
  first.end();
  await waiting;

  expect(beforeTheEnd).toEqual(['first', 'other']);
  expect(begun).toEqual(['first', 'other', 'second']);
});
