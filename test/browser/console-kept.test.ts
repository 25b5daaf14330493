/** What was typed into the console's forms: over a reload, a new key, and for its owner alone. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { giveKey, openConsole, untilRead } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const bobsKey = 'bobs-key-0123456789abcdefgh';
const csv = { name: 'kept.csv', mimeType: 'text/csv', buffer: Buffer.from('text\ngood\nbad\n') };

let app: App;
let browser: Browser;

if (browserPath) {
  describe('what was typed into a form', () => {
    beforeAll(async () => {
      const env = { API_KEYS: `anna:${annaKey},bob:${bobsKey}` };
      [app, browser] = await Promise.all([startConsole(env), launchBrowser()]);
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('is there after a reload, until the form is emptied', async () => {
      const { page, problems } = await openWith(annaKey, '/console/new');
      await page.getByLabel('Or paste texts').fill('good\nbad');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Name', { exact: true }).fill('typed');
      await page.getByLabel('Stop at').fill('2.50');
      await page.getByText('More options').click();
      await page.getByLabel('Temperature', { exact: true }).fill('0.5');
      await page.reload();

      await page.getByText('Counted from 2 rows').waitFor();
      const names = ['Or paste texts', 'Categories', 'Name', 'Stop at', 'Temperature'];
      expect(await valuesOf(page, names)).toEqual([
        'good\nbad',
        'praise, complaint',
        'typed',
        '2.50',
        '0.5',
      ]);
      const kept = await page.evaluate(() => JSON.stringify([localStorage, location.href]));
      expect(kept).not.toContain('praise');
      await page.getByRole('button', { name: 'Start over' }).click();
      await page.locator('h1:focus').waitFor();
      expect(await valuesOf(page, names)).toEqual(['', '', '', '', '']);
      await page.reload();
      await untilRead(page);
      expect(await valuesOf(page, names)).toEqual(['', '', '', '', '']);
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('is there on the way back from another page, with the file that was sent', async () => {
      const { page, problems } = await openWith(annaKey, '/console/new');
      await page.locator('input[type=file]').setInputFiles(csv);
      await page.getByRole('heading', { name: 'All 2 rows' }).waitFor();
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
      await page.getByRole('navigation').getByRole('link', { name: 'New batch' }).click();

      await page.getByRole('heading', { name: 'All 2 rows' }).waitFor();
      expect(await valuesOf(page, ['Categories', 'Name'])).toEqual(['praise, complaint', 'kept']);
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('is one batch, though the page is read again before the answer came', async () => {
      const { page } = await openWith(annaKey, '/console/new');
      await page.getByLabel('Or paste texts').fill('good');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Name', { exact: true }).fill('once');
      const isLost = loseAnswer(page, 'mutation SubmitBatch');
      await page.getByRole('button', { name: 'Run 1 row' }).click();
      await isLost;
      await page.reload();
      await page.getByRole('button', { name: 'Run 1 row' }).click();
      await page.getByRole('heading', { name: 'once' }).waitFor();

      await page.goto(`${app.url}/console?name=once`);
      await page.getByRole('link', { name: 'once' }).first().waitFor();
      expect(await page.getByRole('link', { name: 'once' }).count()).toBe(1);
      await page.goto(`${app.url}/console/new`);
      await untilRead(page);
      expect(await valuesOf(page, ['Or paste texts', 'Name'])).toEqual(['', '']);
      await page.context().close();
    });

    it('is there after a reload of the playground, until that is emptied', async () => {
      const { page, problems } = await openWith(annaKey, '/console/playground');
      await page.getByLabel('Text', { exact: true }).fill('a letter');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByRole('button', { name: 'Compare with a model' }).click();
      await page.getByLabel('Model 2', { exact: true }).fill('test/other');
      await page.reload();

      await page.getByLabel('Model 2', { exact: true }).waitFor();
      const names = ['Text', 'Categories', 'Model 2'];
      expect(await valuesOf(page, names)).toEqual(['a letter', 'praise, complaint', 'test/other']);
      await page.getByRole('button', { name: 'Start over' }).click();
      await page.locator('h1:focus').waitFor();
      expect(await valuesOf(page, ['Text', 'Categories'])).toEqual(['', '']);
      expect(await page.getByLabel('Model 2', { exact: true }).count()).toBe(0);
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('waits for a key of the same owner, and is not shown to another one', async () => {
      const { page } = await openWith(annaKey, '/console/new');
      await page.getByLabel('Categories').fill('praise of anna');
      await loseKey(page);
      await giveKey(page, annaKey);
      await untilRead(page);
      expect(await valuesOf(page, ['Categories'])).toEqual(['praise of anna']);

      await loseKey(page);
      await giveKey(page, bobsKey);
      await untilRead(page);
      expect(await valuesOf(page, ['Categories'])).toEqual(['']);
      const kept = async () => await page.evaluate(() => JSON.stringify(sessionStorage));
      expect(await kept()).not.toContain('praise of anna');
      await page.getByLabel('Categories').fill('praise of bob');
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Forget the key' }).click();
      await page.getByLabel('API key').waitFor();
      expect(await kept()).toBe('{}');
      await page.context().close();
    });
  });
} else {
  it('no browser was found, so nothing was typed in one', () => {
    expect(browserPath).toBeNull();
  });
}

/** A page in a tab of its own, with this key. */
async function openWith(key: string, path: string) {
  const context = await browser.newContext();
  const opened = await openConsole(context, app.url, path);
  await giveKey(opened.page, key);
  await untilRead(opened.page);
  // What the page without a key was refused is no problem of what follows.
  opened.problems.length = 0;
  return opened;
}

/** The key of the tab is valid no more. */
async function loseKey(page: Page): Promise<void> {
  await page.evaluate(() => sessionStorage.setItem('winnow.key', 'not-valid-0123456789abcdefgh'));
  await page.reload();
}

async function valuesOf(page: Page, names: readonly string[]): Promise<string[]> {
  const values: string[] = [];
  for (const name of names) {
    values.push(await page.getByLabel(name, { exact: true }).inputValue());
  }
  return values;
}

/** The server answers the next such request, and the page never hears of it. */
async function loseAnswer(page: Page, words: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let isLost = false;
    page
      .route('**/graphql', async (route) => {
        const isIt = !isLost && (route.request().postData() ?? '').includes(words);
        if (!isIt) return await route.continue();
        isLost = true;
        await route.fetch();
        resolve();
      })
      .catch(reject);
  });
}
