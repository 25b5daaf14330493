/** The console beside its server: killed under an open page, two owners, and keys. */
import type { Browser, WebSocketRoute } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Winnow } from '../../src/client/index.ts';
import { submitTexts } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { consoleDataDirectory, startConsole } from '../support/console-app.ts';
import { giveKey, openConsole, untilRead } from '../support/console-page.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { browserPath, launchBrowser, runTab } from '../support/graphiql-browser.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const bobsKey = 'bobs-key-0123456789abcdefgh';
const wrongKey = 'wrong-key-0123456789abcdefgh';

let browser: Browser;

if (browserPath) {
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  describe('a server that dies under an open page', () => {
    let database: TestDatabase;
    let port: number;
    let program: Program;

    beforeAll(async () => {
      [database, port] = await Promise.all([createTestDatabase(), freePort()]);
      program = await start();
    });
    afterAll(async () => {
      program?.process.kill('SIGKILL');
      await program?.ended;
      await database?.drop();
    });

    it('is told, and what it says after its next start is shown without a reload', async () => {
      const url = `http://127.0.0.1:${port}`;
      const winnow = new Winnow({ url });
      const label = { categories: ['praise', 'complaint'] };
      const draft = await winnow.batches.submit({ label, source: ['good'], autoStart: false });
      const { page } = await openConsole(browser, url, `/console/batches/${draft.id}`);
      await page.getByText('Draft', { exact: true }).waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      const list = await openConsole(browser, url, '/console');
      await untilRead(list.page);
      const form = (await openConsole(browser, url, '/console/new')).page;
      await form.getByText('Live', { exact: true }).waitFor();
      await form.getByLabel('Categories').fill('praise, complaint');

      program.process.kill('SIGKILL');
      await program.ended;
      await page.getByText(/^Offline, trying again/).waitFor();
      await page.getByText(/^Offline since/).waitFor();
      await page.getByText('Draft', { exact: true }).waitFor();
      expect(await page.getByRole('button', { name: 'Start' }).getAttribute('aria-disabled')).toBe(
        'true',
      );
      await page.getByRole('grid', { name: 'Results' }).getByText('good').click();
      const row = page.getByRole('region', { name: 'Row 0' });
      await row.getByText('The row could not be read.').waitFor();
      await form.getByLabel('Or paste texts').fill('good');
      await form.getByText('The cost is unknown: The server cannot be reached.').waitFor();
      program = await start();
      await page.getByText('Live', { exact: true }).waitFor();
      await row.getByText('Waits for its turn.').waitFor();
      await list.page.getByText('Live', { exact: true }).waitFor();
      await winnow.batches.submit({ label, source: ['good'], name: 'after the start' });
      await list.page.getByRole('link', { name: 'after the start' }).waitFor();
      await page.getByRole('button', { name: 'Start' }).click();
      await page.getByText('Completed', { exact: true }).waitFor();
      await form.getByText('Counted from 1 row').waitFor();
      await page.close();
      await list.page.close();
      await form.close();
    });

    async function start(): Promise<Program> {
      const started = startProgram({
        PORT: String(port),
        DATABASE_URL: database.url,
        CONSOLE: 'on',
        DATA_DIR: consoleDataDirectory,
      });
      await until(() => started.out.includes('is up') || started.process.exitCode !== null, {
        deadlineMs: 30_000,
        what: 'the start of the program',
      });
      return started;
    }
  });

  describe('a server with keys', () => {
    let app: App;

    beforeAll(async () => {
      app = await startConsole({ API_KEYS: `anna:${annaKey},bob:${bobsKey}` });
    });
    afterAll(async () => {
      await app?.stop();
    });

    it('asks for one, asks again after a wrong one, and keeps it in the tab alone', async () => {
      const anna = { authorization: `Bearer ${annaKey}` };
      const id = await submitTexts(app, ['good'], { name: 'of anna', headers: anna });
      const context = await browser.newContext();
      const { page, problems } = await openConsole(context, app.url, `/console/batches/${id}`);

      await giveKey(page, wrongKey);
      await page.getByText('This key is not valid here').waitFor();
      await giveKey(page, annaKey);
      await page.getByRole('heading', { name: 'of anna' }).waitFor();
      // The browser itself notes each answer that is a refusal.
      expect(problems.filter((problem) => !problem.includes('401'))).toEqual([]);

      expect(await page.evaluate(() => Object.entries(sessionStorage))).toEqual([
        ['winnow.key', annaKey],
      ]);
      const kept = await page.evaluate(() =>
        JSON.stringify([localStorage, document.cookie, location.href, history.state]),
      );
      expect(kept + JSON.stringify(await context.storageState())).not.toContain(annaKey);
      await page.reload();
      await page.getByRole('heading', { name: 'of anna' }).waitFor();
      await page.getByRole('link', { name: 'GraphiQL' }).click();
      expect(await runTab(page, 'Welcome', 'defaultModel')).toContain('test/rules');
      await context.close();
    });

    it('drops a socket that is still to be opened without an error', async () => {
      const context = await browser.newContext();
      const { page, problems } = await openConsole(context, app.url, '/console');
      await giveKey(page, annaKey);
      await page.getByText('Live', { exact: true }).waitFor();
      // Each waits for its answer, the first until its key is gone.
      const opened: WebSocketRoute[] = [];
      await page.routeWebSocket(/graphql/, (socket) => {
        opened.push(socket);
      });
      await page.goto(`${app.url}/console/settings`);
      await until(() => opened.length > 0, { deadlineMs: 10_000, what: 'a socket' });
      problems.length = 0;
      await page.getByRole('button', { name: 'Forget the key' }).click();
      await page.getByRole('textbox', { name: 'API key' }).waitFor();
      await opened[0]?.close({ code: 4403, reason: 'Forbidden' });
      // Who asks for what follows a refusal has heard of it.
      await page.evaluate(() => new Promise((done) => setTimeout(done)));

      expect(problems.filter((problem) => !problem.includes('401'))).toEqual([]);
      await context.close();
    });

    it('opens the list that was asked for before the key was given', async () => {
      const { page } = await openConsole(browser, app.url, '/console/files');
      // By keys alone: the field has the focus each time.
      await page.locator('#key:focus').waitFor();
      await page.keyboard.type(`${wrongKey}\n`);
      await page.getByText('This key is not valid here').waitFor();
      await page.locator('#key:focus').waitFor();
      await page.keyboard.type(`${annaKey}\n`);
      await page.getByRole('heading', { name: 'No file yet' }).waitFor();
      expect(await page.getByRole('alert').count()).toBe(0);
      await page.close();
    });

    it('shows nothing that was read with the key of another owner in the same tab', async () => {
      const headers = { authorization: `Bearer ${annaKey}` };
      const id = await submitTexts(app, ['secret good'], { name: 'hers alone', headers });
      const { page } = await openConsole(browser, app.url, '/console');
      await giveKey(page, annaKey);
      await page.getByRole('link', { name: 'hers alone' }).click();
      await page.getByText('secret good').first().waitFor();
      await page.getByRole('link', { name: 'Settings' }).click();
      await page.getByRole('button', { name: 'Forget the key' }).click();
      await page.getByLabel('API key').waitFor();
      let letGo = () => {};
      const answers = new Promise<void>((resolve) => {
        letGo = resolve;
      });
      // What is shown before an answer comes was read with the key of before.
      await page.route('**/graphql', async (route) => {
        await answers;
        await route.continue();
      });
      await giveKey(page, bobsKey);
      for (const name of ['Batches', 'New batch']) {
        await page.getByRole('navigation').getByRole('link', { name }).click();
        await page.getByRole('heading', { name, level: 1 }).waitFor();
        expect(await page.locator('body').innerText()).not.toMatch(/hers alone|secret good/);
      }
      // Back to her batch, which the page would have kept.
      await page.evaluate(() => history.go(-3));
      await page.waitForURL(`${app.url}/console/batches/${id}`);
      await page.getByRole('status', { name: 'Loading' }).first().waitFor();
      expect(await page.locator('body').innerText()).not.toMatch(/hers alone|secret good/);
      letGo();
      await page.goto(`${app.url}/console/batches/${id}`);
      await page.getByRole('heading', { name: /no such batch/ }).waitFor();
      expect(await page.locator('body').innerText()).not.toMatch(/hers alone|secret good/);
      await page.close();
    });

    it('shows each of two owners what is theirs', async () => {
      const context = await browser.newContext();
      const owners = [
        ['anna', annaKey],
        ['bob', bobsKey],
      ] as const;
      const pages = await Promise.all(
        owners.map(async ([name, key]) => {
          const { page } = await openConsole(context, app.url, '/console');
          await giveKey(page, key);
          await page.getByRole('heading', { name: 'Batches' }).waitFor();
          return { page, name, key };
        }),
      );

      for (const { name, key } of pages) {
        const headers = { authorization: `Bearer ${key}` };
        await submitTexts(app, ['good'], { name: `live of ${name}`, headers });
      }
      for (const { page, name } of pages) {
        await page.getByRole('link', { name: `live of ${name}` }).waitFor();
        const other = name === 'anna' ? 'bob' : 'anna';
        expect(await page.getByRole('link', { name: `of ${other}` }).count()).toBe(0);
      }
      const [annas, bobs] = pages;
      await annas?.page.getByRole('link', { name: 'live of anna' }).click();
      await annas?.page.getByRole('heading', { name: 'live of anna' }).waitFor();
      await bobs?.page.goto(annas?.page.url() ?? '');
      await bobs?.page.getByRole('heading', { name: /no such batch/ }).waitFor();
      await context.close();
    });
  });
} else {
  it('no browser was found, so the console was not opened in one', () => {
    expect(browserPath).toBeNull();
  });
}
