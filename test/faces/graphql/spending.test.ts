/** The ledger: what was spent by month, model and way, whoever forgets the batch. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import { type Data, post, request, submitTexts, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ url }) => ({
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: 'sk-test',
    DEFAULT_MODEL: 'openai/gpt-4.1-mini',
    BUDGETS: '{"bob": {"monthlyUsd": 5}}',
    API_KEYS: 'ann:ann-key-0123456789abcdef,bob:bob-key-0123456789abcdef',
  })));
});
afterAll(() => app.stop());

const as = (owner: string) => ({ authorization: `Bearer ${owner}-key-0123456789abcdef` });
const month = new Date().toISOString().slice(0, 7);
/** 1,000 and 100 tokens: 0.00056 USD at 0.40 and 1.60 a million. */
const answered = () =>
  completion('{"label":"praise","confidence":1}', {
    usage: { prompt_tokens: 1_000, completion_tokens: 100, total_tokens: 1_100 },
  });

async function spending(owner: string, of?: string): Promise<Data> {
  const { data, errors } = await app.graphql(
    `query($month: String) { spending(month: $month) {
      month budgetUsd remainingUsd usage { requests costUsd unmeteredRequests }
      byModel { model execution usage { requests inputTokens outputTokens costUsd } } } }`,
    { month: of },
    as(owner),
  );
  expect(errors).toBeUndefined();
  return data?.spending;
}

const untilSpent = (owner: string, requests: number) =>
  until(async () => (await spending(owner)).usage.requests === requests, {
    deadlineMs: 10_000,
    what: `${requests} requests in the ledger`,
  });

describe('spending', () => {
  it('has batches and synchronous calls, and keeps them when the batch is deleted', async () => {
    stub.reply({ body: answered() });
    const id = await submitTexts(app, ['one', 'two', 'three'], { headers: as('ann') });
    await untilEnded(app, id, as('ann'));
    await app.graphql(
      `mutation { label(items: [{content: "four"}], options: {categories: ["praise", "x"]}) { results { label } } }`,
      {},
      as('ann'),
    );
    await untilSpent('ann', 4);
    await app.graphql(
      'mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }',
      { id },
      as('ann'),
    );

    const { usage, byModel } = await spending('ann');

    expect(usage).toMatchObject({ requests: 4, unmeteredRequests: 0 });
    expect(usage.costUsd).toBeCloseTo(4 * 0.00056, 9);
    expect(byModel).toEqual([
      {
        model: 'openai/gpt-4.1-mini',
        execution: 'LIVE',
        usage: {
          requests: 4,
          inputTokens: 4_000,
          outputTokens: 400,
          costUsd: expect.closeTo(4 * 0.00056, 9),
        },
      },
    ]);
  });

  it('has calls through the routes of other APIs, with the model that was asked', async () => {
    stub.reply({ body: answered() });
    const body = { model: 'stub/other', messages: [{ role: 'user', content: 'Hi' }] };
    const before = (await spending('ann')).usage.requests;

    const { status } = await request(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...as('ann') },
      body: JSON.stringify(body),
    });
    expect(status).toBe(200);
    await untilSpent('ann', before + 1);

    const { byModel } = await spending('ann');
    expect(byModel.at(-1)).toMatchObject({
      model: 'stub/other',
      usage: { requests: 1, costUsd: null },
    });
  });

  it('parts the rows of one batch that name other models', async () => {
    stub.reply({ body: answered() });
    const line = (model: string) => ({ model, messages: [{ role: 'user', content: 'Hi' }] });
    const { data } = await app.graphql(
      'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      {
        input: {
          operation: { chat: {} },
          source: { requests: [line('gpt-4.1-mini'), line('stub/a'), line('stub/a')] },
        },
      },
      as('bob'),
    );
    await untilEnded(app, data?.submitBatch.batch.id, as('bob'));

    const { byModel, budgetUsd, remainingUsd } = await spending('bob');

    expect(byModel.map(({ model, usage }: Data) => [model, usage.requests])).toEqual([
      ['openai/gpt-4.1-mini', 1],
      ['stub/a', 2],
    ]);
    expect(budgetUsd).toBe(5);
    expect(remainingUsd).toBeCloseTo(5 - 0.00056, 9);
    expect(await spending('bob', '2001-01')).toMatchObject({ budgetUsd: 5, remainingUsd: null });
  });

  it('of another month is empty, with an unknown cost; and a month must be one', async () => {
    expect(await spending('ann', '2001-01')).toEqual({
      month: '2001-01',
      budgetUsd: null,
      remainingUsd: null,
      usage: { requests: 0, costUsd: null, unmeteredRequests: 0 },
      byModel: [],
    });
    expect((await spending('ann')).month).toBe(month);
    const wrong = await post(
      app,
      { query: '{ spending(month: "November") { month } }' },
      as('ann'),
    );
    expect(wrong.body.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
    expect(wrong.body.errors?.[0]?.message).toBe(
      `month: must be a month such as ${month}, not "November"`,
    );
  });

  it('keeps the parts of a batch that goes on over the end of a month', async () => {
    const db = openDatabase(app.databaseUrl, { maxConnections: 1 });
    try {
      await db.sql`update spending set month = '2026-01' where owner = 'bob'`;
    } finally {
      await db.close();
    }

    expect((await spending('bob', '2026-01')).usage.requests).toBe(3);
    expect((await spending('bob')).usage.requests).toBe(0);
  });
});
