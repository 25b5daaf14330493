/** What a batch may cost, told before anything is sent to a model with a price. */
import { writeFileSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../support/app.ts';
import { type Folder, openFolder } from './support.ts';

let sandbox: Sandbox;
let app: App;
let folder: Folder;
beforeAll(async () => {
  sandbox = await startFaultySandbox({ models: ['gpt-4.1-mini', 'o1-pro'] });
  app = await startApp(
    { OPENAI_BASE_URL: sandbox.url, DEFAULT_MODEL: 'openai/gpt-4.1-mini' },
    { sandbox },
  );
  folder = openFolder({ WINNOW_URL: app.url });
  writeFileSync(folder.file('long.txt'), `${'A long story about love. '.repeat(2_000)}\n`);
});
afterAll(async () => {
  folder.remove();
  await app.stop();
  await sandbox.close();
});

it('tells rows, tokens and the cost live and by provider jobs, and sends what is cheap', async () => {
  const { code, err } = await folder.run(['summarize', 'long.txt', '-o', 'short.csv']);

  expect(code, err).toBe(0);
  expect(err).toMatch(
    /^1 row to openai\/gpt-4\.1-mini: about 1\d,000 tokens in and [\d,]+ out, about \$0\.0\d+ \(\$0\.0\d+ to \$0\.\d+\), or \$0\.0\d+ \(.*\) with --batch-api\.$/m,
  );
  expect(sandbox.requests.count).toBe(1);
});

it('sends nothing that may cost more than a dollar, unless somebody agrees', async () => {
  const args = ['summarize', 'long.txt', '--model', 'openai/o1-pro', '-o', 'short.csv'];
  const sent = sandbox.requests.count;

  const refused = await folder.run(args);
  const stillSent = sandbox.requests.count;
  const agreed = await folder.run([...args, '--yes']);

  expect(refused.code).toBe(2);
  expect(refused.err).toMatch(/^1 row .* about \$[1-9].* Nothing was sent: --yes agrees\.\n$/);
  expect(stillSent).toBe(sent);
  expect(agreed.code, agreed.err).toBe(0);
});

it('asks for identical rows that are each asked as for so many rows', async () => {
  writeFileSync(
    folder.file('equal.txt'),
    `${'A long story about love. '.repeat(2_000)}\n`.repeat(4),
  );
  const args = ['summarize', 'equal.txt', '--model', 'openai/o1-pro'];
  const tokensOf = ({ err }: { err: string }) =>
    Number(/about ([\d,]+) tokens in/.exec(err)?.[1]?.replaceAll(',', ''));

  const once = await folder.run(args);
  const each = await folder.run([...args, '--deduplicate', 'off']);

  expect([once.code, each.code]).toEqual([2, 2]);
  expect(tokensOf(once)).toBeGreaterThan(0);
  expect(tokensOf(each) / tokensOf(once)).toBeCloseTo(4, 0);
});

it('leaves blank rows out, though each of identical rows is asked', async () => {
  const story = `${'A long story about love. '.repeat(2_000)}\n`;
  const rows = Array.from({ length: 20 }, (_, n) => (n % 2 ? '{"text":" "}\n' : row(n)));
  function row(n: number) {
    return `${JSON.stringify({ text: `${n} ${story}` })}\n`;
  }
  writeFileSync(folder.file('blank.jsonl'), rows.join(''));
  const args = ['summarize', 'blank.jsonl', '--column', 'text', '--model', 'openai/o1-pro'];

  const once = await folder.run(args);
  const each = await folder.run([...args, '--deduplicate', 'off']);

  const costOf = ({ err }: { err: string }) => /^20 rows to .*? tokens in/.exec(err)?.[0];
  expect(costOf(once)).toContain('about');
  expect(costOf(each)).toBe(costOf(once));
});

it('asks for the sandbox too, once it has a price', async () => {
  const priced = await startApp({
    PRICES: JSON.stringify({ 'sandbox/rules': { input: 100, output: 400 } }),
    DEFAULT_MODEL: 'sandbox/rules',
  });
  const refused = await folder.run(['summarize', 'long.txt', '--url', priced.url]);
  await priced.stop();

  expect(refused.code).toBe(2);
  expect(refused.err).toMatch(/^1 row .* about \$[1-9].* Nothing was sent: --yes agrees\.\n$/);
});

it('quotes models side by side, leaves no file, and sends nothing', async () => {
  const sent = sandbox.requests.count;
  const args = ['quote', 'summarize', 'long.txt', '--models', 'openai/gpt-4.1-mini,test/rules'];
  const before = await folder.json(['files']);

  const { code, quote } = await folder.json(args);
  const { out } = await folder.run(args);
  const { files } = await folder.json(['files']);

  const [priced, unpriced] = quote.models;
  expect(code).toBe(0);
  expect(quote).toMatchObject({ items: 1, sampledItems: 1 });
  expect(priced.liveUsd.low).toBeLessThanOrEqual(priced.liveUsd.expected);
  expect(priced.providerBatchUsd.expected).toBeCloseTo(priced.liveUsd.expected / 2, 6);
  expect(unpriced).toMatchObject({ liveUsd: null, providerBatchUsd: null });
  expect(out).toMatch(
    /^1 row\nopenai\/gpt-4\.1-mini\n {2}tokens {7}about .* guessed\n {2}live +\$0/,
  );
  expect(out).toMatch(/^test\/rules\n.*\n {2}live +no known price$/m);
  expect(files).toEqual(before.files);
  expect(sandbox.requests.count).toBe(sent);
});

it('asks for what may cost no more than its limit as for what costs as much', async () => {
  const args = ['summarize', 'long.txt', '--model', 'openai/o1-pro', '--new'];

  const cheap = await folder.run([...args, '--max-cost', '0.5', '--detach']);
  const dear = await folder.run([...args, '--max-cost', '5']);

  expect(cheap.code, cheap.err).toBe(0);
  expect(dear.code).toBe(2);
});

it('pauses a batch at its limit with 6, and goes on under a higher one', async () => {
  writeFileSync(folder.file('two.txt'), `${'A long story. '.repeat(500)}\n`.repeat(2));
  const args = ['summarize', 'two.txt', '--model', 'openai/o1-pro', '--yes', '-o', 'two.csv'];

  const paused = await folder.json([...args, '--max-cost', '0.0001']);
  const same = await folder.run([...args, '--max-cost', '0.0001']);
  const more = await folder.json([...args, '--max-cost', '20']);

  expect(paused).toMatchObject({ code: 6, batch: { pauseReason: 'budget', maxCostUsd: 0.0001 } });
  expect(same.code).toBe(6);
  expect(same.err).toContain(`winnow resume ${paused.batch.id} --max-cost USD lets it go on`);
  expect(more).toMatchObject({ code: 0, batch: { id: paused.batch.id, maxCostUsd: 20 } });
});

it('does not send who paid for a batch by --new to a command that makes another', async () => {
  writeFileSync(folder.file('three.txt'), `${'A long story. '.repeat(500)}\n`.repeat(3));
  const args = ['summarize', 'three.txt', '--model', 'openai/o1-pro', '--yes', '--new'];

  const { code, err } = await folder.run([...args, '--max-cost', '0.0001']);

  const [id] = /batch_\w+/.exec(err) ?? [];
  expect(code, err).toBe(6);
  expect(err).toContain(
    `winnow resume ${id} --max-cost USD lets it go on; then winnow show ${id} --watch waits for it.`,
  );
  expect(err).not.toContain('the same command');
});

it('runs some rows first, and the rest by the same command without the preview', async () => {
  const rows = Array.from({ length: 30 }, (_, at) => `A story about number ${at}.\n`);
  writeFileSync(folder.file('many.txt'), rows.join(''));
  const args = ['summarize', 'many.txt', '-o', 'many.csv'];

  const first = await folder.run([...args, '--preview', '10']);
  const same = await folder.json([...args, '--preview', '10']);
  const rest = await folder.json(args);

  expect(first.code, first.err).toBe(6);
  expect(first.err).toMatch(/^The whole batch will cost about \$0\.\d+/m);
  expect(first.err).toMatch(/^winnow output batch_\S+ gives the answers so far\.$/m);
  expect(same).toMatchObject({
    code: 6,
    batch: { pauseReason: 'preview', previewItems: 10, counts: { succeeded: 10 } },
  });
  expect(rest).toMatchObject({
    code: 0,
    batch: { id: same.batch.id, usage: { requests: 30 }, counts: { succeeded: 30 } },
  });
});

it('holds the batch of before to the limit that a later run names', async () => {
  const rows = Array.from({ length: 30 }, (_, at) => `A tale of number ${at}.\n`);
  writeFileSync(folder.file('tales.txt'), rows.join(''));
  const args = ['summarize', 'tales.txt', '-o', 'tales.csv'];

  const first = await folder.json([...args, '--preview', '10']);
  const low = await folder.json([...args, '--max-cost', '0.0000001']);
  const same = await folder.run([...args, '--preview', '10', '--max-cost', '20']);
  const rest = await folder.json([...args, '--max-cost', '20']);

  expect(first).toMatchObject({ code: 6, batch: { maxCostUsd: null } });
  expect(low).toMatchObject({ code: 2, error: { code: 'BAD_USER_INPUT' } });
  expect(same.code).toBe(6);
  expect(same.err).toContain(
    `Its limit stays as it is; winnow resume ${first.batch.id} --max-cost USD changes it.`,
  );
  expect(rest).toMatchObject({ code: 0, batch: { id: first.batch.id, maxCostUsd: 20 } });
});

it('holds what is retried to the limit of the run that retries it', async () => {
  writeFileSync(folder.file('poems.txt'), `${'A long poem. '.repeat(500)}\n`.repeat(2));
  const args = ['summarize', 'poems.txt', '--model', 'openai/o1-pro', '--yes', '-o', 'poems.csv'];

  const paused = await folder.json([...args, '--max-cost', '0.0001']);
  const { id } = paused.batch;
  await folder.run(['cancel', id]);
  const more = await folder.json([...args, '--max-cost', '20']);

  expect(paused.code).toBe(6);
  expect(more).toMatchObject({ code: 0, batch: { id, status: 'completed', maxCostUsd: 20 } });
});

it('ends with 6 where the month is spent, and goes on by the same command when there is room', async () => {
  const budgeted = await startApp(
    {
      OPENAI_BASE_URL: sandbox.url,
      DEFAULT_MODEL: 'openai/gpt-4.1-mini',
      BUDGETS: '{"*": {"monthlyUsd": 1}}',
    },
    { sandbox },
  );
  const sql = postgres(budgeted.databaseUrl, { max: 1 });
  try {
    await sql`
      insert into spending (batch_key, month, owner, model, execution, requests, cost_usd)
      values (-1, to_char(now() at time zone 'utc', 'YYYY-MM'), 'local',
              'openai/gpt-4.1-mini', 'LIVE', 1, 2)`;
    writeFileSync(folder.file('mails.txt'), 'Thank you!\nNobody answers.\n');
    const args = ['label', 'mails.txt', '--categories', 'praise,complaint', '-o', 'mails.csv'];
    const env = { WINNOW_URL: budgeted.url };
    const sent = sandbox.requests.count;

    const paused = await folder.json(args, { env });
    const same = await folder.run(args, { env });
    const stillSent = sandbox.requests.count;
    const spent = await folder.run(['spending'], { env });
    await sql`delete from spending where batch_key = -1`;
    const rest = await folder.json(args, { env });

    expect(paused).toMatchObject({ code: 6, batch: { pauseReason: 'owner_budget' } });
    expect(same.code, same.err).toBe(6);
    expect(same.err).toMatch(/^batch_\S+ is paused: local may spend 1 USD in .* in BUDGETS\.$/m);
    expect(same.err).toMatch(
      /^From \d{4}-\d\d-01T00:00:00\S+ on, .* the same command goes on with it/m,
    );
    expect(stillSent).toBe(sent);
    expect(spent.out).toMatch(
      /^\d{4}-\d\d {2}\$2\.00 .*\n\d{4}-\d\d {2}of \$1\.00 a month, \$0\.0000 left$/m,
    );
    expect(rest).toMatchObject({ code: 0, batch: { id: paused.batch.id } });
  } finally {
    await sql.end();
    await budgeted.stop();
  }
});
