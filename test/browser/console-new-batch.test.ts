/** The form of a new batch while answers come late: what a person did meanwhile stays. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';
import { until } from '../support/until.ts';

const csv = { name: 'late.csv', mimeType: 'text/csv', buffer: Buffer.from('text\ngood\nbad\n') };

let app: App;
let browser: Browser;

if (browserPath) {
  describe('the form of a new batch', () => {
    beforeAll(async () => {
      [app, browser] = await Promise.all([startConsole(), launchBrowser()]);
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('keeps what was typed before the batch to begin with is read', async () => {
      const id = await submitTexts(app, ['good'], {
        name: 'the first',
        operation: { label: { categories: ['praise', 'complaint'], instructions: 'Be kind.' } },
      });
      await untilEnded(app, id);
      const { page, problems } = await openConsole(browser, app.url, '/console/settings');
      const late = await hold(page, 'query SourceBatch');
      await page.goto(`${app.url}/console/new?from=${id}`);
      await late.asked;
      await page.getByLabel('Or paste texts').fill('good\nbad');
      await page.getByLabel('Name', { exact: true }).fill('the second');
      await page.getByText('More options').click();
      await page.getByLabel('Temperature', { exact: true }).fill('0.5');
      late.release();

      await untilValue(page, 'Categories', 'praise\ncomplaint');
      await untilValue(page, 'Instructions', 'Be kind.');
      await untilValue(page, 'Temperature', '0.5');
      await untilValue(page, 'Or paste texts', 'good\nbad');
      await untilValue(page, 'Name', 'the second');
      await page.getByText('Counted from 2 rows').waitFor();
      await page.getByRole('button', { name: 'Run 2 rows' }).click();
      await page.getByRole('heading', { name: 'the second' }).waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('shows the quote of the last change, whichever answer comes first', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/new');
      const late = await hold(page, 'query QuoteRun');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Or paste texts').fill('good');
      await late.asked;
      await page.getByLabel('Or paste texts').fill('good\nbad\ngood');
      await page.getByText('Counted from 3 rows').waitFor();
      const answered = page.waitForResponse(isOf('query QuoteRun'));
      late.release();
      await (await answered).finished();

      await page.getByText('1 row is like an earlier one.').waitFor();
      expect(await page.getByText('Counted from 1 row').count()).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('keeps the name that was typed while a file was on its way', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/new');
      const late = await hold(page, '/files?');
      await page.locator('input[type=file]').setInputFiles(csv);
      await late.asked;
      await page.getByLabel('Name', { exact: true }).fill('mine');
      expect(await page.getByLabel('Or paste texts').isDisabled()).toBe(true);
      late.release();

      await page.getByText('late.csv').first().waitFor();
      await page.getByRole('heading', { name: 'All 2 rows' }).waitFor();
      await untilValue(page, 'Name', 'mine');
      expect(problems).toEqual([]);
      await page.close();
    });

    it('does not take a person back who has gone to another page', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/new');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Or paste texts').fill('good');
      const late = await hold(page, 'mutation SubmitBatch');
      await page.getByRole('button', { name: 'Run 1 row' }).click();
      await late.asked;
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('heading', { name: 'Settings' }).waitFor();
      const answered = page.waitForResponse(isOf('mutation SubmitBatch'));
      late.release();
      await (await answered).finished();
      // What the answer leads to is drawn by the next frames.
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => setTimeout(done))),
      );

      expect(await page.getByRole('heading', { name: 'Settings' }).count()).toBe(1);
      expect(problems).toEqual([]);
      await page.close();
    });
  });
} else {
  it('no browser was found, so no form was filled in one', () => {
    expect(browserPath).toBeNull();
  });
}

type Request = ReturnType<Awaited<ReturnType<Page['waitForResponse']>>['request']>;

/** Whether its address or its document has this. */
function has(request: Request, words: string): boolean {
  if (request.url().includes(words)) return true;
  return request.url().endsWith('/graphql') && (request.postData() ?? '').includes(words);
}

function isOf(words: string) {
  return (response: { request(): Request }) => has(response.request(), words);
}

/** Keeps the next such request from the server until it is released. */
async function hold(page: Page, words: string): Promise<{ asked: Promise<void>; release(): void }> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = page.waitForRequest((request) => has(request, words)).then(() => {});
  let isHeld = false;
  await page.route('**', async (route) => {
    if (isHeld || !has(route.request(), words)) return await route.continue();
    isHeld = true;
    await released;
    await route.continue();
  });
  return { asked, release };
}

/** Waits until the field of this name has this value. */
async function untilValue(page: Page, name: string, value: string): Promise<void> {
  const field = page.getByLabel(name, { exact: true });
  await until(async () => (await field.inputValue()) === value, {
    deadlineMs: 10_000,
    what: `${value} in ${name}`,
  });
}
