/** Who may see what: keys and owners, and without keys what may reach a server on this machine. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import {
  type Data,
  post,
  request,
  submitMutation,
  submitTexts,
  subscribe,
  subscribeSse,
  untilEnded,
} from './support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const benKey = 'ben-key-0123456789abcdefghij';
const anna = { authorization: `Bearer ${annaKey}` };
const ben = { authorization: `Bearer ${benKey}` };

describe('with API_KEYS', () => {
  let app: App;
  let ofAnna: string;
  beforeAll(async () => {
    app = await startApp({ API_KEYS: `anna:${annaKey},ben:${benKey}` });
    ofAnna = await submitTexts(app, ['good', 'bad'], {
      headers: anna,
      name: 'of anna',
      idempotencyKey: 'key',
    });
    await untilEnded(app, ofAnna, anna);
  });
  afterAll(() => app.stop());

  it.each([
    ['no header', {}],
    ['another key', { authorization: 'Bearer someone-0123456789abcdefgh' }],
    ['a key cut short', { authorization: `Bearer ${annaKey.slice(0, -1)}` }],
    ['a key with more', { authorization: `Bearer ${annaKey}x` }],
    ['another scheme', { authorization: `Basic ${annaKey}` }],
    ['the key alone', { authorization: annaKey }],
    ['an empty key', { authorization: 'Bearer ' }],
    ['a name of Object.prototype', { authorization: 'Bearer constructor' }],
  ])('%s is a 401 with UNAUTHENTICATED, on GraphQL and on routes', async (_what, headers) => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const answer = await post(app, { query: '{ service { version } }' }, { ...headers, accept });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(answer.body).toEqual({
        errors: [
          {
            message: expect.any(String),
            extensions: { code: 'UNAUTHENTICATED', requestId: expect.any(String) },
          },
        ],
      });
    }
    const route = await request(`${app.url}/batches/${ofAnna}/output`, { headers });
    expect(route.status).toBe(401);
    expect(route.headers.get('www-authenticate')).toBe('Bearer');
    expect(route.body).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
  });

  it('a subscription over SSE without a key gives nothing', async () => {
    const events = subscribeSse(app, 'subscription { batchesChanged { id } }');
    await events.ended();

    expect(events.all).toEqual([]);
    expect(events.errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
  });

  it.each([
    ['nothing', undefined],
    ['another key', { Authorization: 'Bearer someone-0123456789abcdefgh' }],
    ['something that is no text', { Authorization: { toString: 'x' } }],
  ])(
    'a WebSocket with %s in its connection parameters is closed with 4403',
    async (_what, payload) => {
      const socket = new WebSocket(
        `${app.url.replace('http', 'ws')}/graphql`,
        'graphql-transport-ws',
      );
      socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));

      const [code, reason] = await once(socket, 'close');

      expect(code).toBe(4403);
      expect(String(reason)).toMatch(/^UNAUTHENTICATED: /);
    },
  );

  it('a WebSocket takes the key as Authorization or authorization', async () => {
    for (const name of ['Authorization', 'authorization']) {
      const events = subscribe(
        app.socket({ [name]: `Bearer ${annaKey}` }),
        'subscription($id: ID!) { batchProgress(id: $id) { id } }',
        { id: ofAnna },
      );
      expect(await events.ended()).toEqual([{ batchProgress: { id: ofAnna } }]);
    }
  });

  it('the key names the owner: each sees their own batches', async () => {
    const list = '{ batches { totalCount edges { node { id } } } }';

    expect((await app.graphql(list, {}, anna)).data?.batches).toEqual({
      totalCount: 1,
      edges: [{ node: { id: ofAnna } }],
    });
    expect((await app.graphql(list, {}, ben)).data?.batches).toEqual({ totalCount: 0, edges: [] });
  });

  it('another owner’s id is answered exactly like an unknown one, wherever an id goes', async () => {
    const unknown = `batch_${'7'.repeat(25)}`;
    const itemOf = (batch: string) => `item_${batch.slice('batch_'.length)}_0`;
    const named = { ...ben, 'x-request-id': 'the-same' };
    const documents = [
      'query($id: ID!) { batch(id: $id) { id name } }',
      'query($id: ID!) { node(id: $id) { id } }',
      'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }',
      'mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }',
    ];
    for (const query of documents) {
      const foreign = await post(app, { query, variables: { id: ofAnna } }, named);
      const none = await post(app, { query, variables: { id: unknown } }, named);
      expect(foreign.text).toBe(none.text);
      expect(foreign.status).toBe(none.status);
      expect(foreign.text).toMatch(/null/);
    }
    const node = 'query($id: ID!) { node(id: $id) { id } }';
    expect((await post(app, { query: node, variables: { id: itemOf(ofAnna) } }, ben)).text).toBe(
      (await post(app, { query: node, variables: { id: itemOf(unknown) } }, ben)).text,
    );
    for (const suffix of ['output', 'output?format=csv', 'output?format=nonsense']) {
      for (const method of ['GET', 'HEAD']) {
        const foreign = await request(`${app.url}/batches/${ofAnna}/${suffix}`, {
          method,
          headers: named,
        });
        const none = await request(`${app.url}/batches/${unknown}/${suffix}`, {
          method,
          headers: named,
        });
        expect(foreign.status).toBe(404);
        expect([foreign.status, foreign.text]).toEqual([none.status, none.text]);
      }
    }
    for (const field of ['batchProgress { id }', 'batchResults { cursor }']) {
      const query = `subscription($id: ID!) { ${field.replace(' ', '(id: $id) ')} }`;
      const socket = app.socket({ Authorization: `Bearer ${benKey}` });
      const [foreign, none] = [
        subscribe(socket, query, { id: ofAnna }),
        subscribe(socket, query, { id: unknown }),
      ];
      expect([await foreign.ended(), await none.ended()]).toEqual([[], []]);
      const text = ({ errors }: typeof none) =>
        JSON.stringify(errors).replace(/[\w-]+\.\d+/, 'the id of the request');
      expect(text(foreign)).toBe(text(none));
      expect(foreign.errors[0]?.extensions.code).toBe('NOT_FOUND');
    }
    expect((await untilEnded(app, ofAnna, anna)).status).toBe('COMPLETED');
  });

  it('two owners may use the same idempotency key for different things', async () => {
    const { data, errors } = await app.graphql(
      submitMutation,
      {
        input: {
          operation: { run: { instructions: 'x' } },
          source: { texts: ['of ben'] },
          idempotencyKey: 'key',
          autoStart: false,
        },
      },
      ben,
    );

    expect(errors).toBeUndefined();
    expect(data?.submitBatch.batch.id).not.toBe(ofAnna);
  });

  it('events of one owner never reach another', async () => {
    const query = 'subscription { batchesChanged { id name counts { total } } }';
    const watched = [
      { owner: 'anna', headers: anna, key: annaKey },
      { owner: 'ben', headers: ben, key: benKey },
    ].flatMap(({ owner, headers, key }) => [
      ...Array.from({ length: 10 }, () => ({
        owner,
        events: subscribe(app.socket({ Authorization: `Bearer ${key}` }), query),
      })),
      ...Array.from({ length: 3 }, () => ({
        owner,
        events: subscribeSse(app, query, {}, headers),
      })),
    ]);
    const submitted: Record<string, string[]> = { anna: [], ben: [] };

    await until(
      async () => {
        for (const [owner, headers] of [
          ['anna', anna],
          ['ben', ben],
        ] as const) {
          const id = await submitTexts(app, ['a', 'b'], { headers, name: owner });
          submitted[owner]?.push(id);
          await untilEnded(app, id, headers);
        }
        return watched.every(({ events }) => events.all.length > 2);
      },
      { deadlineMs: 10_000, what: 'events for everybody' },
    );

    for (const { owner, events } of watched) {
      const seen = events.all.map(({ batchesChanged }) => batchesChanged as Data);
      expect(seen.map(({ name }) => name)).toEqual(seen.map(() => owner));
      for (const { id } of seen) expect(submitted[owner]).toContain(id);
      events.stop();
    }
  });

  it('a web page from anywhere may use a key: CORS is open, without credentials', async () => {
    const answer = await request(`${app.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://frontend.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://frontend.example');
    expect(answer.headers.get('access-control-allow-headers')).toMatch(
      /^authorization, content-type, /,
    );
    expect(answer.headers.get('access-control-allow-credentials')).not.toBe('true');
  });
});

describe('without keys', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  it('the server starts on a loopback address alone', async () => {
    const { databaseUrl, sandbox } = app;
    const hosts = ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org'];
    for (const HOST of hosts) {
      await expect(startApp({ HOST, ROLE: 'api' }, { databaseUrl, sandbox })).rejects.toThrow(
        /^HOST must be a loopback address/,
      );
    }
    for (const HOST of ['127.1.2.3', 'localhost']) {
      const another = await startApp({ HOST, ROLE: 'api' }, { databaseUrl, sandbox });
      await another.stop();
    }
  });

  it.each([
    'https://elsewhere.example',
    'http://localhost.elsewhere.example',
    'http://127.0.0.1.elsewhere.example',
    'null',
    'file://',
  ])('a web page from %s is refused with 403, on HTTP, routes and WebSocket', async (origin) => {
    for (const path of ['/graphql', `/batches/batch_${'0'.repeat(25)}/output`, '/nothing']) {
      const answer = await request(`${app.url}${path}`, { method: 'POST', headers: { origin } });
      expect(answer.status).toBe(403);
      expect(answer.body).toMatchObject(
        path === '/graphql'
          ? { errors: [{ extensions: { code: 'FORBIDDEN' } }] }
          : { error: { code: 'FORBIDDEN' } },
      );
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(await upgrade(app, { origin })).toBe(403);
  });

  it.each(['http://localhost:3000', 'http://127.0.0.1:5173', 'http://[::1]:8080'])(
    'a web page from %s may ask, and is allowed by name',
    async (origin) => {
      const answer = await post(app, { query: '{ __typename }' }, { origin });
      expect(answer.body.data).toEqual({ __typename: 'Query' });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(await upgrade(app, { origin })).toBe(101);
    },
  );

  it('a host name that was pointed at this machine is refused', async () => {
    for (const host of [
      'elsewhere.example',
      'elsewhere.example:4000',
      'localhost.elsewhere.example',
    ]) {
      expect(await upgrade(app, { headers: { host } })).toBe(403);
    }
    for (const host of ['localhost', 'localhost:4000', '127.0.0.1', '[::1]:4000']) {
      expect(await upgrade(app, { headers: { host } })).toBe(101);
    }
  });

  it('what a form can post unasked is refused, and changes nothing', async () => {
    const submit =
      'mutation { submitBatch(input: {operation: {run: {instructions: "x"}}, source: {texts: ["x"]}}) { batch { id } } }';
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: submit }));
    form.set('map', '{}');
    const bodies = [
      new URLSearchParams({ query: submit }),
      form,
      JSON.stringify({ query: submit }), // as text/plain
      new Blob([JSON.stringify({ query: submit })]), // without a type
    ];
    for (const body of bodies) {
      const answer = await request(`${app.url}/graphql`, { method: 'POST', body });
      expect(answer.status).toBe(415);
    }
    const get = await request(`${app.url}/graphql?query=${encodeURIComponent(submit)}`);
    expect(get.status).toBe(405);
    expect((await app.graphql('{ batches { totalCount } }')).data?.batches.totalCount).toBe(0);
  });
});

/** The status that a WebSocket handshake is answered with. */
function upgrade(app: App, options: WebSocket.ClientOptions): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(
      `${app.url.replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
      options,
    );
    socket.once('upgrade', ({ statusCode }) => resolve(statusCode));
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
    socket.once('open', () => socket.close());
    socket.on('error', reject);
  });
}
