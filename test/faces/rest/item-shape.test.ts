/** Items in files as GraphQL takes them, and what Winnow writes as what it reads. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type Data, readOutput, submitMutation, untilEnded } from '../graphql/support.ts';
import { asBody, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const handed = readFileSync(new URL('../../cases/item-shape.json', import.meta.url), 'utf8');
const label = (userPromptTemplate?: string) => ({
  label: {
    categories: ['praise', 'complaint'],
    ...(userPromptTemplate ? { userPromptTemplate } : {}),
  },
});

async function run(input: object): Promise<string> {
  const { data, errors } = await app.graphql(submitMutation, { input });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  return id;
}

/** Items with the text that was sent of each. */
async function itemsOf(id: string): Promise<Data[]> {
  const { data } = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { items { edges { node { customId content metadata request } } } } }',
    { id },
  );
  return data?.batch.items.edges.map(({ node }: Data) => ({
    ...node,
    request: undefined,
    sent: node?.request.messages.at(-1).content,
  }));
}

const tiers = [
  { customId: 'r-1', content: 'Arrived late', metadata: { tier: 'gold', plan: { seats: 5 } } },
  { customId: 'r-2', content: 'Great service', metadata: { tier: 'silver' } },
];
const sent = ['Tier gold: Arrived late', 'Tier silver: Great service'];

describe.each(waysIn)('$name', ({ send }) => {
  it.each([
    ['an array', 'x.json', handed],
    [
      'lines',
      'x.jsonl',
      `${JSON.parse(handed)
        .map((row: unknown) => JSON.stringify(row))
        .join('\n')}\n`,
    ],
    ['the member of an object', 'x.json', `{"items":${handed}}`],
  ])('reads items in %s with their metadata', async (_form, name, text) => {
    const { file, error } = await send(app, text, { name });
    const id = await run({
      operation: label('Tier {tier}: {content}'),
      source: { fileId: file.id },
    });

    expect(error).toBe('');
    expect(file).toMatchObject({
      columns: ['content', 'customId', 'tier', 'plan'],
      contentField: 'content',
      customIdField: 'customId',
    });
    expect(await itemsOf(id)).toMatchObject(tiers.map((item, at) => ({ ...item, sent: sent[at] })));
  });
});

describe('what Winnow writes can be uploaded again', () => {
  it.each(['json', 'jsonl', 'csv'])('as %s, inline items', async (format) => {
    const first = await run({ operation: label(), source: { items: tiers } });
    const text = await readOutput(app.url, first, `format=${format}&include=input`);
    const { file, error } = await asBody.send(app, text, { name: `x.${format}` });
    const second = await run({
      operation: label('Tier {tier}: {content}'),
      source: { fileId: file.id },
    });

    expect(error).toBe('');
    expect(file).toMatchObject({ contentField: 'content', customIdField: 'custom_id' });
    expect(await itemsOf(second)).toMatchObject(
      tiers.map(({ customId, content, metadata: { tier } }, at) => ({
        customId,
        content,
        metadata: { tier },
        sent: sent[at],
      })),
    );
  });

  it.each(['json', 'jsonl', 'csv'])('as %s, rows of a file, and twice over', async (format) => {
    const csv = 'id,text,tier\nr-1,Arrived late,gold\nr-2,Great service,silver\n';
    let source = (await asBody.send(app, csv, { name: 'x.csv' })).file;
    for (let round = 0; round < 2; round += 1) {
      const id = await run({ operation: label(), source: { fileId: source.id } });
      const text = await readOutput(app.url, id, `format=${format}&include=input`);
      source = (await asBody.send(app, text, { name: `x.${format}` })).file;
    }
    const last = await run({
      operation: label('Tier {tier}: {content}'),
      source: { fileId: source.id },
    });

    expect(await itemsOf(last)).toMatchObject(
      tiers.map(({ customId, content }, at) => ({ customId, content, sent: sent[at] })),
    );
  });

  it('items in a file come out as they would inline', async () => {
    const { file } = await asBody.send(app, handed, { name: 'x.json' });
    const id = await run({ operation: label(), source: { fileId: file.id } });
    const rows = JSON.parse(await readOutput(app.url, id, 'format=json&include=input'));
    const csv = (await readOutput(app.url, id, 'format=csv')).split('\n');

    expect(rows).toMatchObject(
      tiers.map(({ customId, content, metadata }) => ({ custom_id: customId, content, metadata })),
    );
    expect(csv[0]).toMatch(/^content,customId,tier,plan,label,/);
    expect(csv[1]).toMatch(/^Arrived late,r-1,gold,"\{""seats"": 5\}",/);
  });
});

describe('a row', () => {
  const rows = async (text: string, options: Record<string, string> = {}, input: object = {}) => {
    const { file, error } = await asBody.send(app, text, { name: 'x.json', options });
    expect(error).toBe('');
    const id = await run({ operation: label(), source: { fileId: file.id }, ...input });
    return { file, items: await itemsOf(id) };
  };

  it('has the members of its metadata before its own, but for its text and id', async () => {
    const { items } = await rows(
      '[{"tier":"old","note":"n","content":"x","custom_id":"a","metadata":{"tier":"new","content":"y","custom_id":"b"}}]',
    );

    expect(items).toMatchObject([
      { customId: 'a', content: 'x', metadata: { note: 'n', tier: 'new' } },
    ]);
  });

  it('has its id by custom_id before customId', async () => {
    const { items } = await rows('[{"custom_id":"a","customId":"b","content":"x","metadata":{}}]');

    expect(items).toMatchObject([{ customId: 'a', metadata: { customId: 'b' } }]);
  });

  it('may have its text and its id in its metadata, where they are named', async () => {
    const text =
      '[{"content":"x","metadata":{"ref":"a","note":"y"}},{"content":"z","metadata":{"ref":"b","note":"w"}}]';
    const options = { contentField: 'note', customIdField: 'ref' };
    const upload = await rows(text, options);
    const batch = await rows(text, {}, options);

    const expected = [
      { customId: 'a', content: 'y', metadata: { content: 'x' } },
      { customId: 'b', content: 'w', metadata: { content: 'z' } },
    ];
    expect(upload.items).toMatchObject(expected);
    expect(batch.items).toMatchObject(expected);
  });

  it('without an object there is as it was', async () => {
    const { file, items } = await rows('[{"content":"x","customId":"a","metadata":"m"}]');

    expect(file).toMatchObject({
      columns: ['content', 'customId', 'metadata'],
      customIdField: null,
    });
    expect(items).toMatchObject([{ customId: '0', metadata: { customId: 'a', metadata: 'm' } }]);
  });

  it('without a text there is as it was', async () => {
    const { file } = await rows('[{"title":"x","metadata":{"tier":"gold"}}]');

    expect(file.columns).toEqual(['title', 'metadata']);
  });

  it('without an object beside rows with one keeps what it has', async () => {
    const { items } = await rows(
      '[{"content":"x","metadata":{"tier":"gold"}},{"content":"y","metadata":"m","tier":"t"}]',
    );

    expect(items).toMatchObject([
      { metadata: { tier: 'gold' } },
      { metadata: { metadata: 'm', tier: 't' } },
    ]);
  });
});
