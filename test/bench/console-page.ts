/**
 * The console in a browser on the same machine: how long until it can be used after a first and a
 * later start, how long rows are missing while a million of them are scrolled, and at what share of
 * its pace a batch runs while its page is open.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { browserPath, launchBrowser } from '../support/graphiql-browser.ts';
import { type Program, startProgram } from '../support/program.ts';
import { graphql, measure, startWinnow } from './contestants.ts';
import { writeLines } from './data.ts';
import { type Goal, median, medianRatio, report, rounded } from './figures.ts';
import { withLabelled } from './labelled.ts';
import { openBenchPostgres } from './postgres.ts';
import { startStub } from './stub.ts';
import { itemLines } from './throughput.ts';

const rounds = 5;
const warmUps = 1;
const callsAtOnce = 128;
const goals = { firstMs: 3_000, laterMs: 1_000, blankMs: 300, share: 0.97 };
/** Turns of the wheel, and then jumps of the bar, each so long after the one before. */
const wheelTurns = 120;
const wheelPx = 600;
const wheelEveryMs = 16;
const jumps = 20;
const jumpEveryMs = 500;

interface Measured {
  rows: object[];
  goals: Goal[];
}

export async function benchConsolePage(items = 100_000, scrolled = 1_000_000): Promise<void> {
  if (!browserPath) throw new Error('The bench needs a Chromium, and none was found');
  const browser = await launchBrowser();
  try {
    const parts = [
      await measureStarts(browser),
      await measureScrolling(browser, scrolled),
      await measurePace(browser, items),
    ];
    report(
      'console-page',
      parts.flatMap(({ rows }) => rows),
      parts.flatMap((part) => part.goals),
    );
  } finally {
    await browser.close();
  }
}

/** From the line that says that the server is up until a person can go to the form. */
async function measureStarts(browser: Browser): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const firstMs: number[] = [];
  const laterMs: number[] = [];
  try {
    for (let round = 0; round < rounds; round += 1) {
      const env = { DATABASE_URL: postgres.url, DATA_DIR: join(directory, `data-${round}`) };
      firstMs.push(await startMs(browser, env));
      laterMs.push(await startMs(browser, env));
    }
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const [first, later] = [median(firstMs), median(laterMs)];
  return {
    rows: [
      { what: 'usable after the first start, ms', ...spread(firstMs) },
      { what: 'usable after a later start, ms', ...spread(laterMs) },
    ],
    goals: [
      { name: 'usable after the first start, ms', value: first, bound: ['<=', goals.firstMs] },
      { name: 'usable after a later start, ms', value: later, bound: ['<=', goals.laterMs] },
    ],
  };
}

async function startMs(browser: Browser, env: Record<string, string>): Promise<number> {
  const program = startProgram({ ...env, CONSOLE: 'on' });
  const page = await browser.newPage();
  try {
    const url = await addressOf(program);
    const startedAt = performance.now();
    await page.goto(url);
    await page.getByRole('main').getByRole('link', { name: 'New batch' }).click();
    await page.getByLabel('Categories').waitFor();
    return performance.now() - startedAt;
  } finally {
    await page.close();
    program.process.kill('SIGTERM');
    await program.ended;
  }
}

/** Where it listens, as soon as it says so. */
async function addressOf(program: Program): Promise<string> {
  while (!program.out.includes('is up')) {
    if (program.process.exitCode !== null) throw new Error(`No start: ${program.errors}`);
    await delay(5);
  }
  const [url = ''] = /http:\/\/[^/\s]+/.exec(program.out) ?? [];
  return url;
}

async function measureScrolling(browser: Browser, items: number): Promise<Measured> {
  return await withLabelled(items, async ({ url: databaseUrl, id, directory }) => {
    const program = startProgram({
      DATABASE_URL: databaseUrl,
      DATA_DIR: join(directory, 'data'),
      CONSOLE: 'on',
    });
    try {
      const url = await addressOf(program);
      const page = await browser.newPage({ viewport: { width: 1_280, height: 720 } });
      await page.goto(`${url}/console/batches/${id}`);
      const blankMs = await blankWhileScrolling(page);
      const [worst] = blankMs.toSorted((a, b) => b - a);
      await page.close();
      return {
        rows: [{ what: `rows missing, of ${items}, ms each time`, ...spread(blankMs) }],
        goals: [
          {
            name: 'longest time without rows, ms',
            value: worst ?? 0,
            bound: ['<=', goals.blankMs],
          },
        ],
      };
    } finally {
      program.process.kill('SIGTERM');
      await program.ended;
    }
  });
}

