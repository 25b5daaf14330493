/** The console's list of batches, as a person uses it. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

let app: App;
let browser: Browser;

if (browserPath) {
  describe('the list of batches', () => {
    beforeAll(async () => {
      app = await startConsole();
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('begins a batch with the questions of the demo', async () => {
      const { page, problems } = await openList();

      await page.getByRole('button', { name: 'Try the demo' }).click();
      await page.getByRole('heading', { name: 'New batch' }).waitFor();
      await page.getByText('banking questions.csv').first().waitFor();
      await page.getByText('3,080').first().waitFor();
      expect(await page.getByLabel('Categories').inputValue()).toContain('card_arrival');
      expect(problems).toEqual([]);
      await page.close();
    });

    it('offers three ways in before there is a batch, and shows one that comes as it goes on', async () => {
      const { page, problems } = await openList();

      await page.getByRole('button', { name: 'Try the demo' }).waitFor();
      await page.getByRole('button', { name: 'Paste texts' }).waitFor();
      await page.getByText('Drop a file').waitFor();
      await submitTexts(app, ['good', 'bad'], { name: 'from elsewhere' });
      const row = page.getByRole('row', { name: 'from elsewhere' });

      await row.getByText('Completed').waitFor();
      await row.getByText('100%').waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('keeps what it finds by in the address, and offers to clear it where nothing matches', async () => {
      const { page } = await openList();
      await submitTexts(app, ['good'], { name: 'a draft', autoStart: false });

      await page.getByLabel('Find by name').fill('draft');
      await page.getByRole('button', { name: 'Waits for you' }).click();
      await page.getByRole('row', { name: 'from elsewhere' }).waitFor({ state: 'detached' });
      await page.reload();
      await page.getByRole('link', { name: 'a draft' }).waitFor();
      expect(await page.getByRole('row').count()).toBe(2);
      expect(await page.getByLabel('Find by name').inputValue()).toBe('draft');
      await page.getByRole('button', { name: 'Ended' }).click();
      await page.getByText('No batch matches').waitFor();
      await page.getByRole('button', { name: 'Clear the filter' }).click();
      await page.getByRole('link', { name: 'from elsewhere' }).waitFor();
      await page.close();
    });

    it('moves no row while it is scrolled, and deletes all that match after one question', async () => {
      for (let n = 0; n < 40; n += 1) {
        await submitTexts(app, ['good', 'bad'], { name: `draft ${n}`, autoStart: false });
      }
      const { page, problems } = await openList();
      await page.getByRole('link', { name: 'draft 39' }).waitFor();

      await page.mouse.move(700, 500);
      await page.mouse.wheel(0, 900);
      await page.waitForFunction(() => scrollY > 500);
      await submitTexts(app, ['good'], { name: 'draft that comes late', autoStart: false });
      await page.getByRole('button', { name: '1 new' }).waitFor();
      expect(await page.getByRole('link', { name: 'that comes late' }).count()).toBe(0);
      await page.getByRole('button', { name: '1 new' }).click();
      await page.getByRole('link', { name: 'that comes late' }).waitFor();

      await page.getByLabel('Find by name').fill('draft');
      await page.getByText('All 42', { exact: true }).waitFor();
      await page.getByLabel('Select all that are shown').check();
      await page.getByRole('button', { name: 'Delete' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText('82 rows without an answer will not be answered.').waitFor();
      await dialog.getByRole('button', { name: 'Delete 42 batches' }).click();
      await page.getByText('42 batches deleted.').waitFor();
      const left = await app.graphql('{ batches { edges { node { name } } } }');
      expect(left.data?.batches.edges).toEqual([{ node: { name: 'from elsewhere' } }]);
      expect(problems).toEqual([]);
      await page.close();
    });

    it('is walked through by the keys j, k, x and enter', async () => {
      await submitTexts(app, ['good'], { name: 'the second' });
      const { page } = await openList();
      await page.getByRole('link', { name: 'the second' }).waitFor();

      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('x');
      await page.getByText('1 selected').waitFor();
      expect(await page.getByLabel('Select from elsewhere').isChecked()).toBe(true);
      await page.keyboard.press('k');
      await page.keyboard.press('Enter');
      await page.waitForFunction(() => location.pathname.includes('/batches/batch_'));
      await page.close();
    });

    it('offers to retry the rows that a retry may answer, and those alone', async () => {
      const remove = app.sandbox.faults.add({
        fault: { kind: 'refusal' },
        when: ({ text }) => text.includes('refuse'),
      });
      const blank = await submitTexts(app, ['good', ' ', ' '], { name: 'two are blank' });
      const mixed = await submitTexts(app, ['refuse', ' ', ' '], { name: 'one was refused' });
      await Promise.all([untilEnded(app, blank), untilEnded(app, mixed)]);
      remove();
      const { page, problems } = await openList();
      const rowOf = (name: string) => page.getByRole('row', { name });

      await rowOf('two are blank').getByText('failed: blank texts').waitFor();
      expect(await rowOf('two are blank').getByRole('button', { name: /Retry/ }).count()).toBe(0);
      await rowOf('one was refused')
        .getByRole('button', { name: /^Retry 1:/ })
        .click();
      await rowOf('one was refused').getByText('Completed').waitFor();
      await page.goto(`${app.url}/console/batches/${blank}`);
      await page.getByText('3 of 3 answered').waitFor();
      expect(await page.getByRole('button', { name: /Retry/ }).count()).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    });
  });
} else {
  it('no browser was found, so the list of batches was not tried in one', () => {
    process.stderr.write('The list of batches was not tried in a browser: none was found\n');
    expect(browserPath).toBeNull();
  });
}

async function openList(): Promise<{ page: Page; problems: string[] }> {
  const { page, problems } = await openConsole(browser, app.url, `/console`);
  await page.getByRole('heading', { name: 'Batches' }).waitFor();
  return { page, problems };
}
