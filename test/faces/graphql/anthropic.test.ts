/** Every operation through an Anthropic model, by each of the ways in which it gives JSON. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

const key = 'sk-ant-test-0123456789';
const roads = [
  ['the output format', [], 'output_config'],
  ['a forced tool', ['json_schema'], 'tools'],
  ['words', ['json_schema', 'tools'], 'system'],
] as const;

describe.each(roads)('by %s', (_, refuse, carrier) => {
  let app: App;
  beforeAll(async () => {
    const sandbox = await startFaultySandbox({ refuse, apiKey: key });
    app = await startApp(
      {
        ANTHROPIC_BASE_URL: `${sandbox.anthropicUrl}/v1`,
        ANTHROPIC_API_KEY: key,
        PROVIDERS: '',
        DEFAULT_MODEL: 'anthropic/rules',
      },
      { sandbox },
    );
  });
  afterAll(async () => {
    await app.stop();
    await app.sandbox.close();
  });
  beforeEach(() => {
    app.sandbox.requests.clear();
    app.sandbox.requests.keep(100);
  });
  afterEach(() => app.sandbox.faults.clear());

  const sent = (): Data[] => app.sandbox.requests.journal.map(({ body }) => body as Data);

  async function operate(operation: string, options: object, fields: string): Promise<Data> {
    const type = `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Options`;
    const answer = await app.graphql(
      `mutation($items: [ItemInput!]!, $options: ${type}!) {
        ${operation}(items: $items, options: $options) {
          model
          results { error { code message } usage { requests inputTokens outputTokens costUsd } ${fields} }
        }
      }`,
      {
        items: [{ content: 'I love it: great, and fast too.\nMood: happy\nIt came in 2 days.' }],
        options,
      },
    );
    expect(answer.errors).toBeUndefined();
    const payload: Data = answer.data?.[operation];
    const { model, results } = payload;
    expect(model).toBe('anthropic/rules');
    expect(results[0].error).toBeNull();
    expect(results[0].usage).toMatchObject({
      inputTokens: expect.any(Number),
      outputTokens: expect.any(Number),
      costUsd: null,
    });
    return results[0];
  }
  const schema = { mood: 'string', days: 'integer' };
  const responseFormat = { type: 'JSON_SCHEMA', schema };

  it('labels', async () => {
    const result = await operate(
      'label',
      { categories: ['positive', 'negative'] },
      'label labels confidence confidenceMethod',
    );

    expect(result).toMatchObject({ label: 'positive', confidenceMethod: 'MODEL_REPORTED' });
    const last = sent().at(-1) as Data;
    expect(last).toHaveProperty(carrier);
    expect(Object.hasOwn(last, 'output_config')).toBe(carrier === 'output_config');
    expect(Object.hasOwn(last, 'tools')).toBe(carrier === 'tools');
  });

  it('labels several', async () => {
    const options = { categories: ['positive', 'negative'], multiLabel: true };

    expect(await operate('label', options, 'labels')).toMatchObject({
      labels: expect.arrayContaining(['positive']),
    });
  });

  it('extracts', async () => {
    const { data } = await operate('extract', { schema }, 'data');

    expect(data).toMatchObject({ mood: expect.any(String), days: expect.any(Number) });
  });

  it('summarizes, in text and by a schema', async () => {
    expect((await operate('summarize', {}, 'summary')).summary).toMatch(/./);
    expect((await operate('summarize', { responseFormat }, 'data')).data).toHaveProperty('mood');
  });

  it('enriches', async () => {
    const { data } = await operate('enrich', { fields: [{ name: 'sector' }] }, 'data');

    expect(data).toHaveProperty('sector');
  });

  it('runs a task, in text, as any object and by a schema', async () => {
    const instructions = 'Say it in French.';

    expect((await operate('run', { instructions }, 'text')).text).toMatch(/./);
    expect(
      (await operate('run', { instructions, responseFormat: { type: 'JSON_OBJECT' } }, 'data'))
        .data,
    ).toEqual(expect.any(Object));
    expect((await operate('run', { instructions, responseFormat }, 'data')).data).toHaveProperty(
      'days',
    );
  });

  it('asks again for what is invalid, and keeps what was said in turns', async () => {
    app.sandbox.faults.add({ fault: { kind: 'wrong_category', value: 'unheard of' }, times: 1 });

    const result = await operate('label', { categories: ['positive', 'negative'] }, 'label');

    expect(result.label).toBe('positive');
    const last = sent().at(-1) as Data;
    expect(last.messages.map(({ role }: Data) => role)).toEqual(['user', 'assistant', 'user']);
  });

  it('says what a refusal and a cut are', async () => {
    const run = () =>
      app.graphql(
        `mutation { run(items: [{content: "x"}], options: {instructions: "y"}) { results { error { code } } } }`,
      );

    app.sandbox.faults.add({ fault: { kind: 'refusal' }, times: 1 });
    const refused = await run();
    app.sandbox.faults.add({ fault: { kind: 'truncated' }, times: 1 });
    const cut = await run();

    expect(refused.data?.run.results[0].error).toEqual({ code: 'REFUSED' });
    expect(cut.data?.run.results[0].error).toEqual({ code: 'TRUNCATED' });
  });

  it('answers chat requests in OpenAI’s shape, tool calls validated', async () => {
    const parameters = {
      type: 'object',
      properties: { mood: { type: 'string', enum: ['positive', 'negative'] } },
      required: ['mood'],
    };
    const request = {
      messages: [
        { role: 'system', content: 'Label the text.' },
        { role: 'user', content: 'I love it, great!' },
      ],
      tools: [{ type: 'function', function: { name: 'label', parameters } }],
      tool_choice: { type: 'function', function: { name: 'label' } },
    };
    const plain = { messages: request.messages, seed: 5, max_completion_tokens: 50 };
    const requests = refuse.length > 1 ? [plain, plain] : [plain, request];

    const submitted = await app.graphql(submitMutation, {
      input: { operation: { chat: {} }, source: { requests } },
    });
    const id = submitted.data?.submitBatch.batch.id as string;
    expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
    const { data } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { items { edges { node { status request output } } } } }',
      { id },
    );

    const [first, second]: Data[] = data?.batch.items.edges.map(({ node }: Data) => node) ?? [];
    expect(first).toMatchObject({
      status: 'SUCCEEDED',
      request: {
        model: 'rules',
        max_tokens: 50,
        system: 'Label the text.',
        messages: [{ role: 'user', content: 'I love it, great!' }],
      },
      output: { text: expect.any(String), response: { type: 'message', role: 'assistant' } },
    });
    if (refuse.length > 1) return;
    expect(second?.output.response.content).toEqual([
      expect.objectContaining({ type: 'tool_use', name: 'label', input: { mood: 'positive' } }),
    ]);
  });
});

describe('chat with a responseSchema', () => {
  let app: App;
  beforeAll(async () => {
    const sandbox = await startFaultySandbox({ apiKey: key });
    app = await startApp(
      {
        ANTHROPIC_BASE_URL: sandbox.anthropicUrl,
        ANTHROPIC_API_KEY: key,
        PROVIDERS: '',
        DEFAULT_MODEL: 'anthropic/rules',
      },
      { sandbox },
    );
  });
  afterAll(async () => {
    await app.stop();
    await app.sandbox.close();
  });

  it('reads the arguments of the one tool call, and refuses what was cut', async () => {
    const responseSchema = { mood: 'string' };
    const parameters = {
      type: 'object',
      properties: { mood: { type: 'string', enum: ['positive', 'negative'] } },
      required: ['mood'],
      additionalProperties: false,
    };
    const request = (content: string) => ({
      messages: [{ role: 'user', content }],
      tools: [{ type: 'function', function: { name: 'label', parameters } }],
      tool_choice: 'required',
    });
    app.sandbox.faults.add({
      fault: { kind: 'truncated' },
      when: ({ text }) => text.startsWith('cut'),
    });

    const submitted = await app.graphql(submitMutation, {
      input: {
        operation: { chat: { responseSchema } },
        source: { requests: [request('I love it, great!'), request('cut: I love it, great!')] },
      },
    });
    expect(submitted.errors).toBeUndefined();
    const id = submitted.data?.submitBatch.batch.id as string;
    await untilEnded(app, id);
    const { data } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { items { edges { node { output error { code } } } } } }',
      { id },
    );

    const [whole, cut]: Data[] = data?.batch.items.edges.map(({ node }: Data) => node) ?? [];
    expect(whole?.output.data).toEqual({ mood: 'positive' });
    expect(cut?.error).toEqual({ code: 'TRUNCATED' });
  });
});
