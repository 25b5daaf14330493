/** Batches that read their file otherwise than it was uploaded. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type Data, submitMutation, untilEnded } from '../graphql/support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const files = {
  'a.csv': 'custom_id,ref,text,title\n1,x,good,"Very, bad"\n2,y,bad,fine\n3,,ugly,great\n',
  'a.jsonl':
    '{"custom_id":"1","ref":"x","text":"good","title":"Very, bad"}\n{"custom_id":"2","ref":"y","text":"bad","title":"fine"}\n{"custom_id":"3","text":"ugly","title":"great"}\n',
};

async function upload(name: string, body: string): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

async function submit(fileId: string, input: object) {
  return await app.graphql(submitMutation, {
    input: {
      operation: { label: { categories: ['good', 'bad'], userPromptTemplate: '{content}' } },
      source: { fileId },
      ...input,
    },
  });
}

async function run(fileId: string, input: object): Promise<string> {
  const { data, errors } = await submit(fileId, input);
  expect(errors).toBeUndefined();
  return data?.submitBatch.batch.id as string;
}

async function items(id: string, filter = ''): Promise<Data[]> {
  const { data, errors } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { items${filter} { totalCount edges { node { customId content metadata } } } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

const ids = async (id: string, filter?: string) =>
  (await items(id, filter)).map(({ customId }) => customId);

it.each(Object.entries(files))(
  'another column of %s is the text, and another the custom id',
  async (name, body) => {
    const fileId = await upload(name, body);
    const id = await run(fileId, { contentField: 'title', customIdField: 'ref' });
    expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });

    const [first, , third] = await items(id);
    expect(first).toEqual({
      customId: 'x',
      content: 'Very, bad',
      metadata: { custom_id: '1', text: 'good' },
    });
    // No id in that row: its index.
    expect(third?.customId).toBe('2');
    expect(await ids(id, '(customIds: ["y", "2", "1"])')).toEqual(['y', '2']);
    const output = await (await fetch(`${app.url}/batches/${id}/output?include=input`)).text();
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map((line) => [line.custom_id, line.content]),
    ).toEqual([
      ['x', 'Very, bad'],
      ['y', 'fine'],
      ['2', 'great'],
    ]);
    const openai = await (
      await fetch(`${app.url}/batches/${id}/output?format=openai_jsonl`)
    ).text();
    expect(openai.match(/"custom_id":"[^"]*"/g)).toEqual([
      '"custom_id":"x"',
      '"custom_id":"y"',
      '"custom_id":"2"',
    ]);
  },
);

it('a prefix stands before every custom id, and is asked for with it', async () => {
  const fileId = await upload('a.csv', files['a.csv']);
  const own = await run(fileId, { customIdPrefix: 'run-1:' });
  const indexes = await run(fileId, { customIdPrefix: 'run-2:', customIdField: '' });

  expect(await ids(own)).toEqual(['run-1:1', 'run-1:2', 'run-1:3']);
  expect(await ids(own, '(customIds: ["run-1:2", "3"])')).toEqual(['run-1:2']);
  expect(await ids(indexes)).toEqual(['run-2:0', 'run-2:1', 'run-2:2']);
  expect(await ids(indexes, '(customIds: ["run-2:2"])')).toEqual(['run-2:2']);
});

it('ids of the batch’s own stand in its CSV output, behind the input', async () => {
  const fileId = await upload('a.csv', files['a.csv']);
  const id = await run(fileId, { customIdPrefix: 'p-' });
  await untilEnded(app, id);
  const csv = await (await fetch(`${app.url}/batches/${id}/output?format=csv`)).text();

  expect(csv.split('\n').slice(0, 2)).toEqual([
    expect.stringMatching(/^custom_id,ref,text,title,custom_id_2,label,/),
    expect.stringMatching(/^1,x,good,"Very, bad",p-1,good,/),
  ]);
});

it('inline items have the prefix too', async () => {
  const { data } = await app.graphql(submitMutation, {
    input: {
      operation: { label: { categories: ['good', 'bad'] } },
      source: { items: [{ content: 'a' }, { content: 'b', customId: 'k' }] },
      customIdPrefix: 'p/',
    },
  });

  expect(await ids(data?.submitBatch.batch.id)).toEqual(['p/0', 'p/k']);
});

it('retries by the custom ids that the batch has', async () => {
  const remove = app.sandbox.faults.add({ fault: { kind: 'refusal' } });
  const fileId = await upload('a.csv', files['a.csv']);
  const id = await run(fileId, { customIdField: 'ref', customIdPrefix: 'p-' });
  expect(await untilEnded(app, id)).toMatchObject({ counts: { failed: 3 } });
  remove();

  const { data } = await app.graphql(
    'mutation ($id: ID!) { retryBatch(id: $id, customIds: ["p-y", "p-2", "x"]) { retriedItems } }',
    { id },
  );

  expect(data?.retryBatch.retriedItems).toBe(2);
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 2, failed: 1 } });
});

it('ids that come twice stop the batch before anything is sent, and are named', async () => {
  app.sandbox.requests.clear();
  const rows = Array.from({ length: 45_000 }, (_, n) => `${n},${n === 41_000 ? 7 : n},text`);
  const fileId = await upload('b.csv', `custom_id,ref,text\n${rows.join('\n')}\n`);
  const id = await run(fileId, { customIdField: 'ref' });
  expect(await untilEnded(app, id)).toMatchObject({
    status: 'FAILED',
    counts: { pending: 45_000 },
  });

  const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { errorCode error } }', {
    id,
  });
  expect(data?.batch.errorCode).toBe('DUPLICATE_CUSTOM_ID');
  expect(data?.batch.error).toMatch(/rows 8 and 41001 both have "7"/);
  expect(app.sandbox.requests.count).toBe(0);
});

it('ids that differ in white space alone are one, and a blank one is none', async () => {
  const fileId = await upload('b.csv', 'custom_id,ref,text\n1, x,a\n2," ",b\n3,y,c\n');
  const twice = await upload('b.csv', 'custom_id,ref,text\n1, x,a\n2,z,b\n3,x,c\n');
  const id = await run(fileId, { customIdField: 'ref' });
  const stopped = await run(twice, { customIdField: 'ref' });

  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  expect(await ids(id)).toEqual([' x', '1', 'y']);
  expect(await ids(id, '(customIds: [" x", "1"])')).toEqual([' x', '1']);
  expect(await untilEnded(app, stopped)).toMatchObject({ status: 'FAILED' });
  const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { error } }', {
    id: stopped,
  });
  expect(data?.batch.error).toMatch(/rows 1 and 3 both have "x"/);
});

it('an id too long to be one stops the batch too', async () => {
  const fileId = await upload('c.csv', `custom_id,ref,text\n1,${'é'.repeat(513)},a\n2,b,c\n`);
  const id = await run(fileId, { customIdField: 'ref' });
  await untilEnded(app, id);

  const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { error } }', { id });
  expect(data?.batch.error).toMatch(/the one of row 1, "é+"…, has more than 512 characters/);
});

it('a batch whose ids are being read can be cancelled', async () => {
  const fileId = await upload('a.csv', files['a.csv']);
  const id = await run(fileId, { customIdField: 'ref', autoStart: false });
  await app.graphql('mutation ($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });

  expect(await untilEnded(app, id)).toMatchObject({
    status: 'CANCELLED',
    counts: { cancelled: 3 },
  });
});

it('columns that there are not are refused with those that there are', async () => {
  const fileId = await upload('a.csv', files['a.csv']);
  const { errors } = await submit(fileId, { contentField: 'nope', customIdField: 'no' });
  const inline = await app.graphql(submitMutation, {
    input: {
      operation: { label: { categories: ['good', 'bad'] } },
      source: { texts: ['a'] },
      contentField: 'text',
    },
  });

  expect(errors?.[0]?.extensions?.issues).toEqual([
    {
      path: 'input.contentField',
      message: 'must be a column of the file ("custom_id", "ref", "text", "title"), not "nope"',
    },
    expect.objectContaining({ path: 'input.customIdField' }),
  ]);
  expect(inline.errors?.[0]?.message).toMatch(/contentField: must be absent for inline items/);
});
