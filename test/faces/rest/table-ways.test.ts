/** Tables that were read wrongly once, by every way in. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseFile } from './table-support.ts';
import { waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const expected: readonly [name: string, file: Record<string, unknown>][] = [
  ['quotes-merge.tsv', { columns: ['id', 'sentence'], itemCount: 5, rejectedCount: 0 }],
  ['quotes-swallow.csv', { columns: ['id', 'sentence'], itemCount: 4, rejectedCount: 1 }],
  ['sep-line.csv', { columns: ['text', 'stars'], itemCount: 2 }],
  ['decimal-comma.csv', { columns: ['Produkt', 'Preis in EUR, netto'], itemCount: 2 }],
  ['header-blanks.csv', { columns: ['id', 'text', 'stars'], contentField: 'text', itemCount: 2 }],
  ['bare-cr.csv', { columns: ['text'], itemCount: 3 }],
  ['double-bom.csv', { columns: ['id', 'text'], customIdField: 'id', itemCount: 2 }],
  ['blank-rows.csv', { columns: ['id', 'text'], itemCount: 2, blankCount: 3 }],
];

describe.each(waysIn)('$name', ({ send }) => {
  it.each(expected)('reads %s as it is meant', async (name, wanted) => {
    const { file, error } = await send(app, caseFile(name), { name });

    expect(error).toBe('');
    expect(file).toMatchObject(wanted);
  });

  it('lets quote= say what quotes are', async () => {
    const table = caseFile('quotes-merge.tsv');
    const read = async (quote: string) =>
      (await send(app, table, { name: 'x.tsv', options: { quote } })).file.itemCount;

    expect([await read('"'), await read('none')]).toEqual([2, 5]);
  });
});
