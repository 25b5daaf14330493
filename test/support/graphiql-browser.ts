/** GraphiQL in a real browser, as a person uses it. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { until } from './until.ts';

const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  chromium.executablePath(),
];

/** Null where there is no browser. */
export const browserPath = browsers.find((path) => existsSync(path)) ?? null;

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: browserPath ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
}

/** Opens the page, and notes what it asks for and what goes wrong in it. */
export async function openGraphiQL(
  from: Browser | BrowserContext,
  url: string,
  viewport = { width: 1_400, height: 1_600 },
) {
  const page = await from.newPage('newContext' in from ? { viewport } : undefined);
  const addresses: string[] = [];
  const problems: string[] = [];
  /** Of requests for GraphQL: what they carry as Authorization. */
  const keys: (string | null)[] = [];
  page.on('request', (request) => {
    addresses.push(request.url());
    if (request.method() === 'POST') keys.push(request.headers().authorization ?? null);
  });
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await page.goto(`${url}/graphql`);
  await page.waitForSelector('.graphiql-tab-button[title="Failures"]');
  return { page, addresses, problems, keys };
}

/** Opens a tab. */
export async function showTab(page: Page, name: string): Promise<void> {
  await page.click(`.graphiql-tab-button[title="${name}"]`);
  await page.waitForSelector(`[aria-selected=true] [title="${name}"]`);
}

/** Runs a tab as it is, and answers what it shows as soon as that holds `expected`. */
export async function runTab(page: Page, name: string, expected: string): Promise<string> {
  await showTab(page, name);
  await page.click('.graphiql-execute-button');
  return await answerWith(page, expected);
}

/** What the page shows as the answer, as soon as it holds `expected`. */
export async function answerWith(page: Page, expected: string): Promise<string> {
  return await until(
    async () => {
      const text = await answerOf(page);
      return text.includes(expected) ? text : '';
    },
    { deadlineMs: 15_000, what: `${expected} in the answer` },
  );
}

/** The lines of the answer that are in sight, in any order, with their breaks as spaces. */
async function answerOf(page: Page): Promise<string> {
  const text = (await page.locator('.result-window').textContent()) ?? '';
  return text.replaceAll(/\s+/g, ' ');
}
