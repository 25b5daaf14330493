/**
 * What one request may take in all, however often it asks: see one-request-harness.ts for what must
 * hold beside it.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { submitMutation } from '../../faces/graphql/support.ts';
import { completion } from '../../support/stub-provider.ts';
import { busyRetries, startVictim, type Target, type Victim } from './harness.ts';

const rowBytes = 9_800_000;

describe('what one request may take in all', { retry: busyRetries }, () => {
  let victim: Victim;
  /** A file of ten rows of 9.8 MB, and a draft over it. */
  let file: string;
  let batch: string;

  beforeAll(async () => {
    victim = await startVictim({ withKeys: true });
    await victim.prepare(async (target) => {
      const row = JSON.stringify({ content: 'x'.repeat(rowBytes) });
      file = await upload(target, 'large.jsonl', `${row}\n`.repeat(10));
      batch = await draft(target, file);
    });
  }, 120_000);
  afterAll(() => victim.stop());

  test('an inline submit with all the bytes that a body may have', async () => {
    const text = 'x'.repeat(1_590);
    const texts = Array.from({ length: 10_000 }, () => text);
    const input = {
      operation: { run: { instructions: 'x' } },
      source: { texts },
      autoStart: false,
    };
    let answer: unknown = null;

    const report = await victim.attack(
      async (target) => {
        answer = (await ask(target, submitMutation, { input })).data.submitBatch.batch.counts;
      },
      { fresh: true },
    );

    expect(report.breaches).toEqual([]);
    expect(answer).toEqual({ total: 10_000 });
  });

  async function ask(target: Target, query: string, variables: Record<string, unknown> = {}) {
    const { text } = await target.post({ query, variables });
    return JSON.parse(text) as { data: any; errors?: { message: string; extensions: any }[] };
  }

  async function upload(target: Target, query: string, body: string): Promise<string> {
    const { url, headers } = target;
    const response = await fetch(`${url}/files?name=${query}`, { method: 'POST', headers, body });
    return ((await response.json()) as { id: string }).id;
  }

  async function draft(target: Target, fileId: string, instructions = ''): Promise<string> {
    const { data } = await ask(
      target,
      `mutation($fileId: ID!, $instructions: String) { submitBatch(input: {
         operation: {label: {categories: ["praise", "complaint"], instructions: $instructions}},
         source: {fileId: $fileId}, autoStart: false}) { batch { id } } }`,
      { fileId, instructions },
    );
    return data.submitBatch.batch.id;
  }

  const aliases = (count: number, field: string) =>
    Array.from({ length: count }, (_, number) => `a${number}: ${field}`).join(' ');

  test.each([4, 12])('%s aliases of a preview of ten rows of 9.8 MB', async (count) => {
    const report = await victim.attack(async (target) => {
      const { errors } = await ask(
        target,
        `{ file(id: "${file}") { ${aliases(count, 'preview(first: 100)')} } }`,
      );
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', cursor: null });
    });

    expect(report.breaches).toEqual([]);
  });

  test('a page of ten items of 9.8 MB says behind which to go on, and the first is always given', async () => {
    const report = await victim.attack(async (target) => {
      const { errors } = await ask(
        target,
        `{ batch(id: "${batch}") { items(first: 10) { edges { node { content } } } } }`,
      );
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', cursor: '0' });
      const first = await ask(
        target,
        `{ batch(id: "${batch}") { items(first: 1, after: "0") {
         edges { node { index content } } pageInfo { hasNextPage endCursor } } } }`,
      );
      const { edges, pageInfo } = first.data.batch.items;
      expect(edges).toHaveLength(1);
      expect(edges[0].node.index).toBe(1);
      expect(edges[0].node.content).toHaveLength(rowBytes);
      expect(pageInfo).toEqual({ hasNextPage: true, endCursor: '1' });
    });

    expect(report.breaches).toEqual([]);
  });

  test('a hundred aliases of one large text', async () => {
    const report = await victim.attack(async (target) => {
      const { errors } = await ask(
        target,
        `{ batch(id: "${batch}") { items(first: 1) { edges { node { ${aliases(100, 'content')} } } } } }`,
      );
      expect(errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE');
    });

    expect(report.breaches).toEqual([]);
  });

  /** Small files and batches, and what asks for much of them. */
  const products: [what: string, make: (target: Target) => Promise<string>][] = [
    [
      'forty aliases of the answers in a file of results',
      async (target) => {
        const message = { content: 'y'.repeat(100_000) };
        const response = { status_code: 200, body: { choices: [{ message }] } };
        const line = JSON.stringify({ custom_id: 'a', response, error: null });
        const id = await upload(target, 'results.jsonl', `${line}\n`.repeat(200));
        return `{ parseResults(fileId: "${id}", first: 200) { edges { node { ${aliases(40, 'output')} } } } }`;
      },
    ],
    [
      'sixty aliases of a batch’s options of a megabyte',
      async (target) => {
        const instructions = 'x'.repeat(1_000_000);
        const id = await draft(target, await upload(target, 'a.txt', 'good\n'), instructions);
        return `{ batch(id: "${id}") { ${aliases(60, 'options')} } }`;
      },
    ],
    [
      '240 aliases of a thousand custom ids of 500 characters',
      async (target) => {
        const rows = Array.from(
          { length: 1_000 },
          (_, at) => `${String(at).padEnd(500, 'x')},good`,
        );
        const id = await draft(
          target,
          await upload(target, 'a.csv', `id,text\n${rows.join('\n')}\n`),
        );
        return `{ batch(id: "${id}") { items(first: 1000) { edges { node { ${aliases(240, 'customId')} } } } } }`;
      },
    ],
    [
      'the 9,000 columns of a file, with each of its items',
      async (target) => {
        const names = Array.from({ length: 9_000 }, (_, at) => `column_${at}`);
        const rows = `${','.repeat(9_000)}good\n`.repeat(200);
        const id = await draft(
          target,
          await upload(target, 'a.csv&contentField=text', `${names},text\n${rows}`),
        );
        return `{ batch(id: "${id}") { items(first: 200) { edges { node { batch { file { columns } } } } } } }`;
      },
    ],
    [
      'the thousand rows that were refused of a file, with each of its items',
      async (target) => {
        const rows = Array.from({ length: 1_000 }, (_, at) => `r-${at},good\n,refused\n`);
        const id = await draft(
          target,
          await upload(target, 'a.csv&customIdField=id', `id,text\n${rows.join('')}`),
        );
        return `{ batch(id: "${id}") { items(first: 1000) { edges { node { batch { file { rejections { row reason } } } } } } } }`;
      },
    ],
  ];

  test.each(products)('%s', async (_what, make) => {
    const query = await victim.prepare(make);

    const report = await victim.attack(async (target) => {
      const { errors } = await ask(target, query);
      expect(errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE');
    });

    expect(report.breaches).toEqual([]);
  });

  test('ten requests for large pages at once wait for each other', async () => {
    const report = await victim.attack(async (target) => {
      await Promise.all(
        Array.from({ length: 10 }, () =>
          ask(
            target,
            `{ batch(id: "${batch}") { items(first: 1) { edges { node { content } } } } }`,
          ),
        ),
      );
    });

    // The bound on memory is that of one request.
    expect(report.breaches.filter((breach) => !breach.startsWith('memory'))).toEqual([]);
  });

  test('a hundred operations over fifty items each share fifty', async () => {
    const { provider } = victim;
    provider.reply({ body: completion('{"label": "praise"}') });
    const before = provider.requests.length;

    const report = await victim.attack(async (target) => {
      const items = Array.from({ length: 50 }, (_, index) => ({ content: `text ${index}` }));
      const { data, errors } = await ask(
        target,
        `mutation($items: [ItemInput!]!) { ${aliases(100, 'label(items: $items, options: {categories: ["praise", "complaint"]}) { results { label } }')} }`,
        { items },
      );
      expect(data).toBeNull();
      expect(errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE');
    });

    expect(report.breaches).toEqual([]);
    expect(provider.requests.length - before).toBe(50);
  });

  test('a hundred and fifty submits share the rows of one', async () => {
    const mine = randomUUID();
    const report = await victim.attack(async (target) => {
      const texts = Array.from({ length: 5_000 }, (_, index) => `text ${index}`);
      const { errors } = await ask(
        target,
        `mutation($texts: [String!]!, $name: String!) { ${aliases(150, 'submitBatch(input: {operation: {label: {categories: ["a", "b"]}}, source: {texts: $texts}, autoStart: false, name: $name}) { batch { id } }')} }`,
        { texts, name: mine },
      );
      expect(errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE');
      const { data } = await ask(target, '{ batches(first: 100) { edges { node { name } } } }');
      const names = data.batches.edges.map((edge: any) => edge.node.name);
      expect(names.filter((name: string) => name === mine)).toHaveLength(2);
    });

    expect(report.breaches).toEqual([]);
  });
});
