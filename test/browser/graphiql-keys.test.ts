/**
 * GraphiQL on a server with keys, in a real browser: one field, and what becomes of the key in it.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilAllEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import {
  answerWith,
  browserPath,
  launchBrowser,
  openGraphiQL,
  runTab,
  showTab,
} from '../support/graphiql-browser.ts';
import { until } from '../support/until.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const bobsKey = 'bobs-key-0123456789abcdefgh';
const API_KEYS = `anna:${annaKey},bob:${bobsKey}`;
const anna = { authorization: `Bearer ${annaKey}` };
const bob = { authorization: `Bearer ${bobsKey}` };

const answers = [
  ['Failures', 'totalCount'],
  ['HalfPrice', 'PROVIDER_BATCH'],
  ['OwnRequests', 'json_object'],
  ['Files', 'fileRows'],
  ['Answers', 'signature='],
  ['SubmitBatch', '"total": 2000'],
  ['LabelTexts', 'confidence'],
  ['Welcome', 'defaultModel'],
] as const;

let app: App;
let browser: Browser;

if (browserPath) {
  describe('with keys', () => {
    beforeAll(async () => {
      app = await startApp({ API_KEYS });
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser.close();
      await app.stop();
    });

    it('without one a tab says where to give it, and nothing is asked', {
      timeout: 60_000,
    }, async () => {
      const { page, keys, problems } = await openGraphiQL(browser, app.url);

      expect(await stateOf(page)).toContain('This server needs a key');
      expect(await runTab(page, 'WatchProgress', 'UNAUTHENTICATED')).toContain('at the top');
      expect(await runTab(page, 'Welcome', 'UNAUTHENTICATED')).toContain('at the top');
      expect(keys).toEqual([]);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('one field serves the docs, every tab and live events', { timeout: 60_000 }, async () => {
      const { page, keys, problems } = await openGraphiQL(browser, app.url);

      await giveKey(page, annaKey, 'Used for every request');

      for (const [name, expected] of answers) await runTab(page, name, expected);
      await showTab(page, 'WatchProgress');
      await page.click('.graphiql-execute-button');
      await answerWith(page, 'batchesChanged');
      await untilAllEnded(app, anna);
      await submitTexts(app, ['good'], { name: 'of anna', headers: anna });
      await answerWith(page, 'of anna');
      await page.click('.graphiql-execute-button');
      await page.click('[aria-label="Show Documentation Explorer"]');
      await page.waitForSelector('.graphiql-doc-explorer-content :text("Subscription")');
      expect(new Set(keys)).toEqual(new Set([anna.authorization]));
      expect(problems).toEqual([]);
      await page.close();
    });

    it('it is kept in the tab alone, over a reload and a way back, for the console too', {
      timeout: 60_000,
    }, async () => {
      const context = await browser.newContext();
      const { page } = await openGraphiQL(context, app.url);
      await giveKey(page, annaKey, 'Used for every request');
      await page.click('.graphiql-editor-tools [data-name=headers]');
      await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
      await page.keyboard.insertText(JSON.stringify({ 'x-secret': annaKey }));
      await runTab(page, 'Welcome', 'defaultModel');
      await runTab(page, 'LabelTexts', 'confidence');

      expect(await keptOf(page)).not.toContain(annaKey);
      expect(await page.evaluate(() => ({ ...sessionStorage }))).toEqual({ 'winnow.key': annaKey });
      await page.reload();
      await runTab(page, 'Welcome', 'defaultModel');
      await page.goto('about:blank');
      await page.goBack();
      expect(await fieldOf(page)).toBe(annaKey);
      await runTab(page, 'Welcome', 'defaultModel');
      const other = await openGraphiQL(context, app.url);
      expect(await fieldOf(other.page)).toBe('');
      await giveKey(page, 'wrong-key-0123456789abcdefgh', 'does not know this key');
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
      await context.close();
    });

    it('headers that an earlier page has kept are dropped', { timeout: 60_000 }, async () => {
      const context = await browser.newContext();
      const tab = { id: 'x', title: 'Own', hash: null, query: 'query Own { __typename }' };
      const state = {
        tabs: [
          {
            ...tab,
            variables: null,
            headers: JSON.stringify(anna),
            operationName: 'Own',
            response: null,
          },
        ],
        activeTabIndex: 0,
      };
      const history = { queries: [{ query: tab.query, headers: JSON.stringify(anna) }] };
      const first = await context.newPage();
      await first.goto(`${app.url}/health`);
      await first.evaluate(
        (kept) => {
          for (const [name, text] of Object.entries(kept)) localStorage.setItem(name, text);
        },
        {
          'graphiql:tabState': JSON.stringify(state),
          'graphiql:queries': JSON.stringify(history),
          'graphiql:headers': JSON.stringify(anna),
          'graphiql:shouldPersistHeaders': 'true',
        },
      );
      await first.goto(`${app.url}/graphql`);
      await first.waitForSelector('.graphiql-tab-button[title="Own"]');

      expect(await keptOf(first)).not.toContain(annaKey);
      expect(await keptOf(first)).toContain('query Own');
      await context.close();
    });

    it('a tab may have another in its headers, which serves its live events too', {
      timeout: 60_000,
    }, async () => {
      const { page, keys } = await openGraphiQL(browser, app.url);
      await showTab(page, 'WatchProgress');
      await page.click('.graphiql-editor-tools [data-name=headers]');
      await page.locator('.graphiql-editor-tool .monaco-editor:visible').click();
      await page.keyboard.insertText(JSON.stringify({ Authorization: bob.authorization }));
      await page.click('.graphiql-execute-button');
      await submitTexts(app, ['good'], { name: 'by header', headers: bob });
      await answerWith(page, 'by header');
      expect(new Set(keys)).toEqual(new Set([bob.authorization]));
      await page.close();
    });

    it('a wrong one is told, and the right one after it brings the docs', {
      timeout: 60_000,
    }, async () => {
      const { page } = await openGraphiQL(browser, app.url);

      await giveKey(page, 'wrong-key-0123456789abcdefgh', 'does not know this key');
      expect(await runTab(page, 'Welcome', 'UNAUTHENTICATED')).toContain('is unknown');
      await giveKey(page, 'ключ “mit” ü', 'letters, digits');
      await giveKey(page, ` Bearer ${bobsKey} `, 'Used for every request');

      await runTab(page, 'Welcome', 'defaultModel');
      await page.click('[aria-label="Show Documentation Explorer"]');
      await page.waitForSelector('.graphiql-doc-explorer-content :text("Subscription")');
      await page.close();
    });

    it('another one ends what runs for the first', { timeout: 60_000 }, async () => {
      await submitTexts(app, ['good'], { name: 'seen by anna', headers: anna });
      await submitTexts(app, ['good'], { name: 'seen by bob', headers: bob });
      const { page } = await openGraphiQL(browser, app.url);
      await giveKey(page, annaKey, 'Used for every request');
      await runTab(page, 'WatchProgress', 'seen by anna');

      await giveKey(page, bobsKey, 'Used for every request');

      expect(await answerWith(page, 'The key was changed')).not.toContain('anna');
      await page.click('.graphiql-execute-button');
      await answerWith(page, 'seen by bob');
      await giveKey(page, '', 'needs a key');
      await answerWith(page, 'The key was changed');
      await page.close();
    });

    it('one that the server takes no more is told', { timeout: 60_000 }, async () => {
      const old = await startApp({ API_KEYS });
      const { page } = await openGraphiQL(browser, old.url);
      await giveKey(page, annaKey, 'Used for every request');
      const { port } = new URL(old.url);
      await old.stop();
      await giveKey(page, bobsKey, 'does not answer');
      await giveKey(page, annaKey, 'does not answer');
      const next = await startApp({ PORT: port, API_KEYS: `bob:${bobsKey}` });
      try {
        await runTab(page, 'Welcome', 'UNAUTHENTICATED');
        expect(await stateOf(page)).toContain('does not know this key');
        await giveKey(page, bobsKey, 'Used for every request');
        await runTab(page, 'LabelTexts', 'confidence');
        await page.close();
      } finally {
        await next.stop();
      }
    });

    it('a page of an open server asks for one once there is a first key, and keeps its work', {
      timeout: 60_000,
    }, async () => {
      const open = await startApp();
      try {
        const { page } = await openGraphiQL(browser, open.url);
        expect(await page.locator('.winnow-key').count()).toBe(0);
        await typeQuery(page, 'Welcome', 'query Welcome { service { owner } } # mine');
        await submitTexts(open, ['good']);
        await runTab(page, 'WatchProgress', 'batchesChanged');

        const { key } = await makeKey(open, {});

        // The stream of events ends, and says so by itself.
        await until(async () => (await page.locator('.winnow-key').count()) === 1, {
          deadlineMs: 20_000,
          what: 'the field of the key',
        });
        expect(await stateOf(page)).toContain('This server needs a key');
        expect(await runTab(page, 'Welcome', 'UNAUTHENTICATED')).toContain('at the top');
        await giveKey(page, key, 'Used for every request');
        expect(await runTab(page, 'Welcome', '"local"')).toContain('"owner": "local"');
        await page.close();
      } finally {
        await open.stop();
      }
    });

    it('one that is revoked under a stream of events is asked for again', {
      timeout: 60_000,
    }, async () => {
      const closed = await startApp({ API_KEYS: `anna:${annaKey}:admin` });
      try {
        const { page } = await openGraphiQL(browser, closed.url);
        const { id, key } = await makeKey(closed, anna);
        await giveKey(page, key, 'Used for every request');
        await typeQuery(page, 'Welcome', 'query Welcome { service { owner } } # mine');
        await submitTexts(closed, ['good'], { name: 'of anna', headers: anna });
        await runTab(page, 'WatchProgress', 'batchesChanged');

        const revoke = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';
        await closed.graphql(revoke, { id }, anna);

        await until(async () => (await stateOf(page)).includes('takes this key no more'), {
          deadlineMs: 20_000,
          what: 'word of the end',
        });
        await giveKey(page, annaKey, 'Used for every request');
        expect(await runTab(page, 'Welcome', '"anna"')).toContain('"owner": "anna"');
        await page.close();
      } finally {
        await closed.stop();
      }
    });
  });
} else {
  it('no browser was found, so no key was given in one', () => {
    expect(browserPath).toBeNull();
  });
}

/** A key of the owner whose headers these are. */
async function makeKey(of: App, headers: Record<string, string>) {
  const { data } = await of.graphql(
    `mutation { createApiKey(input: {name: "new", scopes: [READ, SUBMIT]}) { key apiKey { id } } }`,
    {},
    headers,
  );
  return { key: data?.createApiKey.key as string, id: data?.createApiKey.apiKey.id as string };
}

/** Replaces the text of a tab. */
async function typeQuery(page: Page, tab: string, text: string): Promise<void> {
  await showTab(page, tab);
  await page.locator('.graphiql-query-editor .monaco-editor').click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
}

async function giveKey(page: Page, key: string, expected: string): Promise<void> {
  await page.getByLabel('API key').fill(key);
  await until(async () => (await stateOf(page)).includes(expected), {
    deadlineMs: 10_000,
    what: `${expected} beside the key`,
  });
}

async function stateOf(page: Page): Promise<string> {
  return (await page.locator('.winnow-key output').textContent()) ?? '';
}

async function fieldOf(page: Page): Promise<string> {
  return await page.getByLabel('API key').inputValue();
}

/** All that the browser keeps for this address, but for what is the tab's alone. */
async function keptOf(page: Page): Promise<string> {
  const stores = await page.evaluate(() =>
    JSON.stringify([localStorage, document.cookie, location.href, history.state]),
  );
  return stores + JSON.stringify(await page.context().storageState());
}
