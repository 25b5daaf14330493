/** LIMITS hold over all faces, and against requests that come together at two processes. */
import { createClient } from 'graphql-ws';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { type Answer, type App, startApp } from '../support/app.ts';
import { completion, type StubProvider, startStubProvider } from '../support/stub-provider.ts';
import { until } from '../support/until.ts';

const key = 'k'.repeat(24);
const owners = [
  'batches',
  'items',
  'bytes',
  'calls',
  'models',
  'large',
  'none',
  'rate',
  'all',
  'other',
] as const;
type Owner = (typeof owners)[number];

const modelCalls = 3;
const answer = completion('{"label":"praise","confidence":0.9}');

let stub: StubProvider;
let apps: App[];
let app: App;
let sql: postgres.Sql;

beforeAll(async () => {
  stub = await startStubProvider();
  const env = {
    PROVIDERS: JSON.stringify({ stub: { baseURL: stub.url, models: ['base', 'large'] } }),
    DEFAULT_MODEL: 'stub/base',
    API_KEYS: owners.map((owner) => `${owner}:${keyOf(owner)}`).join(','),
    LIMITS: JSON.stringify({
      batches: { activeBatches: 3 },
      items: { itemsPerDay: 20 },
      bytes: { storageBytes: 1_000 },
      calls: { modelCalls },
      models: { models: ['stub/ba*'] },
      large: { models: ['stub/large'] },
      none: { models: [] },
      rate: { requestsPerMinute: 4 },
      all: {
        activeBatches: 1,
        itemsPerDay: 100,
        storageBytes: 1_000,
        requestsPerMinute: 600,
        modelCalls: 2,
        models: ['stub/base'],
      },
    }),
  };
  const first = await startApp(env);
  const second = await startApp(env, { databaseUrl: first.databaseUrl, sandbox: first.sandbox });
  apps = [first, second];
  app = first;
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  for (const one of apps.toReversed()) await one.stop();
  await stub.close();
});
beforeEach(() => {
  stub.reply({ body: answer });
  stub.requests.length = 0;
});
afterEach(async () => {
  await sql`delete from takings`;
});

function keyOf(owner: Owner): string {
  return `${owner}-${key}`;
}

function as(owner: Owner) {
  return { authorization: `Bearer ${keyOf(owner)}` };
}

/** A request of `owner` to one of the processes in turn. */
let turn = 0;
function ask(owner: Owner, query: string, variables = {}): Promise<Answer> {
  turn += 1;
  return (apps[turn % apps.length] as App).graphql(query, variables, as(owner));
}

const operation = { label: { categories: ['praise', 'complaint'] } };

function submit(owner: Owner, input: Record<string, unknown>): Promise<Answer> {
  return ask(
    owner,
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id status } } }',
    { input: { operation, ...input } },
  );
}

function onBatch(owner: Owner, mutation: string, id: string): Promise<Answer> {
  return ask(owner, `mutation($id: ID!) { ${mutation}(id: $id) { batch { id status } } }`, { id });
}

function idOf({ data, errors }: Answer): string {
  if (!data) throw new Error(JSON.stringify(errors));
  return data.submitBatch.batch.id;
}

const texts = (count: number) => Array.from({ length: count }, (_, at) => `text ${at}`);

const refusals = (answers: readonly Answer[]) =>
  answers.flatMap(
    ({ errors }) => errors?.map(({ extensions: { requestId: _, ...told } }) => told) ?? [],
  );

async function untilStatus(owner: Owner, id: string, wanted: string): Promise<void> {
  await until(
    async () => {
      const { data } = await ask(owner, 'query($id: ID!) { batch(id: $id) { status } }', { id });
      return data?.batch.status === wanted;
    },
    { deadlineMs: 15_000, what: `${id} ${wanted}` },
  );
}

/** Holds back the answers of the provider until it is called. */
function holdAnswers(): () => void {
  let open: () => void = () => undefined;
  const after = new Promise<void>((resolve) => {
    open = resolve;
  });
  stub.reply({ body: answer, after });
  return () => open();
}

