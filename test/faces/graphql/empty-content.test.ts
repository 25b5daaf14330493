/**
 * Items whose text is blank: nothing is sent for them, whichever way they come, and nothing is
 * paid.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startProviderJobApp } from '../../engine/provider-jobs/support.ts';
import type { App } from '../../support/app.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startProviderJobApp();
});
afterAll(() => app.stop());
beforeEach(() => app.sandbox.requests.clear());
afterEach(() => app.sandbox.faults.clear());

const blanks = ['', ' ', '\n\t ', '\u00a0\u2003\u3000', '\u200b\ufeff'];
const categories = ['praise', 'complaint'];
const operations: [string, object][] = [
  ['label', { categories }],
  ['extract', { schema: { name: 'string' } }],
  ['summarize', {}],
  ['enrich', { fields: [{ name: 'a' }] }],
  ['run', { instructions: 'Answer.' }],
];
const emptyContent = { code: 'EMPTY_CONTENT', message: expect.stringContaining('blank') };
const nothing = { requests: 0, inputTokens: 0, outputTokens: 0, costUsd: null };

async function operate(name: string, items: object[], options: object) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  const { data, errors } = await app.graphql(
    `mutation ($items: [ItemInput!]!, $options: ${type}Options!) { ${name}(items: $items, options: $options) {
       usage { requests } results { error { code message } usage { requests inputTokens outputTokens costUsd } } } }`,
    { items, options },
  );
  expect(errors).toBeUndefined();
  return data?.[name];
}

async function submit(input: Record<string, unknown>): Promise<string> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation: { label: { categories } }, ...input },
  });
  expect(errors).toBeUndefined();
  return data?.submitBatch.batch.id;
}

async function itemsOf(id: string): Promise<Data[]> {
  const { data } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { items { edges { node {
       status attempts content metadata request error { code message } usage { requests inputTokens outputTokens costUsd } } } } } }`,
    { id },
  );
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

describe.each(operations)('%s', (name, options) => {
  it('answers blank items without a request, and the others as ever', async () => {
    const contents = [...blanks, 'I love it'];
    const { results, usage } = await operate(
      name,
      contents.map((content) => ({ content })),
      options,
    );

    for (const result of results.slice(0, -1)) {
      expect(result).toEqual({ error: emptyContent, usage: nothing });
    }
    expect(results.at(-1).error).toBeNull();
    expect([usage.requests, app.sandbox.requests.count]).toEqual([1, 1]);
  });

  it('does so in a batch', async () => {
    const id = await submit({
      operation: { [name]: options },
      source: { items: [{ content: ' ', metadata: { a: 'x' } }, { content: 'I love it' }] },
    });
    const ended = await untilEnded(app, id);

    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 1, failed: 1 } });
    expect((await itemsOf(id))[0]).toEqual({
      status: 'FAILED',
      attempts: 0,
      content: ' ',
      metadata: { a: 'x' },
      request: null,
      error: emptyContent,
      usage: nothing,
    });
    expect(app.sandbox.requests.count).toBe(1);
  });
});

describe('a blank item', () => {
  it('of a file keeps its row and its other columns, and its place in the output', async () => {
    const response = await fetch(`${app.url}/files?name=x.csv`, {
      method: 'POST',
      body: 'id,text,stars\na,I love it,5\nb, ,1\nc,Worst ever,1\n',
    });
    const { id: fileId } = (await response.json()) as { id: string };
    const id = await submit({ source: { fileId } });
    await untilEnded(app, id);
    const csv = await (await fetch(`${app.url}/batches/${id}/output?format=csv`)).text();

    expect(csv.split('\n')).toEqual([
      expect.stringMatching(/^id,text,stars,/),
      expect.stringMatching(/^a,I love it,5,praise,/),
      expect.stringMatching(/^b," ",1,.*,failed,EMPTY_CONTENT,.*blank/),
      expect.stringMatching(/^c,Worst ever,1,.*,succeeded,/),
      '',
    ]);
    expect(app.sandbox.requests.count).toBe(2);
  });

  it.each(['test/rules', 'anthropic/rules'])('goes into no provider batch of %s', async (model) => {
    const id = await submit({
      operation: { label: { categories, model } },
      source: { texts: ['I love it', '', 'Worst ever'] },
      execution: 'PROVIDER_BATCH',
    });
    expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 2, failed: 1 } });
    const { data } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { usage { requests } providerBatches { counts { total } } } }',
      { id },
    );

    expect((await itemsOf(id))[1]).toMatchObject({
      attempts: 0,
      error: emptyContent,
      usage: nothing,
    });
    expect(data?.batch).toEqual({
      usage: { requests: 2 },
      providerBatches: [{ counts: { total: 2 } }],
    });
  });

  it('leaves a batch of nothing else without a request, live and by provider jobs', async () => {
    for (const execution of ['LIVE', 'PROVIDER_BATCH']) {
      const id = await submit({ source: { texts: blanks }, execution });

      expect(await untilEnded(app, id)).toMatchObject({
        status: 'COMPLETED',
        counts: { failed: blanks.length },
      });
    }
    expect(app.sandbox.requests.count).toBe(0);
  });

  it('is the same after a retry, which costs nothing', async () => {
    const id = await submit({ source: { texts: [' ', 'I love it'] } });
    await untilEnded(app, id);
    const { data } = await app.graphql(
      'mutation ($id: ID!) { retryBatch(id: $id, errorCodes: [EMPTY_CONTENT]) { retriedItems } }',
      { id },
    );
    await untilEnded(app, id);

    expect(data?.retryBatch.retriedItems).toBe(1);
    expect((await itemsOf(id))[0]).toMatchObject({
      attempts: 0,
      error: emptyContent,
      usage: nothing,
    });
    expect(app.sandbox.requests.count).toBe(1);
  });

  it('is sent where a template names another field that says something', async () => {
    const userPromptTemplate = '{title}: {content}';
    const { results } = await operate(
      'label',
      [
        { content: ' ', metadata: { title: 'I love it' } },
        { content: '', metadata: { title: 0 } },
        { content: ' ', metadata: { title: ' ' } },
        { content: ' ', metadata: { title: null } },
        { content: ' ' },
        { content: 'Worst ever', metadata: { title: '' } },
      ],
      { categories, userPromptTemplate },
    );

    expect(results.map(({ error }: Data) => error?.code ?? null)).toEqual([
      null,
      null,
      'EMPTY_CONTENT',
      'EMPTY_CONTENT',
      'TEMPLATE_FIELD_MISSING',
      null,
    ]);
    expect(app.sandbox.requests.count).toBe(3);
  });

  it('is not sent by a template that names the text alone, by whichever name', async () => {
    const response = await fetch(`${app.url}/files?name=x.csv`, {
      method: 'POST',
      body: 'id,text\na,I love it\nb, \n',
    });
    const { id: fileId } = (await response.json()) as { id: string };
    const id = await submit({
      operation: { label: { categories, userPromptTemplate: 'Text: {text} {content}' } },
      source: { fileId },
    });
    await untilEnded(app, id);

    expect((await itemsOf(id)).map(({ error }) => error?.code ?? null)).toEqual([
      null,
      'EMPTY_CONTENT',
    ]);
    expect(app.sandbox.requests.count).toBe(1);
  });

  it('is sent where its context says something', async () => {
    const { results } = await operate(
      'enrich',
      [
        { content: ' ', metadata: { country: 'DE' } },
        { content: ' ', metadata: { country: ' ', city: null } },
        { content: ' ', metadata: {} },
        { content: ' ' },
      ],
      { fields: [{ name: 'a' }], includeContext: true },
    );

    expect(results.map(({ error }: Data) => error?.code ?? null)).toEqual([
      null,
      'EMPTY_CONTENT',
      'EMPTY_CONTENT',
      'EMPTY_CONTENT',
    ]);
    expect(app.sandbox.requests.count).toBe(1);
  });

  it('needs no provider that answers', async () => {
    app.sandbox.faults.add({ fault: { kind: 'status', status: 503 } });
    const { results } = await operate('summarize', [{ content: ' ' }], {});

    expect(results[0].error).toEqual(emptyContent);
  });
});

it('a chat request with a blank message is the caller’s own, and is sent', async () => {
  const id = await submit({
    operation: { chat: {} },
    source: { requests: [{ messages: [{ role: 'user', content: ' ' }] }] },
  });
  await untilEnded(app, id);

  expect(app.sandbox.requests.count).toBe(1);
});
