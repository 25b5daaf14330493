import { afterAll, beforeAll, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

async function upload(name: string, body: string): Promise<{ id: string; itemCount: number }> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string; itemCount: number };
}

async function label(fileId: string, options = '') {
  return await app.graphql(
    `mutation ($id: ID!) { submitBatch(input: {
       operation: { label: { categories: ["positive", "negative"] ${options} } }, source: { fileId: $id }
     }) { batch { id file { id } counts { total } } } }`,
    { id: fileId },
  );
}

async function completed(batchId: string): Promise<void> {
  await app.lookAfter('batch.ended', async () => {
    const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { status } }', {
      id: batchId,
    });
    return data?.batch.status === 'COMPLETED';
  });
}

const jsonl = `{"id": "a", "text": "I love it", "n": 1.0}
{"id": "b", "text": "awful, broken", "n": 12345678901234567890}
`;

it('a batch over a file reads its text and ids, and gives its columns back as they came', async () => {
  const file = await upload('opinions.jsonl', jsonl);
  const { data } = await label(file.id, ', userPromptTemplate: "{content} ({n})"');
  const batch = data?.submitBatch.batch;
  expect(batch).toEqual({ id: batch.id, file: { id: file.id }, counts: { total: 2 } });
  await completed(batch.id);

  const lines = await (await fetch(`${app.url}/batches/${batch.id}/output?include=input`)).text();
  const csv = await (await fetch(`${app.url}/batches/${batch.id}/output?format=csv`)).text();
  const found = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { items(customIds: ["b"]) { edges { node { index customId content } } } } }',
    { id: batch.id },
  );

  expect(lines.split('\n')[1]).toContain(
    '"custom_id":"b","status":"succeeded","content":"awful, broken","metadata":{"n":12345678901234567890}',
  );
  expect(csv.split('\n').map((line) => line.split(',').slice(0, 4).join())).toEqual([
    'id,text,n,label',
    'a,I love it,1.0,positive',
    'b,"awful, broken",12345678901234567890',
    '',
  ]);
  expect(found.data?.batch.items.edges).toEqual([
    { node: { index: 1, customId: 'b', content: 'awful, broken' } },
  ]);
});

it('a batch that is given no name has that of its file, whichever way it is submitted', async () => {
  const nameOf = async (batchId: string) =>
    (await app.graphql('query ($id: ID!) { batch(id: $id) { name } }', { id: batchId })).data?.batch
      .name;
  const beside = async (fields: Record<string, string>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob(['text\nI love it\n']), 'dir/opinions.csv');
    const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    return ((await response.json()) as { batchId: string }).batchId;
  };
  const submit = async (input: Record<string, unknown>) => {
    const file = await upload('lines.txt', 'good\n');
    const { data } = await app.graphql(
      'mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      { input: { operation: { summarize: {} }, source: { fileId: file.id }, ...input } },
    );
    return data?.submitBatch.batch.id;
  };

  expect(await nameOf(await beside({ operation: 'summarize' }))).toBe('opinions.csv');
  expect(await nameOf(await beside({ operation: 'summarize', name: 'mine' }))).toBe('mine');
  expect(await nameOf(await submit({}))).toBe('lines.txt');
  expect(await nameOf(await submit({ name: 'mine' }))).toBe('mine');
});

it('items without a custom id are found by their index', async () => {
  const file = await upload('lines.txt', 'good\nbad\nugly\n');
  const { data } = await label(file.id);

  const found = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { items(customIds: ["2", "x"]) { edges { node { customId content } } } } }',
    { id: data?.submitBatch.batch.id },
  );

  expect(found.data?.batch.items.edges).toEqual([{ node: { customId: '2', content: 'ugly' } }]);
});

it('form fields beside a file start a batch; bad ones are refused, and the file is kept and named', async () => {
  const form = (fields: Record<string, string>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    body.set('file', new Blob(['text\nI love it\nawful\n']), 'opinions.csv');
    return fetch(`${app.url}/files`, { method: 'POST', body });
  };

  const good = await form({ operation: 'classify', categories: 'positive,negative' });
  const bad = await form({ operation: 'label', categories: 'only' });

  const { batchId } = (await good.json()) as { batchId: string };
  await completed(batchId);
  expect(bad.status).toBe(400);
  expect(await bad.text()).toMatch(/categories.*must have at least 2/s);
  const { data } = await app.graphql(
    '{ files(first: 2) { totalCount edges { node { name itemCount } } } }',
  );
  expect(data?.files.edges[0].node).toEqual({ name: 'opinions.csv', itemCount: 2 });
});