test('as many batches are active as the limit says, of submits that come together', async () => {
  const open = holdAnswers();
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => submit('batches', { source: { texts: ['a'] } })),
  );
  const begun = answers.filter(({ data }) => data).map(idOf);
  const drafts = [
    idOf(await submit('batches', { source: { texts: ['a'] }, autoStart: false })),
    idOf(await submit('batches', { source: { texts: ['b'] }, autoStart: false })),
  ];
  const started = await onBatch('batches', 'startBatch', drafts[0] ?? '');
  const key = { source: { texts: ['a'] }, idempotencyKey: 'again' };
  const refused = await submit('batches', key);
  const others = await submit('other', { source: { texts: ['a'] } });
  open();
  for (const id of begun) await untilStatus('batches', id, 'COMPLETED');

  expect(begun).toHaveLength(3);
  const full = {
    code: 'LIMIT_EXCEEDED',
    limit: 'activeBatches',
    allowed: 3,
    used: 3,
    resetsAt: null,
  };
  expect(refusals(answers)).toEqual(Array(9).fill(full));
  expect(refusals([started, refused])).toEqual([full, full]);
  expect(refused.errors?.[0]?.message).toMatch(/^activeBatches must be at most 3 for this owner/);
  expect(others.errors).toBeUndefined();
  // Nothing of what was refused is stored, its idempotency key included.
  const [{ count } = { count: 0 }] =
    await sql`select count(*)::int as count from batches where owner = 'batches'`;
  expect(count).toBe(3 + drafts.length);
  const stored = await submit('batches', key);
  expect(idOf(await submit('batches', key))).toBe(idOf(stored));
  await untilStatus('batches', idOf(stored), 'COMPLETED');
  const more = await Promise.all(drafts.map((id) => onBatch('batches', 'startBatch', id)));
  expect(refusals(more)).toEqual([]);
});

test('a retry takes the place of a batch', async () => {
  stub.reply({ status: 400, body: { error: { message: 'no' } } });
  const failed = idOf(await submit('batches', { source: { texts: ['a'] } }));
  await untilStatus('batches', failed, 'COMPLETED');
  const open = holdAnswers();
  const running = await Promise.all(
    [1, 2, 3].map(() => submit('batches', { source: { texts: ['a'] } })),
  );
  const refused = await onBatch('batches', 'retryBatch', failed);
  open();
  for (const id of running.map(idOf)) await untilStatus('batches', id, 'COMPLETED');
  const retried = await onBatch('batches', 'retryBatch', failed);

  expect(refusals([refused])).toMatchObject([{ limit: 'activeBatches', used: 3 }]);
  expect(refusals([retried])).toEqual([]);
  await untilStatus('batches', failed, 'COMPLETED');
});

test('a retry by error codes takes the items that failed with them', async () => {
  stub.reply({ status: 400, body: { error: { message: 'no' } } });
  const id = idOf(await submit('items', { source: { texts: [...texts(11), ' '] } }));
  await untilStatus('items', id, 'COMPLETED');
  const retry = (errorCodes: string) =>
    ask('items', `mutation { retryBatch(id: "${id}", ${errorCodes}) { retriedItems } }`);

  const refused = await retry('errorCodes: [INVALID_REQUEST, EMPTY_CONTENT]');
  const retried = await retry('errorCodes: [EMPTY_CONTENT]');
  await untilStatus('items', id, 'COMPLETED');

  expect(refusals([refused])).toMatchObject([{ limit: 'itemsPerDay', used: 12 }]);
  expect(retried.data?.retryBatch).toEqual({ retriedItems: 1 });
  const { data } = await ask('items', '{ ownerLimits { itemsPerDay { used } } }');
  expect(data?.ownerLimits.itemsPerDay.used).toBe(13);
});

test('so many items start in a day, synchronous ones included, in whichever process', async () => {
  const label = `mutation($items: [ItemInput!]!) {
    label(items: $items, options: {categories: ["praise", "complaint"]}) { results { customId } } }`;
  const answers = await Promise.all([
    ...Array.from({ length: 6 }, () => submit('items', { source: { texts: texts(4) } })),
    ...Array.from({ length: 6 }, () => ask('items', label, { items: [{ content: 'a' }] })),
  ]);
  const items = answers.reduce(
    (sum, { data }) => sum + (data?.submitBatch ? 4 : (data?.label.results.length ?? 0)),
    0,
  );
  const refused = await submit('items', { source: { texts: texts(20) } });
  const sync = await ask('items', label, { items: texts(20).map((content) => ({ content })) });
  const never = await submit('items', { source: { texts: texts(21) } });

  expect(items).toBeGreaterThan(16);
  expect(items).toBeLessThanOrEqual(20);
  const midnight = new Date();
  midnight.setUTCHours(24, 0, 0, 0);
  const over = {
    code: 'LIMIT_EXCEEDED',
    limit: 'itemsPerDay',
    allowed: 20,
    used: items,
    resetsAt: midnight.toISOString(),
  };
  expect(refusals([refused, sync])).toEqual([over, over]);
  // No day has room for more than its limit.
  expect(refusals([never])).toEqual([{ ...over, resetsAt: null }]);
  expect(never.errors?.[0]?.message).not.toContain('room');
  const [{ taken } = { taken: 0 }] = await sql`select items::int as taken from takings`;
  expect(taken).toBe(items);
});

