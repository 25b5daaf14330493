/** What a batch may cost, told before anything is sent to a model with a price. */
import { writeFileSync } from 'node:fs';
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
    /^1 row to openai\/gpt-4\.1-mini: about 1\d,000 tokens in and [\d,]+ out by a sample, about \$0\.0\d+, or \$0\.0\d+ with --batch-api\.$/m,
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
