/** What an owner may spend in a month: its batches stop together, another owner's go on. */
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import { texts } from './support.ts';

const key = 'k'.repeat(24);
const concurrency = 16;
/** Of each call of these tests. */
const callUsd = 0.01;
const callTokens = Math.round((callUsd / 0.4) * 1e6);
const monthlyUsd = 1;

let app: App;
let stub: StubProvider;
let sql: postgres.Sql;

beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ url }) => ({
    OPENAI_API_KEY: 'sk-stub',
    OPENAI_BASE_URL: url,
    PROVIDERS: '',
    DEFAULT_MODEL: 'openai/gpt-4.1-mini',
    WORKER_CONCURRENCY: String(concurrency),
    API_KEYS: `acme:${key}a,other:${key}b`,
    BUDGETS: JSON.stringify({ acme: { monthlyUsd } }),
  })));
  sql = postgres(app.databaseUrl, { max: 1 });
  stub.reply({
    body: completion('{"label":"praise","confidence":0.9}', {
      usage: { prompt_tokens: callTokens, completion_tokens: 0 },
    }),
  });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});
beforeEach(async () => {
  await sql`delete from spending`;
  stub.requests.length = 0;
});

function as(owner: 'acme' | 'other') {
  return { authorization: `Bearer ${key}${owner === 'acme' ? 'a' : 'b'}` };
}

/** `quotedUsd`: of an item. */
async function submit(
  owner: 'acme' | 'other',
  items: number,
  quotedUsd = callUsd,
): Promise<string> {
  const { data, errors } = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories: ['praise', 'complaint'] } },
        source: { texts: texts(items) },
        autoStart: false,
      },
    },
    as(owner),
  );
  if (!data) throw new Error(JSON.stringify(errors));
  const { id } = data.submitBatch.batch;
  const quote = JSON.stringify({ liveUsd: { expected: items * quotedUsd } });
  await sql`update batches set quote = ${quote} where id = ${id}`;
  await app.graphql(
    'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }',
    { id },
    as(owner),
  );
  return id;
}

/** A line of the ledger, as if so much had been spent in this month. */
async function spend(owner: string, usd: number): Promise<void> {
  await sql`
    insert into spending (batch_key, month, owner, model, execution, requests, cost_usd)
    values (-1, to_char(now() at time zone 'utc', 'YYYY-MM'), ${owner}, 'openai/gpt-4.1-mini', 'LIVE', 1, ${usd})
    on conflict (batch_key, month, model, execution) do update set cost_usd = excluded.cost_usd`;
}

async function untilStatus(owner: 'acme' | 'other', id: string, wanted: string): Promise<any> {
  return await until(
    async () => {
      const { data } = await app.graphql(
        `query($id: ID!) { batch(id: $id) { status pause { reason message resumesAt }
           counts { succeeded processing } usage { costUsd } } }`,
        { id },
        as(owner),
      );
      return data?.batch.status === wanted ? data.batch : null;
    },
    { deadlineMs: 15_000, what: `${id} ${wanted}` },
  );
}

test('batches of an owner whose month is used up stop together, and go on when there is room', async () => {
  await spend('acme', 0.9951);
  const mine = [await submit('acme', 20), await submit('acme', 20), await submit('acme', 20)];
  const others = await submit('other', 20);

  const paused = await Promise.all(mine.map((id) => untilStatus('acme', id, 'PAUSED')));
  await untilStatus('other', others, 'COMPLETED');

  for (const batch of paused) {
    expect(batch.pause.reason).toBe('OWNER_BUDGET');
    expect(batch.pause.message).toContain('acme may spend 1 USD');
    const now = new Date();
    const next = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1));
    expect(new Date(batch.pause.resumesAt)).toEqual(next);
  }
  expect(stub.requests).toHaveLength(20);

  await spend('acme', 0);
  for (const id of mine) await untilStatus('acme', id, 'COMPLETED');
  expect(stub.requests).toHaveLength(80);
});

