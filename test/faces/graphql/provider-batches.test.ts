/**
 * Live batches and those of provider jobs as users see them: what a submit takes, what a batch
 * tells, and the list of its provider jobs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import type { Context } from '../../../src/faces/graphql/context.ts';
import { loadProviderBatches } from '../../../src/faces/graphql/provider-batch.ts';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { labelOptions, request, submitTexts, subscribeSse } from './support.ts';

let sandbox: Sandbox;
let app: App;
let db: Database;
beforeAll(async () => {
  sandbox = await startFaultySandbox();
  const baseURL = sandbox.url;
  const providers = {
    test: { baseURL, models: ['rules'], batches: true },
    live: { baseURL, models: ['only'], batches: false },
  };
  // No worker, which would take the rows that are inserted here for its own.
  app = await startApp({ ROLE: 'api', PROVIDERS: JSON.stringify(providers) }, { sandbox });
  db = openDatabase(app.databaseUrl);
});
afterAll(async () => {
  await db.close();
  await app.stop();
  await sandbox.close();
});

const submitMutation = `mutation ($input: SubmitBatchInput!) {
  submitBatch(input: $input) { batch { id status model execution rescue createdAt expiresAt providerBatches { id } } }
}`;

const submit = (input: Record<string, unknown>) =>
  app.graphql(submitMutation, {
    input: {
      operation: { label: labelOptions },
      source: { texts: ['good'] },
      autoStart: false,
      ...input,
    },
  });

const read = async (id: string, selection: string) =>
  (await app.graphql(`query ($id: ID!) { batch(id: $id) { ${selection} } }`, { id })).data?.batch;

type Answer = Awaited<ReturnType<typeof submit>>;

/** The issues of a submit that was refused with exactly one BAD_USER_INPUT. */
function issuesOf({ data, errors }: Answer): { path: string; message: string }[] {
  expect(data ?? null).toBeNull();
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
  return errors?.[0]?.extensions.issues;
}

