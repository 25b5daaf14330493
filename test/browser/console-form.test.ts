/** The form of a new batch and the pages around it: what each says before anything is sent. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { chatLine, submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole, untilRead, violationsOf } from '../support/console-page.ts';
import { answerWith, browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const perMinute = 60;

let sandbox: Sandbox;
let app: App;
let browser: Browser;

if (browserPath) {
  describe('the console', () => {
    beforeAll(async () => {
      sandbox = await startFaultySandbox();
      const test = { baseURL: sandbox.url, models: ['rules'] };
      const limits = { requestsPerMinute: perMinute };
      const PROVIDERS = JSON.stringify({ test, narrow: { ...test, limits } });
      [app, browser] = await Promise.all([
        startConsole({ PROVIDERS }, { sandbox }),
        launchBrowser(),
      ]);
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
      await sandbox?.close();
    });

    it('says how long all rows take at least where a limit is known, else nothing', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/new');
      await page.getByLabel('Categories').fill('praise, complaint');
      const texts = Array.from({ length: 2 * perMinute }, (_, n) => `text ${n}`);
      await page.getByLabel('Or paste texts').fill(texts.join('\n'));
      await page.getByText(`Counted from ${texts.length} rows`).waitFor();
      expect(await page.getByText('At least').count()).toBe(0);

      await page.getByLabel('Model').fill('narrow/rules');
      await page.getByText('At least 2 min: the limit is 60 requests a minute.').waitFor();
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('tries requests by a preview of ten of them', async () => {
      const lines = Array.from({ length: 12 }, (_, n) =>
        chatLine(`mail-${n}`, {
          model: 'test/rules',
          messages: [{ role: 'user', content: `Good ${n}` }],
        }),
      );
      const file = await upload(
        'requests.jsonl',
        lines.map((line) => JSON.stringify(line)),
      );
      const { page, problems } = await openConsole(browser, app.url, `/console/new?file=${file}`);
      await page.getByText('requests for OpenAI').waitFor();
      await page.getByRole('button', { name: 'Try 10 rows' }).click();

      const card = page.getByRole('region', { name: 'Preview is through' });
      await card.getByText('10 rows tried').waitFor();
      await card.getByText('2 rows are left').waitFor();
      const rows = page.getByRole('grid', { name: 'Results' });
      await rows.getByRole('columnheader', { name: 'id' }).waitFor();
      await rows.getByRole('gridcell', { name: 'mail-3', exact: true }).waitFor();
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('shows no column of ids that are only the places of rows', async () => {
      const id = await submitTexts(app, ['good', 'bad'], { name: 'without ids' });
      await untilEnded(app, id);
      const { page } = await openConsole(browser, app.url, `/console/batches/${id}`);
      const rows = page.getByRole('grid', { name: 'Results' });

      await rows.getByText('bad', { exact: true }).waitFor();
      expect(await rows.getByRole('columnheader').allInnerTexts()).not.toContain('id');
      await page.context().close();
    });

    it('puts what the server refuses at its fields, and the focus on the first', async () => {
      const { page } = await openConsole(browser, app.url, '/console/new');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Or paste texts').fill('good');
      await page.getByLabel('Model').fill('nobody/knows');
      await page.getByText('Webhook, expiry').click();
      await page.getByLabel('Webhook', { exact: true }).fill('https://10.0.0.1/hook');
      await page.getByText('Webhook, expiry').click();
      await page.getByRole('button', { name: 'Run 1 row' }).click();

      const model = page.getByLabel('Model');
      await model.and(page.locator('[aria-invalid="true"]:focus')).waitFor();
      expect(await problemOf(page, 'Model')).toContain('nobody');
      await model.fill('');
      await page.getByRole('button', { name: 'Run 1 row' }).click();
      const webhook = page.getByLabel('Webhook', { exact: true });
      await webhook.and(page.locator('[aria-invalid="true"]:focus')).waitFor();
      expect(await problemOf(page, 'Webhook')).toContain('public address');
      expect(await violationsOf(page)).toEqual([]);
      await webhook.fill('');
      await page.getByLabel('Gives up after').fill('721');
      await page.getByRole('button', { name: 'Run 1 row' }).click();
      await page.getByText('The time must be a number of hours above 0, at most 720').waitFor();
      await page.context().close();
    });

    it('tells at the field of an option behind a fold what is wrong with it', async () => {
      const { page } = await openConsole(browser, app.url, '/console/new');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Or paste texts').fill('good');
      await page.getByText('More options').click();
      await page.getByLabel('Temperature', { exact: true }).fill('hot');
      await page.getByText('More options').click();
      await page.getByRole('button', { name: 'Run 1 row' }).click();

      await page.getByText('Temperature must be a number').waitFor();
      const temperature = page.getByLabel('Temperature', { exact: true });
      await temperature.and(page.locator(':focus')).waitFor();
      await temperature.fill('0.5');
      await page.getByText('Temperature must be a number').waitFor({ state: 'detached' });
      await page.context().close();
    });

    it('says what was guessed of a file before it is run', async () => {
      const bytes = Buffer.from('text\ncaf\xe9\nth\xe9\n', 'latin1');
      const file = await upload('old.csv', [bytes.toString('latin1')], bytes);
      const { page } = await openConsole(browser, app.url, `/console/new?file=${file}`);

      await page
        .getByRole('region', { name: 'Data' })
        .getByText(/windows-1252/i)
        .waitFor();
      await page.context().close();
    });

    it('asks for no column of a file whose rows are texts', async () => {
      const file = await upload('letters.txt', ['good', 'bad']);
      const { page } = await openConsole(browser, app.url, `/console/new?file=${file}`);
      const columns = page.getByRole('region', { name: 'Columns' });

      await columns.getByText('each row is a text').waitFor();
      expect(await columns.getByRole('combobox').count()).toBe(0);
      await page.context().close();
    });

    it('shows each step as it can be pasted, and opens GraphiQL with it', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/new');
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByLabel('Or paste texts').fill('good');
      const same = page.getByRole('region', { name: 'Same as' });
      await same.getByText('winnow label texts.txt').waitFor();
      await same.getByLabel('Step').selectOption('Try');
      await same.getByText('--sample 5').waitFor();
      await same.getByRole('button', { name: 'curl' }).click();
      await same.getByText(/curl -sS .*\/graphql/).waitFor();
      await same.getByLabel('Step').selectOption('Quote');
      await same.getByRole('button', { name: 'GraphQL' }).click();
      await same.getByRole('link', { name: 'Open in GraphiQL' }).click();
      await page.waitForSelector('.graphiql-tab-button[title="Failures"]');
      await page.click('.graphiql-execute-button');

      expect(await answerWith(page, '"liveUsd"')).toContain('"items": 1');
      expect(problems).toEqual([]);
      await page.context().close();
    });

    it('leads to GraphiQL with what the page asks', async () => {
      const id = await submitTexts(app, ['good'], { name: 'asked by both' });
      await untilEnded(app, id);
      const { page, problems } = await openConsole(browser, app.url, `/console/batches/${id}`);
      await page.getByRole('heading', { name: 'asked by both' }).waitFor();
      await page.getByRole('link', { name: 'GraphiQL' }).click();
      await page.waitForSelector('.graphiql-tab-button[title="Batch"]');
      await page.click('.graphiql-execute-button');
      expect(await answerWith(page, id)).toContain(id);

      for (const path of ['', '/files', '/models', '/settings']) {
        await page.goto(`${app.url}/console${path}`);
        await untilRead(page);
        const link = page.getByRole('link', { name: 'GraphiQL' });
        expect(await link.getAttribute('href'), path).toContain('?query=query');
      }
      expect(problems).toEqual([]);
      await page.context().close();
    });
  });
} else {
  it('no browser was found, so no form was looked at in one', () => {
    expect(browserPath).toBeNull();
  });
}

/** What stands at a field as its problem. */
async function problemOf(page: Page, label: string): Promise<string> {
  const field = page.getByLabel(label, { exact: true });
  const ids = ((await field.getAttribute('aria-describedby')) ?? '').split(' ');
  const problem = ids.find((id) => id.endsWith('-problem')) ?? '';
  return await page.locator(`[id="${problem}"]`).innerText();
}

async function upload(name: string, lines: readonly string[], body?: Buffer): Promise<string> {
  const url = `${app.url}/files?name=${name}`;
  const sent = body ? new Uint8Array(body) : lines.join('\n');
  const response = await fetch(url, { method: 'POST', body: sent });
  const { id } = (await response.json()) as { id?: string };
  if (!id) throw new Error(`${name} was refused: ${response.status}`);
  return id;
}
