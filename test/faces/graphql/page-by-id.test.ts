/** Lists that are paged by the ids of their own entries, as both APIs that people come from are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { withoutRequestIds } from '../../support/request-id.ts';
import { type Data, submitTexts } from './support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const benKey = 'ben-key-0123456789abcdefghij';
const anna = { authorization: `Bearer ${annaKey}` };
const ben = { authorization: `Bearer ${benKey}` };

let app: App;
const batches: string[] = [];
const files: string[] = [];
let ofBen: Data;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `anna:${annaKey},ben:${benKey}`, ROLE: 'api' });
  for (let at = 0; at < 5; at += 1) {
    batches.unshift(await submitTexts(app, ['a', 'b', 'c', 'd'], { headers: anna }));
    files.unshift(await upload('one\n', 'a.txt'));
  }
  ofBen = {
    batch: await submitTexts(app, ['x'], { headers: ben }),
    file: await upload('one\n', 'a.txt', ben),
  };
});
afterAll(() => app.stop());

async function upload(body: string, name: string, headers: Record<string, string> = anna) {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', headers, body });
  const { id } = (await response.json()) as { id: string };
  return id;
}

const pages = 'pageInfo { hasNextPage hasPreviousPage } edges { node { id } }';
const lists: [string, (args: string) => Promise<{ page: Data; errors: unknown }>][] = [
  ['batches', (args) => read(`{ page: batches(${args}) { ${pages} } }`)],
  ['files', (args) => read(`{ page: files(${args}) { ${pages} } }`)],
  [
    'items',
    async (args) => {
      const { page, errors } = await read(
        `{ page: batch(id: "${batches[0]}") { items(${args}) { ${pages} } } }`,
      );
      return { page: page?.items, errors };
    },
  ],
];

async function read(query: string) {
  const { data, errors } = await app.graphql(query, {}, anna);
  return { page: data?.page as Data, errors };
}

const idsOf = (page: Data) => page.edges.map(({ node }: Data) => node.id);
const itemsOf = (batch: string | undefined) =>
  [0, 1, 2, 3].map((index) => `item_${batch?.slice('batch_'.length)}_${index}`);

describe.each(lists)('%s', (name, list) => {
  const all = () => ({ batches, files, items: itemsOf(batches[0]) })[name] as string[];

  it('go on behind an id, and end before one', async () => {
    const { page: rest } = await list(`first: 2, after: "${all()[0]}"`);
    const { page: back } = await list(`last: 2, before: "${all()[3]}"`);
    const { page: between } = await list(`first: 9, after: "${all()[0]}", before: "${all()[3]}"`);
    const { page: end } = await list(`first: 9, after: "${all().at(-1)}"`);

    expect(idsOf(rest)).toEqual(all().slice(1, 3));
    expect(rest.pageInfo.hasNextPage).toBe(true);
    expect(idsOf(back)).toEqual(all().slice(1, 3));
    expect(idsOf(between)).toEqual(all().slice(1, 3));
    expect(idsOf(end)).toEqual([]);
  });

  it('refuse what is no id of theirs, and say nothing of what others have', async () => {
    const unknown = [
      `batch_${'0'.repeat(25)}`,
      `file_${'0'.repeat(25)}`,
      `item_${'0'.repeat(25)}_0`,
      `${itemsOf(batches[0])[0]?.slice(0, -1)}4`,
      itemsOf(batches[1])[0],
      ofBen.batch,
      ofBen.file,
      'yesterday',
      'x'.repeat(600),
      '-1',
    ];
    for (const path of ['after', 'before']) {
      const answers = new Set<string>();
      for (const id of unknown) {
        const { errors } = await list(`${path}: "${id}"`);
        answers.add(withoutRequestIds(JSON.stringify(errors)));
      }
      expect(answers.size).toBe(1);
      expect([...answers][0]).toContain('"code":"BAD_USER_INPUT"');
      expect([...answers][0]).toContain(`"path":"${path}"`);
    }
  });
});

it('a file is found by node too, as its description says', async () => {
  const { data } = await app.graphql(
    `{ node(id: "${files[0]}") { id ... on File { itemCount } }
       __type(name: "Query") { fields { name description } } }`,
    {},
    anna,
  );

  expect(data?.node).toEqual({ id: files[0], itemCount: 1 });
  expect(data?.__type.fields.find(({ name }: Data) => name === 'node').description).toMatch(/file/);
});

describe('parseResults', () => {
  const line = (customId: string) =>
    JSON.stringify({
      id: 'r',
      custom_id: customId,
      response: {
        status_code: 200,
        body: { choices: [{ message: { role: 'assistant', content: customId } }] },
      },
      error: null,
    });
  const query = `query($fileId: ID!, $after: String) {
    parseResults(fileId: $fileId, first: 2, after: $after) { edges { cursor node { customId } } } }`;
  let fileId: string;
  beforeAll(async () => {
    const ids = ['a', 'b', 'twice', 'c', 'twice', 'd'];
    fileId = await upload(`${ids.map(line).join('\n')}\n`, 'results.jsonl');
  });

  it('goes on behind the custom id of one result', async () => {
    const { data } = await app.graphql(query, { fileId, after: 'a' }, anna);

    expect(data?.parseResults.edges.map(({ node }: Data) => node.customId)).toEqual(['b', 'twice']);
  });

  it('refuses one that several results have, or none', async () => {
    for (const [after, message] of [
      ['twice', /several results/],
      ['e', /must be a cursor/],
      ['\u0000', /NUL/],
    ] as const) {
      const { errors } = await app.graphql(query, { fileId, after }, anna);
      expect(errors?.[0]?.extensions.issues).toEqual([
        { path: 'after', message: expect.stringMatching(message) },
      ]);
    }
  });
});

it('cursors show no place in the sequence of all owners, and are of one list alone', async () => {
  const { data } = await app.graphql(
    '{ batches(first: 2) { edges { cursor } } files(first: 1) { edges { cursor } } }',
    {},
    anna,
  );
  const [newest, next] = data!.batches.edges.map(({ cursor }: Data) => cursor) as string[];
  const ofFiles = data!.files.edges[0].cursor as string;
  const forged = `${newest?.startsWith('A') ? 'B' : 'A'}${newest?.slice(1)}`;

  expect([newest, next]).toEqual([expect.stringMatching(/^[\w-]{22}$/), expect.any(String)]);
  expect(newest?.slice(0, 6)).not.toBe(next?.slice(0, 6));
  expect((await read(`{ page: batches(first: 1, after: "${newest}") { ${pages} } }`)).page).toEqual(
    (await read(`{ page: batches(first: 1, after: "${batches[0]}") { ${pages} } }`)).page,
  );
  for (const cursor of ['0', '5', forged, ofFiles]) {
    const { errors } = await read(`{ page: batches(after: "${cursor}") { ${pages} } }`);
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  }
});
