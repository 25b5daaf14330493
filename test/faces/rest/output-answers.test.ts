/** Outputs of the items with some labels, or as sure as that, in every format and by links. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOf } from '../../engine/worker/support.ts';
import type { App } from '../../support/app.ts';
import { withoutRequestIds } from '../../support/request-id.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion } from '../../support/stub-provider.ts';
import { submitTexts, untilEnded } from '../graphql/support.ts';

const keys = { anna: 'anna-key-0123456789abcdefgh', ben: 'ben-key-0123456789abcdefghij' };
const anna = { authorization: `Bearer ${keys.anna}` };
const ben = { authorization: `Bearer ${keys.ben}` };
const odd = 'it\'s "odd" \\ & 100%_é';

let app: App;
let id: string;
beforeAll(async () => {
  const started = await startStubApp((stub) => ({
    API_KEYS: `anna:${keys.anna},ben:${keys.ben}`,
    PROVIDERS: JSON.stringify({ stub: { baseURL: stub.url } }),
  }));
  app = started.app;
  started.stub.reply(({ body }) => ({
    body: completion(/ => (.*)$/s.exec(textOf(body))?.[1] ?? 'a summary'),
  }));
  const answers = [
    ['praise', 0.9],
    ['complaint', 0.6],
    [odd, 0.2],
    ['praise', null],
    ['complaint', 0.1],
  ];
  id = await submitTexts(
    app,
    [
      ...answers.map(([label, confidence]) => `t => ${JSON.stringify({ label, confidence })}`),
      't => none',
    ],
    { headers: anna, operation: { label: { categories: ['praise', 'complaint', odd] } } },
  );
  await untilEnded(app, id, anna);
});
afterAll(() => app.stop());

async function get(path: string, headers: Record<string, string> = anna) {
  const response = await fetch(`${app.url}${path}`, { headers });
  return { status: response.status, text: await response.text() };
}

const output = (query: string, headers = anna, of = id) =>
  get(`/batches/${of}/output?${query}`, headers);

/** The custom ids in an output, which are the indexes. */
const idsOf: Record<string, (text: string) => string[]> = {
  json: (text) => JSON.parse(text).map((one: { custom_id: string }) => one.custom_id),
  jsonl: (text) => lines(text).map((line) => JSON.parse(line).custom_id),
  openai_jsonl: (text) => lines(text).map((line) => JSON.parse(line).custom_id),
  anthropic_jsonl: (text) => lines(text).map((line) => JSON.parse(line).custom_id),
  csv: (text) => {
    const [head = '', ...rows] = text.split(/\r?\n/).filter((line) => line !== '');
    const column = head.split(',').indexOf('custom_id');
    return rows.map((row) => row.split(',')[column] ?? '');
  },
};
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

describe.each(['json', 'jsonl', 'csv', 'openai_jsonl', 'anthropic_jsonl'])('%s', (format) => {
  it.each([
    ['label=praise', ['0', '3']],
    [`label=complaint&label=${encodeURIComponent(odd)}`, ['1', '2', '4']],
    ['label=nobody', []],
    ['label=', []],
    ['confidence_below=0.6', ['2', '4']],
    ['confidence_from=0.6', ['0', '1']],
    ['confidence_from=0.1&confidence_below=0.2', ['4']],
    ['label=complaint&confidence_from=0.5', ['1']],
    ['label=complaint&status=failed', []],
    ['label=praise&after=0', ['3']],
  ])('with %s has %j', async (query, expected) => {
    const { status, text } = await output(`format=${format}&${query}`);

    expect(status).toBe(200);
    expect(idsOf[format]?.(text)).toEqual(expected);
  });
});

it.each([
  ['confidence_below=1.5', 'confidence_below must be between 0 and 1'],
  ['confidence_from=', 'confidence_from must be between 0 and 1'],
  ['confidence_from=a', 'confidence_from must be between 0 and 1'],
  ['confidence_from=0&confidence_from=1', 'confidence_from is given more than once'],
  [`label=a%00b`, 'label must not contain a NUL character (U+0000)'],
  ['labels=praise', 'Unknown parameter labels'],
])('%s is refused', async (query, message) => {
  const { status, text } = await output(query);

  expect(status).toBe(400);
  expect(text).toContain(message);
});

it('an operation without labels refuses them, and no answer of it is as sure as that', async () => {
  const other = await submitTexts(app, ['a text'], {
    headers: anna,
    operation: { summarize: {} },
  });
  await untilEnded(app, other, anna);
  const refused = await output('label=praise', anna, other);

  expect(refused.status).toBe(400);
  expect(refused.text).toContain('label must be absent: summarize gives no labels');
  expect((await output('confidence_from=0', anna, other)).text).toBe('');
});

it('another owner’s batch is unknown, however it is filtered', async () => {
  const filtered = await output('label=praise', ben);
  const whole = await output('', ben);

  expect(filtered.status).toBe(404);
  expect(withoutRequestIds(filtered.text)).toBe(withoutRequestIds(whole.text));
});

describe('a link', () => {
  const query = `query ($id: ID!, $labels: [String!], $below: Float, $from: Float) {
    batch(id: $id) { outputUrl(labels: $labels, confidenceBelow: $below, confidenceFrom: $from) }
  }`;
  const link = async (variables: Record<string, unknown>) => {
    const { data, errors } = await app.graphql(query, { id, ...variables }, anna);
    if (errors) throw new Error(JSON.stringify(errors));
    return data?.batch.outputUrl.slice(app.url.length) as string;
  };
  const idsBy = async (variables: Record<string, unknown>) =>
    idsOf.jsonl?.((await get(await link(variables), {})).text);

  it('takes the filter along', async () => {
    expect(await idsBy({ labels: ['praise', odd] })).toEqual(['0', '2', '3']);
    expect(await idsBy({ labels: [] })).toEqual([]);
    expect(await idsBy({ below: 0.6, from: 0.2 })).toEqual(['2']);
    expect(await idsBy({ labels: ['complaint'], below: 0.5 })).toEqual(['4']);
  });

  it('is good for its filter alone', async () => {
    const path = await link({ labels: ['praise'], below: 0.95 });
    for (const other of [
      path.replace('label=praise', 'label=complaint'),
      path.replace('label=praise&', ''),
      path.replace('confidence_below=0.95', 'confidence_below=1'),
      `${path}&label=complaint`,
      `${path}&confidence_from=0.5`,
    ]) {
      expect(other).not.toBe(path);
      expect((await get(other, {})).status).toBe(403);
    }
    expect((await get(`${path}&after=0`, {})).status).toBe(200);
  });

  it('is refused where the route would refuse it', async () => {
    await expect(link({ below: 2 })).rejects.toThrow('must be between 0 and 1');
  });
});
