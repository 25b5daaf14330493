/** GraphiQL as a newcomer meets it: the page, and in a real browser its tabs. */
import { existsSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'graphql';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { graphiqlTabs } from '../../src/graphql/graphiql.ts';
import { labelOptions, submitTexts } from '../graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  chromium.executablePath(),
];
const executablePath = browsers.find((path) => existsSync(path));

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

describe('the page', () => {
  const asBrowser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
  // Not fetch, which unpacks by itself and sends its own accept-encoding.
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${app.url}${path}`, { headers: { ...asBrowser, ...headers }, redirect: 'manual' });

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

  it('loads nothing from anywhere', async () => {
    const html = await (await get('/graphql')).text();
    const tags = html.match(/<(?:script|link|img|iframe|source)\b[^>]*>/g) ?? [];

    expect(tags.filter((tag) => /(?:src|href)\s*=\s*["']?(?:https?:)?\/\//.test(tag))).toEqual([]);
  });

  it('is what a browser gets at /, and at an address with a query in it', async () => {
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
      expect((await fetch(`${without.url}/`, { headers: asBrowser })).status).toBe(404);
    } finally {
      await without.stop();
    }
  });
});

describe('the tabs', () => {
  it('have one named operation each, in the order of a first visit', () => {
    const names = graphiqlTabs.map(({ query }) => {
      const [definition, ...more] = parse(query).definitions;
      expect(more).toEqual([]);
      return definition && 'name' in definition ? definition.name?.value : undefined;
    });

    expect(names).toEqual([
      'Welcome',
      'Label',
      'SubmitBatch',
      'LiveProgress',
      'Results',
      'Files',
      'Requests',
      'HalfPrice',
      'AtTheProvider',
      'Download',
      'Retry',
      'AnError',
    ]);
  });

  it('have comments that fit beside the answer', () => {
    const wide = graphiqlTabs
      .flatMap(({ query }) => query.split('\n'))
      .filter((line) => line.startsWith('#') && line.length > 58);

    expect(wide).toEqual([]);
  });
});

if (executablePath) {
  describe('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
      });
    });
    afterAll(() => browser.close());

    it('every tab runs as it is and shows its data, live events come by WebSocket, nothing comes from outside', {
      timeout: 60_000,
    }, async () => {
      const { page, addresses, sockets, problems } = await openGraphiQL(browser, app.url);

      expect(await runTab(page, 'Welcome', 'defaultModel')).toContain('test/rules');
      expect(await runTab(page, 'Label', 'confidence')).toContain('"complaint"');
      expect(await runTab(page, 'SubmitBatch', 'batch_')).toContain('"total": 3');
      await showTab(page, 'LiveProgress');
      await page.click('.graphiql-execute-button');
      await until(() => sockets.some((frame) => frame.includes('"subscribe"')), {
        deadlineMs: 5_000,
        what: 'a subscription',
      });
      await submitTexts(app, ['good'], { name: 'from another window' });
      await fetch(`${app.url}/files?name=reviews.csv`, {
        method: 'POST',
        body: 'text,n\ngood,1\n',
      });
      expect(await answerWith(page, 'from another window')).toContain('"progress"');
      await page.click('.graphiql-execute-button'); // stops it
      expect(await runTab(page, 'Results', 'totalCount')).toContain('from another window');
      expect(await runTab(page, 'Files', 'totalCount')).toContain('reviews.csv');
      expect(await runTab(page, 'Requests', 'batch_')).toContain('json_object');
      expect(await runTab(page, 'HalfPrice', 'batch_')).toContain('"PROVIDER_BATCH"');
      expect(await runTab(page, 'AtTheProvider', 'providerBatches')).toContain('at half the price');
      expect(await runTab(page, 'Download', 'signature=')).toContain(app.url);
      expect(await runTab(page, 'Retry', 'errorSummary')).toContain('webhookDeliveries');
      expect(await runTab(page, 'AnError', 'BAD_USER_INPUT')).toContain('options.temperature');

      expect(
        addresses.filter(
          (address) => !address.startsWith(app.url) && !/^(blob|data):/.test(address),
        ),
      ).toEqual([]);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('a tab opens at the first click, and is there again after a reload', {
      timeout: 60_000,
    }, async () => {
      const { page } = await openGraphiQL(browser, app.url);

      for (const name of ['Label', 'Results', 'Welcome', 'AnError', 'SubmitBatch']) {
        await page.click(`.graphiql-tab-button[title="${name}"]`);
        await page.waitForSelector(`[aria-selected=true] [title="${name}"]`, { timeout: 2_000 });
      }
      await page.reload();
      await page.waitForSelector('.graphiql-tab-button[title="LiveProgress"]');
      expect(await page.$$('.graphiql-tab')).toHaveLength(graphiqlTabs.length);
      await page.close();
    });

    it('with keys the header of a tab counts for live events too', {
      timeout: 60_000,
    }, async () => {
      const closed = await startApp({ API_KEYS: `anna:${annaKey}` });
      const anna = { authorization: `Bearer ${annaKey}` };
      try {
        const { page } = await openGraphiQL(browser, closed.url);
        await showTab(page, 'LiveProgress');
        await page.getByText('Headers', { exact: true }).click();
        await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
        await page.keyboard.insertText(JSON.stringify(anna));
        const stream = page.waitForResponse(
          (response) => response.headers()['content-type'] === 'text/event-stream',
        );
        await page.click('.graphiql-execute-button');
        await stream;
        await submitTexts(closed, ['good'], { name: 'of anna', headers: anna });
        expect(await answerWith(page, 'of anna')).toContain('"progress"');
        await page.close();
      } finally {
        await closed.stop();
      }
    });
  });
} else {
  it('no browser was found, so the tabs were not run in one', () => {
    process.stderr.write(`GraphiQL was not tried in a browser: none of ${browsers.join(', ')}\n`);
    expect(labelOptions.categories).toHaveLength(2);
  });
}

async function openGraphiQL(browser: Browser, url: string) {
  const page = await browser.newPage({ viewport: { width: 1_400, height: 1_600 } });
  const addresses: string[] = [];
  const sockets: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => sockets.push(String(payload)));
  });
  await page.goto(`${url}/graphql`);
  await page.waitForSelector('.graphiql-tab-button[title="AnError"]');
  return { page, addresses, sockets, problems };
}

/** Opens a tab, and waits until GraphiQL has read its query: before, it would run the operation of the tab that was open. */
async function showTab(page: Page, name: string): Promise<void> {
  await page.click(`.graphiql-tab-button[title="${name}"]`);
  await page.waitForFunction((wanted) => {
    const { tabs = [], activeTabIndex = 0 } = JSON.parse(
      localStorage.getItem('graphiql:tabState') ?? '{}',
    );
    return tabs[activeTabIndex]?.operationName === wanted;
  }, name);
}

/** Runs a tab as it is, and answers what it shows as soon as that holds `expected`. */
async function runTab(page: Page, name: string, expected: string): Promise<string> {
  await showTab(page, name);
  await page.click('.graphiql-execute-button');
  return await answerWith(page, expected);
}

async function answerWith(page: Page, expected: string): Promise<string> {
  return await until(
    async () => {
      const text = await answer(page);
      return text.includes(expected) ? text : '';
    },
    { deadlineMs: 10_000, what: `${expected} in the answer` },
  );
}

async function answer(page: Page): Promise<string> {
  return await textOf(page, '.result-window');
}

/** The lines of an editor that are in sight, in any order. */
async function textOf(page: Page, selector: string): Promise<string> {
  const text = (await page.locator(selector).textContent()) ?? '';
  return text.replaceAll('\u00a0', ' ');
}