test('the faces of other vendors refuse in the words for no money, and say not to ask again', async () => {
  await sql`
    insert into takings (owner, day, items) values ('items', (now() at time zone 'utc')::date, 20)`;
  const call = { model: 'stub/base', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] };
  const post = (path: string, headers: Record<string, string>) =>
    fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { ...as('items'), ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(call),
    });

  const openai = await post('/v1/chat/completions', {});
  const anthropic = await post('/v1/messages', { 'anthropic-version': '2023-06-01' });

  expect([openai.status, openai.headers.get('x-should-retry')]).toEqual([429, 'false']);
  expect(await openai.json()).toMatchObject({
    error: { type: 'insufficient_quota', code: 'insufficient_quota' },
  });
  expect([anthropic.status, anthropic.headers.get('x-should-retry')]).toEqual([402, 'false']);
  expect(await anthropic.json()).toMatchObject({ error: { type: 'billing_error' } });
  expect(stub.requests.filter(({ text }) => text.includes('"hi"'))).toHaveLength(0);
});

function upload(owner: Owner, text: string): Promise<Response> {
  turn += 1;
  return fetch(`${(apps[turn % apps.length] as App).url}/files?name=x.txt`, {
    method: 'POST',
    headers: { ...as(owner), 'content-type': 'text/plain' },
    body: text,
  });
}

test('files and inline items together have so many bytes at most', async () => {
  const line = `${'x'.repeat(99)}\n`;
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => upload('bytes', line.repeat(3))),
  );
  const statuses = answers.map(({ status }) => status).toSorted();
  const cut = await upload('bytes', line.repeat(1_000));
  const inline = await submit('bytes', { source: { texts: ['y'.repeat(101)] } });
  const fits = await submit('bytes', { source: { texts: ['y'.repeat(100)] } });

  expect(statuses).toEqual([201, 201, 201, 403, 403, 403, 403, 403]);
  const { error } = (await cut.json()) as { error: Record<string, unknown> };
  expect(cut.status).toBe(403);
  expect(error).toMatchObject({
    code: 'LIMIT_EXCEEDED',
    limit: 'storageBytes',
    allowed: 1_000,
    used: 900,
    resetsAt: null,
  });
  expect(refusals([inline])).toMatchObject([{ limit: 'storageBytes', used: 900 }]);
  expect(refusals([fits])).toEqual([]);
  const [left] = await sql`
    select (select count(*)::int from files where owner = 'bytes') as files,
           (select count(*)::int from rows r where not exists (select from files where key = r.file_key)) as rows,
           (select count(*)::int from ingests) as ingests`;
  expect(left).toEqual({ files: 4, rows: 0, ingests: 0 });
});

test('a form with a file and an operation that is over a limit leaves no file', async () => {
  await sql`
    insert into takings (owner, day, items) values ('items', (now() at time zone 'utc')::date, 20)`;
  const form = new FormData();
  form.set('operation', 'label');
  form.set('options', JSON.stringify(operation.label));
  form.set('file', new Blob(['one\ntwo\n']), 'rows.txt');

  const refused = await fetch(`${app.url}/files`, {
    method: 'POST',
    headers: as('items'),
    body: form,
  });

  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({
    error: { code: 'LIMIT_EXCEEDED', limit: 'itemsPerDay', allowed: 20, used: 20 },
  });
  const { data } = await ask('items', '{ files(first: 5) { totalCount } }');
  expect(data?.files.totalCount).toBe(0);
});

test('a model is called that its owner may name, although the server’s own is none of those', async () => {
  const chat = async (model: string) => {
    const response = await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...as('large'), 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
    });
    return response.status;
  };

  expect([await chat('stub/large'), await chat('large'), await chat('stub/base')]).toEqual([
    200, 200, 404,
  ]);
  expect(stub.requests.map(({ body }) => body.model)).toEqual(['large', 'large']);
});

