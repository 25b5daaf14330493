/** The id of a request: in the header of its answer, in its errors, and in its lines of the log. */
import { request as nodeRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import WebSocket from 'ws';
import { labelOptions, post, submitMutation } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createLogTo, type Line } from '../support/logged.ts';
import { until } from '../support/until.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const anna = { authorization: `Bearer ${annaKey}` };
const adminKey = 'anna-admin-0123456789abcdefgh';
const admin = { authorization: `Bearer ${adminKey}` };
const unknownId = '0198c0de-0000-7000-8000-000000000000';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const { logTo, lines } = createLogTo();
let app: App;
beforeAll(async () => {
  app = await startApp(
    { API_KEYS: `anna:${annaKey},anna:${adminKey}:admin`, LOG_LEVEL: 'debug', ACCESS_LOG: 'on' },
    { logTo },
  );
});
afterAll(() => app.stop());
beforeEach(() => {
  lines.length = 0;
});

const isRequest = ({ msg }: Line) => msg === 'request';

const failing: [what: string, code: string, query: string][] = [
  ['no GraphQL', 'GRAPHQL_PARSE_FAILED', '{'],
  ['an unknown field', 'GRAPHQL_VALIDATION_FAILED', '{ nothing }'],
  ['nothing found', 'NOT_FOUND', `mutation { deleteBatch(id: "${unknownId}") { deletedId } }`],
  ['two operations', 'BAD_REQUEST', 'query A { __typename } query B { __typename }'],
];

it.each(failing)(
  '%s: over HTTP in the header, in the error and in the log',
  async (_what, code, query) => {
    for (const id of ['abc-1', 'abc-2']) {
      const answer = await post(app, { query }, { ...anna, 'x-request-id': id });

      expect(answer.headers.get('x-request-id')).toBe(id);
      expect(answer.body.errors?.map(({ extensions }) => extensions)).toEqual([
        expect.objectContaining({ code, requestId: id }),
      ]);
      const own = lines.filter((line) => line.requestId === id && !isRequest(line));
      // At info: the usual log has it.
      expect(own).toMatchObject([{ owner: 'anna', codes: [code], level: 30 }]);
    }
  },
);

it.each(failing)('%s: over a socket one an operation', async (_what, code, query) => {
  const socket = await openSocket({ 'x-request-id': 'abc-1' });
  socket.send({ id: 'one', type: 'subscribe', payload: { query } });
  socket.send({ id: 'two', type: 'subscribe', payload: { query } });
  await until(() => socket.errors.size === 2, { deadlineMs: 10_000, what: 'two errors' });
  socket.close();

  const ids = [...socket.errors.values()].map((errors) => {
    expect(errors[0]?.extensions).toMatchObject({ code });
    return errors[0]?.extensions.requestId;
  });
  expect(ids.sort()).toEqual(['abc-1.1', 'abc-1.2']);
  for (const id of ids) {
    const own = lines.filter((line) => line.requestId === id && !isRequest(line));
    expect(own).toHaveLength(1);
  }
});

it.each([
  ['/graphql', {}, 'UNAUTHENTICATED'],
  ['/graphql', { ...anna, accept: 'image/png' }, 'BAD_REQUEST'],
  ['/graphql?variables={', anna, 'BAD_REQUEST'],
  ['/batches/1/output', {}, 'UNAUTHENTICATED'],
  [`/batches/${unknownId}/output`, anna, 'NOT_FOUND'],
  ['/nothing', anna, 'NOT_FOUND'],
])('%s with %o: in the body of the refusal', async (path, headers, code) => {
  const answer = await fetch(app.url + path, { headers: { ...headers, 'x-request-id': 'abc-1' } });

  const body = (await answer.json()) as any;
  const told = body.error ?? body.errors[0].extensions;
  expect(told).toMatchObject({ code, requestId: 'abc-1' });
  expect(answer.headers.get('x-request-id')).toBe('abc-1');
});

it('an API of another vendor has it in that vendor’s header too', async () => {
  const answer = await fetch(`${app.url}/v1/messages/batches/1`, {
    headers: { ...anna, 'anthropic-version': '2023-06-01', 'x-request-id': 'abc-1' },
  });

  expect(answer.headers.get('x-request-id')).toBe('abc-1');
  expect(answer.headers.get('request-id')).toBe('abc-1');
  expect(await answer.json()).toMatchObject({ request_id: 'abc-1' });
});

it('an id that is 200 characters long, has a space or could be markup is replaced', async () => {
  for (const id of ['x'.repeat(200), 'a b', 'a/b', '<b>', '"', 'é']) {
    const header = await headerOf(Buffer.from(id).toString('latin1'));

    expect(header).toMatch(uuid);
  }
  expect(await headerOf('x'.repeat(128))).toBe('x'.repeat(128));
});

