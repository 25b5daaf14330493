/** The tabs of GraphiQL, each as it is, for somebody who has nothing yet. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildSchema, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTabs, type GraphiQLTab } from '../../src/faces/console/graphiql/tabs.ts';
import { subscribeSse, untilAllEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const tabs = createTabs('http://127.0.0.1:41234');

describe('the tabs', () => {
  it('have one named operation each, in the order of a first visit', () => {
    const names = tabs.map(({ query }) => {
      const [definition, ...more] = parse(query).definitions;
      expect(more).toEqual([]);
      return definition && 'name' in definition ? definition.name?.value : undefined;
    });

    expect(names).toEqual(tabs.map(({ name }) => name));
    expect(names).toEqual([
      'Welcome',
      'LabelTexts',
      'SubmitBatch',
      'WatchProgress',
      'Answers',
      'Files',
      'OwnRequests',
      'HalfPrice',
      'Quote',
      'Spending',
      'Failures',
    ]);
  });

  it.each(tabs)('$name is valid against schema.graphql', async ({ query }) => {
    const sdl = await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8');

    expect(validate(buildSchema(sdl), parse(query))).toEqual([]);
  });

  it('are each explained by the first one', () => {
    const [welcome, ...others] = tabs;

    for (const { name } of others) expect(welcome?.query).toContain(`#   ${name} `);
  });

  it('have comments that fit beside the answer, but for addresses', () => {
    const wide = tabs
      .flatMap(({ query }) => query.split('\n'))
      .filter((line) => line.startsWith('#') && line.length > 51 && !line.includes('http://'));

    expect(wide).toEqual([]);
  });

  it('download with a curl that says where it fails', () => {
    const commands = tabs.flatMap(({ query }) => query.match(/curl [^\n]*/g) ?? []);

    expect(commands).not.toEqual([]);
    for (const command of commands) expect(command).toMatch(/^curl -f?sS /);
    expect(tabs.map(({ query }) => query).join()).toContain(
      'curl -fsS "<the link>" -o answers.csv',
    );
  });
});

describe('for somebody who has nothing yet', () => {
  const visitors = [...tabs.map(({ name }) => name), 'everything', 'labels', 'watch'];
  let app: App;
  beforeAll(async () => {
    const keys = visitors.map((visitor) => `${visitor.toLowerCase()}:${keyOf(visitor)}`);
    app = await startApp({ API_KEYS: keys.join(',') });
  });
  afterAll(() => app.stop());

  it.each(tabs)('$name answers alone, and no item of it fails', async (tab) => {
    await run(app, tab, as(tab.name));

    expect(await failedItems(app, as(tab.name))).toBe(0);
  });

  it('all of them answer in order, and no item fails', async () => {
    for (const tab of tabs) await run(app, tab, as('everything'));

    expect(await failedItems(app, as('everything'))).toBe(0);
  });

  it('LabelTexts is answered right', async () => {
    const { label } = await run(app, tabs[1] as GraphiQLTab, as('labels'));

    expect(label.results.map(({ label: name }: { label: string }) => name)).toEqual([
      'praise',
      'complaint',
      'question',
    ]);
  });

  it('SubmitBatch is large enough to be watched, and WatchProgress shows it from its start', async () => {
    const { batch } = (await run(app, tabs[2] as GraphiQLTab, as('watch'))).submitBatch;
    expect(batch.counts.total).toBe(2_000);
    const events = subscribeSse(app, tabs[3]?.query ?? '', {}, as('watch'));
    const last = () => events.all.at(-1)?.batchesChanged;
    await until(() => last()?.status === 'COMPLETED', {
      deadlineMs: 30_000,
      what: 'the end of the batch',
    });
    events.stop();
    expect(events.all[0]?.batchesChanged.id).toBe(batch.id);
    expect(events.all.length).toBeGreaterThan(2);
    expect(last().counts).toMatchObject({ succeeded: 2_000, failed: 0 });
  });

  function keyOf(visitor: string): string {
    return `${visitor.toLowerCase()}-key-0123456789abcdefgh`;
  }

  function as(visitor: string): Record<string, string> {
    return { authorization: `Bearer ${keyOf(visitor)}` };
  }
});

describe('the commands in the tabs', () => {
  it('run in a shell as they are, one after the other', async () => {
    const app = await startApp();
    const folder = await mkdtemp(join(tmpdir(), 'winnow-tabs-'));
    const shell = (command: string) =>
      promisify(execFile)('bash', ['-c', command], { cwd: folder });
    try {
      const [files, requests, answers] = ['Files', 'OwnRequests', 'Answers'].map((name) =>
        commandsOf(createTabs(app.url).find((tab) => tab.name === name)?.query ?? ''),
      );
      for (const commands of [files, requests]) {
        const { stdout } = await shell(commands ?? '');
        expect(JSON.parse(stdout)).toMatchObject({ started: true, warnings: [] });
      }
      await untilAllEnded(app);
      const { data } = await app.graphql(
        '{ batches(first: 1) { edges { node { id csv: outputUrl(format: CSV) } } } }',
      );
      const { id, csv } = data?.batches.edges[0].node ?? {};
      await writeFile(join(folder, 'answers.csv'), 'of another time');
      for (const command of (answers ?? '').split(/^(?=curl)/m)) {
        await shell(command.replace('<the link>', csv).replace('<id>', id));
        expect(await readFile(join(folder, 'answers.csv'), 'utf8')).toContain('Say hi.');
        await expect(shell(command)).rejects.toMatchObject({
          stderr: expect.stringContaining('curl: '),
        });
      }
    } finally {
      await app.stop();
      await rm(folder, { recursive: true });
    }
  });
});

/** What stands in the comments for a shell. */
function commandsOf(query: string): string {
  const lines = query.split('\n').filter((line) => line.startsWith('#   '));
  const commands = lines.filter(
    (line, at) => /^# {3}(?:curl|printf) /.test(line) || lines[at - 1]?.endsWith('\\'),
  );
  return commands.map((line) => `${line.slice(4)}\n`).join('');
}

/** The data of a tab's answer. */
async function run(
  app: App,
  { query, variables }: GraphiQLTab,
  headers: Record<string, string>,
): Promise<Record<string, any>> {
  if (/^subscription /m.test(query)) {
    const events = subscribeSse(app, query, {}, headers);
    events.stop();
    expect(events.errors).toEqual([]);
    return {};
  }
  const answer = await app.graphql(query, variables ? JSON.parse(variables) : {}, headers);
  expect(answer).toMatchObject({ status: 200, data: expect.anything() });
  expect(answer.errors).toBeUndefined();
  return answer.data ?? {};
}

/** Of all batches, once each has ended. */
async function failedItems(app: App, headers: Record<string, string>): Promise<number> {
  const batches = await untilAllEnded(app, headers);
  return batches.reduce((sum, { counts }) => sum + counts.failed + counts.expired, 0);
}