test('a batch of its owner cannot be resumed while the month is used up, and can be paused for good', async () => {
  await spend('acme', 2);
  const id = await submit('acme', 5);
  await untilStatus('acme', id, 'PAUSED');
  const change = (name: string) =>
    app.graphql(
      `mutation($id: ID!) { ${name}(id: $id) { batch { status pause { reason } } } }`,
      { id },
      as('acme'),
    );

  const refused = await change('resumeBatch');
  expect(refused.errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  expect(refused.errors?.[0]?.message).toMatch(/acme may spend 1 USD in \d{4}-\d\d; 2 USD were/);
  expect(refused.errors?.[0]?.extensions.issues).toMatchObject([{ path: 'id' }]);

  const paused = await change('pauseBatch');
  expect(paused.data?.pauseBatch.batch).toEqual({
    status: 'PAUSED',
    pause: { reason: 'REQUESTED' },
  });
  await spend('acme', 0);
  const resumed = await change('resumeBatch');
  expect(resumed.errors).toBeUndefined();
  await untilStatus('acme', id, 'COMPLETED');
});

test('a batch of a model without a price runs in a month that is used up', async () => {
  await spend('acme', 2);
  const { data } = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: {
          label: { categories: ['praise', 'complaint'], model: 'openai/of-unknown-price' },
        },
        source: { texts: texts(30) },
      },
    },
    as('acme'),
  );

  const batch = await untilStatus('acme', data?.submitBatch.batch.id, 'COMPLETED');

  expect(batch.counts.succeeded).toBe(30);
  expect(batch.usage.costUsd).toBeNull();
});

test('answers that are dearer than the quote stop a batch that the month has less room for', async () => {
  await spend('acme', 0.8);
  const id = await submit('acme', 100, callUsd / 10);
  const paused = await untilStatus('acme', id, 'PAUSED');

  expect(paused.pause.reason).toBe('OWNER_BUDGET');
  expect(paused.usage.costUsd).toBeLessThanOrEqual(0.2 + 2 * concurrency * callUsd);
  expect(stub.requests.length).toBeLessThan(60);
  await spend('acme', -10);
  await untilStatus('acme', id, 'COMPLETED');
});

test('what is under way counts: no more goes out at once than the month has left', async () => {
  await spend('acme', 0.955);
  let letGo = () => undefined as unknown;
  const after = new Promise<void>((resolve) => {
    letGo = () => resolve();
  });
  const good = {
    body: completion('{"label":"praise","confidence":0.9}', {
      usage: { prompt_tokens: callTokens, completion_tokens: 0 },
    }),
  };
  stub.reply({ ...good, after });
  const ids = [await submit('acme', 10), await submit('acme', 10)];
  await stub.received(4);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const together = stub.requests.length;
  stub.reply(good);
  await spend('acme', 0);
  letGo();

  expect(together).toBe(4);
  for (const id of ids) await untilStatus('acme', id, 'COMPLETED');
});

test('a call outside of batches is refused before anything is sent, in the words of each API', async () => {
  await spend('acme', monthlyUsd - 1e-6);
  const label = (owner: 'acme' | 'other') =>
    app.graphql(
      'mutation { label(items: [{ content: "a text" }], options: { categories: ["praise", "b"] }) { model } }',
      {},
      as(owner),
    );
  const body = { model: 'gpt-4.1-mini', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] };
  const post = (path: string) =>
    fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...as('acme') },
      body: JSON.stringify(body),
    });

  const refused = await label('acme');
  const chat = await post('/v1/chat/completions');
  const message = await post('/v1/messages');
  expect(refused.errors?.[0]?.extensions).toMatchObject({ code: 'BUDGET_EXCEEDED' });
  expect([chat.status, message.status]).toEqual([402, 402]);
  expect(chat.headers.get('x-should-retry')).toBe('false');
  expect(message.headers.get('x-should-retry')).toBe('false');
  expect(await chat.json()).toMatchObject({
    error: { type: 'insufficient_quota', code: 'insufficient_quota' },
  });
  expect(await message.json()).toMatchObject({ error: { type: 'billing_error' } });
  expect(stub.requests).toHaveLength(0);

  expect((await label('other')).errors).toBeUndefined();
  await spend('acme', 0);
  expect((await label('acme')).errors).toBeUndefined();
});

test('calls that come at once do not all take what is left', async () => {
  // Each is expected to cost 0.00025 USD or so, most of it for its answer.
  await spend('acme', monthlyUsd - 0.001);
  const calls = await Promise.all(
    Array.from({ length: 12 }, () =>
      app.graphql(
        'mutation { label(items: [{ content: "a text" }], options: { categories: ["praise", "b"] }) { model } }',
        {},
        as('acme'),
      ),
    ),
  );

  const admitted = calls.filter(({ errors }) => errors === undefined).length;
  expect(admitted).toBe(stub.requests.length);
  expect(admitted).toBeGreaterThan(0);
  expect(admitted).toBeLessThan(5);
});