it('a template that names no column, and a file that is not there, are refused', async () => {
  const file = await upload('opinions.jsonl', jsonl);

  const template = await label(file.id, ', userPromptTemplate: "{nope}"');
  const unknown = await label('file_0000000000000000000000000');

  expect(template.errors?.[0]?.extensions.issues[0].path).toBe(
    'input.operation.label.userPromptTemplate',
  );
  expect(unknown.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
});

it('a file is previewed, and deleted only when no batch uses it', async () => {
  const used = await upload('used.txt', 'one\ntwo\n');
  const unused = await upload('unused.csv', 'text,n\na,1\nb\n');
  await label(used.id);
  const remove = (id: string) =>
    app.graphql('mutation ($id: ID!) { deleteFile(id: $id) { deletedId } }', { id });
  const read = (id: string) =>
    app.graphql(
      'query ($id: ID!) { file(id: $id) { name format columns contentField itemCount rejectedCount rejections { row } preview(first: 1) } }',
      { id },
    );

  const before = await read(unused.id);
  const conflict = await remove(used.id);
  const removed = await remove(unused.id);
  const again = await remove(unused.id);

  expect(before.data?.file).toEqual({
    name: 'unused.csv',
    format: 'CSV',
    columns: ['text', 'n'],
    contentField: 'text',
    itemCount: 1,
    rejectedCount: 1,
    rejections: [{ row: 2 }],
    preview: [{ text: 'a', n: '1' }],
  });
  expect(conflict.errors?.[0]?.extensions.code).toBe('CONFLICT');
  expect(removed.data?.deleteFile).toEqual({ deletedId: unused.id });
  expect(again.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  expect((await read(unused.id)).data).toEqual({ file: null });
});

it('a webhook is told of the end, and may not point inside', async () => {
  const inside = await app.graphql(
    `mutation { submitBatch(input: { operation: { run: { instructions: "x" } }, source: { texts: ["a"] },
       webhookUrl: "http://127.0.0.1:1/hook" }) { batch { id } } }`,
  );

  expect(inside.errors?.[0]?.extensions.issues[0].path).toBe('input.webhookUrl');
});

it('openai_jsonl has the lines that OpenAI’s batch files have', async () => {
  app.sandbox.faults.add({ fault: { kind: 'refusal' }, when: ({ text }) => text.includes('odd') });
  const { data } = await app.graphql(
    `mutation { submitBatch(input: { operation: { run: { instructions: "Write in upper case" } },
       source: { items: [{ content: "good", customId: "a" }, { content: "odd", customId: "b" }] } }) { batch { id } } }`,
  );
  await completed(data?.submitBatch.batch.id);
  app.sandbox.faults.clear();

  const response = await fetch(
    `${app.url}/batches/${data?.submitBatch.batch.id}/output?format=openai_jsonl`,
  );
  const [good, bad] = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

  expect(response.headers.get('content-disposition')).toMatch(/\.jsonl"$/);
  expect(good).toEqual({
    id: expect.stringMatching(/^batch_req_/),
    custom_id: 'a',
    response: {
      status_code: 200,
      request_id: expect.stringMatching(/^req_/),
      body: {
        id: expect.stringMatching(/^chatcmpl-/),
        object: 'chat.completion',
        created: expect.closeTo(Date.now() / 1000, -2),
        model: 'test/rules',
        choices: [
          {
            index: 0,
            message: {
              role: 'assistant',
              content: expect.stringContaining('stand-in'),
              refusal: null,
            },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
        usage: expect.objectContaining({ total_tokens: expect.any(Number) }),
      },
    },
    error: null,
  });
  expect(bad).toEqual({
    id: expect.stringMatching(/^batch_req_/),
    custom_id: 'b',
    response: {
      status_code: 400,
      request_id: expect.stringMatching(/^req_/),
      body: {
        error: {
          message: bad?.error.message,
          type: 'invalid_request_error',
          param: null,
          code: 'refused',
        },
      },
    },
    error: { code: 'refused', message: expect.any(String) },
  });
});
