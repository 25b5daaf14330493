/** What becomes of the work on a page of the console whose key ends. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { giveKey, openConsole, tooWideOf, violationsOf } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const adminKey = 'anna-key-0123456789abcdefgh';
const admin = { authorization: `Bearer ${adminKey}` };

let browser: Browser;

if (browserPath) {
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  describe('a key that is revoked while a page is open', () => {
    let app: App;
    beforeAll(async () => {
      app = await startConsole({ API_KEYS: `anna:${adminKey}:admin` });
    });
    afterAll(async () => {
      await app?.stop();
    });

    it.each([
      ['/console/new', 'Or paste texts'],
      ['/console/playground', 'Text'],
    ])('is asked for again at %s, and what was typed stays', async (path, field) => {
      const { id, key } = await makeKey(app, admin);
      const { page } = await openConsole(browser, app.url, path);
      await giveKey(page, key);
      await page.getByText('Live', { exact: true }).waitFor();
      await page.getByLabel('Categories').fill('praise\ncomplaint');
      await page.getByLabel(field, { exact: true }).fill('the work of an hour');

      const revoke = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';
      await app.graphql(revoke, { id }, admin);

      await page.getByText('This key is not valid here').waitFor();
      await giveKey(page, adminKey);
      await page.getByText('Live', { exact: true }).waitFor();
      expect(await page.getByLabel(field, { exact: true }).inputValue()).toBe(
        'the work of an hour',
      );
      expect(await page.getByLabel('Categories').inputValue()).toBe('praise\ncomplaint');
      await page.close();
    });
  });

  describe('the first key of a server', () => {
    it('is asked for on a page that was open before, and what was typed stays', async () => {
      const app = await startConsole();
      try {
        const { page } = await openConsole(browser, app.url, '/console/new');
        await page.getByText('Live', { exact: true }).waitFor();
        await page.getByLabel('Or paste texts').fill('the work of an hour');

        const { key } = await makeKey(app, {});

        await page.getByText('This server needs a key').waitFor();
        await giveKey(page, key);
        await page.getByText('Live', { exact: true }).waitFor();
        expect(await page.getByLabel('Or paste texts').inputValue()).toBe('the work of an hour');
        await page.close();
      } finally {
        await app.stop();
      }
    });
  });

  describe('the foot of the page', () => {
    it('shows the limits of the owner and how far they are used, and nothing without limits', async () => {
      const limits = {
        anna: { activeBatches: 3, storageBytes: 0, models: ['test/*'] },
      };
      const app = await startConsole({
        API_KEYS: `anna:${adminKey},bob:${adminKey.replace('anna', 'bobs')}`,
        LIMITS: JSON.stringify(limits),
      });
      try {
        const { page } = await openConsole(browser, app.url, '/console');
        await giveKey(page, adminKey);
        const foot = page.locator('footer');
        await foot.waitFor();
        expect((await foot.innerText()).replaceAll(/\s+/g, ' ')).toBe(
          'Your limits Batches at work 0 of 3 Stored 0 B of 0 B Models test/*',
        );
        expect(await violationsOf(page)).toEqual([]);
        expect(await tooWideOf(page)).toEqual([]);
        await page.close();

        const other = await openConsole(browser, app.url, '/console');
        await giveKey(other.page, adminKey.replace('anna', 'bobs'));
        await other.page.getByText('Live', { exact: true }).waitFor();
        expect(await other.page.locator('footer').count()).toBe(0);
        await other.page.close();
      } finally {
        await app.stop();
      }
    });
  });
} else {
  it('no browser was found, so no key ended under a page', () => {
    expect(browserPath).toBeNull();
  });
}

/** A key of the owner whose headers these are. */
async function makeKey(app: App, headers: Record<string, string>) {
  const { data } = await app.graphql(
    'mutation { createApiKey(input: {name: "new", scopes: [READ, SUBMIT]}) { key apiKey { id } } }',
    {},
    headers,
  );
  return { key: data?.createApiKey.key as string, id: data?.createApiKey.apiKey.id as string };
}
