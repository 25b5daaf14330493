/**
 * Requests written for OpenAI's and for Anthropic's batch API: run as they are, found by their ids,
 * fed in again where they failed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import {
  completion,
  refusal,
  type StubProvider,
  type StubRequest,
} from '../../support/stub-provider.ts';
import { chatLine, type Data, readOutput, submitMutation, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.requests.length = 0;
  stub.reply(echo);
});

const said = ({ body }: Pick<StubRequest, 'body'>): string => {
  const { content } = body.messages.at(-1);
  return typeof content === 'string' ? content : content[0].text;
};

/** Answers with the last message; refuses what begins with "bad". */
function echo(request: StubRequest) {
  const text = said(request);
  return text.startsWith('bad')
    ? refusal(400, { message: 'bad request' })
    : { body: completion(text) };
}

const bodyOf = (text: string) => ({
  model: 'base',
  max_tokens: 9,
  messages: [{ role: 'user', content: text }],
});

const dialects = {
  OPENAI_JSONL: (custom_id: string, text: string) => chatLine(custom_id, bodyOf(text)),
  ANTHROPIC_JSONL: (custom_id: string, text: string) => ({
    custom_id,
    params: { ...bodyOf(text), system: 'Be brief.' },
  }),
};
const kinds = Object.entries(dialects);

async function submit(source: object, input: object = {}): Promise<string> {
  const answer = await app.graphql(submitMutation, {
    input: { operation: { chat: {} }, source, ...input },
  });
  expect(answer.errors).toBeUndefined();
  const id = answer.data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  return id;
}

async function upload(text: string, name = 'requests.jsonl'): Promise<Data> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body: text });
  expect(response.status).toBe(201);
  return (await response.json()) as Data;
}

const toLines = (lines: readonly object[]) =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');

async function itemsOf(id: string, customIds?: string[]): Promise<Data[]> {
  const { data, errors } = await app.graphql(
    `query ($id: ID!, $customIds: [String!]) { batch(id: $id) { items(customIds: $customIds) { totalCount edges { node {
       customId status content request output } } } } }`,
    { id, customIds: customIds ?? null },
  );
  expect(errors).toBeUndefined();
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

const idsOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as Data).custom_id as string);

describe.each(kinds)('a file of %s', (format, lineOf) => {
  it('runs as it is, and its requests are found by their ids as they were sent', async () => {
    const file = await upload(
      toLines(['one', 'two', 'bad'].map((text) => lineOf(`r-${text}`, text))),
    );
    expect(file).toMatchObject({ format, itemCount: 3, rejectedCount: 0 });

    const id = await submit({ fileId: file.id });
    const items = await itemsOf(id);
    const found = await itemsOf(id, ['r-bad', 'r-one', 'r-none']);

    expect(items.map(({ customId, status, content }) => [customId, status, content])).toEqual([
      ['r-one', 'SUCCEEDED', 'one'],
      ['r-two', 'SUCCEEDED', 'two'],
      ['r-bad', 'FAILED', 'bad'],
    ]);
    expect(items.map(({ output: answer }) => answer?.text)).toEqual(['one', 'two', undefined]);
    expect(found.map(({ customId }) => customId)).toEqual(['r-one', 'r-bad']);
    for (const { request, content } of found) {
      expect(request).toEqual(stub.requests.find((one) => said(one) === content)?.body);
    }
    expect(stub.requests).toHaveLength(3);
  });

  it('has its ids behind a prefix wherever they are seen', async () => {
    const form = new FormData();
    form.set('operation', 'chat');
    form.set('customIdPrefix', 'run 2/');
    form.set('file', new Blob([toLines([lineOf('a', 'one'), lineOf('b', 'bad')])]), 'x.jsonl');
    const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    const { batchId: id } = (await response.json()) as Data;
    await untilEnded(app, id);

    expect((await itemsOf(id, ['run 2/b', 'a'])).map(({ customId }) => customId)).toEqual([
      'run 2/b',
    ]);
    for (const shape of ['jsonl', 'openai_jsonl', 'anthropic_jsonl']) {
      expect(idsOf(await readOutput(app.url, id, `format=${shape}`))).toEqual([
        'run 2/a',
        'run 2/b',
      ]);
      expect(idsOf(await readOutput(app.url, id, `format=${shape}&status=failed`))).toEqual([
        'run 2/b',
      ]);
    }
    for (const shape of ['openai_jsonl', 'anthropic_jsonl']) {
      const results = await upload(await readOutput(app.url, id, `format=${shape}`));
      const { data } = await app.graphql(
        `query ($id: ID!) {
           good: parseResults(fileId: $id, status: SUCCEEDED) { edges { node { customId output } } }
           bad: parseResults(fileId: $id, status: [FAILED, EXPIRED, CANCELLED]) { edges { node { customId error { code } } } }
         }`,
        { id: results.id },
      );
      expect(data?.good.edges).toEqual([{ node: { customId: 'run 2/a', output: 'one' } }]);
      expect(data?.bad.edges).toEqual([
        { node: { customId: 'run 2/b', error: { code: 'INVALID_REQUEST' } } },
      ]);
    }
  });

  it('gives back what failed, to be fed in again until it succeeds', async () => {
    const file = await upload(toLines([lineOf('a', 'one'), lineOf('b', 'bad ü')]));
    const id = await submit({ fileId: file.id });
    const first = stub.requests.find((one) => said(one) === 'bad ü')?.body;
    const failed = await readOutput(app.url, id, 'status=failed,expired,cancelled&include=request');
    stub.requests.length = 0;
    stub.reply((request) => ({ body: completion(said(request)) }));

    const again = await submit({ fileId: (await upload(failed)).id });
    const inline = await submit({ requests: [JSON.parse(failed).request] });

    expect(idsOf(failed)).toEqual(['b']);
    expect((await itemsOf(again)).map(({ customId, status }) => [customId, status])).toEqual([
      ['b', 'SUCCEEDED'],
    ]);
    expect((await itemsOf(inline))[0]?.status).toBe('SUCCEEDED');
    expect(stub.requests.map(({ body }) => body)).toEqual([first, first]);
  });

  it('may be an array, and inline', async () => {
    const lines = ['one', 'two'].map((text) => lineOf(`r-${text}`, text));
    const file = await upload(JSON.stringify(lines), 'requests.json');

    const fromFile = await itemsOf(await submit({ fileId: file.id }));
    const inline = await itemsOf(await submit({ requests: lines }));

    for (const items of [fromFile, inline]) {
      expect(items.map(({ customId, output: answer }) => [customId, answer.text])).toEqual([
        ['r-one', 'one'],
        ['r-two', 'two'],
      ]);
    }
    expect(inline.map(({ request }) => request)).toEqual(fromFile.map(({ request }) => request));
  });

  it('is for operations on texts a file of its last user messages', async () => {
    const file = await upload(toLines([lineOf('a', 'one')]));

    const id = await submit({ fileId: file.id }, { operation: { run: { instructions: 'Go.' } } });

    expect((await itemsOf(id))[0]).toMatchObject({ customId: 'a', content: 'one' });
    expect(stub.requests.map(said)).toEqual(['one']);
  });
});

