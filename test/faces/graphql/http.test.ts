/**
 * GraphQL over HTTP: media types, bodies that are no request, addresses, and the statuses that say
 * so.
 */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { post, type RawAnswer, request } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const typename = '{ __typename }';
const modern = { accept: 'application/graphql-response+json' };
const older = { accept: 'application/json' };

function expectError(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.body.data).toBeUndefined();
  expect(answer.body.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  expect(answer.body.errors?.[0]?.message).not.toBe('');
  expect(Object.keys(answer.body.errors?.[0]?.extensions ?? {})).not.toContain('originalError');
}

describe.each([
  ['application/json', older],
  ['application/graphql-response+json', modern],
])('for a client that accepts %s', (mediaType, accept) => {
  it.each([
    ['cut JSON', '{"query": '],
    ['no JSON', 'query=abc'],
    ['an empty body', ''],
    ['a list', '[]'],
    ['a list of requests', '[{"query": "{ __typename }"}]'],
    ['a number', '5'],
    ['null', 'null'],
    ['a query that is a number', '{"query": 5}'],
    ['variables that are a list', '{"query": "{ __typename }", "variables": []}'],
    ['variables that are a string', '{"query": "{ __typename }", "variables": "{}"}'],
    ['extensions that are a string', '{"query": "{ __typename }", "extensions": "{}"}'],
    ['an unknown parameter', '{"query": "{ __typename }", "querry": "x"}'],
    ['an unknown operation', '{"query": "query A { __typename }", "operationName": "B"}'],
    ['two operations and no name', '{"query": "query A { __typename } query B { __typename }"}'],
  ])('%s as a body is a 400 with BAD_REQUEST', async (_what, body) => {
    const answer = await post(app, body, accept);

    expectError(answer, 400, 'BAD_REQUEST');
    expect(answer.headers.get('content-type')).toBe(`${mediaType}; charset=utf-8`);
  });

  it('a body that is no UTF-8 is refused rather than changed', async () => {
    const body = Buffer.from('{"query": "{ __typename }", "variables": {"a": "?"}}');
    body[body.indexOf('?')] = 0xff;

    expectError(await post(app, body, accept), 400, 'BAD_REQUEST');
  });

  it.each([
    'text/plain',
    'text/xml',
    'application/graphql',
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-8',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json; charset=latin1',
  ])('%s is a 415', async (type) => {
    const answer = await post(app, JSON.stringify({ query: typename }), {
      ...accept,
      'content-type': type,
    });

    expectError(answer, 415, 'BAD_REQUEST');
  });

  it('a compressed body is a 415 that says so', async () => {
    const answer = await post(app, gzipSync(JSON.stringify({ query: typename })), {
      ...accept,
      'content-encoding': 'gzip',
    });

    expectError(answer, 415, 'BAD_REQUEST');
    expect(answer.text).toContain('The body is compressed');
  });

  it('a body of too many values is a 413 with PAYLOAD_TOO_LARGE', async () => {
    const values = '0,'.repeat(500_000);

    const answer = await post(app, `{"query": "{ __typename }", "variables": {"a": [${values}0]}}`);

    expectError(answer, 413, 'PAYLOAD_TOO_LARGE');
  });

  it('a body over the limit is a 413 with PAYLOAD_TOO_LARGE', async () => {
    const answer = await post(
      app,
      { query: typename, variables: { a: 'x'.repeat(26_000_000) } },
      accept,
    );

    expectError(answer, 413, 'PAYLOAD_TOO_LARGE');
  });

  it.each(['PUT', 'DELETE', 'PATCH'])('%s is a 405', async (method) => {
    const answer = await request(`${app.url}/graphql`, { method, headers: accept });

    expectError(answer, 405, 'BAD_REQUEST');
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  it('a query may come by GET, a mutation may not', async () => {
    const get = (query: string, more = '') =>
      request(`${app.url}/graphql?query=${encodeURIComponent(query)}${more}`, { headers: accept });

    expect((await get(typename)).body).toEqual({ data: { __typename: 'Query' } });
    expectError(
      await get('mutation { cancelBatch(id: "x") { batch { id } } }'),
      405,
      'BAD_REQUEST',
    );
    expectError(await get(typename, '&variables=%7B'), 400, 'BAD_REQUEST');
    expectError(await get(typename, '&extensions=%7B'), 400, 'BAD_REQUEST');
  });

  it('a subscription is a 406 that names the media type', async () => {
    const answer = await post(app, { query: 'subscription { batchesChanged { id } }' }, accept);

    expectError(answer, 406, 'BAD_REQUEST');
    expect(answer.body.errors?.[0]?.message).toContain('text/event-stream');
  });

  it('what is refused before it runs is 400 only for clients that know the difference', async () => {
    const status = accept === modern ? 400 : 200;

    expectError(await post(app, { query: '{' }, accept), status, 'GRAPHQL_PARSE_FAILED');
    expectError(await post(app, { query: '' }, accept), status, 'GRAPHQL_PARSE_FAILED');
    expectError(
      await post(app, { query: '{ nope }' }, accept),
      status,
      'GRAPHQL_VALIDATION_FAILED',
    );
    expectError(
      await post(app, { query: 'query($id: ID!) { batch(id: $id) { id } }' }, accept),
      status,
      'BAD_USER_INPUT',
    );
    expectError(await post(app, {}, accept), status, 'BAD_REQUEST');
  });

  it('what fails while it runs is 200, with data', async () => {
    const answer = await post(app, { query: '{ batches(first: 0) { totalCount } }' }, accept);

    expect(answer.status).toBe(200);
    expect(answer.body.data).toBeNull();
  });
});

it('a media type that nobody can answer with is a 406 with a body', async () => {
  expectError(await post(app, { query: typename }, { accept: 'image/png' }), 406, 'BAD_REQUEST');
});

it('a subscription over SSE is refused in its own form', async () => {
  const answer = await post(
    app,
    { query: 'subscription($id: ID!) { batchProgress(id: $id) { id } }' },
    { accept: 'text/event-stream' },
  );

  expect(answer.text).toContain('"code":"BAD_USER_INPUT"');
  expect(answer.text).toContain('"path":"id"');
  expect(answer.text).toContain('event: complete');
});

it.each([
  ['http://elsewhere.example/graphql', 400],
  ['http://[', 400],
  ['*', 400],
  ['//', 404],
  ['/%', 404],
  ['/batches/%E0%A4%A/output', 404],
  ['/batches/a%00b/output', 404],
  ['/nothing', 404],
])('the address %s is answered %i, without a stack', async (address, status) => {
  const answer = await rawGet(app.url, address);

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer).toMatch(/"code":"(BAD_REQUEST|NOT_FOUND)"/);
  expect(answer).not.toMatch(/node_modules|at .*\.ts|TypeError/);
});

it('a Host header that is no host is a 400, without a stack', async () => {
  const answer = await rawGet(app.url, '/graphql?query={__typename}', '127.0.0.1:99999');

  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(answer).not.toMatch(/node_modules|TypeError/);
});

it('nothing in the headers says what the server is made of', async () => {
  const { headers } = await post(app, { query: typename });

  expect([...headers.keys()].sort()).toEqual([
    'connection',
    'content-length',
    'content-type',
    'date',
    'keep-alive',
    'vary',
    'x-request-id',
  ]);
});

it('introspection can be switched off, and __typename stays', async () => {
  const closed = await startApp({ INTROSPECTION: 'off' });
  try {
    const schema = await closed.graphql('{ __schema { types { name } } }');
    const type = await closed.graphql('{ __type(name: "Batch") { name } }');

    for (const { errors, data } of [schema, type]) {
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    }
    expect((await closed.graphql('{ __typename }')).data).toEqual({ __typename: 'Query' });
    for (const near of ['{ servise { version } }', '{ batches(frist: 1) { totalCount } }']) {
      const { errors } = await closed.graphql(near);
      expect(errors?.[0]?.message).not.toContain('Did you mean');
    }
  } finally {
    await closed.stop();
  }
});

/** As fetch would not send it. */
function rawGet(url: string, address: string, host = new URL(url).host): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      socket.write(`GET ${address} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    let text = '';
    socket.on('data', (piece) => {
      text += String(piece);
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
}
