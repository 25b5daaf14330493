/** What is told of an upload where a default decides what is sent. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { asBody, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const noText = readFileSync(new URL('../../cases/no-text-column.csv', import.meta.url), 'utf8');

describe.each(waysIn)('$name', ({ send }) => {
  it('says that rows are sent whole where no column holds the text', async () => {
    const { file, error } = await send(app, noText, { name: 'x.csv' });
    const query = 'query ($id: ID!) { file(id: $id) { warnings contentField } }';

    expect(error).toBe('');
    expect(file).toMatchObject({ contentField: null, itemCount: 2 });
    expect(file.warnings).toEqual([
      expect.stringMatching(/sent whole, as JSON.*contentField=.*"ticket".*"body"/),
    ]);
    expect((await app.graphql(query, { id: file.id })).data?.file.warnings).toEqual(file.warnings);
  });

  it('says nothing where a column is named', async () => {
    const { file } = await send(app, noText, { name: 'x.csv', options: { contentField: 'body' } });

    expect(file).toMatchObject({ contentField: 'body', warnings: [] });
  });
});

const warningsOf = async (name: string, text: string) => {
  const { file, error } = await asBody.send(app, text, { name });
  expect(error).toBe('');
  return file.warnings as string[];
};

it.each([
  ['JSON without a text', 'x.json', '[{"a":"x","b":"y"}]', /sent whole.*contentField=/],
  ['JSON Lines without a text', 'x.jsonl', '{"a":1,"b":2}\n', /sent whole.*contentField=/],
  ['columns that requests have too', 'x.csv', 'user,messages\na,b\n', /sent whole.*"messages"/],
  ['a body that is no request', 'x.csv', 'custom_id,body,from\n1,hi,kim\n', /sent whole.*"body"/],
  ['a request in words', 'x.json', '[{"request":"hi","reply":"ho"}]', /sent whole.*"request"/],
  ['the only field that is text', 'x.json', '[{"note":"x","n":1,"m":2}]', /"note".*contentField=/],
  ['content beside text', 'x.csv', 'text,content\na,b\n', /"content".*"text".*contentField=/],
  ['a column called id that is the only one', 'x.csv', 'id\na\n', /"id".*contentField=/],
  ['a file without a name', '', 'id,text\n1,good\n', /CSV.*format=/],
  ['text without a name', '', 'Hello there, you.\nAnd you\n', /TEXT.*format=/],
  ['JSON called CSV', 'x.csv', '[{"text":"a"}]', /\.csv.*JSON.*format=/],
])('a guess is told: %s', async (_name, name, text, message) => {
  expect(await warningsOf(name, text)).toContainEqual(expect.stringMatching(message));
});

it.each([
  ['a text column', 'x.csv', 'id,text,stars\n1,good,5\n'],
  ['content in another case', 'x.csv', 'Content,stars\ngood,5\n'],
  ['the only column beside the id', 'x.csv', 'id,review\n1,good\n'],
  ['one column', 'x.csv', 'review\ngood\nbad\n'],
  ['strings', 'x.json', '["a","b"]'],
  ['lines of text', 'x.txt', 'Hello there.\nAnd you.\n'],
  ['requests', 'x.json', '[{"custom_id":"a","messages":[{"role":"user","content":"x"}]}]'],
  [
    'chat lines',
    'x.jsonl',
    '{"custom_id":"a","body":{"messages":[{"role":"user","content":"x"}]}}\n',
  ],
])('nothing is told of %s', async (_name, name, text) => {
  expect(await warningsOf(name, text)).toEqual([]);
});

it('warnings are few and short, whatever the names of columns are', async () => {
  const names = Array.from({ length: 500 }, (_, n) => `${n}${'x'.repeat(2_000)}`);
  const warnings = await warningsOf(
    'x.csv',
    `${names.join(',')}\n${names.map(() => 'a').join(',')}\n`,
  );

  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.length).toBeLessThan(1_000);
});
