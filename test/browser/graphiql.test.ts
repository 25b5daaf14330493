/** GraphiQL as a newcomer meets it: in a real browser, on a server without keys. */
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTabs } from '../../src/faces/console/graphiql/tabs.ts';
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

const tabs = createTabs('');

let app: App;
let browser: Browser;

if (browserPath) {
  describe('in a browser', () => {
    beforeAll(async () => {
      app = await startApp();
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('every tab answers on an empty server, from the last to the first, and nothing comes from outside', {
      timeout: 60_000,
    }, async () => {
      const { page, addresses, problems } = await openGraphiQL(browser, app.url);

      expect(await runTab(page, 'Failures', 'totalCount')).toContain('Run the tab SubmitBatch');
      expect(await runTab(page, 'Files', 'fileRows')).toContain('There is no file yet');
      expect(await runTab(page, 'Answers', 'totalCount')).toContain('Run the tab SubmitBatch');
      expect(await runTab(page, 'WatchProgress', 'hint')).toContain('Run the tab SubmitBatch');
      expect(await runTab(page, 'HalfPrice', 'batch_')).toContain('"PROVIDER_BATCH"');
      expect(await runTab(page, 'OwnRequests', 'batch_')).toContain('json_object');
      expect(await runTab(page, 'SubmitBatch', 'batch_')).toContain('"total": 2000');
      expect(await runTab(page, 'LabelTexts', 'confidence')).toContain('"complaint"');
      expect(await runTab(page, 'Welcome', 'defaultModel')).toContain('test/rules');
      expect(
        addresses.filter(
          (address) => !address.startsWith(app.url) && !/^(blob|data):/.test(address),
        ),
      ).toEqual([]);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('every tab answers once there is something, in their order, and live events come as they happen', {
      timeout: 60_000,
    }, async () => {
      const { page, problems } = await openGraphiQL(browser, app.url);

      expect(await runTab(page, 'Welcome', 'defaultModel')).toContain('test/rules');
      expect(await runTab(page, 'LabelTexts', 'confidence')).toContain('"question-7"');
      expect(await runTab(page, 'SubmitBatch', 'batch_')).toContain('"total": 2000');
      expect(await runTab(page, 'WatchProgress', 'people and dates')).toContain('"progress"');
      await untilAllEnded(app);
      await submitTexts(app, ['good'], { name: 'from another window' });
      await fetch(`${app.url}/files?name=reviews.csv`, {
        method: 'POST',
        body: 'text,n\ngood,1\n',
      });
      expect(await answerWith(page, 'from another window')).toContain('"progress"');
      expect(await runTab(page, 'Answers', 'totalCount')).toContain('from another window');
      expect(await runTab(page, 'Files', 'totalCount')).toContain('reviews.csv');
      expect(await runTab(page, 'OwnRequests', 'batch_')).toContain('json_object');
      expect(await runTab(page, 'HalfPrice', 'batch_')).toContain('"PROVIDER_BATCH"');
      expect(await runTab(page, 'Failures', 'errorSummary')).toContain('webhookDeliveries');
      expect(problems).toEqual([]);
      await page.close();
    });

    it('a tab opens at the first click, and is there again after a reload', {
      timeout: 60_000,
    }, async () => {
      const { page } = await openGraphiQL(browser, app.url);

      for (const name of ['LabelTexts', 'Answers', 'Welcome', 'Failures', 'SubmitBatch']) {
        await page.click(`.graphiql-tab-button[title="${name}"]`);
        await page.waitForSelector(`[aria-selected=true] [title="${name}"]`, { timeout: 2_000 });
      }
      await page.waitForFunction(() => localStorage.getItem('graphiql:variables'));
      await page.reload();
      await page.waitForSelector('.graphiql-tab-button[title="WatchProgress"]');
      expect(await page.$$('.graphiql-tab')).toHaveLength(tabs.length);
      await page.close();
    });

    it.each([1_280, 1_400])(
      'at %i pixels no tab is cut off',
      { timeout: 60_000 },
      async (width) => {
        const { page } = await openGraphiQL(browser, app.url, { width, height: 800 });

        const bar = await page.locator('.graphiql-tabs').boundingBox();
        const last = await page.locator('.graphiql-tab').last().boundingBox();
        expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(
          (bar?.x ?? 0) + (bar?.width ?? 0),
        );
        await page.close();
      },
    );

    it('a link in an answer opens by a plain click, and pulling over it opens nothing', {
      timeout: 60_000,
    }, async () => {
      await submitTexts(app, ['good'], { name: 'to be read' });
      const { page } = await openGraphiQL(browser, app.url);
      await runTab(page, 'Answers', 'signature=');
      const link = page.locator('.result-window .detected-link').first();
      const box = await link.boundingBox();
      const opened: unknown[] = [];
      page.context().on('page', (other) => opened.push(other));

      await page.mouse.move((box?.x ?? 0) + 10, (box?.y ?? 0) + 5);
      await page.mouse.down();
      await page.mouse.move((box?.x ?? 0) + 60, (box?.y ?? 0) + 5, { steps: 4 });
      await page.mouse.up();
      expect(opened).toEqual([]);

      const download = page.waitForEvent('download');
      await link.click();
      expect(readFileSync(await (await download).path(), 'utf8')).toContain('good');
      await page.close();
    });

    it('a subscription that is refused shows why', { timeout: 60_000 }, async () => {
      const { page } = await openGraphiQL(browser, app.url);
      for (const [text, reason] of [
        ['subscription Own { batchProgress(id: "batch_no") { id } }', 'NOT_FOUND'],
        ['subscription Own { nothing }', 'Cannot query field'],
      ] as const) {
        await page.goto(`${app.url}/graphql?query=${encodeURIComponent(text)}`);
        await page.waitForSelector('[aria-selected=true] [title="Own"]');
        await page.click('.graphiql-execute-button');
        expect(await answerWith(page, 'errors')).toContain(reason);
      }
      await page.close();
    });

    it('a link to a query shows it at the first visit', { timeout: 60_000 }, async () => {
      const page = await browser.newPage();

      await page.goto(
        `${app.url}/graphql?query=${encodeURIComponent('query Linked { __typename }')}`,
      );

      await page.waitForSelector('[aria-selected=true] [title="Linked"]');
      await page.click('.graphiql-execute-button');
      expect(await answerWith(page, '__typename')).toContain('Query');
      await page.close();
    });

    it('a stream that the server cuts off says so', { timeout: 60_000 }, async () => {
      const other = await startApp();
      const { page } = await openGraphiQL(browser, other.url);
      await showTab(page, 'WatchProgress');
      const stream = page.waitForResponse(
        (response) => response.headers()['content-type'] === 'text/event-stream',
      );
      await page.click('.graphiql-execute-button');
      await stream;

      await other.stop();

      expect(await answerWith(page, 'broke off')).toContain('run this again');
      await until(async () => (await page.$$('.graphiql-spinner')).length === 0, {
        deadlineMs: 5_000,
        what: 'the end of the spinner',
      });
      await page.close();
    });
  });
} else {
  it('no browser was found, so the tabs were not run in one', () => {
    process.stderr.write('GraphiQL was not tried in a browser: none was found\n');
    expect(tabs).toHaveLength(9);
  });
}
