/**
 * Complete requests: sent as they are, answered as they came, validated where a schema is given.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider, type StubRequest } from '../../support/stub-provider.ts';
import { chatLine, type Data, submitMutation, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ url }) => ({
    PROVIDERS: JSON.stringify({ stub: { baseURL: url }, twin: { baseURL: url } }),
  })));
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.requests.length = 0;
  stub.reply(echo);
});

/** Answers with the last message, and with which model it was asked for. */
function echo({ body }: StubRequest) {
  return { body: { ...completion(body.messages.at(-1).content), model: body.model, extra: [1] } };
}

const ask = (content: string) => [{ role: 'user', content }];

async function submit(source: object, options: object = {}, input: object = {}): Promise<string> {
  const answer = await app.graphql(submitMutation, {
    input: { operation: { chat: options }, source, ...input },
  });
  expect(answer.errors).toBeUndefined();
  const id = answer.data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  return id;
}

async function upload(name: string, lines: readonly object[]): Promise<string> {
  const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

async function itemsOf(id: string): Promise<Data[]> {
  const { data, errors } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { model operation items { edges { node {
       index customId status content request output error { code message }
       result { ... on ChatResult { text data response } } } } } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

const sent = () => stub.requests.map(({ body }) => body as Data);

describe('chat', () => {
  it('sends inline requests, bodies and whole lines, as they are', async () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    const id = await submit({
      requests: [
        { messages: ask('one'), temperature: 0.2, tools, tool_choice: 'auto', metadata: { a: 1 } },
        chatLine('two', { model: 'other', messages: ask('two'), n: 1 }),
      ],
    });

    expect(sent().sort((a, b) => (a.model < b.model ? -1 : 1))).toEqual([
      {
        model: 'base',
        messages: ask('one'),
        temperature: 0.2,
        tools,
        tool_choice: 'auto',
        metadata: { a: 1 },
      },
      { model: 'other', messages: ask('two'), n: 1 },
    ]);
    const items = await itemsOf(id);
    expect(items.map(({ customId, content, output }) => [customId, content, output.text])).toEqual([
      ['0', 'one', 'one'],
      ['two', 'two', 'two'],
    ]);
    expect(items[1]?.output.response).toMatchObject({ model: 'other', extra: [1] });
    expect(items[1]?.result).toEqual(items[1]?.output);
    expect(items.map(({ request }) => request)).toEqual(
      sent().sort((a, b) => (a.model < b.model ? -1 : 1)),
    );
  });

  it('sends an uploaded batch file as it is, and gives unsuccessful requests back', async () => {
    const fileId = await upload(
      'requests.jsonl',
      [1, 2, 3].map((n) =>
        chatLine(`r${n}`, {
          model: n === 3 ? 7 : 'stub/base',
          messages: ask(`n${n}`),
          seed: n,
        }),
      ),
    );
    const id = await submit({ fileId });
    const items = await itemsOf(id);

    expect(
      sent()
        .map(({ seed, model }) => [seed, model])
        .sort(),
    ).toEqual([
      [1, 'base'],
      [2, 'base'],
    ]);
    expect(items.map(({ customId, status, error }) => [customId, status, error?.code])).toEqual([
      ['r1', 'SUCCEEDED', undefined],
      ['r2', 'SUCCEEDED', undefined],
      ['r3', 'FAILED', 'INVALID_REQUEST'],
    ]);
    expect(items[2]?.request).toBeNull();
    expect(items[0]?.request).toEqual({ model: 'base', messages: ask('n1'), seed: 1 });
  });

  it('sets what the options set, in every request', async () => {
    await submit(
      { requests: [{ model: 'x', messages: ask('a'), temperature: 1, max_tokens: 9, top_p: 0.3 }] },
      { model: 'twin/other', temperature: 0.5, maxOutputTokens: 7, extraBody: { top_k: 4 } },
    );

    expect(sent()).toEqual([
      {
        model: 'other',
        messages: ask('a'),
        temperature: 0.5,
        max_tokens: 7,
        top_p: 0.3,
        top_k: 4,
      },
    ]);
  });

  it('sends each request to the model that it names, and a bad name is that item’s error', async () => {
    stub.reply((request) =>
      request.body.model === 'gone'
        ? { status: 404, body: { error: { code: 'model_not_found', message: 'no such model' } } }
        : echo(request),
    );
    const id = await submit({
      requests: ['vendor/large', 'twin/small', 'gone', 7, undefined].map((model) => ({
        model,
        messages: ask(String(model)),
      })),
    });
    const items = await itemsOf(id);

    expect(items.map(({ output }) => output?.response.model)).toEqual([
      'vendor/large',
      'small',
      undefined,
      undefined,
      'vendor/large',
    ]);
    expect(items.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      undefined,
    ]);
  });

  it('does not pay for several answers of which one would be read', async () => {
    const id = await submit({
      requests: [2, 128, '3', 1, null].map((n) => ({ n, messages: ask(`n is ${n}`) })),
    });
    const items = await itemsOf(id);

    expect(items.map(({ error }) => error?.code)).toEqual([
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      undefined,
      undefined,
    ]);
    expect(items[0]?.error.message).toContain('leave n out');
    expect(sent().map(({ n }) => n)).toEqual([1, null]);
  });

  it('validates answers and tool arguments against a schema, and asks again with what is wrong', async () => {
    const call = (json: string) =>
      completion(null, {
        finish: 'tool_calls',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: json } }],
      });
    stub.reply(({ body }) => {
      const { content } = body.messages[0];
      if (content === 'tool') return { body: call('{"name":"Ada"}') };
      if (content === 'cut') return { body: completion('{"na', { finish: 'length' }) };
      if (content === 'no') return { body: completion(null, { refusal: 'I will not' }) };
      return { body: completion(body.messages.length > 1 ? '{"name":"Bob"}' : '{"nom":1}') };
    });
    const id = await submit(
      { requests: ['tool', 'text', 'cut', 'no'].map((text) => ({ messages: ask(text) })) },
      { responseSchema: { name: 'string' } },
    );
    const items = await itemsOf(id);

    expect(items.map(({ output, error }) => output?.data ?? error.code)).toEqual([
      { name: 'Ada' },
      { name: 'Bob' },
      'TRUNCATED',
      'REFUSED',
    ]);
    const [, again] = sent().filter(({ messages }) => messages[0].content === 'text');
    expect(again?.messages.map(({ role }: Data) => role)).toEqual(['user', 'assistant', 'user']);
  });

  it('takes rows of plain JSON that have messages', async () => {
    const fileId = await upload('rows.jsonl', [
      { custom_id: 'a', messages: ask('one'), model: 'base' },
      { custom_id: 'b', messages: 'none' },
    ]);
    const items = await itemsOf(await submit({ fileId }));

    expect(sent()).toEqual([{ messages: ask('one'), model: 'base' }]);
    expect(items.map(({ status }) => status)).toEqual(['SUCCEEDED', 'FAILED']);
  });

  it('gives requests back with the output, to be fed in again', async () => {
    stub.reply((request) =>
      request.body.seed === 2 ? { status: 400, body: { error: { message: 'no' } } } : echo(request),
    );
    const requests = [1, 2].map((seed) => ({ messages: ask(`ü "${seed}"`), seed }));
    const id = await submit({ requests });
    const text = await (
      await fetch(`${app.url}/batches/${id}/output?status=failed&include=request`)
    ).text();
    const failed = JSON.parse(text);
    stub.reply(echo);
    stub.requests.length = 0;
    await submit({ requests: [failed.request] });
    // Or the whole output as it is.
    const fileId = await upload('failed.jsonl', [failed]);
    const [again] = await itemsOf(await submit({ fileId }));

    expect(again).toMatchObject({ customId: '1', status: 'SUCCEEDED' });
    expect(failed).toMatchObject({ index: 1, status: 'failed', request: { seed: 2 } });
    expect(sent()).toEqual([1, 2].map(() => ({ ...requests[1], model: 'base' })));
  });

  it('shows the request of any operation as it is sent', async () => {
    const { data } = await app.graphql(submitMutation, {
      input: {
        operation: { run: { instructions: 'Repeat it.', temperature: 0.5 } },
        source: { texts: ['hi'] },
      },
    });
    const id = data?.submitBatch.batch.id as string;
    await untilEnded(app, id);

    expect((await itemsOf(id))[0]?.request).toEqual(sent()[0]);
  });

  it('gives the completion back in OpenAI’s output lines', async () => {
    const id = await submit({ requests: [{ custom_id: 'x', body: { messages: ask('hi') } }] });
    const text = await (await fetch(`${app.url}/batches/${id}/output?format=openai_jsonl`)).text();

    expect(JSON.parse(text)).toMatchObject({
      custom_id: 'x',
      response: { status_code: 200, body: { ...completion('hi'), model: 'base', extra: [1] } },
      error: null,
    });
  });
});

