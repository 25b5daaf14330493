/** Batches of OpenAI's API, by its package and by plain requests. */
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { startProviderJobApp } from '../../engine/provider-jobs/support.ts';
import { type App, startApp } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, refusal, type StubProvider } from '../../support/stub-provider.ts';
import { chatLine, type Data, submitMutation, subscribeSse } from '../graphql/support.ts';

const keys = { ada: 'the-right-key-of-ada-0123', bob: 'the-right-key-of-bob-0123' };
const headers = { authorization: `Bearer ${keys.ada}` };

let app: App;
let stub: StubProvider;
let client: OpenAI;
/** Of another owner. */
let other: OpenAI;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(() => ({
    API_KEYS: `ada:${keys.ada},bob:${keys.bob}`,
    WEBHOOK_ALLOW_PRIVATE: 'true',
  })));
  client = clientOf(app, keys.ada);
  other = clientOf(app, keys.bob);
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.reply(({ body }) => {
    const { content } = body.messages[0];
    return content === 'bad'
      ? refusal(400, { message: 'Größe unbekannt' })
      : { body: completion(`Answer to ${content}`, { usage }) };
  });
});

/** What a provider waits for until it is opened. */
function newGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const usage = {
  prompt_tokens: 10,
  completion_tokens: 5,
  prompt_tokens_details: { cached_tokens: 4 },
};

/** Winnow's part of a batch, which the package keeps. */
type Batch = OpenAI.Batch & { winnow: Record<string, unknown> };

function clientOf({ url }: App, apiKey = 'any'): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

function line(customId: string, content = customId, body: object = {}): string {
  const messages = [{ role: 'user', content }];
  return JSON.stringify(chatLine(customId, { model: 'stub/base', messages, ...body }));
}

async function upload(lines: readonly string[], api = client): Promise<string> {
  const file = await toFile(Buffer.from(`${lines.join('\n')}\n`), 'requests.jsonl');
  return (await api.files.create({ file, purpose: 'batch' })).id;
}

type More = { [Name in keyof OpenAI.BatchCreateParams]?: unknown } & Record<string, unknown>;

async function create(
  fileId: string,
  more: More = {},
  options: OpenAI.RequestOptions = {},
  api = client,
): Promise<Batch> {
  const batch = await api.batches.create(
    {
      input_file_id: fileId,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      ...more,
    } as unknown as OpenAI.BatchCreateParams,
    options,
  );
  return batch as Batch;
}

async function createOver(lines: readonly string[], more: More = {}): Promise<Batch> {
  return await create(await upload(lines), more);
}

const ends = ['completed', 'failed', 'expired', 'cancelled'];

/** The batch once it has ended. */
async function ended(id: string, at = { app, client }): Promise<Batch> {
  return await at.app.lookAfter('batch.ended', async () => {
    const batch = (await at.client.batches.retrieve(id)) as Batch;
    return ends.includes(batch.status) ? batch : (null as unknown as Batch);
  });
}

async function refused(promise: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OpenAI.APIError);
  return error as InstanceType<typeof OpenAI.APIError>;
}

async function linesOf(fileId: string | null | undefined): Promise<Data[]> {
  const text = await (await client.files.content(fileId ?? '')).text();
  return text
    .split('\n')
    .slice(0, -1)
    .map((one) => JSON.parse(one) as Data);
}

async function graphql(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const { data, errors } = await app.graphql(query, variables, headers);
  expect(errors).toBeUndefined();
  return data ?? {};
}

async function submit(input: object): Promise<string> {
  return (await graphql(submitMutation, { input })).submitBatch.batch.id;
}

/** That the provider was last asked for, in the order of the alphabet. */
function lastModels(count: number): string[] {
  return stub.requests
    .slice(-count)
    .map(({ body }) => body.model as string)
    .sort();
}

