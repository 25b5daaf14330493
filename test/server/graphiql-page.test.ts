/** GraphiQL's page, as it is served. */
import { get as httpGet, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { closedPort } from '../webhooks/support.ts';

const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${app.url}${path}`, { headers: { ...asBrowser, ...headers }, redirect: 'manual' });

describe('the page', () => {
  it('is sent packed, and not again to a browser that has it', async () => {
    const first = await get('/graphql', { 'accept-encoding': 'gzip' });
    const etag = first.headers.get('etag') ?? '';
    const again = await get('/graphql', { 'if-none-match': etag });

    expect(first.status).toBe(200);
    expect(first.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(first.headers.get('content-encoding')).toBe('gzip');
    expect(Number(first.headers.get('content-length'))).toBeLessThan(4_000_000);
    expect(first.headers.get('vary')).toBe('accept-encoding');
    expect(first.headers.get('x-frame-options')).toBe('DENY');
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it('is the same for a client that cannot unpack', async () => {
    const plain = await get('/graphql', { 'accept-encoding': 'identity' });
    const packed = await get('/graphql', { 'accept-encoding': 'gzip' });

    expect(plain.headers.get('content-encoding')).toBeNull();
    const text = await plain.text();
    expect(text).toBe(await packed.text());
    expect(text).toContain('<title>Winnow</title>');
    expect(() => gunzipSync(Buffer.from(text))).toThrow();
  });

  it('is one whole gzip file, whose checksum and length are right', async () => {
    const { headers, body } = await raw(app.url, {
      ...asBrowser,
      'accept-encoding': 'gzip',
    });

    const page = gunzipSync(body).toString();
    expect(Number(headers['content-length'])).toBe(body.length);
    expect(page.trimEnd()).toMatch(/<\/html>$/);
    expect(page).toBe(await (await get('/graphql', { 'accept-encoding': 'identity' })).text());
  });

  it('loads nothing from anywhere', async () => {
    const html = await (await get('/graphql')).text();
    const tags = html.match(/<(?:script|link|img|iframe|source)\b[^>]*>/g) ?? [];

    expect(tags.filter((tag) => /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//.test(tag))).toEqual([]);
  });

  it('is what a browser gets at / without a console, and at an address with a query in it', async () => {
    const root = await get('/');
    const query = await get('/graphql?query=%7B%20__typename%20%7D');

    expect([root.status, root.headers.get('location')]).toEqual([302, '/graphql']);
    expect(query.headers.get('content-type')).toBe('text/html; charset=utf-8');
  });

  it('is not what a program gets, and can be switched off', async () => {
    const program = await fetch(`${app.url}/graphql?query={__typename}`);
    expect(await program.json()).toEqual({ data: { __typename: 'Query' } });

    const without = await startApp({ GRAPHIQL: 'off' });
    try {
      const page = await fetch(`${without.url}/graphql`, { headers: asBrowser });
      expect(page.headers.get('content-type')).not.toContain('text/html');
    } finally {
      await without.stop();
    }
  });
});

describe('the address in the tabs', () => {
  it('is the one that the page was asked at, under each of its names', async () => {
    const { port } = new URL(app.url);

    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      const { body } = await raw(app.url, { ...asBrowser, host });
      const tabs = tabsOf(body.toString());
      expect(tabs).toContain(`http://${host}/files`);
      expect(tabs).toContain(`http://${host}/batches/`);
      expect(tabs).not.toContain(':4000');
    }
  });

  it('is PUBLIC_URL where there is one', async () => {
    const port = await closedPort();
    const behind = await startApp({
      PORT: String(port),
      PUBLIC_URL: 'https://winnow.example/api/',
    });
    try {
      const { body } = await raw(`http://127.0.0.1:${port}`, asBrowser);
      const tabs = tabsOf(body.toString());
      expect(tabs).toContain('https://winnow.example/api/files');
      expect(tabs).not.toContain('127.0.0.1');
    } finally {
      await behind.stop();
    }
  });

  it.each([
    ['0.0.0.0', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
  ])('at the start, with HOST %s, is one that opens', async (HOST, expected) => {
    const open = await startApp({ HOST, API_KEYS: 'anna:anna-key-0123456789abcdefgh' });
    try {
      expect(new URL(open.url).hostname).toBe(expected);
      expect((await fetch(`${open.url}/graphql`, { headers: asBrowser })).status).toBe(200);
    } finally {
      await open.stop();
    }
  });

  it('holds nothing of a Host that a shell or a browser would run', async () => {
    const closed = await startApp({ API_KEYS: 'anna:anna-key-0123456789abcdefgh' });
    try {
      for (const host of ['$(id).example', "a'b.example", 'a&b.example:80', 'a;b.example']) {
        const { body } = await raw(closed.url, { ...asBrowser, host });
        expect(tabsOf(body.toString())).toContain('http://localhost');
        expect(tabsOf(body.toString())).not.toContain('example');
      }
    } finally {
      await closed.stop();
    }
  });
});

/** What stands behind GraphiQL itself. */
function tabsOf(page: string): string {
  return page.slice(page.lastIndexOf('YogaGraphiQL.renderYogaGraphiQL('));
}

/** A request with headers that fetch would not send, and its answer as it came. */
async function raw(url: string, headers: Record<string, string>) {
  return await new Promise<{ headers: IncomingMessage['headers']; body: Buffer }>(
    (resolve, reject) => {
      httpGet(`${url}/graphql`, { headers }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('end', () => resolve({ headers: answer.headers, body: Buffer.concat(pieces) }));
        answer.on('error', reject);
      }).on('error', reject);
    },
  );
}