it('the access log has a line for each request, with neither its query string nor its headers', async () => {
  const query = 'query Named { __typename }';
  await post(app, { query }, { ...anna, 'x-request-id': 'abc-3', 'x-secret': 'of-a-header' });
  await fetch(`${app.url}/batches/${unknownId}/output?after=of-a-query`, {
    headers: { ...anna, 'x-request-id': 'abc-4' },
  });
  const own = () =>
    lines.filter((line) => isRequest(line) && /^abc-[34]$/.test(String(line.requestId)));
  await until(() => own().length === 2, { deadlineMs: 10_000, what: 'two lines' });

  expect(own()).toMatchObject([
    {
      level: 30,
      requestId: 'abc-3',
      method: 'POST',
      route: '/graphql',
      operationName: 'Named',
      operationType: 'query',
      status: 200,
      ms: expect.any(Number),
      bytesIn: expect.any(Number),
      bytesOut: expect.any(Number),
      address: '127.0.0.1',
      owner: 'anna',
    },
    {
      requestId: 'abc-4',
      method: 'GET',
      route: '/batches/{id}/output',
      status: 404,
      owner: 'anna',
    },
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/of-a-query|of-a-header|anna-key/);
});

it('the access log has the bytes of each request of a connection, its head included', async () => {
  const ask = async (id: string, query: string) => {
    await post(app, { query }, { ...anna, 'x-request-id': id });
    const own = () => lines.filter((line) => isRequest(line) && line.requestId === id);
    await until(() => own().length === 1, { deadlineMs: 10_000, what: 'a line' });
    return Number(own()[0]?.bytesIn);
  };
  const short = await ask('bytes-1', '{ __typename }');
  const long = await ask('bytes-2', `{ __typename } #${'x'.repeat(5_000)}`);

  expect(short).toBeGreaterThan(100);
  expect(short).toBeLessThan(2_000);
  // The Content-Length has two digits more.
  expect(long - short).toBe(5_002 + 2);
});

it('lines that a request causes below the faces have it', async () => {
  const ask = (id: string, query: string, variables = {}) =>
    post(app, { query, variables }, { ...admin, 'x-request-id': id });
  const submit = await ask('abc-5', submitMutation, {
    input: {
      operation: { label: labelOptions },
      source: { texts: ['one'] },
      autoStart: false,
    },
  });
  const batchId = submit.body.data?.submitBatch.batch.id;
  await ask('abc-6', 'mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', {
    id: batchId,
  });
  await ask('abc-7', 'mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id: batchId });
  const made = await ask(
    'abc-8',
    'mutation { createApiKey(input: {name: "a", scopes: [READ]}) { apiKey { id } } }',
  );
  await ask('abc-9', 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
    id: made.body.data?.createApiKey.apiKey.id,
  });
  app.sandbox.faults.add({
    fault: { kind: 'status', status: 400, code: 'unsupported_parameter', param: 'seed' },
    times: 1,
  });
  await ask(
    'abc-10',
    'mutation { label(items: [{content: "one"}], options: {categories: ["a", "b"], seed: 1}) { model } }',
  );

  const idOf = (message: string) => lines.find(({ msg }) => msg === message)?.requestId;
  const messages = [
    'batch submitted',
    'batch ended',
    'batch deleted',
    'key created',
    'key revoked',
    'The model refuses a parameter; sent again without',
  ];
  await until(() => messages.every((message) => lines.some(({ msg }) => msg === message)), {
    deadlineMs: 10_000,
    what: 'all lines',
  });
  expect(messages.map(idOf)).toEqual(['abc-5', 'abc-6', 'abc-7', 'abc-8', 'abc-9', 'abc-10']);
});

it('a socket of a page from elsewhere is refused under an id', async () => {
  const open = await startApp();
  try {
    const socket = new WebSocket(`${open.url.replace('http', 'ws')}/graphql`, {
      origin: 'https://elsewhere.example',
      headers: { 'x-request-id': 'abc-1' },
    });
    socket.on('error', () => undefined);
    const id = await new Promise((resolve) => {
      socket.once('unexpected-response', (_request, { headers }) =>
        resolve(headers['x-request-id']),
      );
    });

    expect(id).toBe('abc-1');
  } finally {
    await open.stop();
  }
});

/** As fetch would not send it. */
function headerOf(id: string): Promise<string | string[] | undefined> {
  return new Promise((resolve, reject) => {
    nodeRequest(`${app.url}/health`, { headers: { 'x-request-id': id } }, (answer) => {
      answer.resume();
      resolve(answer.headers['x-request-id']);
    })
      .on('error', reject)
      .end();
  });
}

/** A socket without a client's help, which would keep the messages of errors for itself. */
async function openSocket(headers: Record<string, string>) {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    headers,
  });
  const errors = new Map<string, { extensions: { requestId: string } }[]>();
  const isOpen = new Promise<void>((resolve) => {
    socket.on('message', (text) => {
      const { type, id, payload } = JSON.parse(String(text));
      if (type === 'connection_ack') resolve();
      if (type === 'error') errors.set(id, payload);
      if (type === 'next' && payload.errors) errors.set(id, payload.errors);
    });
  });
  const send = (message: object) => socket.send(JSON.stringify(message));
  socket.once('open', () =>
    send({ type: 'connection_init', payload: { Authorization: anna.authorization } }),
  );
  await isOpen;
  return { send, errors, close: () => socket.close() };
}