const openaiHeaders = { 'content-type': 'application/json' };
const anthropicHeaders = { ...openaiHeaders, 'anthropic-version': '2023-06-01' };

test('batches whose requests name models need no place for the server’s own among the owner’s', async () => {
  const messages = [{ role: 'user', content: 'hi' }];
  const lines = ['stub/large', 'large', 'stub/base', 'base'].map((model, at) =>
    JSON.stringify({
      custom_id: `line-${at}`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model, messages },
    }),
  );
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([lines.join('\n')]), 'requests.jsonl');
  const post = async (path: string, body: string | FormData, headers: Record<string, string>) => {
    const response = await fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { ...as('large'), ...headers },
      body,
    });
    return (await response.json()) as { id: string };
  };
  const chat = (requests: readonly object[]) =>
    submit('large', { operation: { chat: {} }, source: { requests } });

  const file = await post('/v1/files', form, {});
  const wanted = { endpoint: '/v1/chat/completions', completion_window: '24h' };
  const openai = await post(
    '/v1/batches',
    JSON.stringify({ input_file_id: file.id, ...wanted }),
    openaiHeaders,
  );
  const params = { model: 'stub/large', max_tokens: 5, messages };
  const anthropic = await post(
    '/v1/messages/batches',
    JSON.stringify({ requests: [{ custom_id: 'a', params }] }),
    anthropicHeaders,
  );
  const mixed = idOf(await chat([{ model: 'large', messages }, { messages }]));
  const unnamed = await chat([{ messages }, { model: 'large', messages }]);
  const barred = await chat([
    { model: 'base', messages },
    { model: 'large', messages },
  ]);

  for (const id of [openai.id, anthropic.id.replace('msgbatch', 'batch'), mixed])
    await untilStatus('large', id, 'COMPLETED');
  // A request without a model goes to that of the first one; the server's own is never asked.
  expect(stub.requests.map(({ body }) => body.model)).toEqual(Array(5).fill('large'));
  const { data } = await ask(
    'large',
    'query($id: ID!) { batch(id: $id) { counts { succeeded failed } } }',
    { id: openai.id },
  );
  expect(data?.batch.counts).toEqual({ succeeded: 2, failed: 2 });
  const rule = 'must be one of the models of this owner: stub/large';
  for (const { errors } of [unnamed, barred]) {
    expect(errors?.[0]?.extensions.issues).toEqual([
      { path: 'input.operation.chat.model', message: rule },
    ]);
  }
});

test('a quote for models that are named asks nothing of the server’s own', async () => {
  const quote = (input: Record<string, unknown>) =>
    ask('large', 'query($input: QuoteInput!) { quote(input: $input) { models { model } } }', {
      input: { source: { texts: ['a'] }, ...input },
    });
  const requests = { requests: [{ messages: [{ role: 'user', content: 'hi' }] }] };

  const named = await quote({ operation, models: ['stub/large'] });
  const other = await quote({ operation, models: ['stub/large', 'stub/base'] });
  const own = await quote({ operation });
  const chat = await quote({ operation: { chat: {} }, source: requests, models: ['stub/large'] });
  const unnamed = await quote({ operation: { chat: {} }, source: requests });

  expect([named, chat].map(({ data }) => data?.quote.models)).toEqual(
    Array(2).fill([{ model: 'stub/large' }]),
  );
  const paths = [other, own, unnamed].map(({ errors }) => errors?.[0]?.extensions.issues[0].path);
  expect(paths).toEqual([
    'input.models.1',
    'input.operation.label.model',
    'input.operation.chat.model',
  ]);
});

test('a batch goes on with its model under limits that came later', async () => {
  const id = idOf(await submit('other', { source: { texts: ['a'] }, autoStart: false }));
  await sql`update batches set owner = 'large' where id = ${id}`;

  await onBatch('large', 'startBatch', id);

  await untilStatus('large', id, 'COMPLETED');
  expect(stub.requests.map(({ body }) => body.model)).toEqual(['base']);
});

test('an owner without a model is told so', async () => {
  const { errors } = await submit('none', { source: { texts: ['a'] } });

  expect(errors?.[0]).toMatchObject({
    message:
      'input.operation.label.model: must be one of the models of this owner, and LIMITS gives it none',
    extensions: { code: 'BAD_USER_INPUT' },
  });
});

