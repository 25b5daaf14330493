/** Batches that wait for somebody, and rows that are looked for: what a person does about both. */
import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

let sandbox: Sandbox;
let app: App;
let browser: Browser;

if (browserPath) {
  describe('the console leads on', () => {
    beforeAll(async () => {
      sandbox = await startFaultySandbox();
      const test = { baseURL: sandbox.url, models: ['rules'] };
      const env = {
        // What one asks to wait waits for nobody else.
        PROVIDERS: JSON.stringify({ test, busy: test }),
        PRICES: JSON.stringify({ 'test/rules': { input: 1_000, output: 4_000 } }),
        WORKER_CONCURRENCY: '4',
      };
      [app, browser] = await Promise.all([startConsole(env, { sandbox }), launchBrowser()]);
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
      await sandbox?.close();
    });

    it('where the limit on the cost is reached, from the list and from the page', async () => {
      const texts = Array.from({ length: 30 }, (_, n) => `good ${n}`);
      const id = await submitTexts(app, texts, { name: 'too dear', maxCostUsd: 0.6 });
      const { page, problems } = await openConsole(browser, app.url, '/console');
      const row = page.getByRole('row', { name: 'too dear' });
      await row.getByText('Paused: budget').waitFor();
      await row.getByText(/of \$0\.60 spent/).waitFor();

      await row.getByRole('button', { name: 'Raise the limit' }).click();
      const dialog = page.getByRole('dialog');
      const limit = dialog.getByLabel('New limit in USD');
      await limit.fill('0.1');
      await dialog.getByText('The limit must be a number above').waitFor();
      await limit.fill('1.5');
      await dialog.getByRole('button', { name: 'Go on' }).click();
      await row.getByText(/of \$1\.50 spent/).waitFor();

      await page.goto(`${app.url}/console/batches/${id}`);
      const card = page.getByRole('region', { name: 'Paused: the limit is reached' });
      await card.getByText('$1.50', { exact: true }).waitFor();
      await card.getByLabel('New limit in USD').fill('1000');
      await card.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('Completed', { exact: true }).waitFor();
      await page.getByText('30 of 30 answered').waitFor();
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('after a pause, and shows the bar of what runs as its icon', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console');
      await page.getByText('Live', { exact: true }).waitFor();
      const mark = await iconOf(page);
      const remove = sandbox.faults.add({ fault: { kind: 'latency', ms: 300 } });
      const texts = Array.from({ length: 200 }, (_, n) => `good ${n}`);
      const id = await submitTexts(app, texts, { name: 'takes a while' });
      await page.waitForFunction(
        (before) => document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href !== before,
        mark,
      );
      expect(decodeURIComponent(await iconOf(page))).toContain('<rect');

      await page.goto(`${app.url}/console/batches/${id}`);
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused', { exact: true }).waitFor();
      await page.getByText('nothing is sent').waitFor();
      remove();
      await page.getByRole('button', { name: 'Go on' }).click();
      await page.getByText('Completed', { exact: true }).waitFor();
      await page.waitForFunction(
        (before) => document.querySelector<HTMLLinkElement>('link[rel=icon]')?.href === before,
        mark,
      );
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('by itself when the provider answers again', async () => {
      const remove = sandbox.faults.add({
        fault: { kind: 'rate_limited', retryAfter: 3_600 },
        when: ({ text }) => text.includes('later'),
      });
      const id = await submitTexts(app, ['good later', 'bad later'], {
        name: 'has to wait',
        operation: { label: { categories: ['praise', 'complaint'], model: 'busy/rules' } },
      });
      const { page, problems } = await openConsole(browser, app.url, '/console');
      await page.getByRole('row', { name: 'has to wait' }).getByText('Waits for busy').waitFor();

      await page.goto(`${app.url}/console/batches/${id}`);
      const card = page.getByRole('region', { name: 'Waits for busy' });
      await card.getByText('The batch goes on by itself.').waitFor();
      await card.getByText(/It is tried again at/).waitFor();
      remove();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByText('Cancelled', { exact: true }).waitFor();
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('from a label, a confidence and a text to the rows that have them, and downloads those', async () => {
      const texts = Array.from({ length: 20 }, (_, n) => `${n % 4 ? 'good' : 'bad'} parcel ${n}`);
      const id = await submitTexts(app, texts, { name: 'looked through' });
      await untilEnded(app, id);
      const { page, problems } = await openConsole(browser, app.url, `/console/batches/${id}`);
      const rows = page.getByRole('grid', { name: 'Results' });
      const below = page.getByRole('region', { name: 'Rows' }).getByText(/ of 20$|^20 rows$/);

      await page.getByRole('button', { name: /^complaint 5 / }).click();
      await below.getByText('5 rows of 20').waitFor();
      expect(new URL(page.url()).searchParams.getAll('label')).toEqual(['complaint']);
      expect(await rowsOfDownload(page)).toHaveLength(5);
      await page
        .getByRole('button', { name: /^complaint/ })
        .last()
        .click();
      await below.getByText('20 rows').waitFor();

      const line = page.getByRole('slider', { name: 'Confidence below' });
      await line.press('End');
      await page.getByRole('button', { name: 'below 1' }).waitFor();
      await line.press('Home');
      await page.getByRole('button', { name: 'below 0.01' }).waitFor();
      await page.getByText('No row matches').waitFor();
      await page.getByRole('button', { name: 'Clear the filter' }).click();
      await page.getByRole('button', { name: 'Least sure first' }).click();
      await page.getByText('20 rows with a confidence').waitFor();
      const sure = await rows.locator('[role=gridcell].sure').allInnerTexts();
      expect(sure.length).toBeGreaterThan(5);
      expect(sure).toEqual([...sure].sort());
      await page.getByRole('button', { name: 'Least sure first' }).click();

      await page.getByLabel('Find in text').fill('parcel 7');
      await below.getByText('1 row of 20').waitFor();
      await page.getByRole('button', { name: 'Download' }).click();
      await page.getByText('Off: a download cannot look for a text.').waitFor();
      expect(await page.getByRole('menuitem', { name: /^CSV/ }).isDisabled()).toBe(true);
      await page.keyboard.press('Escape');
      await page.reload();
      await below.getByText('1 row of 20').waitFor();
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('to a second try after a change, whose first answers turn grey', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/new');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Or paste texts').fill('good\nbad\ngood again');
      await page.getByRole('button', { name: 'Try 5 rows' }).click();
      await page.getByText('3 of 3 answered').waitFor();
      const answers = page.getByRole('region', { name: 'Answers' });
      expect(await opacityOf(answers)).toBe(1);

      await page.getByLabel('Instructions').fill('Be kind.');
      await page.getByText('These answers are of before the last change.').waitFor();
      expect(await opacityOf(answers)).toBeLessThan(1);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page
        .getByText('These answers are of before the last change.')
        .waitFor({ state: 'detached' });
      expect(await opacityOf(answers)).toBe(1);
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('to a run of a file of which rows were left out after one more question', async () => {
      const body = 'text,n\ngood,1\nbad,2\nonly one\n';
      const sent = await fetch(`${app.url}/files?name=ragged.csv`, { method: 'POST', body });
      const { id } = (await sent.json()) as { id: string };
      const { page, problems } = await openConsole(browser, app.url, `/console/new?file=${id}`);
      await page.getByText('1 row left out').click();
      await page.getByText(/^row 3: /).waitFor();
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByRole('button', { name: 'Run 2 rows' }).click();

      const dialog = page.getByRole('dialog');
      await dialog.getByText('1 row of the file could not be read').waitFor();
      await dialog.getByRole('button', { name: 'Run 2 rows' }).click();
      await page.getByRole('heading', { name: 'ragged' }).waitFor();
      expect(problems).toEqual([]);
      await page.context().close();
    });
  });
} else {
  it('no browser was found, so no batch was led on in one', () => {
    expect(browserPath).toBeNull();
  });
}

async function iconOf(page: Page): Promise<string> {
  const icon = page.locator('link[rel=icon]');
  return (await icon.getAttribute('href')) ?? '';
}

async function opacityOf(element: Locator): Promise<number> {
  return Number(await element.evaluate((one) => getComputedStyle(one).opacity));
}

/** The rows of the CSV that the menu gives, without its head. */
async function rowsOfDownload(page: Page): Promise<string[]> {
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByText('The filter goes along.').waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: /^CSV/ }).click();
  const [, ...rows] = readFileSync(await (await download).path(), 'utf8')
    .trimEnd()
    .split('\n');
  return rows;
}