describe('requests given inline', () => {
  it('may be bodies and lines of both providers at once', async () => {
    const id = await submit(
      {
        requests: [
          { ...bodyOf('bare'), custom_id: 'own' },
          { ...bodyOf('bare too'), system: 'Be brief.' },
          dialects.OPENAI_JSONL('o', 'of OpenAI'),
          dialects.ANTHROPIC_JSONL('a', 'of Anthropic'),
        ],
      },
      { customIdPrefix: 'p-' },
    );
    const items = await itemsOf(id);

    expect(
      items.map(({ customId, content, output: answer }) => [customId, content, answer.text]),
    ).toEqual([
      ['p-own', 'bare', 'bare'],
      ['p-1', 'bare too', 'bare too'],
      ['p-o', 'of OpenAI', 'of OpenAI'],
      ['p-a', 'of Anthropic', 'of Anthropic'],
    ]);
    const system = { role: 'system', content: 'Be brief.' };
    expect(items.map(({ request }) => request.messages)).toEqual([
      [{ role: 'user', content: 'bare' }],
      [system, { role: 'user', content: 'bare too' }],
      [{ role: 'user', content: 'of OpenAI' }],
      [system, { role: 'user', content: 'of Anthropic' }],
    ]);
  });

  it.each<[string, object[], string, RegExp]>([
    [
      'params without messages',
      [{ custom_id: 'a', params: { max_tokens: 1 } }],
      'input.source.requests.0.params',
      /must be \{messages: \[…\]\}/,
    ],
    [
      'params that are no object',
      [{ custom_id: 'a', params: 'x' }],
      'input.source.requests.0.params',
      /must be \{messages: \[…\]\}/,
    ],
    [
      'a custom id that is empty',
      [{ custom_id: '', params: { messages: [] } }],
      'input.source.requests.0.custom_id',
      /must not be blank/,
    ],
    [
      'ids that come twice, one in each shape',
      [dialects.OPENAI_JSONL('a', 'x'), dialects.ANTHROPIC_JSONL('a', 'x')],
      'input.source.requests.1.custom_id',
      /must be unique: items 0 and/,
    ],
  ])('are refused with %s', async (_what, requests, path, message) => {
    const { errors } = await app.graphql(submitMutation, {
      input: { operation: { chat: {} }, source: { requests } },
    });

    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path, message: expect.stringMatching(message) }],
    });
  });
});
