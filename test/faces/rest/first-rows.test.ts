/**
 * Rows at the beginning of a JSON file that are broken: they take nothing from those behind them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseText } from '../graphql/case-support.ts';
import { submitMutation, untilEnded } from '../graphql/support.ts';
import { asBody, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

async function itemsOf(fileId: string, operation: object) {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation, source: { fileId } },
  });
  expect(errors).toBeUndefined();
  const { id } = data?.submitBatch.batch ?? {};
  await untilEnded(app, id);
  const batch = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { items { edges { node { customId content status } } } } }',
    { id },
  );
  return batch.data?.batch.items.edges.map(({ node }: { node: unknown }) => node);
}

const label = { label: { categories: ['praise', 'complaint'] } };
/** The same rows as an array and as lines, under the name that each has. */
const asArray = (rows: readonly string[]) => ['x.json', `[${rows.join(',\n')}]`] as const;
const asLines = (rows: readonly string[]) => ['x.jsonl', `${rows.join('\n')}\n`] as const;

describe.each(waysIn)('$name', ({ send }) => {
  it('refuses an element with NaN alone, and the others keep ids and text', async () => {
    const { file, error } = await send(app, caseText('nan-first.json'), { name: 'x.json' });

    expect(error).toBe('');
    expect(file).toMatchObject({
      itemCount: 2,
      contentField: 'text',
      customIdField: 'custom_id',
      rejections: [{ row: 1, reason: expect.stringContaining('NaN is not JSON; null is JSON') }],
    });
    expect(await itemsOf(file.id, label)).toEqual([
      { customId: 'r-2', content: 'Worst ever', status: 'SUCCEEDED' },
      { customId: 'r-3', content: 'Great stuff', status: 'SUCCEEDED' },
    ]);
  });

  it('holds to the options that were given, whatever comes first', async () => {
    for (const [option, message] of [
      [
        'contentField',
        /contentField must be a column of the file \("custom_id", "text", "stars"\), not "nosuch"/,
      ],
      ['customIdField', /customIdField must be .*, not "nosuch"/],
    ] as const) {
      const { status, error } = await send(app, caseText('nan-first.json'), {
        name: 'x.json',
        options: { [option]: 'nosuch' },
      });

      expect(status).toBe(400);
      expect(error).toMatch(message);
    }
  });
});

it('a request behind one with NaN runs under its own id', async () => {
  const { file } = await asBody.send(app, caseText('nan-first-requests.json'), { name: 'x.json' });

  expect(file).toMatchObject({ customIdField: 'custom_id', rejectedCount: 1 });
  expect(await itemsOf(file.id, { chat: {} })).toMatchObject([
    { customId: 'b', status: 'SUCCEEDED' },
  ]);
});

const good = ['{"ref":"a","note":"x"}', '{"ref":"b","note":"y"}'];
const options = { contentField: 'note', customIdField: 'ref' };

describe.each([
  ['array', asArray],
  ['lines', asLines],
])('in an %s', (_form, written) => {
  it.each([
    ['NaN', '{"ref":"z","note":NaN}', 'NaN is not JSON; null is'],
    ['Infinity', '{"ref":"z","n":[1,Infinity]}', 'Infinity is not JSON; null is'],
    ['-Infinity', '{"ref":"z","n":-Infinity}', '-Infinity is not JSON; null is'],
    ['undefined', '{"ref":"z","note":undefined}', 'undefined is not JSON; null is'],
    ['None', '{"ref":"z","note":None}', 'None is not JSON; null is'],
    ['nan', '{"ref":"z","note":nan}', 'nan is not JSON; null is'],
    ['True', '{"ref":"z","note":True}', 'True is not JSON; true is'],
    ['False', '{"ref":"z","note":False}', 'False is not JSON; false is'],
    ['NaN alone', 'NaN', 'NaN is not JSON; null is'],
    ['None alone', 'None', 'None is not JSON; null is'],
    ['single quotes', "{'ref':'z'}", 'should be a key in quotes'],
    ['null', 'null', 'must be an object or a string'],
    ['a number', '7', 'must be an object or a string'],
    ['an array', '["z"]', 'must be an object or a string'],
    ['half a surrogate pair', '{"ref":"z","other":"\\ud800"}', 'surrogate'],
    ['a NUL', '{"ref":"z","other":"\\u0000"}', 'NUL'],
  ])('%s at the beginning costs its own row alone', async (_name, bad, reason) => {
    const [name, text] = written([bad, bad, ...good]);
    const { file, error } = await asBody.send(app, text, { name, options });

    expect(error).toBe('');
    expect(file).toMatchObject({ ...options, itemCount: 2, rejectedCount: 2 });
    expect(file.rejections[0]).toEqual({ row: 1, reason: expect.stringContaining(reason) });
  });

  it('more bad rows than 64 kB hold change nothing for those behind them', async () => {
    const bad = `{"ref":"z","note":NaN,"filler":"${'x'.repeat(1_000)}"}`;
    const [name, text] = written([...Array.from({ length: 100 }, () => bad), ...good]);
    const known = await asBody.send(app, text, { name, options });
    const unknown = await asBody.send(app, text, { name, options: { contentField: 'nosuch' } });
    const found = await asBody.send(app, text.replaceAll('"note"', '"text"'), { name });

    expect(known.file).toMatchObject({ ...options, itemCount: 2, rejectedCount: 100 });
    expect(unknown.error).toContain(
      'contentField must be a column of the file ("ref", "note"), not "nosuch"',
    );
    expect(found.file).toMatchObject({ contentField: 'text', itemCount: 2 });
  });

  it('what it is is found without a name', async () => {
    const [, text] = written(['{"ref":"z","note":NaN}', ...good]);
    const { file } = await asBody.send(app, text, { options });

    expect(file).toMatchObject({ ...options, itemCount: 2, rejectedCount: 1 });
  });
});

it('chat lines behind a broken one are chat lines', async () => {
  const line = (id: string, seed: string) =>
    `{"custom_id":"${id}","method":"POST","url":"/v1/chat/completions","body":{"seed":${seed},"messages":[{"role":"user","content":"x"}]}}`;
  const { file } = await asBody.send(app, `${line('a', 'NaN')}\n${line('b', '1')}\n`, {
    name: 'x.jsonl',
  });

  expect(file).toMatchObject({ format: 'OPENAI_JSONL', itemCount: 1, rejectedCount: 1 });
});

it('chat lines are found where the first is longer than what is looked at', async () => {
  const line = (id: string) =>
    `{"custom_id":"${id}","method":"POST","url":"/v1/chat/completions","body":{"messages":[{"role":"user","content":"${'x'.repeat(70_000)}"}]}}`;
  for (const name of ['x.jsonl', 'x.json', 'upload']) {
    const { file } = await asBody.send(app, `${line('a')}\n${line('b')}\n`, { name });

    expect(file).toMatchObject({ format: 'OPENAI_JSONL', itemCount: 2 });
  }
});