test('a model that is not among the owner’s is one that is not there', async () => {
  const label = (model: string) =>
    ask(
      'models',
      `mutation($model: String) { label(items: [{content: "a"}],
        options: {categories: ["praise", "complaint"], model: $model}) { results { customId } } }`,
      { model },
    );
  const refused = await label('stub/large');
  const chat = (model: string) =>
    fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...as('models'), 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
    });
  const live = await chat('stub/large');
  const batch = await submit('models', {
    operation: { chat: {} },
    source: { requests: [{ model: 'stub/large', messages: [{ role: 'user', content: 'hi' }] }] },
  });
  await untilStatus('models', idOf(batch), 'COMPLETED');
  const sent = stub.requests.filter(({ body }) => body.model === 'large').length;
  const allowed = await label('stub/base');
  const { data } = await ask('models', '{ service { models { id } } }');
  const listed = await fetch(`${app.url}/v1/models`, { headers: as('models') });

  expect(refused.errors?.[0]).toMatchObject({
    message: 'options.model: must be one of the models of this owner: stub/ba*',
    extensions: { code: 'BAD_USER_INPUT' },
  });
  expect(live.status).toBe(404);
  expect(sent).toBe(0);
  expect(allowed.errors).toBeUndefined();
  expect(data?.service.models).toEqual([{ id: 'stub/base' }]);
  expect(await listed.json()).toMatchObject({ data: [{ id: 'stub/base' }] });
});

test('calls of an owner wait for each other, and nobody else waits for them', async () => {
  const open = holdAnswers();
  const label = `mutation($items: [ItemInput!]!) {
    label(items: $items, options: {categories: ["praise", "complaint"]}) { results { error { code } } } }`;
  const before = stub.requests.length;
  const mine = app.graphql(label, { items: texts(5).map((content) => ({ content })) }, as('calls'));
  await stub.received(before + modelCalls);
  const batch = idOf(
    await app.graphql(
      'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      { input: { operation, source: { texts: texts(10) } } },
      as('calls'),
    ),
  );
  const others = app.graphql(
    label,
    { items: texts(20).map((content) => ({ content })) },
    as('other'),
  );
  await stub.received(before + modelCalls + 20);
  const underWay = stub.requests.length - before;
  open();

  expect((await mine).data?.label.results).toHaveLength(5);
  expect((await others).data?.label.results).toHaveLength(20);
  await untilStatus('calls', batch, 'COMPLETED');
  expect(underWay).toBe(modelCalls + 20);
});

test('requests of all faces together are so many in a minute, of each owner apart', async () => {
  const post = (path: string, owner: Owner) =>
    fetch(`${app.url}${path}`, {
      method: 'POST',
      headers: { ...as(owner), 'content-type': 'application/json' },
      body: '{"query": "{ __typename }"}',
    });
  const socket = app.socket({ Authorization: as('rate').authorization });
  const let1 = await post('/graphql', 'rate');
  const let2 = await fetch(`${app.url}/v1/models`, { headers: as('rate') });
  const let3 = await fetch(`${app.url}/batches/batch_x/output`, { headers: as('rate') });
  const let4 = await socket.iterate({ query: '{ __typename }' }).next();
  const graphql = await post('/graphql', 'rate');
  const route = await post('/files', 'rate');
  const openai = await fetch(`${app.url}/v1/models`, { headers: as('rate') });
  const inSocket = await socket
    .iterate({ query: '{ __typename }' })
    .next()
    .catch((e) => e);
  const other = await post('/graphql', 'other');

  expect([let1.status, let2.status, let3.status]).toEqual([200, 200, 404]);
  expect(let4.value.data).toEqual({ __typename: 'Query' });
  expect([graphql.status, route.status, openai.status, other.status]).toEqual([429, 429, 429, 200]);
  const use = { limit: 'requestsPerMinute', allowed: 4, used: 4, resetsAt: expect.any(String) };
  const { errors } = (await graphql.json()) as Answer;
  expect(errors?.[0]?.extensions).toMatchObject({ code: 'TOO_MANY_REQUESTS', ...use });
  expect(await route.json()).toMatchObject({ error: { code: 'TOO_MANY_REQUESTS', ...use } });
  for (const refused of [graphql, route, openai]) {
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(15);
  }
  expect(JSON.stringify(inSocket)).toContain('TOO_MANY_REQUESTS');
});

