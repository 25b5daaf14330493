/**
 * `npm run pictures` takes the pictures of the console in docs/ anew: a server of its own, the
 * batches of `npm run seed`, and the demo's questions. It needs a Chromium.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Winnow } from '../../src/client/index.ts';
import { readDataset } from '../../src/demo/dataset.ts';
import { untilRead } from '../support/console-page.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';
import { startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';
import { packPicture } from './pack-picture.ts';
import { seedBatches } from './seed-batches.ts';

const size = { width: 1_440, height: 900 };
const themes = ['light', 'dark'] as const;
type Theme = (typeof themes)[number];
const prices = { 'sandbox/rules': { input: 0.4, output: 1.6 } };

if (!browserPath) throw new Error('Pictures need a Chromium, and none was found');
const data = mkdtempSync(join(tmpdir(), 'winnow-pictures-'));
const program = startProgram({
  CONSOLE: 'on',
  DATA_DIR: data,
  PRICES: JSON.stringify(prices),
  WORKER_CONCURRENCY: '16',
});
const browser = await launchBrowser();
try {
  await until(() => program.out.includes('is up'), {
    deadlineMs: 60_000,
    what: `the start of the program: ${program.errors}`,
  });
  const [url = ''] = /http:\/\/[^/\s]+/.exec(program.out) ?? [];
  await takePictures(browser, url);
} finally {
  await browser.close();
  program.process.kill('SIGTERM');
  await program.ended;
  rmSync(data, { recursive: true, force: true });
}

async function takePictures(from: Browser, url: string): Promise<void> {
  const winnow = new Winnow({ url });
  const { categories } = await readDataset(1);
  const csv = readFileSync(new URL('../../src/demo/data/banking77_test.csv', import.meta.url));
  const file = await winnow.files.upload(new File([csv], 'banking questions.csv'));
  const label = { categories };
  const name = 'bank questions, 77 intents';
  const asked = await winnow.batches.submit({ name, label, source: file });
  await asked.done();
  const context = await from.newContext({ viewport: size, reducedMotion: 'reduce' });
  const page = await context.newPage();

  await page.goto(`${url}/console/batches/${asked.id}?row=4`);
  await page.getByText('Median confidence').waitFor();
  await page.getByRole('region', { name: 'Row 4' }).getByText('Attempts').waitFor();
  await take(page, 'batch');

  await page.goto(`${url}/console/new?file=${file.id}`);
  await page.getByLabel('Categories').fill(categories.join('\n'));
  await page.getByText('Counted from').waitFor();
  await page.getByLabel('Categories').evaluate((field) => {
    field.blur();
    field.scrollTop = 0;
  });
  await take(page, 'new-batch');

  await page.goto(`${url}/console/playground`);
  await page.getByLabel('Text', { exact: true }).fill('My card has not arrived yet.');
  await page.getByLabel('Categories').fill('card arrival\nlost card\ntop up\ncard limits');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.getByText('What is sent').waitFor();
  await page.getByRole('heading', { name: 'Playground' }).focus();
  await take(page, 'playground', ['light']);

  await seedBatches(url);
  await page.goto(`${url}/console/models`);
  await page.getByRole('heading', { name: 'sandbox', exact: true }).waitFor();
  await take(page, 'models', ['light']);

  await page.goto(`${url}/console/files/${file.id}`);
  await page.getByText('Batches over it').waitFor();
  await take(page, 'file', ['light']);

  await page.goto(`${url}/console`);
  const large = page.getByRole('row', { name: 'a large file, under way' });
  await large.getByText('Processing').waitFor();
  await large.getByText(/\/s, about/).waitFor();
  await take(page, 'batches');
}

/** The page as it is, in both themes or in these. */
async function take(page: Page, name: string, chosen: readonly Theme[] = themes): Promise<void> {
  await untilRead(page);
  for (const colorScheme of chosen) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const picture = await packPicture(page, await page.screenshot());
    const path = new URL(`../../docs/console-${name}-${colorScheme}.png`, import.meta.url);
    writeFileSync(path, picture);
    process.stdout.write(`${path.pathname}: ${picture.length} bytes\n`);
  }
}
