/** What the console says where the API has null: never 0, and never an empty place. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';
import { until } from '../support/until.ts';

/** Above it identical rows are not counted. */
const mostCompared = 100_000;

let sandbox: Sandbox;
let app: App;
let browser: Browser;

if (browserPath) {
  describe('where the API knows nothing, the console', () => {
    beforeAll(async () => {
      sandbox = await startFaultySandbox();
      const test = { baseURL: sandbox.url, models: ['rules'], batches: false };
      const env = {
        PROVIDERS: JSON.stringify({ test, jobs: { ...test, batches: true } }),
        // Its answers have no probabilities that a confidence could be told from.
        ANTHROPIC_API_KEY: 'sk-ant-test',
        ANTHROPIC_BASE_URL: sandbox.url.replace(/\/v1$/, ''),
      };
      [app, browser] = await Promise.all([startConsole(env, { sandbox }), launchBrowser()]);
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
      await sandbox?.close();
    });

    it('says of a provider that it was not called yet, and of its limits that none is known', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console/models');
      const provider = page.getByRole('listitem').filter({
        has: page.getByRole('heading', { name: 'jobs', exact: true }),
      });

      await provider.getByText('Not called yet', { exact: true }).waitFor();
      await provider.getByText('requests a minute: not known yet').waitFor();
      await provider.getByText('tokens a minute: not known yet').waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('says in the form what is not counted, and which lane there is not', async () => {
      const file = await upload(`text\n${'good\n'.repeat(mostCompared + 1)}`);
      const { page, problems } = await openConsole(browser, app.url, `/console/new?file=${file}`);
      await page.getByLabel('Categories').fill('praise, complaint');

      await page.getByText('Not counted above 100,000 rows.').waitFor();
      await page.getByText('How many rows are too long for the model is unknown.').waitFor();
      const cost = page.getByRole('region', { name: 'Cost and start' });
      await cost.getByText('no batch API', { exact: true }).waitFor();
      expect(await cost.getByRole('radio', { name: /Batch API/ }).isDisabled()).toBe(true);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('says of a batch at a batch API that its answers come all at once', async () => {
      const options = { categories: ['praise', 'complaint'], model: 'jobs/rules' };
      const id = await submitTexts(app, ['good'], {
        execution: 'PROVIDER_BATCH',
        operation: { label: options },
        autoStart: false,
      });
      const { page } = await openConsole(browser, app.url, `/console/batches/${id}`);

      await figure(page, 'Pace all at once as each job comes back');
      await page.close();
    });

    it('says of answers without a confidence that none was given', async () => {
      const options = { categories: ['praise', 'complaint'], model: 'anthropic/rules' };
      sandbox.faults.add({
        fault: { kind: 'content', content: '{"label":"praise"}' },
        when: ({ text }) => text.includes('plainly'),
      });
      const id = await submitTexts(app, ['plainly good', 'plainly bad'], {
        operation: { label: options },
      });
      await untilEnded(app, id);
      const { page, problems } = await openConsole(
        browser,
        app.url,
        `/console/batches/${id}?row=0`,
      );

      await figure(page, 'Median confidence unknown no confidence given');
      await page.getByText('unknown: no confidence given').waitFor();
      const row = page.getByRole('row', { name: 'plainly good' });
      await row.getByText('unknown', { exact: true }).waitFor();
      const opened = page.getByRole('region', { name: 'Row 0' });
      await opened.getByText('confidence unknown', { exact: true }).waitFor();
      expect(await page.getByRole('main').innerText()).not.toMatch(/\b0\.00\b|NaN|null/);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('says in the list what is not counted yet, and has no confidence where none can be', async () => {
      const operation = { summarize: {} };
      const id = await submitTexts(app, ['A letter.'], {
        name: 'never counted',
        operation,
        autoStart: false,
      });
      const { page } = await openConsole(browser, app.url, '/console/settings');
      await page.route('**/graphql', async (route) => {
        const { status, body } = await answerOf(route);
        for (const { node } of body.data?.batches?.edges ?? []) node.quote &&= null;
        await route.fulfill({ status, json: body });
      });
      await page.goto(`${app.url}/console?name=never+counted`);
      const row = page.getByRole('row', { name: 'never counted' });
      await row.getByText('not counted yet', { exact: true }).waitFor();
      await page.unrouteAll({ behavior: 'ignoreErrors' });

      await page.goto(`${app.url}/console/batches/${id}`);
      await figure(page, 'Sent twice 0 no worker died');
      expect(await page.getByRole('main').innerText()).not.toMatch(/[Cc]onfidence/);
      await page.close();
    });

    it('leaves out how long the rest takes, and names the lane that is not there', async () => {
      const texts = Array.from({ length: 20 }, (_, n) => `good ${n}`);
      const id = await submitTexts(app, texts, { preview: 10 });
      const { page } = await openConsole(browser, app.url, '/console/settings');
      // A preview that answered in no time at all has no pace; none is that quick in a test.
      await page.route('**/graphql', async (route) => {
        const { status, body } = await answerOf(route);
        const projection = body.data?.batch?.projection;
        if (projection) projection.liveSeconds = null;
        await route.fulfill({ status, json: body });
      });
      await page.goto(`${app.url}/console/batches/${id}`);
      const card = page.getByRole('region', { name: 'Preview is through' });

      await card.getByText('It rests on').waitFor();
      await card.getByText('no batch API', { exact: true }).waitFor();
      expect(await card.getByText('It takes').count()).toBe(0);
      expect(await card.innerText()).not.toMatch(/\b0 (min|s)\b|∞|NaN|null/);
      // An answer that is on its way has nobody to go to any more.
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      await page.close();
    });
  });
} else {
  it('no browser was found, so nothing unknown was shown in one', () => {
    expect(browserPath).toBeNull();
  });
}

async function answerOf(route: Parameters<Parameters<Page['route']>[1]>[0]) {
  const response = await route.fetch();
  return { status: response.status(), body: (await response.json()) as Record<string, any> };
}

async function upload(text: string): Promise<string> {
  const response = await fetch(`${app.url}/files?name=many.csv`, { method: 'POST', body: text });
  const { id } = (await response.json()) as { id?: string };
  if (!id) throw new Error(`The file was refused: ${response.status}`);
  return id;
}

/** Waits for a figure of a batch: its name, its value and its note. */
async function figure(page: Page, words: string): Promise<void> {
  const text = async () => (await page.getByRole('main').innerText()).replaceAll(/\s+/g, ' ');
  await until(async () => (await text()).includes(words), {
    deadlineMs: 10_000,
    what: words,
  });
}
