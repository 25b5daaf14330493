/** Pages of another origin: every route tells a browser what /graphql tells it, on errors too. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RawAnswer, request, submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { closedPort } from '../webhooks/support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const anna = { authorization: `Bearer ${annaKey}` };
const page = 'http://127.0.0.1:4122';
const unknownBatch = `batch_${'0'.repeat(25)}`;
const routes = ['/graphql', '/files', `/batches/${unknownBatch}/output`, '/health', '/nothing/yet'];

/** What a browser asks before it lets a page send this. */
function preflight(
  app: Pick<App, 'url'>,
  path: string,
  origin: string,
  headers = '',
): Promise<RawAnswer> {
  return request(`${app.url}${path}`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      ...(headers ? { 'access-control-request-headers': headers } : {}),
    },
  });
}

function listed(answer: RawAnswer, header: string): string[] {
  return (answer.headers.get(header) ?? '').toLowerCase().split(/\s*,\s*/);
}

function expectReadable(answer: RawAnswer, origin: string): void {
  expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  expect(listed(answer, 'vary')).toContain('origin');
  const exposed = listed(answer, 'access-control-expose-headers');
  expect(exposed).toEqual(
    expect.arrayContaining(['content-disposition', 'location', 'retry-after', 'x-request-id']),
  );
}

describe('without keys', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  it.each(routes)('a preflight of %s is a 204 that allows what its page sends', async (path) => {
    const answer = await preflight(app, path, page, 'authorization,content-type,x-stainless-os');

    expect([answer.status, answer.text]).toEqual([204, '']);
    expectReadable(answer, page);
    expect(listed(answer, 'access-control-allow-headers')).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'x-request-id',
        'idempotency-key',
        'graphql-preflight',
        'x-stainless-os',
      ]),
    );
    expect(listed(answer, 'access-control-allow-methods')).toEqual(
      expect.arrayContaining(['get', 'post', 'delete']),
    );
    expect(answer.headers.get('access-control-max-age')).toBe('600');
  });

  it('pages of PUBLIC_URL may ask too', async () => {
    const port = await closedPort();
    const known = await startApp({ PORT: String(port), PUBLIC_URL: 'https://winnow.example' });
    try {
      const url = `http://127.0.0.1:${port}`;
      const answer = await preflight({ url }, '/files', 'https://winnow.example');
      const foreign = await preflight({ url }, '/files', 'https://other.example');

      expect(answer.status).toBe(204);
      expectReadable(answer, 'https://winnow.example');
      expect(foreign.status).toBe(403);
    } finally {
      await known.stop();
    }
  });

  it('headers that a preflight asks for are taken over as names alone', async () => {
    const answer = await preflight(app, '/files', page, 'x-one, x two, x"three, X-ONE');

    const allowed = listed(answer, 'access-control-allow-headers');
    expect(allowed.filter((name) => name.startsWith('x-one'))).toEqual(['x-one']);
    expect(allowed.join()).not.toMatch(/two|three/);
  });

  it('a page of this machine uploads, and reads where its file is', async () => {
    const answer = await request(`${app.url}/files?name=a.txt`, {
      method: 'POST',
      headers: { origin: page, 'content-type': 'text/plain' },
      body: 'one\ntwo\n',
    });

    expect(answer.status).toBe(201);
    expectReadable(answer, page);
    expect(answer.headers.get('location')).toBe(`/files/${JSON.parse(answer.text).id}`);
  });

  it('a page reads outputs, and why it gets none', async () => {
    const id = await submitTexts(app, ['good']);
    await untilEnded(app, id);
    const headers = { origin: page };

    const output = await request(`${app.url}/batches/${id}/output`, { headers });
    const refused = [
      await request(`${app.url}/batches/${id}/output?format=nonsense`, { headers }),
      await request(`${app.url}/batches/${unknownBatch}/output`, { headers }),
      await request(`${app.url}/files`, { headers }),
      await request(`${app.url}/nothing/yet`, { headers }),
      await request(`${app.url}/graphql`, { method: 'POST', headers, body: '{' }),
      await request(`${app.url}/health`, { method: 'POST', headers }),
    ];

    expect(output.status).toBe(200);
    expectReadable(output, page);
    expect(refused.map(({ status }) => status)).toEqual([400, 404, 405, 404, 415, 405]);
    for (const answer of refused) expectReadable(answer, page);
  });

  it('a page of elsewhere is refused whatever it does, reads nothing and stores nothing', async () => {
    for (const origin of ['https://elsewhere.example', 'null']) {
      const answers = await Promise.all([
        ...routes.map((path) => preflight(app, path, origin)),
        request(`${app.url}/files?name=theirs.txt`, {
          method: 'POST',
          headers: { origin, 'content-type': 'text/plain' },
          body: 'theirs\n',
        }),
        request(`${app.url}/graphql`, { method: 'POST', headers: { origin }, body: '{}' }),
      ]);
      for (const { status, headers } of answers) {
        expect(status).toBe(403);
        expect(headers.get('access-control-allow-origin')).toBeNull();
      }
    }
    const { data } = await app.graphql('{ files { edges { node { name } } } }');
    expect(JSON.stringify(data)).not.toContain('theirs');
  });

  it('a program, which has no origin, is told nothing of origins', async () => {
    const answer = await request(`${app.url}/health`);
    const options = await request(`${app.url}/files`, { method: 'OPTIONS' });

    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(options.status).toBe(204);
    expect(options.headers.get('access-control-allow-headers')).toBeNull();
  });
});

describe('with keys', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ API_KEYS: `anna:${annaKey}` });
  });
  afterAll(() => app.stop());

  it.each(routes)('a preflight of %s needs no key, from any origin', async (path) => {
    for (const origin of [page, 'https://elsewhere.example']) {
      const answer = await preflight(app, path, origin, 'authorization');

      expect(answer.status).toBe(204);
      expectReadable(answer, origin);
    }
  });

  it('a page without a key reads that it needs one', async () => {
    const headers = { origin: 'https://elsewhere.example' };
    const answers = [
      await request(`${app.url}/files`, { method: 'POST', headers, body: 'x' }),
      await request(`${app.url}/batches/${unknownBatch}/output`, { headers }),
      await request(`${app.url}/graphql`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{"query": "{ service { version } }"}',
      }),
    ];

    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expectReadable(answer, headers.origin);
    }
  });

  it('a page with a key uploads and reads', async () => {
    const headers = { ...anna, origin: 'https://elsewhere.example' };

    const answer = await request(`${app.url}/files?name=a.txt`, {
      method: 'POST',
      headers,
      body: 'x\n',
    });

    expect(answer.status).toBe(201);
    expectReadable(answer, headers.origin);
  });
});
