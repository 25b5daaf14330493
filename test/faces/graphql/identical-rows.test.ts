/** Identical rows are asked once, in both lanes; each has the answer of its text. */
import { describe, expect, it } from 'vitest';
import { shareProviderJobApp } from '../../engine/provider-jobs/support.ts';
import type { App } from '../../support/app.ts';
import { type Data, submitTexts, untilEnded } from './support.ts';

let app: App;
shareProviderJobApp((shared) => {
  app = shared;
});

/** `rows` texts, of which `kinds` are different, in a mixed order. */
const mixed = (rows: number, kinds: number) =>
  Array.from({ length: rows }, (_, index) => `text ${(index * 7) % kinds}`);

async function read(id: string): Promise<Data> {
  const { data, errors } = await app.graphql(
    `query($id: ID!) { batch(id: $id) {
      status counts { total succeeded failed cancelled expired } usage { requests }
      reused { identicalRows savedUsd } errorSummary { code count }
      items(first: 500) { edges { node {
        index content status cached attempts usage { requests } output error { code message } } } } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  const { items, ...batch } = (data as Data).batch;
  return { ...batch, items: items.edges.map(({ node }: Data) => node) };
}

async function upload(name: string, text: string, fields: Record<string, string> = {}) {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  form.set('file', new File([text], name));
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  return (await response.json()) as Data;
}

async function submitOver(fileId: string, operation: object, input: object = {}): Promise<string> {
  const { data, errors } = await app.graphql(
    `mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`,
    { input: { operation, source: { fileId }, ...input } },
  );
  expect(errors).toBeUndefined();
  return data?.submitBatch.batch.id;
}

const label = { label: { categories: ['praise', 'complaint'] } };

describe.each(['LIVE', 'PROVIDER_BATCH'])('%s', (execution) => {
  it('asks for each text once, and gives every row the answer of its text', async () => {
    const id = await submitTexts(app, mixed(300, 120), { execution });

    await untilEnded(app, id);

    const batch = await read(id);
    expect(batch).toMatchObject({
      status: 'COMPLETED',
      counts: { total: 300, succeeded: 300 },
      usage: { requests: 120 },
      reused: { identicalRows: 180 },
    });
    const answers = new Map<string, unknown>();
    for (const { content, cached, output } of batch.items) {
      if (!cached) answers.set(content, output);
    }
    expect(answers.size).toBe(120);
    for (const { content, output, cached, attempts, usage } of batch.items) {
      expect(output).toEqual(answers.get(content));
      expect(usage).toEqual(cached ? null : { requests: 1 });
      expect(attempts).toBe(cached ? 0 : 1);
    }
  });

  it('cancels rows with those that they share an answer with', async () => {
    const id = await submitTexts(app, mixed(50, 5), { execution, autoStart: false });

    await app.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id);

    expect(await read(id)).toMatchObject({ counts: { cancelled: 50 }, usage: { requests: 0 } });
  });
});

describe('what is the same', () => {
  it('is only what the prompt takes: other columns differ as they like', async () => {
    const { id: fileId } = await upload(
      'rows.csv',
      'id,text,shop\n1,good,a\n2,good,b\n3,bad,a\n4,good,a\n',
      { content_field: 'text', custom_id_field: 'id' },
    );
    const bare = await submitOver(fileId, label);
    const withContext = await submitOver(fileId, {
      label: { ...label.label, includeContext: true },
    });
    const byTemplate = await submitOver(fileId, {
      label: { ...label.label, userPromptTemplate: 'Shop {shop}: {text}' },
    });
    for (const id of [bare, withContext, byTemplate]) await untilEnded(app, id);

    expect((await read(bare)).reused.identicalRows).toBe(2);
    expect((await read(withContext)).reused.identicalRows).toBe(1);
    expect((await read(byTemplate)).reused.identicalRows).toBe(1);
  });

  it('is byte for byte, in rows of JSON as well', async () => {
    const rows = [
      { id: 1, text: 'Good', n: 1 },
      { id: 2, text: 'good', n: 1 },
      { id: 3, text: 'good ', n: 1 },
      { id: 4, text: 'good', n: 2 },
      { id: 5, n: 3, text: 'Good' },
    ];
    const { id: fileId } = await upload(
      'rows.jsonl',
      rows.map((row) => JSON.stringify(row)).join('\n'),
      { content_field: 'text', custom_id_field: 'id' },
    );
    const id = await submitOver(fileId, label);
    await untilEnded(app, id);

    expect((await read(id)).items.map(({ cached }: Data) => cached)).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
  });

  it('is the text and the named fields of inline items, not their metadata', async () => {
    const items = [
      { content: 'good', metadata: { shop: 'a' } },
      { content: 'good', metadata: { shop: 'b' } },
      { content: 'good' },
    ];
    const submit = async (operation: object) => {
      const { data } = await app.graphql(
        `mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`,
        { input: { operation, source: { items } } },
      );
      const { id } = (data as Data).submitBatch.batch;
      await untilEnded(app, id);
      return (await read(id)).reused.identicalRows;
    };

    expect(await submit(label)).toBe(2);
    expect(await submit({ label: { ...label.label, includeContext: true } })).toBe(0);
  });

  it('is not looked for where equal rows may be meant to differ, unless it is asked for', async () => {
    const texts = ['write a poem', 'write a poem'];
    const run = async (deduplicate?: boolean) => {
      const id = await submitTexts(app, texts, {
        operation: { run: { instructions: 'Do it' } },
        ...(deduplicate === undefined ? {} : { deduplicate }),
      });
      await untilEnded(app, id);
      return await read(id);
    };

    expect(await run()).toMatchObject({ usage: { requests: 2 }, reused: null });
    expect(await run(true)).toMatchObject({ usage: { requests: 1 }, reused: { identicalRows: 1 } });
    const apart = await submitTexts(app, ['same', 'same'], { deduplicate: false });
    await untilEnded(app, apart);
    expect(await read(apart)).toMatchObject({ usage: { requests: 2 }, reused: null });
  });

  it('is the request of rows that are requests', async () => {
    const line = (id: string, text: string) =>
      JSON.stringify({
        custom_id: id,
        method: 'POST',
        url: '/v1/chat/completions',
        body: { model: 'rules', messages: [{ role: 'user', content: text }] },
      });
    const { id: fileId } = await upload(
      'requests.jsonl',
      [line('a', 'one'), line('b', 'one'), line('c', 'two')].join('\n'),
    );
    const id = await submitOver(fileId, { chat: {} }, { deduplicate: true });
    await untilEnded(app, id);

    expect(await read(id)).toMatchObject({
      counts: { succeeded: 3 },
      reused: { identicalRows: 1 },
    });
  });
});

describe('a leader that fails', () => {
  const failing = (text: string) =>
    app.sandbox.faults.add({
      fault: { kind: 'status', status: 400, message: 'refused' },
      when: (request) => JSON.stringify(request.body).includes(text),
    });
  const retry = async (id: string, customIds?: string[]) => {
    const { errors } = await app.graphql(
      'mutation($id: ID!, $customIds: [String!]) { retryBatch(id: $id, customIds: $customIds) { retriedItems } }',
      { id, customIds },
    );
    expect(errors).toBeUndefined();
    await untilEnded(app, id);
    return await read(id);
  };

  it('shares its error, and a retry of all of them asks once', async () => {
    failing('broken');
    const id = await submitTexts(app, ['broken', 'fine', 'broken', 'broken']);
    await untilEnded(app, id);
    const failed = await read(id);
    expect(failed.counts).toMatchObject({ succeeded: 1, failed: 3 });
    expect(failed.errorSummary).toMatchObject([{ count: 3 }]);
    const asked = app.sandbox.requests.count;

    app.sandbox.faults.clear();
    const retried = await retry(id);

    expect(retried.counts).toMatchObject({ succeeded: 4, failed: 0 });
    expect(app.sandbox.requests.count - asked).toBe(1);
    expect(retried.items.map(({ cached }: Data) => cached)).toEqual([false, false, true, true]);
  });

  it('leaves alone a twin that is retried by its name, which is asked itself', async () => {
    failing('broken');
    const id = await submitTexts(app, ['broken', 'broken', 'broken']);
    await untilEnded(app, id);

    app.sandbox.faults.clear();
    const named = await retry(id, ['1']);

    expect(named.items.map(({ status }: Data) => status)).toEqual([
      'FAILED',
      'SUCCEEDED',
      'FAILED',
    ]);
    expect(named.items[1]).toMatchObject({ cached: false, attempts: 1 });
    const leader = await retry(id, ['0']);
    expect(leader.items.map(({ status }: Data) => status)).toEqual([
      'SUCCEEDED',
      'SUCCEEDED',
      'FAILED',
    ]);
    // What is put back later takes the answer that its leader has by then.
    const asked = app.sandbox.requests.count;
    expect((await retry(id)).counts).toMatchObject({ succeeded: 3, failed: 0 });
    expect(app.sandbox.requests.count).toBe(asked);
  });
});
