/** Names that say little about what is in a file: .txt, .log, .dat, none. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { asBody, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const unicodeText = readFileSync(new URL('../../cases/excel-unicode-text.txt', import.meta.url));

describe.each(waysIn)('$name', ({ send }) => {
  it('reads what Excel calls Unicode Text as the table that it is', async () => {
    const { file, error } = await send(app, unicodeText, { name: 'x.txt', type: 'text/plain' });
    const query = 'query ($id: ID!) { file(id: $id) { preview } }';

    expect(error).toBe('');
    expect(file).toMatchObject({
      format: 'CSV',
      encoding: 'utf-16le',
      itemCount: 3,
      columns: ['id', 'text', 'preis'],
      contentField: 'text',
      customIdField: 'id',
    });
    expect(file.warnings).toContainEqual(expect.stringMatching(/\.txt.*CSV.*format=/));
    expect((await app.graphql(query, { id: file.id })).data?.file.preview[2]).toEqual({
      id: '3',
      text: 'Größe „L“ für 5 €',
      preis: '5,10',
    });
  });

  it('reads it as text where that is asked for', async () => {
    const { file } = await send(app, unicodeText, { name: 'x.txt', options: { format: 'TEXT' } });

    expect(file).toMatchObject({ format: 'TEXT', itemCount: 4, warnings: [] });
  });
});

const table = 'id\ttext\n1\tgood, you\n2\tbad, me\n';
const lines = '{"id":"1","text":"good"}\n{"id":"2","text":"bad"}\n';

describe.each(['x.txt', 'x.text', 'x.log', 'x.dat', 'upload', 'x.TXT'])(
  'a file called %s',
  (name) => {
    it('is a table where tabs make it one', async () => {
      const { file } = await asBody.send(app, table, { name });

      expect(file).toMatchObject({ format: 'CSV', itemCount: 2, contentField: 'text' });
    });

    it('is JSON Lines where each line is an object', async () => {
      const { file } = await asBody.send(app, lines, { name });

      expect(file).toMatchObject({ format: 'JSONL', itemCount: 2, customIdField: 'id' });
    });

    it('is chat lines where each line is one', async () => {
      const line = '{"custom_id":"a","body":{"messages":[{"role":"user","content":"hi"}]}}\n';
      const { file } = await asBody.send(app, line + line.replace('"a"', '"b"'), { name });

      expect(file).toMatchObject({ format: 'OPENAI_JSONL', itemCount: 2 });
    });

    it.each([
      ['prose with a tab in it', 'Dear Sir,\n\tI was there.\nIt was fine.\n'],
      ['tabs in every line of prose', 'I said:\tno.\nShe said:\tyes.\n'],
      ['a line of JSON among others', 'Started.\n{"a":1}\n{"a":2}\n'],
    ])('is text: %s', async (_name, text) => {
      const { file } = await asBody.send(app, text, { name });

      expect(file).toMatchObject({ format: 'TEXT' });
    });
  },
);

describe('what is read as text though it looks like rows', () => {
  it.each([
    ['a table with commas', 'id,text\n1,good\n2,bad\n', 'CSV'],
    ['a JSON array', '[\n{"text":"a"},\n{"text":"b"}\n]\n', 'JSON'],
  ])('is told: %s', async (_name, text, format) => {
    const { file } = await asBody.send(app, text, { name: 'x.txt' });

    expect(file.format).toBe('TEXT');
    expect(file.warnings).toContainEqual(expect.stringContaining(`format=${format}`));
  });

  it('is a table where its delimiter is named', async () => {
    const options = { delimiter: ',' };
    const { file } = await asBody.send(app, 'id,text\n1,good\n', { name: 'x.txt', options });

    expect(file).toMatchObject({ format: 'CSV', itemCount: 1 });
  });
});

it('tells where the content decided against the name', async () => {
  const { file } = await asBody.send(app, lines, { name: 'x.json' });

  expect(file.format).toBe('JSONL');
  expect(file.warnings).toContainEqual(expect.stringMatching(/\.json.*JSONL.*format=/));
});