/** A page as it comes, of which the package keeps a part. */
async function listPage(query: string, key = keys.ada): Promise<Data> {
  const response = await fetch(`${app.url}/v1/batches?${query}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as Data;
}

const seconds = expect.closeTo(Date.now() / 1_000, -3);

describe('a batch', () => {
  it('runs to its end: every key is there all the time, null where it has no value yet', async () => {
    const gate = newGate();
    stub.reply({ body: completion('ok', { usage }), after: gate.opened });
    const fileId = await upload([line('a'), line('b')]);
    const made = await create(fileId, { metadata: { team: 'search' } });
    gate.open();
    const done = await ended(made.id);

    const always = {
      id: expect.stringMatching(/^batch_[0-9a-z]{25}$/),
      object: 'batch',
      endpoint: '/v1/chat/completions',
      model: 'stub/base',
      errors: null,
      input_file_id: fileId,
      completion_window: '24h',
      error_file_id: null,
      created_at: seconds,
      expires_at: made.created_at + 24 * 60 * 60,
      failed_at: null,
      expired_at: null,
      cancelling_at: null,
      cancelled_at: null,
      metadata: { team: 'search' },
    };
    expect(made).toEqual({
      ...always,
      status: expect.stringMatching(/^(validating|in_progress)$/),
      output_file_id: null,
      in_progress_at: made.status === 'validating' ? null : seconds,
      finalizing_at: null,
      completed_at: null,
      request_counts: { total: 2, completed: 0, failed: 0 },
      usage: {
        input_tokens: 0,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: 0,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 0,
      },
      winnow: {
        execution: 'live',
        rescue: false,
        progress: 0,
        cost_usd: null,
        operation: 'chat',
        items_per_second: null,
        pause: null,
      },
    });
    expect(done).toEqual({
      ...always,
      id: made.id,
      status: 'completed',
      output_file_id: made.id.replace('batch_', 'file_out_'),
      in_progress_at: seconds,
      finalizing_at: seconds,
      completed_at: seconds,
      request_counts: { total: 2, completed: 2, failed: 0 },
      usage: {
        input_tokens: 20,
        input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 },
        output_tokens: 10,
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: 30,
      },
      winnow: { ...made.winnow, progress: 1, items_per_second: expect.any(Number) },
    });
    expect(Number.isInteger(done.completed_at)).toBe(true);
  });

  it('counts what is answered while it runs', async () => {
    const gate = newGate();
    stub.reply(({ body }) =>
      body.messages[0].content === 'last'
        ? { body: completion('ok'), after: gate.opened }
        : { body: completion('ok') },
    );
    const { id } = await createOver([line('a'), line('b'), line('last')]);
    const seen = await app.lookAfter('result.recorded', async () => {
      const batch = await client.batches.retrieve(id);
      return batch.request_counts?.completed === 2 ? batch : null;
    });
    gate.open();
    await ended(id);

    expect(seen).toMatchObject({
      status: 'in_progress',
      request_counts: { total: 3, completed: 2, failed: 0 },
      output_file_id: null,
      winnow: { progress: 2 / 3 },
    });
  });

  it('has what failed in its error file', async () => {
    const { id } = await createOver([line('good'), line('bad')]);
    const done = await ended(id);

    expect(done).toMatchObject({
      status: 'completed',
      request_counts: { total: 2, completed: 1, failed: 1 },
      output_file_id: id.replace('batch_', 'file_out_'),
      error_file_id: id.replace('batch_', 'file_err_'),
    });
    expect((await linesOf(done.output_file_id)).map(({ custom_id }) => custom_id)).toEqual([
      'good',
    ]);
    expect((await linesOf(done.error_file_id)).map(({ custom_id }) => custom_id)).toEqual(['bad']);
  });

  it('of which all failed is completed, without an output file', async () => {
    const { id } = await createOver([line('bad')]);

    expect(await ended(id)).toMatchObject({
      status: 'completed',
      output_file_id: null,
      error_file_id: id.replace('batch_', 'file_err_'),
    });
  });

  it('may name a model in each of its requests', async () => {
    const { id } = await createOver([
      line('a', 'a', { model: 'stub/one' }),
      line('b', 'b', { model: 'two' }),
      line('c', 'I love it', { model: 'sandbox/rules' }),
    ]);
    const done = await ended(id);

    expect(done.request_counts).toEqual({ total: 3, completed: 3, failed: 0 });
    expect(lastModels(2)).toEqual(['one', 'two']);
  });

  it('is the same batch in GraphQL, whose progress ends with COMPLETED', async () => {
    const gate = newGate();
    stub.reply({ body: completion('ok'), after: gate.opened });
    const { id } = await createOver([line('a')], { metadata: { description: 'Nightly' } });
    const events = subscribeSse(
      app,
      'subscription ($id: ID!) { batchProgress(id: $id) { id status } }',
      { id },
      headers,
    );
    gate.open();
    const seen = await events.ended();
    const { batch } = await graphql(
      'query ($id: ID!) { batch(id: $id) { name operation metadata counts { succeeded } } }',
      { id },
    );

    expect(seen.at(-1)).toEqual({ batchProgress: { id, status: 'COMPLETED' } });
    expect(batch).toEqual({
      name: 'Nightly',
      operation: 'CHAT',
      metadata: { description: 'Nightly' },
      counts: { succeeded: 1 },
    });
  });

  it('of GraphQL is here too, whatever it does and wherever its rows are', async () => {
    const metadata = { text: 'a', number: 1.5, list: [{ a: null }], nothing: null };
    const id = await submit({
      operation: { run: { instructions: 'Repeat.', model: 'sandbox/rules' } },
      source: { texts: ['a'] },
      metadata,
    });
    const done = await ended(id);

    expect(done).toMatchObject({
      endpoint: '/v1/chat/completions',
      model: 'sandbox/rules',
      status: 'completed',
      input_file_id: expect.stringMatching(/^file_[0-9a-z]{25}$/),
      metadata: { text: 'a', number: '1.5', list: '[{"a":null}]', nothing: 'null' },
      winnow: { operation: 'run' },
    });
  });

  it('is found by the id that it has in Anthropic’s API', async () => {
    const { id } = await createOver([line('a')]);
    await ended(id);

    expect((await client.batches.retrieve(`msg${id}`)).id).toBe(id);
    expect((await client.batches.cancel(`msg${id}`)).id).toBe(id);
  });
});

describe('its status', () => {
  it('is validating while it is a draft, and expired when its time ran out', async () => {
    const id = await submit({
      operation: { chat: {} },
      source: { requests: [{ messages: [] }] },
      autoStart: false,
      expiresInSeconds: 2,
    });
    const draft = await client.batches.retrieve(id);
    const over = await ended(id);

    expect(draft).toMatchObject({ status: 'validating', in_progress_at: null });
    expect(over).toMatchObject({
      status: 'expired',
      expired_at: seconds,
      completed_at: null,
      request_counts: { total: 1, completed: 0, failed: 1 },
      output_file_id: null,
      error_file_id: id.replace('batch_', 'file_err_'),
    });
  });

  it('is failed where the provider refuses the whole batch, and errors say why', async () => {
    stub.reply(refusal(401, { message: 'no such key' }));
    const { id } = await createOver([line('a'), line('b')]);

    expect(await ended(id)).toMatchObject({
      status: 'failed',
      failed_at: seconds,
      errors: {
        object: 'list',
        data: [{ code: 'invalid_key', message: expect.any(String), line: null, param: null }],
      },
      request_counts: { total: 2, completed: 0, failed: 0 },
    });
  });

  it('is cancelled after a cancel, and what was answered is kept', async () => {
    const gate = newGate();
    stub.reply(({ body }) =>
      body.messages[0].content === 'a'
        ? { body: completion('ok') }
        : { body: completion('ok'), after: gate.opened },
    );
    const { id } = await createOver([line('a'), line('b')]);
    await app.recorded(id, 1);
    const cancelling = await client.batches.cancel(id);
    const over = await ended(id);
    gate.open();
    const again = await client.batches.cancel(id);

    expect(['cancelling', 'cancelled']).toContain(cancelling.status);
    expect(cancelling.cancelling_at).toEqual(seconds);
    expect(over).toMatchObject({
      status: 'cancelled',
      cancelling_at: cancelling.cancelling_at,
      cancelled_at: seconds,
      request_counts: { total: 2, completed: 1, failed: 1 },
      output_file_id: id.replace('batch_', 'file_out_'),
      error_file_id: id.replace('batch_', 'file_err_'),
    });
    expect(again).toEqual(over);
  });

  it('is cancelling until its provider says that it is cancelled', async () => {
    const jobApp = await startProviderJobApp();
    const at = { app: jobApp, client: clientOf(jobApp) };
    jobApp.sandbox.batches.hold();
    const requests = [line('a', 'a', { model: 'test/rules' })];
    const more = { execution: 'provider_batch', rescue: true };
    const made = await create(await upload(requests, at.client), more, {}, at.client);
    await jobApp.sandbox.until(({ batches }) => batches.createdCount > 0);
    const running = await at.client.batches.retrieve(made.id);
    const cancelling = await at.client.batches.cancel(made.id);
    const retried = await refused(at.client.post(`/batches/${made.id}/retry`));
    jobApp.sandbox.batches.release();
    const over = await ended(made.id, at);
    await jobApp.stop();

    expect(made).toMatchObject({
      expires_at: made.created_at + 26 * 60 * 60,
      winnow: { execution: 'provider_batch', rescue: true },
    });
    expect(running.status).toBe('in_progress');
    expect(cancelling).toMatchObject({ status: 'cancelling', cancelled_at: null });
    expect(retried.status).toBe(409);
    expect(retried.headers?.get('x-should-retry')).toBe('false');
    expect(over.status).toBe('cancelled');
  });
});

describe('a file that has lines which are not requests', () => {
  const broken = [line('a'), '{"custom_id": ', '', line('a')];

  it('fails its batch with each of them, and nothing is sent', async () => {
    const before = stub.requests.length;
    const fileId = await upload(broken);
    const made = await create(fileId);
    const over = await ended(made.id);

    expect(over).toMatchObject({
      status: 'failed',
      model: 'stub/base',
      input_file_id: fileId,
      failed_at: seconds,
      in_progress_at: null,
      completed_at: null,
      output_file_id: null,
      error_file_id: null,
      request_counts: { total: 3, completed: 0, failed: 0 },
      winnow: { progress: 0 },
    });
    expect(over.errors).toEqual({
      object: 'list',
      data: [
        { code: 'invalid_json_line', line: 2, message: expect.any(String), param: null },
        {
          code: 'duplicate_custom_id',
          line: 4,
          message: expect.any(String),
          param: 'custom_id',
        },
      ],
    });
    expect(stub.requests.length).toBe(before);
  });

  it('leaves nothing that anybody could claim, and no retry brings it back', async () => {
    const { id } = await createOver(broken);
    const again = await client.post<Batch>(`/batches/${id}/retry`);
    const { retryBatch } = await graphql(
      'mutation ($id: ID!) { retryBatch(id: $id) { retriedItems batch { status } } }',
      { id },
    );
    const db = openDatabase(app.databaseUrl);
    const chunks = await db.sql`
      select c.first from chunks c join batches b on b.key = c.batch_key where b.id = ${id}`;
    await db.close();

    expect(again.status).toBe('failed');
    expect(retryBatch).toEqual({ retriedItems: 0, batch: { status: 'FAILED' } });
    expect(chunks).toEqual([]);
  });

  it('is told in GraphQL as INVALID_INPUT_FILE, and its items can be read', async () => {
    const { id } = await createOver(broken);
    const { batch } = await graphql(
      `query ($id: ID!) { batch(id: $id) { status errorCode error progress completedAt
         items { edges { node { customId status content request } } } } }`,
      { id },
    );

    expect(batch).toMatchObject({
      status: 'FAILED',
      errorCode: 'INVALID_INPUT_FILE',
      error: expect.stringMatching(/^The input file must .*Line 2 .*Line 4 /s),
      progress: 0,
      completedAt: expect.any(String),
    });
    expect(batch.items.edges).toHaveLength(3);
  });

  it('fails its batch once under a key, and announces it by the webhook', async () => {
    stub.reply({});
    const fileId = await upload(broken);
    const more = { webhook_url: `${stub.origin}/hook` };
    const options = { headers: { 'idempotency-key': 'broken' } };
    const first = await create(fileId, more, options);
    const second = await create(fileId, more, options);
    await app.first('webhook.delivered');
    const hook = stub.requests.find(({ url }) => url === '/hook');

    expect(second).toEqual(first);
    expect(hook?.body).toMatchObject({
      type: 'batch.failed',
      data: { id: first.id, error_code: 'INVALID_INPUT_FILE' },
    });
  });

  it('fails its batch also where it has no row at all', async () => {
    const fileId = await upload(['', '']);
    const { id } = await create(fileId);

    expect(await ended(id)).toMatchObject({
      status: 'failed',
      request_counts: { total: 0, completed: 0, failed: 0 },
      errors: {
        data: [{ code: 'invalid_input_file', message: 'The input file must have a row' }],
      },
    });
    const { batch } = await graphql('query ($id: ID!) { batch(id: $id) { progress } }', { id });
    expect(batch.progress).toBe(0);
  });
});

describe('a create', () => {
  let fileId: string;
  beforeAll(async () => {
    fileId = await upload([line('a')]);
  });

  it.each<[param: string, code: string, more: More]>([
    ['input_file_id', 'missing_required_parameter', { input_file_id: undefined }],
    ['input_file_id', 'invalid_type', { input_file_id: 5 }],
    ['input_file_id', 'invalid_value', { input_file_id: 'file-none' }],
    ['input_file_id', 'invalid_value', { input_file_id: `file_${'0'.repeat(25)}` }],
    ['endpoint', 'missing_required_parameter', { endpoint: undefined }],
    ['endpoint', 'unsupported_value', { endpoint: '/v1/embeddings' }],
    ['completion_window', 'missing_required_parameter', { completion_window: undefined }],
    ['completion_window', 'unsupported_value', { completion_window: '1h' }],
    ['metadata', 'invalid_type', { metadata: 'text' }],
    ['metadata', 'invalid_type', { metadata: { a: { b: 1 } } }],
    ['metadata', 'invalid_type', { metadata: { a: 1.5 } }],
    ['metadata', 'invalid_value', { metadata: keysOf(17) }],
    ['metadata', 'invalid_value', { metadata: { ['k'.repeat(65)]: 'text' } }],
    ['metadata', 'invalid_value', { metadata: { key: 'x'.repeat(513) } }],
    ['metadata', 'invalid_value', { metadata: { key: 'a\0b' } }],
    ['execution', 'invalid_value', { execution: 'overnight' }],
    ['execution', 'invalid_type', { execution: true }],
    ['rescue', 'invalid_type', { rescue: 'true' }],
    ['rescue', 'invalid_value', { rescue: true }],
    ['name', 'invalid_value', { name: 'x'.repeat(201) }],
    ['webhook_url', 'invalid_value', { webhook_url: 'ftp://example.org' }],
  ])('names %s where it is %s: %j', async (param, code, more) => {
    const error = await refused(create(fileId, more));

    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param, code });
    expect(error.message).toContain(`${param} `);
    expect(error.requestID).toMatch(/^req_/);
  });

  it('takes metadata up to its limits, ignores what it does not know, and null', async () => {
    const metadata = { ...keysOf(15), ['k'.repeat(64)]: '😀'.repeat(512) };
    const more = { metadata, output_expires_after: { seconds: 1 } };
    const made = await create(fileId, { ...more, execution: null, rescue: null, tool: [1] });
    const bare = await create(fileId, { metadata: null });

    expect(made.metadata).toEqual(metadata);
    expect(bare.metadata).toEqual({});
  });

  it.each<[name: string, more: More]>([
    ['requests.jsonl', {}],
    ['By name', { name: 'By name', metadata: { description: 'Not this' } }],
    ['By description', { metadata: { description: ' By description ' } }],
    ['requests.jsonl', { metadata: { description: ' ' } }],
    [`${'x'.repeat(199)}`, { metadata: { description: `${'x'.repeat(199)}😀` } }],
  ])('gives it the name %s by %j', async (name, more) => {
    const { id } = await create(fileId, more);
    const { batch } = await graphql('query ($id: ID!) { batch(id: $id) { name } }', { id });

    expect(batch.name).toBe(name);
  });

  it('refuses a file that has no requests', async () => {
    const response = await fetch(`${app.url}/files?name=texts.csv`, {
      method: 'POST',
      headers,
      body: 'text\nGood\n',
    });
    const { id } = (await response.json()) as { id: string };

    expect(await refused(create(id))).toMatchObject({ status: 400, param: 'input_file_id' });
  });

  it('takes a file of POST /files', async () => {
    const response = await fetch(`${app.url}/files?name=requests.jsonl`, {
      method: 'POST',
      headers,
      body: `${line('a')}\n`,
    });
    const { id } = (await response.json()) as { id: string };

    expect((await ended((await create(id)).id)).request_counts?.completed).toBe(1);
  });

  it('again under its key is the same batch; with another input it is refused for good', async () => {
    const options = { headers: { 'idempotency-key': 'key' } };
    const first = await create(fileId, { metadata: { a: '1' } }, options);
    const second = await create(fileId, { metadata: { a: '1' } }, options);
    const error = await refused(create(fileId, { metadata: { a: '2' } }, options));
    const long = { headers: { 'idempotency-key': 'k'.repeat(201) } };

    expect(second.id).toBe(first.id);
    expect(error).toMatchObject({ status: 409, type: 'idempotency_error' });
    expect(error.headers?.get('x-should-retry')).toBe('false');
    expect(await refused(create(fileId, {}, long))).toMatchObject({
      status: 400,
      param: 'Idempotency-Key',
    });
  });

  it.each(['', '[]', '{"input_file_id": ', '5'])('needs a JSON object, not %j', async (body) => {
    const response = await fetch(`${app.url}/v1/batches`, { method: 'POST', headers, body });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('looks for models without a provider at openai, where that is configured', async () => {
    const both = await startApp({ OPENAI_BASE_URL: stub.url });
    const at = { app: both, client: clientOf(both) };
    const requests = [line('a', 'a', { model: 'gpt-x' }), line('b', 'b', { model: 'gpt-y' })];
    const made = await create(await upload(requests, at.client), {}, {}, at.client);
    const over = await ended(made.id, at);
    await both.stop();

    expect(made.model).toBe('openai/gpt-x');
    expect(over.request_counts).toEqual({ total: 2, completed: 2, failed: 0 });
    expect(lastModels(2)).toEqual(['gpt-x', 'gpt-y']);
  });
});

function keysOf(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`key-${at}`, 'text']));
}

describe('a retry', () => {
  it('puts what failed back, and the batch ends again', async () => {
    const { id } = await createOver([line('good'), line('bad')]);
    await ended(id);
    stub.reply({ body: completion('ok') });
    const retried = await client.post<Batch>(`/batches/${id}/retry`);
    const over = await ended(id);

    expect(retried.id).toBe(id);
    expect(over).toMatchObject({
      status: 'completed',
      request_counts: { total: 2, completed: 2, failed: 0 },
      error_file_id: null,
    });
  });

  it('leaves a batch as it is that has nothing to put back', async () => {
    const { id } = await createOver([line('good')]);
    const over = await ended(id);

    expect(await client.post(`/batches/${id}/retry`, { body: {} })).toEqual(over);
  });
});

it('a cancel takes any body', async () => {
  const { id } = await createOver([line('a')]);
  const over = await ended(id);
  for (const body of ['', '{"a": ', 'x'.repeat(100_000)]) {
    const response = await fetch(`${app.url}/v1/batches/${id}/cancel`, {
      method: 'POST',
      headers,
      body,
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(over);
  }
});

describe('the list', () => {
  let ids: string[];
  beforeAll(async () => {
    const fileId = await upload([line('a')]);
    ids = [];
    for (let at = 0; at < 5; at += 1) ids.unshift((await create(fileId)).id);
    for (const id of ids) await ended(id);
  });

  it('has the newest first, page after page, each once', async () => {
    const seen: string[] = [];
    for await (const { id } of client.batches.list({ limit: 2 })) seen.push(id);

    expect(seen.slice(0, 5)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('is in pages that say whether there are more', async () => {
    const page = await listPage(`limit=2&after=${ids[0]}&unknown=1`);
    const byOtherId = await listPage(`limit=2&after=msg${ids[0]}`);

    expect(page).toEqual({
      object: 'list',
      first_id: ids[1],
      last_id: ids[2],
      has_more: true,
      data: [
        await client.batches.retrieve(ids[1] as string),
        await client.batches.retrieve(ids[2] as string),
      ],
    });
    expect(byOtherId).toEqual(page);
  });

  it('goes on behind a batch that was deleted meanwhile', async () => {
    const id = ids[1] as string;
    await graphql('mutation ($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id });
    const page = await client.batches.list({ after: id });

    expect(page.data[0]?.id).toBe(ids[2]);
  });

  it.each([
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '1.5'],
    ['limit', 'all'],
    ['after', 'batch_none'],
    ['after', `batch_${'0'.repeat(25)}`],
  ])('names %s that is %s', async (param, value) => {
    const response = await fetch(`${app.url}/v1/batches?${param}=${value}`, { headers });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { param, code: 'invalid_value' } });
  });
});

describe('another owner', () => {
  it('has none of it', async () => {
    const fileId = await upload([line('a')]);
    const { id } = await create(fileId);
    await ended(id);
    const notFound = { status: 404, type: 'invalid_request_error', code: null };

    expect(await listPage('', keys.bob)).toEqual({
      object: 'list',
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    });
    expect(await refused(other.batches.list({ after: id }))).toMatchObject({ status: 400 });
    expect(await refused(other.batches.retrieve(id))).toMatchObject(notFound);
    expect(await refused(other.batches.cancel(id))).toMatchObject(notFound);
    expect(await refused(other.post(`/batches/${id}/retry`))).toMatchObject(notFound);
    expect(await refused(create(fileId, {}, {}, other))).toMatchObject({
      status: 400,
      param: 'input_file_id',
    });
    expect(await refused(client.batches.retrieve('batch_none'))).toMatchObject(notFound);
  });
});