/** How long at least one row in sight was missing, each time that one was. */
async function blankWhileScrolling(page: Page): Promise<number[]> {
  const grid = page.getByRole('grid', { name: 'Results' });
  await grid
    .getByText(/^label \d+$/)
    .first()
    .waitFor();
  await grid.hover();
  await page.evaluate(() => {
    const all = globalThis as typeof globalThis & { blank: number[] };
    all.blank = [];
    let since: number | null = null;
    // Without a name, which the loader would keep by a helper that the page has not.
    setInterval(() => {
      const isBlank = document.querySelector('[role=grid] .coming') !== null;
      if (isBlank) since ??= performance.now();
      else if (since !== null) {
        all.blank.push(performance.now() - since);
        since = null;
      }
    }, 4);
  });
  for (let turn = 0; turn < wheelTurns; turn += 1) {
    await page.mouse.wheel(0, wheelPx);
    await delay(wheelEveryMs);
  }
  for (let jump = 1; jump <= jumps; jump += 1) {
    await grid.evaluate((element, share) => {
      element.scrollTop = share * (element.scrollHeight - element.clientHeight);
    }, jump / jumps);
    await delay(jumpEveryMs);
  }
  // What is missing still is counted when it has come.
  await page.waitForFunction(() => document.querySelector('[role=grid] .coming') === null);
  await delay(jumpEveryMs);
  return await page.evaluate(() => (globalThis as any).blank as number[]);
}

/** One batch after the other, in turn without a page and with the batch's page open. */
async function measurePace(browser: Browser, items: number): Promise<Measured> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const file = join(directory, 'items.jsonl');
  await writeLines(file, itemLines(items));
  const winnow = await startWinnow(
    {
      stubUrl: stub.url,
      concurrency: callsAtOnce,
      databaseUrl: await postgres.database('winnow'),
    },
    file,
    { CONSOLE: 'on', DATA_DIR: join(directory, 'data') },
  );
  const paces: Record<'closed' | 'open', number[]> = { closed: [], open: [] };
  const micros: typeof paces = { closed: [], open: [] };
  const page = await browser.newPage({ viewport: { width: 1_280, height: 720 } });
  try {
    const once = async (how: 'closed' | 'open') => {
      const following = how === 'open' ? follow(page, winnow.url) : null;
      const latency = { mode: 'none' } as const;
      const run = await measure(winnow, { postgres, stub, items, latency });
      await following;
      await page.goto('about:blank');
      return { pace: items / run.seconds, micros: run.cpuMicros / items };
    };
    for (let round = -warmUps; round < rounds; round += 1) {
      for (const how of ['closed', 'open'] as const) {
        const run = await once(how);
        if (round < 0) continue;
        paces[how].push(run.pace);
        micros[how].push(run.micros);
      }
    }
  } finally {
    await page.close();
    await winnow.stop();
    await stub.stop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return {
    rows: (['closed', 'open'] as const).flatMap((how) => [
      { what: `items a second, page ${how}`, ...spread(paces[how]) },
      { what: `own CPU, µs an item, page ${how}`, ...spread(micros[how]) },
    ]),
    goals: [
      {
        name: 'pace with the page open, of that without',
        value: medianRatio(paces.open, paces.closed),
        bound: ['>=', goals.share],
      },
    ],
  };
}

/** Opens the page of the batch that is submitted next, and stays on it until it has ended. */
async function follow(page: Page, url: string): Promise<void> {
  const newest = async () => {
    const { batches } = await graphql<{ batches: { edges: { node: { id: string } }[] } }>(
      url,
      '{ batches(first: 1) { edges { node { id } } } }',
      {},
    );
    return batches.edges[0]?.node.id;
  };
  const before = await newest();
  let id = before;
  while (id === before) {
    await delay(20);
    id = await newest();
  }
  await page.goto(`${url}/console/batches/${id}`);
  await page.getByText('Completed', { exact: true }).waitFor({ timeout: 600_000 });
}

function spread(values: readonly number[]) {
  return {
    median: rounded(median(values), 1),
    least: rounded(Math.min(...values), 1),
    most: rounded(Math.max(...values), 1),
    times: values.length,
  };
}