describe('a submit', () => {
  it('says how it is executed, and is read back so', async () => {
    const { data } = await submit({ execution: 'PROVIDER_BATCH', rescue: true });
    const batch = data?.submitBatch.batch;

    expect(batch).toMatchObject({
      status: 'DRAFT',
      execution: 'PROVIDER_BATCH',
      rescue: true,
      providerBatches: [],
    });
    expect(await read(batch.id, 'execution rescue')).toEqual({
      execution: 'PROVIDER_BATCH',
      rescue: true,
    });
  });

  it('tells since when its rows are called live', async () => {
    const { data } = await submit({ execution: 'PROVIDER_BATCH', rescue: true });
    const { id } = data?.submitBatch.batch ?? {};
    const before = await read(id, 'rescuedAt');
    await db.sql`update batches set rescued_at = '2026-11-21T05:30:00Z' where id = ${id}`;

    expect(before).toEqual({ rescuedAt: null });
    expect(await read(id, 'rescuedAt')).toEqual({ rescuedAt: '2026-11-21T05:30:00.000Z' });
  });

  it('is LIVE and without rescue unless it says otherwise', async () => {
    const silent = await submit({});
    const nulls = await submit({ execution: null, rescue: null });
    const said = await submit({ execution: 'LIVE', rescue: false });
    const unrescued = await submit({ execution: 'PROVIDER_BATCH' });

    for (const { data } of [silent, nulls, said]) {
      expect(data?.submitBatch.batch).toMatchObject({ execution: 'LIVE', rescue: false });
    }
    expect(unrescued.data?.submitBatch.batch).toMatchObject({
      execution: 'PROVIDER_BATCH',
      rescue: false,
    });
  });

  it('has 24 hours live and 26 by provider jobs, unless it says otherwise', async () => {
    const hours = async (input: Record<string, unknown>) => {
      const { createdAt, expiresAt } = (await submit(input)).data?.submitBatch.batch ?? {};
      return (Date.parse(expiresAt) - Date.parse(createdAt)) / 3_600_000;
    };

    expect(await hours({})).toBe(24);
    expect(await hours({ execution: 'PROVIDER_BATCH' })).toBe(26);
    expect(await hours({ execution: 'PROVIDER_BATCH', expiresInSeconds: 7_200 })).toBe(2);
  });

  it.each([
    ['LIVE', { execution: 'LIVE', rescue: true }],
    ['no execution', { rescue: true }],
  ])('with rescue and %s is refused, and told what rescue is for', async (_given, input) => {
    const issues = issuesOf(await submit(input));

    expect(issues).toEqual([
      { path: 'input.rescue', message: expect.stringContaining('must be absent for LIVE') },
    ]);
  });

  it.each([
    ['execution', 'BATCH', 'must be one of LIVE, PROVIDER_BATCH'],
    ['execution', 'provider_batch', 'must be one of LIVE, PROVIDER_BATCH'],
    ['execution', 1, 'must be one of LIVE, PROVIDER_BATCH'],
    ['rescue', 'yes', 'must be true or false'],
    ['rescue', 1, 'must be true or false'],
  ])('with %s: %j is refused with what would be right', async (field, value, message) => {
    expect(issuesOf(await submit({ [field]: value }))).toEqual([
      { path: `input.${field}`, message },
    ]);
  });

  it('to a model without a batch API is refused, names the model, and goes LIVE', async () => {
    const operation = { run: { model: 'live/only', instructions: 'x' } };
    const refused = await submit({ operation, execution: 'PROVIDER_BATCH' });
    const live = await submit({ operation, execution: 'LIVE' });

    const [issue, ...more] = issuesOf(refused);
    expect(more).toEqual([]);
    expect(issue?.path).toBe('input.execution');
    expect(issue?.message).toContain('live/only');
    expect(issue?.message).toContain('LIVE');
    expect(live.data?.submitBatch.batch).toMatchObject({
      model: 'live/only',
      execution: 'LIVE',
    });
  });

  it('of requests may name several models', async () => {
    const requests = ['a', 'b'].map((model) => ({
      model,
      messages: [{ role: 'user', content: 'x' }],
    }));

    const { data, errors } = await submit({
      operation: { chat: {} },
      source: { requests },
      execution: 'PROVIDER_BATCH',
    });

    expect(errors).toBeUndefined();
    expect(data?.submitBatch.batch).toMatchObject({
      model: 'test/a',
      execution: 'PROVIDER_BATCH',
    });
  });

  it('under one idempotency key is the same batch only with the same execution and rescue', async () => {
    const submitAs = (input: Record<string, unknown>) =>
      submit({ idempotencyKey: 'executions', ...input });

    const first = await submitAs({ execution: 'PROVIDER_BATCH' });
    const again = await submitAs({ execution: 'PROVIDER_BATCH', rescue: false });
    const others = [
      await submitAs({}),
      await submitAs({ execution: 'PROVIDER_BATCH', rescue: true }),
    ];

    expect(again.data?.submitBatch.batch.id).toBe(first.data?.submitBatch.batch.id);
    for (const { errors } of others) {
      expect(errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
    }
  });
});

describe('an upload that asks for a batch', () => {
  const upload = (fields: Record<string, string>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ autoStart: 'false', ...fields })) {
      form.set(name, value);
    }
    form.set('file', new Blob(['text\ngood\n']), 'x.csv');
    return request(`${app.url}/files`, { method: 'POST', body: form });
  };
  const label = { operation: 'label', categories: 'a,b' };

  it.each([
    [{ execution: 'provider_batch', rescue: 'true' }, 'PROVIDER_BATCH', true],
    [{ execution: 'PROVIDER_BATCH' }, 'PROVIDER_BATCH', false],
    [{ execution: ' Provider_Batch ', rescue: 'false' }, 'PROVIDER_BATCH', false],
    [{ execution: 'live' }, 'LIVE', false],
    [{}, 'LIVE', false],
    [{ options: '{"execution": "provider_batch", "rescue": true}' }, 'PROVIDER_BATCH', true],
  ])('with %j takes the execution %s, rescue %j', async (fields, execution, rescue) => {
    const { status, body } = await upload({ ...label, ...fields });

    expect(status).toBe(201);
    const { batchId } = body as { batchId?: string };
    expect(await read(String(batchId), 'status execution rescue')).toEqual({
      status: 'DRAFT',
      execution,
      rescue,
    });
  });

  it.each([
    [{ execution: 'batch' }, 'execution', 'must be one of LIVE, PROVIDER_BATCH'],
    [{ execution: '' }, 'execution', 'must be one of LIVE, PROVIDER_BATCH'],
    [{ options: '{"execution": 1}' }, 'execution', 'must be one of LIVE, PROVIDER_BATCH'],
    [{ execution: 'provider_batch', rescue: 'maybe' }, 'rescue', 'must be true or false'],
    [{ rescue: 'true' }, 'rescue', 'must be absent for LIVE'],
    [{ execution: 'live', rescue: 'true' }, 'rescue', 'must be absent for LIVE'],
    [{ execution: 'provider_batch', model: 'live/only' }, 'execution', 'live/only'],
  ])('with %j is refused at its place', async (fields, path, message) => {
    const { status, body } = await upload({ ...label, ...fields });

    const { error } = body as unknown as {
      error: { code: string; issues: { path: string; message: string }[] };
    };
    expect([status, error.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(error.issues).toEqual([{ path, message: expect.stringContaining(message) }]);
  });
});

