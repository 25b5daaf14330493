/** What holds for every page of the console: access, width, weight, and no word to other hosts. */
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import {
  cutOffOf,
  openConsole,
  tooSmallOf,
  tooWideOf,
  unseenFocusOf,
  untilRead,
  violationsOf,
  zoomedFieldsOf,
} from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const mostGzippedBytes = 260_000;
const sizes = [
  { width: 1_440, height: 900 },
  { width: 1_280, height: 720 },
  { width: 390, height: 844 },
];
const minuteMs = 60_000;
const long = `${'Donaudampfschifffahrtselektrizitätenhauptbetriebswerk'.repeat(3)} 書類の整理と分類 مرحبا بالعالم`;

let app: App;
let browser: Browser;
/** Addresses of every page, in every state that lasts. */
let places: string[];

if (browserPath) {
  describe('every page of the console', () => {
    beforeAll(async () => {
      [app, browser] = await Promise.all([startConsole(), launchBrowser()]);
      places = await makePlaces();
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('weighs at most 260 kB gzipped, with what is fetched later', async () => {
      const index = await (await fetch(`${app.url}/console`)).text();
      const first = [...index.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)];
      const names = new Set(first.map(([, at = '']) => at));
      expect(names.size).toBe(3);
      let bytes = 0;
      // What is fetched later, as the charts are, is named in what is fetched first.
      for (const name of names) {
        const body = await (await fetch(`${app.url}${name}`)).text();
        bytes += gzipSync(body).length;
        const folder = name.slice(0, name.lastIndexOf('/'));
        for (const [, later] of body.matchAll(/"\.\/([\w.-]+\.(?:js|css))"/g)) {
          names.add(`${folder}/${later}`);
        }
      }

      expect([...names].filter((name) => name.includes('uPlot'))).toHaveLength(1);
      expect(bytes).toBeLessThanOrEqual(mostGzippedBytes);
    });

    it('passes axe in both themes, and shows all of it on each screen, without a scroll sideways', async () => {
      const { page, problems, elsewhere } = await openConsole(browser, app.url, '/console');
      const found: Record<string, unknown> = {};
      for (const place of places) {
        await page.setViewportSize({ width: 1_280, height: 720 });
        await page.goto(`${app.url}${place}`);
        await untilRead(page);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          const violations = await violationsOf(page);
          if (violations.length > 0) found[`${colorScheme} ${place}`] = violations;
        }
        for (const size of sizes) {
          await page.setViewportSize(size);
          const isPhone = size.width < 720;
          const wrong = [
            ...(await tooWideOf(page)),
            ...(await cutOffOf(page)),
            ...(await tooSmallOf(page, isPhone ? 36 : 24)),
            ...(isPhone ? await zoomedFieldsOf(page) : []),
          ];
          if (wrong.length > 0) found[`${size.width} px ${place}`] = wrong;
        }
      }

      expect(found).toEqual({});
      expect(problems).toEqual([]);
      expect(elsewhere).toEqual([]);
      await page.close();
    });

    it('shows where the focus is at each control that Tab comes to', async () => {
      const { page } = await openConsole(browser, app.url, '/console');
      const found: Record<string, string[]> = {};
      for (const place of places) {
        await page.goto(`${app.url}${place}`);
        await untilRead(page);
        const unseen = await unseenFocusOf(page);
        if (unseen.length > 0) found[place] = unseen;
      }

      expect(found).toEqual({});
      await page.close();
    });

    it('asks nothing while its tab is hidden, and at once when that comes to the front', async () => {
      const { page } = await openConsole(browser, app.url, '/console/settings');
      await page.clock.install();
      let asked = 0;
      page.on('request', (request) => {
        if (request.postData()?.includes('query ProviderStates')) asked += 1;
      });
      await page.goto(`${app.url}/console/models`);
      await untilRead(page);
      await page.getByText('Live', { exact: true }).waitFor();
      expect(asked).toBe(1);
      const isAgain = page.waitForRequest(/graphql/);
      await page.clock.runFor(minuteMs / 6);
      await isAgain;
      expect(asked).toBeGreaterThan(1);

      await turn(page, 'hidden');
      asked = 0;
      await page.clock.runFor(minuteMs);
      expect(asked).toBe(0);
      const isBack = page.waitForRequest((request) =>
        (request.postData() ?? '').includes('query ProviderStates'),
      );
      await turn(page, 'visible');
      await isBack;
      await page.close();
    });
  });
} else {
  it('no browser was found, so no page of the console was looked at', () => {
    expect(browserPath).toBeNull();
  });
}

async function makePlaces(): Promise<string[]> {
  const { sandbox } = app;
  sandbox.faults.add({ fault: { kind: 'refusal' }, when: ({ text }) => text.includes('refuse') });
  // Answers at three times, so that there is a chart of the pace.
  for (const word of ['slow', 'slower']) {
    sandbox.faults.add({
      fault: { kind: 'latency', ms: 700 },
      when: ({ text }) => text.includes(word),
    });
  }
  const texts = [long, 'fine', 'refuse', 'good', 'slow', 'slower', ' '];
  const mixed = await submitTexts(app, texts, { name: long });
  const failed = await submitTexts(app, ['refuse', 'refuse too'], { name: 'all failed' });
  const draft = await submitTexts(app, ['one', 'two'], { autoStart: false });
  const uploaded = await fetch(`${app.url}/files?name=letters.csv`, {
    method: 'POST',
    body: `text,${long}\ngood,1\nbad,2\n`,
  });
  const { id: file } = (await uploaded.json()) as { id: string };
  await Promise.all([untilEnded(app, mixed), untilEnded(app, failed)]);
  return [
    '/console',
    '/console?name=nothing+has+it',
    '/console/new',
    `/console/new?file=${file}`,
    `/console/new?from=${mixed}`,
    `/console/batches/${mixed}`,
    `/console/batches/${mixed}?row=0`,
    `/console/batches/${mixed}?row=2`,
    `/console/batches/${mixed}?tab=request`,
    `/console/batches/${mixed}?tab=jobs`,
    `/console/batches/${mixed}?tab=webhook`,
    `/console/batches/${failed}`,
    `/console/batches/${draft}`,
    '/console/batches/batch_of_nobody',
    '/console/files',
    `/console/files/${file}`,
    '/console/playground',
    '/console/models',
    '/console/settings',
    '/console/nowhere',
  ];
}

/** Turns the tab as the browser does when another comes to the front, or goes. */
async function turn(page: Page, state: DocumentVisibilityState): Promise<void> {
  await page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => now });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
}
