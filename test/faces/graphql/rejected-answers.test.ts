/**
 * What a model wrote is kept where it was refused: with the item, its result, its records, and a
 * line of a file of results.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startProviderJobApp } from '../../engine/provider-jobs/support.ts';
import type { App } from '../../support/app.ts';
import { type Data, labelOptions, post, submitTexts, untilEnded } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startProviderJobApp();
});
afterAll(() => app.stop());
afterEach(() => app.sandbox.faults.clear());

const wrong = '{"label": "neither \u{1f600}"}';
const says = (content: string, text?: string) =>
  app.sandbox.faults.add({
    fault: { kind: 'content', content },
    when: (request) => text === undefined || JSON.stringify(request.body).includes(text),
  });

async function label(options: object = {}): Promise<Data> {
  const { data, errors } = await app.graphql(
    `mutation($options: LabelOptions!) { label(items: [{content: "A text"}], options: $options) {
      results { label rejectedAnswer error { code } } } }`,
    { options: { ...labelOptions, ...options } },
  );
  expect(errors).toBeUndefined();
  return data?.label.results[0];
}

async function items(id: string): Promise<Data[]> {
  await untilEnded(app, id);
  const { data } = await app.graphql(
    `query($id: ID!) { batch(id: $id) { items { edges { node {
      content status rejectedAnswer error { code } result { rejectedAnswer } } } } } }`,
    { id },
  );
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

async function records(id: string, format: string): Promise<Data[]> {
  const text = await (await fetch(`${app.url}/batches/${id}/output?format=${format}`)).text();
  return format === 'json'
    ? JSON.parse(text)
    : text
        .trim()
        .split('\n')
        .map((one) => JSON.parse(one));
}

describe('an answer that was refused', () => {
  it('stands beside the error of a synchronous item', async () => {
    says(wrong);

    expect(await label()).toEqual({
      label: null,
      rejectedAnswer: wrong,
      error: { code: 'INVALID_OUTPUT' },
    });
  });

  it('is none where the item succeeded, at once or when asked again', async () => {
    app.sandbox.faults.add({ fault: { kind: 'content', content: wrong }, times: 1 });

    expect(await label()).toMatchObject({ rejectedAnswer: null, error: null });
    expect(await label()).toMatchObject({ rejectedAnswer: null, error: null });
  });

  it('is the last of three', async () => {
    for (const content of ['first', 'second', 'third']) {
      app.sandbox.faults.add({ fault: { kind: 'content', content }, times: 1 });
    }

    expect((await label()).rejectedAnswer).toBe('third');
  });

  it('is kept where what came after it was another failure', async () => {
    app.sandbox.faults.add({ fault: { kind: 'content', content: wrong }, times: 1 });
    app.sandbox.faults.add({ fault: { kind: 'status', status: 400 } });

    expect(await label()).toMatchObject({
      rejectedAnswer: wrong,
      error: { code: 'INVALID_REQUEST' },
    });
  });

  it('has at most 2,000 characters, and no half of one', async () => {
    says(`${'a'.repeat(1_999)}\u{1f600}b`);
    expect((await label()).rejectedAnswer).toBe('a'.repeat(1_999));

    app.sandbox.faults.clear();
    says(`${'a'.repeat(1_998)}\u{1f600}b`);
    expect((await label()).rejectedAnswer).toBe(`${'a'.repeat(1_998)}\u{1f600}`);

    app.sandbox.faults.clear();
    says('NUL \u0000 and \ud83d alone');
    expect((await label()).rejectedAnswer).toBe('NUL \ufffd and \ufffd alone');
  });

  it('is none where nothing was written', async () => {
    says(' \n');
    expect(await label()).toMatchObject({
      rejectedAnswer: null,
      error: { code: 'INVALID_OUTPUT' },
    });
  });

  it('is what was written of one that was cut off, and of a refusal', async () => {
    app.sandbox.faults.add({ fault: { kind: 'truncated' } });
    const cut = await label();
    app.sandbox.faults.clear();
    app.sandbox.faults.add({ fault: { kind: 'refusal', message: 'I must not.' } });
    const refused = await label();

    expect(cut.error.code).toBe('TRUNCATED');
    expect(cut.rejectedAnswer).toMatch(/^\{"label/);
    expect(refused).toMatchObject({ rejectedAnswer: 'I must not.', error: { code: 'REFUSED' } });
  });
});

describe.each([
  ['LIVE', 'test/rules'],
  ['PROVIDER_BATCH', 'test/rules'],
  ['PROVIDER_BATCH', 'anthropic/rules'],
])('in a batch %s of %s', (execution, model) => {
  it('an answer that was refused is stored with its item and stands in its records', async () => {
    says(wrong, 'bad one');
    const operation = { label: { ...labelOptions, model } };
    const id = await submitTexts(app, ['good', 'bad one', 'fine'], { execution, operation });

    const [good, bad, fine] = await items(id);
    expect(bad).toMatchObject({
      status: 'FAILED',
      error: { code: 'INVALID_OUTPUT' },
      rejectedAnswer: expect.stringContaining('neither \u{1f600}'),
    });
    expect(bad?.result.rejectedAnswer).toBe(bad?.rejectedAnswer);
    expect([good?.rejectedAnswer, fine?.rejectedAnswer]).toEqual([null, null]);
    for (const format of ['json', 'jsonl']) {
      const [first, second] = await records(id, format);
      expect(Object.keys(second ?? {}).slice(-4)).toEqual([
        'output',
        'error',
        'rejected_answer',
        'usage',
      ]);
      expect(second?.rejected_answer).toBe(bad?.rejectedAnswer);
      expect(first).toHaveProperty('rejected_answer', null);
    }
  });
});

describe('a batch', () => {
  it('forgets a refused answer with the result, when it is asked again', async () => {
    says(wrong, 'bad one');
    const id = await submitTexts(app, ['bad one']);
    expect((await items(id))[0]?.rejectedAnswer).toBe(wrong);

    app.sandbox.faults.clear();
    await app.graphql('mutation($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });

    expect((await items(id))[0]).toMatchObject({ status: 'SUCCEEDED', rejectedAnswer: null });
  });
});

describe('a line of a file of results', () => {
  it('keeps what was refused of its answer, or cut off, or called', async () => {
    const line = (custom_id: string, message: object, finish_reason = 'stop') => ({
      custom_id,
      response: { status_code: 200, body: { choices: [{ index: 0, message, finish_reason }] } },
      error: null,
    });
    const call = (given: string) => ({
      type: 'function',
      function: { name: 'f', arguments: given },
    });
    const lines = [
      line('good', { content: '{"n": 1}' }),
      line('bad', { content: '{"m": []}' }),
      line('cut', { content: '{"n"' }, 'length'),
      line('no', { content: null, refusal: 'I must not.' }),
      line('called', { content: null, tool_calls: [call('{"n": []}')] }),
      { custom_id: 'failed', response: null, error: { code: 'server_error', message: 'x' } },
    ];
    const uploaded = await fetch(`${app.url}/files?name=results.jsonl`, {
      method: 'POST',
      body: lines.map((one) => JSON.stringify(one)).join('\n'),
    });
    const { id } = (await uploaded.json()) as { id: string };

    const { body } = await post(app, {
      query: `query($id: ID!) { parseResults(fileId: $id, responseSchema: {n: "integer"}) {
        edges { node { customId rejectedAnswer error { code } } } } }`,
      variables: { id },
    });
    const nodes = body.data?.parseResults.edges.map(({ node }: Data) => node);
    expect(
      nodes.map(({ customId, rejectedAnswer, error }: Data) => [
        customId,
        error?.code,
        rejectedAnswer,
      ]),
    ).toEqual([
      ['good', undefined, null],
      ['bad', 'INVALID_OUTPUT', '{"m": []}'],
      ['cut', 'TRUNCATED', '{"n"'],
      ['no', 'REFUSED', 'I must not.'],
      ['called', 'INVALID_OUTPUT', '{"n": []}'],
      ['failed', 'PROVIDER_ERROR', null],
    ]);
  });
});
