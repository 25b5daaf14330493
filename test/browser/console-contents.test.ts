/** What the console shows of failures, of hostile texts, and of what is unknown. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import type { App } from '../support/app.ts';
import { startConsole } from '../support/console-app.ts';
import { openConsole, tooWideOf, untilRead } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';

const image = '<img src=x onerror="document.title=1;throw 1">';
const escapes = 'a\u0001b\u001b[31mred\u0007';
const turned = 'ends \u202egnp.exe';
const arabic = 'مرحبا بالعالم، الطرد لم يصل';
const unpriced = {
  operation: { label: { categories: ['praise', 'complaint'], model: 'sandbox/rules' } },
};
const hugeCharacters = 10_000_000;
/** Of three reasons alike. */
const manyFailed = 9_999;

let app: App;
let browser: Browser;

if (browserPath) {
  describe('the console shows', () => {
    beforeAll(async () => {
      const PRICES = JSON.stringify({ 'test/rules': { input: 1, output: 4 } });
      [app, browser] = await Promise.all([startConsole({ PRICES }), launchBrowser()]);
    });
    afterAll(async () => {
      await browser?.close();
      await app?.stop();
    });

    it('three reasons of failures, and retries the rows of one alone', {
      timeout: 240_000,
    }, async () => {
      const faults = [
        ['refused', { kind: 'refusal' }],
        ['filtered', { kind: 'content_filter' }],
        ['broken', { kind: 'truncated' }],
      ] as const;
      const remove = faults.map(([word, fault]) =>
        app.sandbox.faults.add({ fault, when: ({ text }) => text.includes(word) }),
      );
      const lines = Array.from({ length: manyFailed }, (_, n) => faults[n % 3]?.[0]);
      const file = await upload('many.csv', ['text', ...lines, 'good']);
      const submitted = await app.graphql(submitFile, { fileId: file });
      const id: string = submitted.data?.submitBatch.batch.id;
      await untilEnded(app, id);
      for (const one of remove) one();
      const { page, problems } = await openConsole(browser, app.url, `/console/batches/${id}`);
      const failures = page.getByRole('region', { name: 'What failed' });
      await failures.getByText(/^REFUSED/).waitFor();

      expect(await failures.getByRole('button', { name: /^Retry/ }).count()).toBe(3);
      const each = manyFailed / 3;
      await failures
        .getByRole('button', { name: `Retry ${words(each)} rows with CONTENT_` })
        .click();
      await page.getByText(`${words(each)} rows are asked again.`).waitFor();
      await failures.getByText(/^CONTENT_FILTERED/).waitFor({ state: 'detached' });
      for (const code of ['REFUSED', 'TRUNCATED']) {
        await failures
          .getByRole('button', { name: `Show ${words(each)} rows with ${code}` })
          .waitFor();
      }
      await page.getByRole('button', { name: `Retry ${words(manyFailed - each)} failed` }).click();
      await failures.waitFor({ state: 'detached' });
      await page
        .getByText(`${words(manyFailed + 1)} of ${words(manyFailed + 1)} answered`)
        .waitFor({ timeout: 120_000 });
      await page.getByText('Completed', { exact: true }).waitFor();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('what is not known as unknown, with the reason, and never as 0', async () => {
      const texts = Array.from({ length: 20 }, (_, n) => (n < 4 ? `good ${n}` : `waits ${n}`));
      const free = await submitTexts(app, ['good', 'bad'], {
        name: 'without a price',
        ...unpriced,
      });
      const draft = await submitTexts(app, ['good'], { name: 'not begun', autoStart: false });
      const remove = app.sandbox.faults.add({
        fault: { kind: 'stall', at: 'headers' },
        when: ({ text }) => text.includes('waits'),
      });
      const running = await submitTexts(app, texts, { name: 'four answers' });
      await untilEnded(app, free);
      const { page, problems } = await openConsole(browser, app.url, '/console');

      const rowOf = (name: string) => page.getByRole('row', { name });
      await rowOf('without a price').getByText('unknown', { exact: true }).waitFor();
      await rowOf('without a price').getByText('no price').waitFor();
      await rowOf('not begun').getByText('nothing sent').waitFor();
      await page.goto(`${app.url}/console/batches/${free}`);
      expect(await figuresOf(page)).toContain(
        'Cost so far unknown no price for sandbox/rules: name it in PRICES',
      );
      await page.goto(`${app.url}/console/batches/${draft}`);
      expect(await figuresOf(page)).toContain('Pace not yet');
      expect(await figuresOf(page)).toContain('Cost so far nothing sent');
      expect(await figuresOf(page)).toContain('Tokens nothing sent');
      expect(await figuresOf(page)).toContain('Median confidence not yet no answer so far');
      await page.goto(`${app.url}/console/batches/${running}`);
      await page.getByText('4 of 20 answered').waitFor();
      await page.getByText('10 answers are needed for an estimate').waitFor();
      expect(await page.getByRole('main').innerText()).not.toMatch(/\b0 (min|s)\b|∞|NaN|null/);
      await page.goto(`${app.url}/console/new`);
      await page.getByText('Not counted yet').waitFor();
      await page.goto(`${app.url}/console/new?from=${free}`);
      await page.getByLabel('Or paste texts').fill('good\nbad');
      const cost = page.getByRole('region', { name: 'Cost and start' }).first();
      await cost.getByText('unknown', { exact: true }).first().waitFor();
      await cost.getByText('No known price: name one in PRICES.').first().waitFor();
      remove();
      expect(problems).toEqual([]);
      await page.close();
    });

    it('text of any kind as text', async () => {
      const texts = [image, escapes, turned, arabic];
      const id = await submitTexts(app, texts, {
        name: image,
        operation: { label: { categories: [image, 'other'] } },
      });
      const huge = await upload('huge.jsonl', [
        JSON.stringify({ text: `${image} ${'x'.repeat(hugeCharacters)} end` }),
        JSON.stringify({ text: 'small' }),
      ]);
      const { data } = await app.graphql(submit, { fileId: huge });
      await untilEnded(app, id);
      const { page, problems } = await openConsole(browser, app.url, `/console/batches/${id}`);

      await page.getByRole('heading', { name: image }).waitFor();
      const rows = page.getByRole('grid', { name: 'Results' });
      await rows.getByText(image, { exact: true }).first().waitFor();
      await rows.getByText('a␁b␛[31mred␇').waitFor();
      await rows.getByText('ends \ufffdgnp.exe').waitFor();
      await rows.getByText(arabic).click();
      const opened = page.getByRole('region', { name: 'Row 3' });
      const text = opened.getByText(arabic, { exact: true });
      expect(await directionOf(text)).toBe('rtl');
      expect(await directionOf(page.getByRole('heading', { name: image }))).toBe('ltr');

      await page.goto(`${app.url}/console/batches/${data?.submitBatch.batch.id}?row=0`);
      await page.getByRole('button', { name: 'Show all 9.5 MB' }).first().click();
      await page.waitForFunction(
        (length) => (document.querySelector('main')?.textContent?.length ?? 0) > length,
        hugeCharacters,
      );
      for (const path of ['', '/files', `/files/${huge}`, `/new?file=${huge}`]) {
        await page.goto(`${app.url}/console${path}`);
        await untilRead(page);
        expect(await tooWideOf(page), path).toEqual([]);
        expect(await page.evaluate(() => document.body.innerText.length)).toBeLessThan(20_000);
      }
      expect(await page.locator('img').count()).toBe(0);
      expect(problems).toEqual([]);
      await page.close();
    });
  });
} else {
  it('no browser was found, so no batch was shown in one', () => {
    expect(browserPath).toBeNull();
  });
}

const submitFile = `mutation ($fileId: ID!) {
  submitBatch(input: {
    name: "three reasons"
    operation: { label: { categories: ["praise", "complaint"] } }
    source: { fileId: $fileId }
    deduplicate: false
  }) { batch { id } }
}`;

const submit = `mutation ($fileId: ID!) {
  submitBatch(input: {
    operation: { label: { categories: ["praise", "complaint"] } }
    source: { fileId: $fileId }
    autoStart: false
  }) { batch { id } }
}`;

/** A number as the page writes it. */
function words(value: number): string {
  return value.toLocaleString('en-US');
}

async function upload(name: string, lines: readonly (string | undefined)[]): Promise<string> {
  const url = `${app.url}/files?name=${name}`;
  const response = await fetch(url, { method: 'POST', body: lines.join('\n') });
  const { id } = (await response.json()) as { id?: string };
  if (!id) throw new Error(`${name} was refused: ${response.status}`);
  return id;
}

/** In which direction the letters of an element run. */
async function directionOf(element: ReturnType<Page['getByText']>): Promise<string> {
  return await element.evaluate((one) => getComputedStyle(one).direction);
}

/** Name, value and note of each figure of a batch, in one line. */
async function figuresOf(page: Page): Promise<string> {
  const all = page.getByRole('definition').filter({ visible: true });
  await all.first().waitFor();
  const text = await page.getByRole('main').innerText();
  return text.replaceAll(/\s+/g, ' ');
}
