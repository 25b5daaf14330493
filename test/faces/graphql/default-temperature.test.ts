/** The one right answer is asked for at temperature 0; what is to be written freely is not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { completion, refusal } from '../../support/stub-provider.ts';
import { type Sending, startSending } from './sent.ts';
import { type Data, labelOptions, submitMutation, untilEnded } from './support.ts';

const items = [{ content: 'I love it, great!' }];
const options = {
  label: labelOptions,
  extract: { schema: { name: 'string' } },
  enrich: { fields: [{ name: 'sector' }] },
  summarize: {},
  run: { instructions: 'Translate.' },
} as const;
const answers = {
  label: { label: 'praise', confidence: 0.9 },
  extract: { name: null },
  enrich: { sector: null },
  summarize: 'Short.',
  run: 'Bonjour',
} as const;
const exact = ['label', 'extract', 'enrich'] as const;

describe('through a server like OpenAI’s', () => {
  let sending: Sending;
  beforeAll(async () => {
    sending = await startSending();
  });
  afterAll(() => sending.close());

  it.each(exact)('%s is sent 0 where no temperature is given', async (operation) => {
    sending.answer(answers[operation]);

    await sending.run(operation, items, options[operation]);
    await sending.batch(operation, { items }, options[operation]);

    expect(sending.bodies().map(({ temperature }) => temperature)).toEqual([0, 0]);
  });

  it.each(exact)(
    '%s is sent the temperature that is given, and with topP both',
    async (operation) => {
      sending.answer(answers[operation]);

      await sending.run(operation, items, { ...options[operation], temperature: 0.7 });
      await sending.run(operation, items, { ...options[operation], topP: 0.5 });
      await sending.run(operation, items, {
        ...options[operation],
        extraBody: { temperature: 0.3 },
      });

      expect(sending.bodies()).toMatchObject([
        { temperature: 0.7 },
        { temperature: 0, top_p: 0.5 },
        { temperature: 0.3 },
      ]);
    },
  );

  it.each(['summarize', 'run'] as const)('%s is sent none', async (operation) => {
    sending.answer(answers[operation]);

    await sending.run(operation, items, options[operation]);

    expect(sending.bodies()[0]).not.toHaveProperty('temperature');
  });

  it('chat is sent none', async () => {
    sending.answer('Hello');

    await sending.batch(
      'chat',
      { requests: [{ messages: [{ role: 'user', content: 'Hi' }] }] },
      {},
    );

    expect(sending.bodies()[0]).not.toHaveProperty('temperature');
  });

  it.each([
    ['as a parameter', { param: 'temperature', code: 'unsupported_parameter' }],
    [
      'as a value, as reasoning models do',
      {
        param: 'temperature',
        code: 'unsupported_value',
        message: 'Only the default (1) value is supported.',
      },
    ],
    ['as out of range', { message: '`temperature` must be strictly positive' }],
  ])('a model that refuses it %s loses it, once and for all', async (name, error) => {
    const model = `stub/thinker-${name.replace(/\W+/g, '-')}`;
    sending.answer('');
    sending.stub.reply(({ body }) =>
      'temperature' in body
        ? refusal(400, error)
        : { body: completion(JSON.stringify(answers.label)) },
    );

    const first = await sending.run('label', items, { ...options.label, model });
    const second = await sending.run('label', items, { ...options.label, model });

    expect([first, second].map(({ data }) => data?.label.results[0].error)).toEqual([null, null]);
    expect(sending.bodies().map((body) => 'temperature' in body)).toEqual([true, false, false]);
  });
});

describe('through Anthropic', () => {
  let app: App;
  const key = 'sk-ant-test-0123456789';
  beforeAll(async () => {
    const sandbox = await startFaultySandbox({ apiKey: key });
    sandbox.requests.keep(10);
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

  it('label is sent 0, and none beside topP, which many models take alone', async () => {
    const mutation = `mutation ($items: [ItemInput!]!, $options: LabelOptions!) {
      label(items: $items, options: $options) { results { error { code } } }
    }`;

    await app.graphql(mutation, { items, options: options.label });
    await app.graphql(mutation, { items, options: { ...options.label, topP: 0.5 } });

    const bodies = app.sandbox.requests.journal.map(({ body }) => body as Data);
    expect(bodies[0]?.temperature).toBe(0);
    expect(bodies[1]).toMatchObject({ top_p: 0.5 });
    expect(bodies[1]).not.toHaveProperty('temperature');
  });
});

describe('in a provider’s batch', () => {
  it('a model that refuses it is asked without it in the next job', async () => {
    const sandbox = await startFaultySandbox({ refuse: ['temperature'] });
    const app = await startApp({ PROVIDER_BATCH_POLL_MS: '50' }, { sandbox });
    try {
      const { data } = await app.graphql(submitMutation, {
        input: {
          operation: { label: { categories: ['positive', 'negative'] } },
          source: { items },
          execution: 'PROVIDER_BATCH',
        },
      });
      const id = data?.submitBatch.batch.id as string;
      const ended = await untilEnded(app, id);

      expect(ended.counts).toMatchObject({ total: 1, succeeded: 1 });
    } finally {
      await app.stop();
      await sandbox.close();
    }
  });
});
