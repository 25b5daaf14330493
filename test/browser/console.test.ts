/** The console's whole path in a real browser: from a file to its answers, by mouse and by keys. */
import { readFileSync } from 'node:fs';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { focusIsSeen, openConsole, untilRead } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const rows = 600;
const texts = Array.from({ length: rows }, (_, n) =>
  n % 3 === 0 ? `I love parcel ${n}, thank you!` : `Parcel ${n} never came, worst service ever.`,
);
const csv = {
  name: 'letters.csv',
  mimeType: 'text/csv',
  buffer: Buffer.from(`text\n${texts.map((text) => `"${text}"`).join('\n')}\n`),
};

let app: App;
let browser: Browser;

if (browserPath) {
  describe('the console', () => {
    beforeAll(async () => {
      [app, browser] = await Promise.all([startConsole(), launchBrowser()]);
      // Ten rounds of calls, so that the page has something to follow.
      app.sandbox.faults.add({ fault: { kind: 'latency', ms: 400 } });
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('leads from a file to its answers, without a reload and without another host', async () => {
      const { page, problems, elsewhere } = await openConsole(browser, app.url, '/');

      await page.getByRole('main').getByRole('link', { name: 'New batch' }).click();
      await page.getByRole('heading', { name: 'New batch' }).waitFor();
      await page.locator('input[type=file]').setInputFiles(csv);
      await page.getByLabel('Categories').fill('praise, complaint');
      await page.getByRole('button', { name: /^Try/ }).click();
      await page.getByText('5 of 5 answered').waitFor();
      await page.getByRole('button', { name: `Run ${rows} rows` }).click();
      await page.getByRole('heading', { name: 'letters' }).waitFor();
      const seen = await percentsUntilAll(page);
      await page.getByText('Completed', { exact: true }).waitFor();
      const labels = await downloadLabels(page, {
        open: () => page.getByRole('button', { name: 'Download' }).click(),
        choose: () => page.getByRole('menuitem', { name: /^CSV/ }).click(),
      });

      expect(seen.length).toBeGreaterThan(2);
      expect(labels).toHaveLength(rows);
      for (const label of ['praise', 'complaint']) {
        const items = labels.filter((one) => one === label).length;
        await page.getByRole('button', { name: new RegExp(`^${label} ${items} `) }).waitFor();
      }
      expect((await shownRows(page)).slice(0, 10)).toEqual(
        labels.slice(0, 10).map((label, n) => `${n} ${texts[n]} ${label}`),
      );
      expect(problems).toEqual([]);
      expect(elsewhere).toEqual([]);
      await page.close();
    });

    it('does the same by the keyboard alone, and shows where the focus is', async () => {
      const { page, problems } = await openConsole(browser, app.url, '/console');
      await untilRead(page);

      await tabTo(page, page.getByRole('main').getByRole('link', { name: 'New batch' }));
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'New batch' }).waitFor();
      // Before the way there, since the browser learns of it by a message.
      const chooser = page.waitForEvent('filechooser');
      await tabTo(page, page.getByRole('button', { name: 'Choose a file' }));
      await page.keyboard.press('Enter');
      await (await chooser).setFiles({ ...csv, name: 'by keys.csv' });
      await page.getByText('by keys.csv').first().waitFor();
      await tabTo(page, page.getByLabel('Categories'));
      await page.keyboard.type('praise, complaint');
      await tabTo(page, page.getByRole('button', { name: /^Try/ }));
      await page.keyboard.press('Enter');
      await page.getByText('5 of 5 answered').waitFor();
      await tabTo(page, page.getByRole('button', { name: `Run ${rows} rows` }));
      await page.keyboard.press('Space');
      await page.getByRole('heading', { name: 'by keys' }).waitFor();
      expect(await focusedText(page)).toBe('by keys');
      await page.getByText('Completed', { exact: true }).waitFor();
      await tabTo(page, page.getByRole('grid', { name: 'Results' }));
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page
        .getByRole('region', { name: 'Row 1' })
        .getByText(texts[1] ?? '', { exact: true })
        .waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('region', { name: 'Row 1' }).waitFor({ state: 'detached' });
      expect(await focusedText(page)).toContain(texts[1]);
      await tabTo(page, page.getByRole('button', { name: 'Download' }), 'Shift+Tab');
      const press = () => page.keyboard.press('Enter');
      expect(await downloadLabels(page, { open: press, choose: press })).toHaveLength(rows);
      expect(problems).toEqual([]);
      await page.close();
    });
  });
} else {
  it('no browser was found, so the console was not opened in one', () => {
    expect(browserPath).toBeNull();
  });
}

/** The shares that the page shows one after the other until all is answered. */
async function percentsUntilAll(page: Page): Promise<string[]> {
  const share = page.getByRole('region', { name: 'Progress' }).getByText(/^<?[\d.]+%$/);
  const seen: string[] = [];
  while (seen.at(-1) !== '100%') {
    const now = await share.first().innerText();
    if (now !== seen.at(-1)) seen.push(now);
  }
  return seen;
}

/** Opens the menu, chooses, and answers the labels of the file that comes, in its order. */
async function downloadLabels(
  page: Page,
  { open, choose }: { open: () => Promise<void>; choose: () => Promise<void> },
): Promise<(string | undefined)[]> {
  await open();
  await page.getByRole('menuitem', { name: /^CSV/ }).waitFor();
  const download = page.waitForEvent('download');
  await choose();
  const text = readFileSync(await (await download).path(), 'utf8');
  // The texts hold commas, but no quotation marks.
  const [head = [], ...records] = text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.replaceAll(/"[^"]*"/g, '').split(','));
  const place = head.indexOf('label');
  return records.map((cells) => cells[place]);
}

/** The rows in sight: index, text and answer of each. */
async function shownRows(page: Page): Promise<string[]> {
  const shown = await page.getByRole('grid', { name: 'Results' }).getByRole('row').all();
  const cells = shown.slice(1).map(async (row) => {
    const texts = await row.getByRole('gridcell').allInnerTexts();
    return texts.slice(0, 3).join(' ');
  });
  return await Promise.all(cells);
}

/** Presses Tab until this has the focus; each stop on the way must be seen. */
async function tabTo(page: Page, wanted: Locator, key = 'Tab'): Promise<void> {
  await wanted.waitFor();
  for (let stops = 0; stops < 60; stops++) {
    await page.keyboard.press(key);
    expect(await focusIsSeen(page), `a stop before ${wanted}`).toBe(true);
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`60 stops of ${key} do not reach ${wanted}`);
}

/** Of what has the focus; of the active row where a grid has it. */
async function focusedText(page: Page): Promise<string> {
  return await page.evaluate(() => {
    const at = document.activeElement as HTMLElement;
    const row = document.getElementById(at.getAttribute('aria-activedescendant') ?? '');
    return (row ?? at).innerText;
  });
}
