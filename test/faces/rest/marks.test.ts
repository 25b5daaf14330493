/** Byte order marks, which are no part of any row. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseFile, uploadTable } from './table-support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const mark = '\ufeff';
const rows = [
  { customId: 'a', content: 'I love it', metadata: {} },
  { customId: 'b', content: 'Worst ever', metadata: {} },
];

it('two marks hide no column of a table', async () => {
  const file = await uploadTable(app, 'double-bom.csv', caseFile('double-bom.csv'));

  expect(file).toMatchObject({
    columns: ['id', 'text'],
    customIdField: 'id',
    items: rows,
    warnings: [],
  });
});

it.each([
  ['x.csv', `id,text\na,I love it\nb,Worst ever\n`],
  ['x.tsv', `id\ttext\na\tI love it\nb\tWorst ever\n`],
  ['x', `id,text\na,I love it\nb,Worst ever\n`],
  ['x.jsonl', '{"id":"a","text":"I love it"}\n{"id":"b","text":"Worst ever"}\n'],
  ['x.json', '[{"id":"a","text":"I love it"},{"id":"b","text":"Worst ever"}]'],
])('any number of marks before %s is nothing', async (name, text) => {
  for (const start of [mark, mark.repeat(2), mark.repeat(3), `\n${mark}`, `${mark}\r\n${mark}`]) {
    const { items } = await uploadTable(app, name, start + text);
    expect({ start, items }).toEqual({ start, items: rows });
  }
  const utf16 = Buffer.from(mark.repeat(2) + text, 'utf16le');
  expect((await uploadTable(app, name, utf16)).items).toEqual(rows);
});

it('marks behind line breaks are no part of a text or of a line of JSON', async () => {
  const text = await uploadTable(app, 'x.txt', `${mark}${mark}I love it\n${mark}Worst ever\n`);
  const jsonl = await uploadTable(
    app,
    'x.jsonl',
    `{"id":"a","text":"I love it"}\n${mark}{"id":"b","text":"Worst ever"}\n`,
  );

  expect(text.contents).toEqual(['I love it', 'Worst ever']);
  expect(jsonl).toMatchObject({ items: rows, rejectedCount: 0 });
  for (const { warnings } of [text, jsonl]) {
    expect(warnings).toEqual([expect.stringMatching(/^Row 2 begins with a byte order mark/)]);
  }
});

it('a mark that a text holds elsewhere stays', async () => {
  const { contents } = await uploadTable(app, 'x.csv', `id,text\na,x${mark}y\nb,"${mark}z"\n`);

  expect(contents).toEqual([`x${mark}y`, `${mark}z`]);
});

it.each([
  ['with a mark', mark],
  ['without one', ''],
])('a header that comes again %s is refused by its number', async (_name, start) => {
  const one = 'id,text\r\na,I love it\r\n';
  const other = `${start}id,text\r\nb,Worst ever\r\n`;

  const named = await uploadTable(app, 'x.csv', one + other);
  const unnamed = await uploadTable(app, 'x', one + other);

  for (const file of [named, unnamed]) {
    expect(file.items).toEqual(rows);
    expect(file.rejections).toEqual([{ row: 2, reason: 'repeats the header (line 3)' }]);
  }
});

it('a header that comes again is told by its cells, however it is written', async () => {
  const quoted = await uploadTable(
    app,
    'x.csv',
    '"id","te""xt\n"\na,I love it\nid,"te""xt\n"\nb,Worst ever\n',
  );
  const spaced = await uploadTable(app, 'x.csv', 'id, "text"\na,I love it\nid, "text"\nb,x\n');

  expect(quoted.rejections).toEqual([{ row: 2, reason: 'repeats the header (lines 4 to 5)' }]);
  expect(spaced.rejections).toEqual([{ row: 2, reason: 'repeats the header (line 3)' }]);
});

it('a text of one column may well be the column’s name', async () => {
  const { contents, rejectedCount } = await uploadTable(app, 'x.csv', 'text\ngood\ntext\n');

  expect({ contents, rejectedCount }).toEqual({ contents: ['good', 'text'], rejectedCount: 0 });
});