test('an owner has at most 50 sockets in a process, and another one has its own', async () => {
  const open = (owner: Owner) =>
    app.socket({ Authorization: as(owner).authorization }).iterate({ query: '{ __typename }' });
  const sockets = Array.from({ length: 50 }, () => {
    const client = createClient({
      url: `${app.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      lazy: false,
      connectionParams: { Authorization: as('calls').authorization },
    });
    return { client, connected: new Promise((resolve) => client.on('connected', resolve)) };
  });
  await Promise.all(sockets.map(({ connected }) => connected));

  await expect(open('calls').next()).rejects.toMatchObject({
    code: 4429,
    reason: 'TOO_MANY_REQUESTS: An owner must have at most 50 sockets in a process',
  });
  expect((await open('other').next()).value.data).toEqual({ __typename: 'Query' });
  await sockets[0]?.client.dispose();
  await until(
    async () =>
      (await open('calls')
        .next()
        .catch(() => null)) !== null,
    {
      deadlineMs: 5_000,
      what: 'a place for another socket',
    },
  );
  for (const { client } of sockets) await client.dispose();
});

test('a socket has at most 100 operations at once, and the next one leaves the others alone', async () => {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const messages: { id?: string; type: string; payload?: any }[] = [];
  socket.on('message', (text) => messages.push(JSON.parse(String(text))));
  const send = (message: object) => socket.send(JSON.stringify(message));
  const first = async (wanted: { id?: string; type: string }) => {
    const found = () =>
      messages.find(({ id, type }) => id === wanted.id && type === wanted.type) ?? null;
    return await until(async () => found(), { deadlineMs: 5_000, what: JSON.stringify(wanted) });
  };
  const watch = (id: string) =>
    send({
      id,
      type: 'subscribe',
      payload: { query: 'subscription { batchDeleted { deletedId } }' },
    });
  await new Promise((resolve) => socket.once('open', resolve));
  send({ type: 'connection_init', payload: { Authorization: as('other').authorization } });
  await first({ type: 'connection_ack' });

  for (let nth = 1; nth <= 101; nth++) watch(`${nth}`);
  const refused = await first({ id: '101', type: 'error' });
  send({ id: '1', type: 'complete' });
  send({ id: '102', type: 'subscribe', payload: { query: '{ __typename }' } });
  await first({ id: '102', type: 'complete' });
  const ended = messages.filter(({ type }) => type === 'error' || type === 'complete');
  const { readyState } = socket;
  socket.close();

  expect(refused?.payload).toMatchObject([
    {
      message: expect.stringContaining('must have at most 100 operations at once'),
      extensions: { code: 'TOO_MANY_REQUESTS' },
    },
  ]);
  expect(ended.map(({ id }) => id)).toEqual(['101', '102']);
  expect(readyState).toBe(WebSocket.OPEN);
});

test('an owner is shown its limits and how far they are used', async () => {
  const query = `{ ownerLimits {
    activeBatches { allowed used resetsAt } itemsPerDay { allowed used resetsAt }
    storageBytes { allowed used resetsAt } requestsPerMinute { allowed used resetsAt }
    modelCalls { allowed used resetsAt } models } }`;
  const open = holdAnswers();
  const before = stub.requests.length;
  const batch = idOf(
    await app.graphql(
      'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      { input: { operation, source: { texts: ['12345', '67890', 'x'] } } },
      as('all'),
    ),
  );
  await until(() => stub.requests.length >= before + 2, { deadlineMs: 5_000, what: 'both calls' });
  const answers = await Promise.all(apps.map((one) => one.graphql(query, {}, as('all'))));
  open();
  await untilStatus('all', batch, 'COMPLETED');

  const midnight = new Date();
  midnight.setUTCHours(24, 0, 0, 0);
  for (const { data } of answers) {
    expect(data?.ownerLimits).toMatchObject({
      activeBatches: { allowed: 1, used: 1, resetsAt: null },
      itemsPerDay: { allowed: 100, used: 3, resetsAt: midnight.toISOString() },
      storageBytes: { allowed: 1_000, used: 11, resetsAt: null },
      requestsPerMinute: { allowed: 600, resetsAt: expect.any(String) },
      modelCalls: { allowed: 2, resetsAt: null },
      models: ['stub/base'],
    });
  }
  const calls = answers.map(({ data }) => data?.ownerLimits.modelCalls.used);
  expect(calls.reduce((sum, used) => sum + used, 0)).toBeGreaterThanOrEqual(2);
  const { data: free } = await app.graphql(query, {}, as('other'));
  expect(Object.values(free?.ownerLimits)).toEqual([null, null, null, null, null, null]);
});
