/** What holds for every page of the console: access, width, weight, and no word to other hosts. */
import { gzipSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole, tooWideOf, untilRead, violationsOf } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const mostGzippedBytes = 260_000;
const phone = { width: 390, height: 844 };
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

    it('weighs at most 260 kB gzipped', async () => {
      const index = await (await fetch(`${app.url}/console`)).text();
      const names = [...index.matchAll(/(?:src|href)="([^"]+\.(?:js|css))"/g)].map(([, at]) => at);
      const sizes = names.map(async (name) => {
        const body = await (await fetch(`${app.url}${name}`)).arrayBuffer();
        return gzipSync(new Uint8Array(body)).length;
      });

      expect(names).toHaveLength(3);
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      expect(bytes).toBeLessThanOrEqual(mostGzippedBytes);
    });

    it('passes axe in both themes, and does not scroll sideways on a phone', async () => {
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
        await page.setViewportSize(phone);
        const wide = await tooWideOf(page);
        if (wide.length > 0) found[`sideways ${place}`] = wide;
      }

      expect(found).toEqual({});
      expect(problems).toEqual([]);
      expect(elsewhere).toEqual([]);
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