describe('requests that cannot be taken', () => {
  it.each<[string, object, string, RegExp]>([
    ['no messages', { requests: [{ a: 1 }] }, 'input.source.requests.0', /must be \{messages/],
    [
      'another endpoint',
      { requests: [{ custom_id: 'a', url: '/v1/embeddings', body: { messages: [] } }] },
      'input.source.requests.0.url',
      /only \/v1\/chat\/completions/,
    ],
    [
      'ids that come twice',
      { requests: ['a', 'a'].map((custom_id) => ({ custom_id, body: { messages: [] } })) },
      'input.source.requests.1.custom_id',
      /must be unique: items 0 and/,
    ],
    [
      'texts',
      { texts: ['a'] },
      'input.source',
      /must be requests, or a file of requests, for chat/,
    ],
  ])('%s', async (_, source, path, message) => {
    const { errors } = await app.graphql(submitMutation, {
      input: { operation: { chat: {} }, source },
    });

    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path, message: expect.stringMatching(message) }],
    });
  });

  it('for an operation on texts', async () => {
    const { errors } = await app.graphql(submitMutation, {
      input: {
        operation: { label: { categories: ['a', 'b'] } },
        source: { requests: [{ messages: [] }] },
      },
    });

    expect(errors?.[0]?.message).toMatch(/must be items or texts for label; requests are for chat/);
  });

  it('in files of something else', async () => {
    const fileId = await upload('texts.jsonl', [{ text: 'a' }]);
    const { errors } = await app.graphql(submitMutation, {
      input: { operation: { chat: {} }, source: { fileId } },
    });

    expect(errors?.[0]?.message).toMatch(/must be a file of complete requests for chat, not JSONL/);
  });
});