describe('providerBatches', () => {
  const selection =
    'providerBatches { id providerId provider status counts { total pending processing succeeded failed cancelled expired } createdAt endedAt }';

  /** A row of `provider_batches` as the engine would write it. */
  async function insert(batchId: string, row: Record<string, unknown>): Promise<void> {
    const [batch] = await db.sql<{ key: bigint }[]>`select key from batches where id = ${batchId}`;
    await db.sql`
      insert into provider_batches ${db.sql({ batch_key: String(batch?.key), model: 'test/rules', firsts: '{0}', ...row })}`;
  }

  it('are told oldest first, as the provider tells of them', async () => {
    const id = await submitTexts(app, ['x'], { autoStart: false, execution: 'PROVIDER_BATCH' });
    await insert(id, {
      id: `pb_first_${id}`,
      state: 'done',
      status: 'completed',
      provider_id: 'batch_abc',
      requests: 3,
      succeeded: 2,
      failed: 1,
      created_at: '2026-11-20T12:00:00.5Z',
      ended_at: '2026-11-20T13:00:00Z',
    });
    await insert(id, {
      id: `pb_second_${id}`,
      model: 'anthropic/claude-x/y',
      created_at: '2026-11-20T11:00:00Z',
    });

    const none = { failed: 0, cancelled: 0, expired: 0 };
    expect(await read(id, selection)).toEqual({
      providerBatches: [
        {
          id: `pb_first_${id}`,
          providerId: 'batch_abc',
          provider: 'test',
          status: 'completed',
          counts: { ...none, total: 3, pending: 0, processing: 0, succeeded: 2, failed: 1 },
          createdAt: '2026-11-20T12:00:00.500Z',
          endedAt: '2026-11-20T13:00:00.000Z',
        },
        {
          id: `pb_second_${id}`,
          providerId: null,
          provider: 'anthropic',
          status: 'preparing',
          counts: { ...none, total: 0, pending: 0, processing: 0, succeeded: 0 },
          createdAt: '2026-11-20T11:00:00.000Z',
          endedAt: null,
        },
      ],
    });
  });

  it.each([
    ['preparing', {}, { pending: 10 }],
    ['creating', {}, { pending: 10 }],
    ['working', {}, { processing: 10 }],
    ['working', { succeeded: 4, failed: 1 }, { processing: 5, succeeded: 4, failed: 1 }],
    ['reading', { succeeded: 9 }, { processing: 1, succeeded: 9 }],
    ['done', { succeeded: 10 }, { succeeded: 10 }],
    ['done', { succeeded: 6, cancelled: 4 }, { succeeded: 6, cancelled: 4 }],
    ['done', { succeeded: 6, expired: 2 }, { succeeded: 6, expired: 2, pending: 2 }],
    ['working', { succeeded: 8, failed: 8 }, { succeeded: 8, failed: 2 }],
    ['working', { succeeded: 99, expired: 99 }, { succeeded: 10 }],
    ['working', { succeeded: -3, failed: 1 }, { failed: 1, processing: 9 }],
  ])('of ten requests, %s with %j, add up', async (state, told, shown) => {
    const id = await submitTexts(app, ['x'], { autoStart: false, execution: 'PROVIDER_BATCH' });
    await insert(id, { id: `pb_${id}`, state, requests: 10, ...told });

    const { providerBatches } = (await read(id, selection)) as {
      providerBatches: { counts: Record<string, number> }[];
    };
    const { total, ...parts } = providerBatches[0]?.counts ?? {};

    expect(total).toBe(10);
    expect(Object.fromEntries(Object.entries(parts).filter(([, count]) => count !== 0))).toEqual(
      shown,
    );
    expect(Object.values(parts).reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  it('of a page of batches stand each with its own', async () => {
    const name = 'a page of provider batches';
    const ids: string[] = [];
    for (const text of ['a', 'b', 'c']) {
      const id = await submitTexts(app, [text], {
        name,
        autoStart: false,
        execution: 'PROVIDER_BATCH',
      });
      ids.unshift(id);
      for (const nth of text === 'b' ? [] : [1, 2]) await insert(id, { id: `pb_${nth}_${id}` });
    }

    const { data } = await app.graphql(
      `query ($name: String) { batches(filter: { name: $name }) { edges { node { id ${selection} } } } }`,
      { name },
    );

    expect(
      data?.batches.edges.map(({ node }: any) => [
        node.id,
        node.providerBatches.map((one: any) => one.id),
      ]),
    ).toEqual(ids.map((id, at) => [id, at === 1 ? [] : [`pb_1_${id}`, `pb_2_${id}`]]));
  });

  it('of several batches are read in one statement', async () => {
    let statements = 0;
    const sql = new Proxy(db.sql, {
      apply(target, self, given) {
        if (Array.isArray(given[0])) statements += 1;
        return Reflect.apply(target, self, given);
      },
    });
    const context = { db: { ...db, sql } } as Context;

    await Promise.all([1n, 2n, 3n].map((key) => loadProviderBatches(key, context)));

    expect(statements).toBe(1);
  });

  it('are read anew for every event of a subscription', async () => {
    const id = await submitTexts(app, ['x'], { autoStart: false, execution: 'PROVIDER_BATCH' });
    await insert(id, { id: `pb_${id}`, state: 'working', status: 'in_progress', requests: 1 });
    const events = subscribeSse(
      app,
      'subscription ($id: ID!) { batchProgress(id: $id) { status providerBatches { status counts { processing cancelled } } } }',
      { id },
    );
    await until(() => events.all.length > 0, { deadlineMs: 10_000, what: 'the first event' });

    await db.sql`
      update provider_batches set state = 'done', status = 'cancelled', cancelled = 1 where id = ${`pb_${id}`}`;
    await app.graphql('mutation ($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    const states = (await events.ended()).map(({ batchProgress }) => batchProgress);

    expect(states.at(0)).toEqual({
      status: 'DRAFT',
      providerBatches: [{ status: 'in_progress', counts: { processing: 1, cancelled: 0 } }],
    });
    expect(states.at(-1)).toEqual({
      status: 'CANCELLED',
      providerBatches: [{ status: 'cancelled', counts: { processing: 0, cancelled: 1 } }],
    });
  });

  it('of another owner are as unknown as their batch', async () => {
    const key = (owner: string) => `${owner}-key-0123456789abcdefgh`;
    const owned = await startApp(
      { ROLE: 'api', API_KEYS: `anna:${key('anna')},bert:${key('bert')}` },
      { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
    );
    const as = (owner: string) => ({ authorization: `Bearer ${key(owner)}` });
    try {
      const id = await submitTexts(owned, ['x'], {
        autoStart: false,
        execution: 'PROVIDER_BATCH',
        headers: as('anna'),
      });
      await insert(id, { id: `pb_${id}` });
      const document = 'query ($id: ID!) { batch(id: $id) { providerBatches { id } } }';

      const anna = await owned.graphql(document, { id }, as('anna'));
      const bert = await owned.graphql(document, { id }, as('bert'));

      expect(anna.data?.batch).toEqual({ providerBatches: [{ id: `pb_${id}` }] });
      expect(bert.data).toEqual({ batch: null });
    } finally {
      await owned.stop();
    }
  });

  it('cost a page of 1,000 batches no more than is allowed', async () => {
    const { errors } = await app.graphql(
      `{ batches(first: 1000) { edges { node { id ${selection} } } } }`,
    );

    expect(errors).toBeUndefined();
  });
});
