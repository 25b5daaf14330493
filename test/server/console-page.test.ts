/** The console's page and its files, as they are served. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { noticeHeaders, renderNotice } from '../../src/faces/console/app/page.ts';
import { type App, startApp } from '../support/app.ts';
import { until } from '../support/until.ts';
import { closedPort } from '../webhooks/support.ts';

let app: App;
let data: string;

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'winnow-console-'));
  app = await startApp({ CONSOLE: 'on', DATA_DIR: data });
});
afterAll(() => app.stop());

const at = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${app.url}${path}`, { headers, redirect: 'manual' });

/** The page, once it is bundled. */
async function readPage(url = app.url, path = '/console'): Promise<string> {
  return await until(
    async () => {
      const page = await (await fetch(`${url}${path}`)).text();
      return page.includes('<div id="app">') ? page : '';
    },
    { deadlineMs: 60_000, what: 'the bundle of the console' },
  );
}

const filesOf = (page: string) =>
  [...page.matchAll(/(?:src|href)="([^"]*assets[^"]*)"/g)].map(([, path = '']) => path);

it('is what a browser gets at /, and at every address below /console', async () => {
  const root = await at('/');
  const page = await readPage();

  expect([root.status, root.headers.get('location')]).toEqual([302, '/console']);
  const head = await fetch(app.url, { method: 'HEAD', redirect: 'manual' });
  expect([head.status, head.headers.get('location')]).toEqual([302, '/console']);
  expect(await readPage(app.url, '/console/batches/batch_x?label=a')).toBe(page);
});

it('may load nothing from another host, and runs no script of a text', async () => {
  const page = await readPage();
  const { headers } = await at('/console');

  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain('unsafe');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(page).not.toMatch(/<script>|<style|style=|https?:\/\//);
});

it('has a frame before it is bundled, whose styles its policy lets in, and no others', () => {
  const page = renderNotice('Preparing <it> …', { again: true });
  const [, style = ''] = /<style>(.*)<\/style>/s.exec(page) ?? [];
  const hash = createHash('sha256').update(style).digest('base64');

  expect(noticeHeaders['content-security-policy']).toContain(`style-src 'sha256-${hash}';`);
  expect(page).toContain('Preparing &lt;it>');
  expect(page).toContain('http-equiv="refresh"');
  expect(page).not.toMatch(/<script|style=|https?:\/\//);
  expect(renderNotice('It failed', { again: false })).not.toContain('refresh');
});

it('is not sent again to a browser that has it; its files never change', async () => {
  const page = await readPage();
  const { headers } = await at('/console');
  const again = await at('/console', { 'if-none-match': headers.get('etag') ?? '' });
  const files = await Promise.all(filesOf(page).map((path) => at(path)));

  expect(headers.get('cache-control')).toBe('no-cache');
  expect([again.status, await again.text()]).toEqual([304, '']);
  expect(files.length).toBeGreaterThanOrEqual(4);
  for (const file of files) {
    expect(file.status).toBe(200);
    expect(file.headers.get('cache-control')).toContain('immutable');
  }
});

it('sends its files packed to whoever can unpack them', async () => {
  const script = filesOf(await readPage()).find((path) => path.includes('main-')) ?? '';
  const read = async (encoding: string) => {
    const response = await at(script, { 'accept-encoding': encoding });
    return [response.headers.get('content-encoding'), await response.text()] as const;
  };

  const [plain, gzip, br] = await Promise.all(['identity', 'gzip', 'gzip, br'].map(read));

  expect([plain?.[0], gzip?.[0], br?.[0]]).toEqual([null, 'gzip', 'br']);
  // fetch unpacks.
  expect(gzip?.[1]).toBe(plain?.[1]);
  expect(br?.[1]).toBe(plain?.[1]);
});

it('answers what is no file of it as any path that is not there', async () => {
  for (const path of ['/console/assets/main.js', '/console/assets/..%2f..%2fpackage.json']) {
    const response = await at(path);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      404,
      'application/json; charset=utf-8',
    ]);
  }
  expect((await fetch(`${app.url}/console`, { method: 'POST' })).status).toBe(404);
});

it('is bundled once, and kept in the data folder for the next start', async () => {
  const page = await readPage();
  const kept = (await readdir(data)).filter((name) => name.startsWith('console-'));
  expect(kept).toHaveLength(1);

  const next = await startApp({ CONSOLE: 'on', DATA_DIR: data });
  try {
    expect(await readPage(next.url)).toBe(page);
  } finally {
    await next.stop();
  }
});

it('begins its addresses as PUBLIC_URL does', async () => {
  const port = await closedPort();
  const behind = await startApp({
    CONSOLE: 'on',
    DATA_DIR: data,
    PORT: String(port),
    PUBLIC_URL: 'https://winnow.example/api/',
  });
  try {
    const page = await readPage(`http://127.0.0.1:${port}`);
    for (const path of filesOf(page)) expect(path).toMatch(/^\/api\/console\/assets\//);
    expect(page).toContain('<meta name="winnow-root" content="/api">');
  } finally {
    await behind.stop();
  }
});

it('can be switched off, and then / leads to GraphiQL, or nowhere', async () => {
  for (const [GRAPHIQL, expected] of [
    ['on', [404, 302, '/graphql']],
    ['off', [404, 404, null]],
  ] as const) {
    const without = await startApp({ CONSOLE: 'off', GRAPHIQL });
    try {
      const page = await fetch(`${without.url}/console`);
      const root = await fetch(`${without.url}/`, { redirect: 'manual' });
      expect([page.status, root.status, root.headers.get('location')]).toEqual(expected);
    } finally {
      await without.stop();
    }
  }
});
