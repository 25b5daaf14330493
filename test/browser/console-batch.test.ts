/** The console's page of one batch, as a person uses it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

let app: App;
let browser: Browser;

if (browserPath) {
  describe('the page of a batch', () => {
    beforeAll(async () => {
      app = await startConsole();
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('goes on to the end by itself after a preview, and opens rows by keyboard', async () => {
      const texts = Array.from({ length: 300 }, (_, n) => `<b>good</b> parcel ${n}\u0007`);
      const id = await submitTexts(app, texts, { name: 'tried first', preview: 10 });
      const { page, problems } = await open(id);

      await page.getByRole('heading', { name: 'Preview is through' }).waitFor();
      await page.getByText('290 rows are left').waitFor();
      await page.getByRole('button', { name: 'Run the rest' }).click();
      await page.getByText('Completed', { exact: true }).waitFor();
      await page.getByText('100%', { exact: true }).first().waitFor();
      await page.getByText('300 of 300 answered').waitFor();

      const grid = page.getByRole('grid', { name: 'Results' });
      expect(await grid.getAttribute('aria-rowcount')).toBe('301');
      await grid.focus();
      await page.keyboard.press('End');
      await page.keyboard.press('Enter');
      await page.getByRole('region', { name: 'Row 299' }).getByText('parcel 299␇').waitFor();
      expect(new URL(page.url()).searchParams.get('row')).toBe('299');
      await page.goBack();
      await page.getByRole('region', { name: 'Row 299' }).waitFor({ state: 'detached' });
      expect(problems).toEqual([]);
      await page.close();
    });

    it('says how many rows a preview has asked, and which others have their answers', async () => {
      const texts = Array.from({ length: 40 }, (_, n) => `good parcel ${n % 20}`);
      const id = await submitTexts(app, texts, { name: 'each row twice', preview: 10 });
      const { page, problems } = await open(id);

      const card = page.getByRole('region', { name: 'Preview is through' });
      await card.getByText('10 rows tried, 100% succeeded.').waitFor();
      await card.getByText('10 rows like them have the same answer.').waitFor();
      await card.getByText('20 rows are left.').waitFor();
      await page.goto(`${app.url}/console`);
      const row = page.getByRole('row', { name: 'each row twice' });
      await row.getByText('10 tried, 100% succeeded').waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('says of a cancelled batch how much of it was answered', async () => {
      const texts = ['good', 'good', 'bad'];
      const id = await submitTexts(app, texts, { name: 'never begun', autoStart: false });
      const { page, problems } = await open(id);

      await page.getByRole('button', { name: 'Cancel' }).click();
      const progress = page.getByRole('region', { name: 'Progress' });
      await progress.getByText('Cancelled, 0%').waitFor();
      await progress.getByText('0 of 3 answered').waitFor();
      expect(await progress.getByText('100%').count()).toBe(0);
      await page.getByText('3 rows').waitFor();
      expect(await page.getByText('reused').count()).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('shows the rows of one error code, and keeps them in the address', async () => {
      const id = await submitTexts(app, ['good', ' ', 'bad'], { name: 'one is blank' });
      const { page, problems } = await open(id);

      await page.getByRole('button', { name: 'Show 1 row with EMPTY_CONTENT' }).click();
      await page.getByText('1 row of 3').waitFor();
      await page.reload();
      await page.getByText('1 row of 3').waitFor();
      await page.getByRole('button', { name: 'All', exact: true }).click();
      await page.getByText('3 rows').waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('writes each time below the chart of the pace once', async () => {
      for (const [word, ms] of [
        ['slow', 1_200],
        ['slower', 2_400],
      ] as const) {
        const when = ({ text }: { text: string }) => text.endsWith(word);
        app.sandbox.faults.add({ fault: { kind: 'latency', ms }, when });
      }
      const id = await submitTexts(app, ['good', 'slow', 'slower'], { name: 'three answers' });
      await untilEnded(app, id);
      const { page, problems } = await open(id);
      await page.addInitScript(noteTexts);
      await page.reload();
      await page.getByRole('img', { name: /^Items a second since/ }).waitFor();
      await page.waitForFunction(() => (globalThis as any).written?.length > 0);

      const written: string[] = await page.evaluate(() => (globalThis as any).written);
      const times = written.filter((text) => text.includes(':'));
      expect(times.length).toBeGreaterThan(1);
      expect(times).toEqual([...new Set(times)]);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('shows an exact instant with the focus, as under the pointer', async () => {
      const id = await submitTexts(app, ['good'], { name: 'at an instant' });
      await untilEnded(app, id);
      const { page } = await open(id);
      const ended = page.getByRole('region', { name: 'What was asked' }).locator('time').last();
      const shown = () => ended.evaluate((one) => getComputedStyle(one, '::after').content);

      expect(await shown()).toBe('none');
      await page.keyboard.press('Tab');
      await ended.focus();
      expect(await shown()).toContain(String(new Date().getFullYear()));
      expect(await ended.getAttribute('title')).toContain(String(new Date().getFullYear()));
      await page.goto(`${app.url}/console`);
      const link = page.getByRole('link', { name: 'at an instant' });
      await page.keyboard.press('Tab');
      await link.focus();
      const row = page.getByRole('row', { name: 'at an instant' });
      const began = await row
        .locator('time')
        .evaluate((one) => getComputedStyle(one, '::after').content);
      expect(began).toContain(String(new Date().getFullYear()));
      await page.close();
    });

    it('says the same of an unknown batch and of one that is deleted while it is open', async () => {
      const id = await submitTexts(app, ['good'], { name: 'a draft', autoStart: false });
      const { page } = await open(id);
      await page.getByRole('button', { name: 'Start' }).waitFor();

      await app.graphql('mutation ($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id });
      await page.getByRole('heading', { name: 'There is no such batch' }).waitFor();
      await page.goto(`${app.url}/console/batches/batch_0000000000000000000000000`);
      await page.getByRole('heading', { name: 'There is no such batch' }).waitFor();
      await page.getByRole('link', { name: 'All batches' }).waitFor();
      await page.close();
    });
  });
}

/** Opens the page of a batch, and notes what goes wrong in it. */
async function open(id: string) {
  const { page, problems } = await openConsole(browser, app.url, `/console/batches/${id}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return { page, problems };
}

/** Keeps what was written on a canvas since it was wiped, in the page. */
function noteTexts(): void {
  const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
  const all = globalThis as typeof globalThis & { written: string[] };
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    all.written = [];
    return clearRect.apply(this, box);
  };
  CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
    all.written = [...(all.written ?? []), text];
    return fillText.call(this, text, ...place);
  };
}
