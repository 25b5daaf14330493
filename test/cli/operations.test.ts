/** Operations over files as processes of their own, against a real server. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRecord } from '../../src/core/json.ts';
import { type App, startApp } from '../support/app.ts';
import { type Folder, openFolder, program } from './support.ts';

const reviews = `id,text
r-1,I love it
r-2,"Worst service, ever"
r-3,Thank you
`;
const label = ['label', 'reviews.csv', '--column', 'text', '--yes'];
const categories = ['--categories', 'praise,complaint'];

let app: App;
let folder: Folder;
beforeAll(async () => {
  app = await startApp();
  folder = openFolder({ WINNOW_URL: app.url });
  writeFileSync(folder.file('reviews.csv'), reviews);
  writeFileSync(folder.file('blank.csv'), 'id,text\n1,I love it\n2,\n');
});
afterAll(async () => {
  folder.remove();
  await app.stop();
});

async function counts(): Promise<{ batches: number; files: number }> {
  const { data } = await app.graphql('{ batches { totalCount } files { totalCount } }');
  return { batches: data?.batches.totalCount, files: data?.files.totalCount };
}

async function outputOf(id: string, format: string): Promise<string> {
  const response = await fetch(`${app.url}/batches/${id}/output?format=${format}`);
  return await response.text();
}

it('asks before it sends what has no known price, and without a terminal sends nothing', async () => {
  const before = await counts();

  const { code, error } = await folder.json(['summarize', 'reviews.csv', '--column', 'text']);

  expect(code).toBe(2);
  expect(error.code).toBe('usage');
  expect(error.message).toMatch(/^3 rows to test\/rules: about .* unknown price\. .*--yes/);
  expect(app.sandbox.requests.count).toBe(0);
  expect(await counts()).toEqual(before);
});

describe('a file', () => {
  it('is answered into a file that is the output of the route', async () => {
    const { code, out, err } = await folder.run([...label, ...categories, '-o', 'labels.csv']);

    expect(code, err).toBe(0);
    expect(out).toBe('');
    const [, id = ''] = /^(batch_\w+) {2}reviews.csv {2}3 rows$/m.exec(err) ?? [];
    expect(err).toMatch(/^completed: 3 of 3 rows answered; 3 requests/m);
    expect(readFileSync(folder.file('labels.csv'), 'utf8')).toBe(await outputOf(id, 'csv'));
    expect(existsSync(folder.file('labels.csv.part'))).toBe(false);
    expect(out + err).not.toContain('\u001b');
  });

  it('is one batch, however often the same is asked', async () => {
    const before = await counts();
    const { requests } = app.sandbox;
    const sent = requests.count;

    const first = await folder.json([...label, ...categories]);
    const second = await folder.json([
      'label',
      ...label.slice(1),
      ...categories,
      '-o',
      'two.jsonl',
    ]);

    expect(second.batch.id).toBe(first.batch.id);
    expect(second.output).toBe('two.jsonl');
    expect(readFileSync(folder.file('two.jsonl'), 'utf8')).toBe(
      await outputOf(first.batch.id, 'jsonl'),
    );
    expect(requests.count).toBe(sent);
    expect(await counts()).toEqual(before);
  });

  it('is another batch with another category, and with --new', async () => {
    const { batches } = await counts();

    const other = await folder.json([...label, '--categories', 'praise,complaint,other']);
    const again = await folder.json([...label, ...categories, '--new']);

    expect(other.batch).toMatchObject({ status: 'completed', operation: 'label', progress: 1 });
    expect(other.batch.counts).toMatchObject({ total: 3, succeeded: 3 });
    expect(other.batch.usage.requests).toBe(3);
    expect(other.batch.resentRequests).toBe(0);
    expect(other.output).toBeNull();
    expect(again.code).toBe(0);
    expect((await counts()).batches).toBe(batches + 2);
  });

  it('goes to standard output in the format of the input, or in another', async () => {
    const own = await folder.run([...label, ...categories, '--quiet']);
    const other = await folder.run([...label, ...categories, '--quiet', '--format', 'openai']);

    expect(own.out).toMatch(/^id,text,label,confidence,.*\r?\nr-1,I love it,praise,/);
    expect(own.err).toBe('');
    expect(JSON.parse(other.out.split('\n')[0] ?? '')).toMatchObject({ custom_id: 'r-1' });
  });

  it('is submitted and left with --detach', async () => {
    const { code, out } = await folder.run([
      ...label,
      '--categories',
      'glad,angry',
      '--detach',
      '--name',
      'moods',
      '--metadata',
      '{"team": "care"}',
    ]);

    expect(code).toBe(0);
    const { batch } = await folder.json(['show', out.trim(), '--watch']);
    expect(batch).toMatchObject({ name: 'moods', metadata: { team: 'care' }, status: 'completed' });
  });

  it('has identical rows asked once, or each of them, as it is told', async () => {
    writeFileSync(folder.file('equal.csv'), 'id,text\n1,I love it\n2,Thank you\n3,I love it\n');
    const of = ['equal.csv', '--column', 'text', '--yes'];
    const run = ['run', ...of, '--instructions', 'Shout'];

    const once = await folder.json(['label', ...of, ...categories]);
    const each = await folder.json(['label', ...of, ...categories, '--deduplicate', 'off']);
    const eachRun = await folder.json(run);
    const onceRun = await folder.json([...run, '--deduplicate', 'on']);

    const ran = [once, each, eachRun, onceRun];
    expect(ran.map(({ batch }) => batch.usage.requests)).toEqual([2, 3, 3, 2]);
    expect(ran.map(({ batch }) => batch.counts.succeeded)).toEqual([3, 3, 3, 3]);
    expect(new Set(ran.map(({ batch }) => batch.id)).size).toBe(4);
  });

  it('has its prompts marked for the prompt cache of the provider, as it is told', async () => {
    const { requests } = app.sandbox;
    const markedOf = async (...flags: string[]) => {
      requests.keep(10);
      const { code, err } = await folder.run([...label, ...categories, '--new', ...flags]);
      expect(code, err).toBe(0);
      const marked = requests.journal.map(
        ({ body }) => isRecord(body) && 'prompt_cache_key' in body,
      );
      requests.keep(0);
      return marked;
    };

    expect(await markedOf('--prompt-caching', 'on')).toEqual([true, true, true]);
    expect(await markedOf('--prompt-caching', 'off')).toEqual([false, false, false]);
    expect(await markedOf()).toEqual([false, false, false]);
  });

  it('by way of the batch API of the provider', async () => {
    const { batch, code } = await folder.json([...label, ...categories, '--batch-api']);

    expect(code).toBe(0);
    expect(batch).toMatchObject({ execution: 'provider_batch', status: 'completed' });
  });
});

it('a batch that was cancelled goes on with what was left', async () => {
  app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const begun = await folder.json([
    'summarize',
    'reviews.csv',
    '--column=text',
    '--yes',
    '--detach',
  ]);
  await app.sandbox.until(({ inFlight }) => inFlight > 0);
  const cancelled = await folder.json(['cancel', begun.batch.id]);
  app.sandbox.faults.clear();

  const ran = await folder.run([
    'summarize',
    'reviews.csv',
    '--column=text',
    '--yes',
    '-o',
    's.csv',
  ]);

  expect(cancelled.code).toBe(0);
  expect(ran.code, ran.err).toBe(0);
  expect(ran.err).toContain(
    `${begun.batch.id} was cancelled; 3 rows without an answer: sent again`,
  );
  expect(readFileSync(folder.file('s.csv'), 'utf8')).toBe(await outputOf(begun.batch.id, 'csv'));
});

describe('rows that fail', () => {
  const summarize = ['summarize', 'blank.csv', '--column', 'text', '--yes'];

  it('end with 5 and are counted; a retry that fails again is not offered', async () => {
    const { code, err } = await folder.run([...summarize, '-o', 'blank-out.csv']);

    expect(code).toBe(5);
    expect(err).toContain('1 row failed with EMPTY_CONTENT: ');
    expect(err).toMatch(/^A retry fails again: /m);
    expect(err).not.toContain('winnow retry');
    expect(existsSync(folder.file('blank-out.csv'))).toBe(true);
  });

  it('can be sent again where that may help', async () => {
    app.sandbox.faults.add({ fault: { kind: 'content_filter' } });
    const { code, err } = await folder.run([...summarize, '--new', '-o', 'filtered-out.csv']);
    app.sandbox.faults.clear();

    expect(code).toBe(5);
    expect(err).toContain('1 row failed with CONTENT_FILTERED: ');
    expect(err).toContain('1 row failed with EMPTY_CONTENT: ');
    expect(err).toMatch(/^winnow retry batch_\w+ sends them again/m);
  });

  it('end with 0 where failures are allowed', async () => {
    const { code, batch } = await folder.json([...summarize, '--allow-failures']);

    expect(code).toBe(0);
    expect(batch.counts.failed).toBe(1);
  });
});

it('a batch that stops ends with 1, and says why', async () => {
  app.sandbox.faults.add({
    fault: { kind: 'status', status: 401, code: 'invalid_api_key' },
  });
  const { code, error, batch } = await folder.json([...label, '--categories', 'x,y']);
  app.sandbox.faults.clear();

  expect(code).toBe(1);
  expect(error).toMatchObject({ code: 'INVALID_KEY', issues: [] });
  expect(error.message).toContain('ended as failed');
  expect(batch.status).toBe('failed');
});

it('options that the server refuses end with 2, with every problem and its path', async () => {
  const before = await counts();

  const { code, error } = await folder.json([...label, '--categories', 'one']);

  expect(code).toBe(2);
  expect(error.code).toBe('BAD_USER_INPUT');
  expect(error.message).toMatch(/^--categories: must have at least 2/);
  expect(error.issues).toEqual([
    { path: expect.stringContaining('categories'), message: expect.any(String) },
  ]);
  expect(await counts()).toEqual(before);
});

describe('a sample', () => {
  it('is answered now, shown, and makes no batch', async () => {
    const before = await counts();

    const shown = await folder.run([...label, ...categories, '--sample', '2']);
    const { results, usage } = await folder.json([...label, ...categories, '--sample', '2']);

    expect(shown.out).toMatch(
      /^id .*\nr-1 +I love it +praise.*\nr-2 +Worst service, ever +complaint/,
    );
    expect(results).toMatchObject([
      { customId: 'r-1', label: 'praise' },
      { customId: 'r-2', label: 'complaint' },
    ]);
    expect(usage.requests).toBe(2);
    expect(await counts()).toEqual(before);
  });
});

describe('standard input', () => {
  it('is the same batch again', async () => {
    const args = ['extract', '-', '--schema', '{"who": "string"}', '--column', 'text', '--yes'];
    const first = await folder.json(args, { input: reviews });
    const { files } = await counts();
    const second = await folder.json(args, { input: reviews });

    expect(second.batch).toMatchObject({ id: first.batch.id, name: 'stdin' });
    expect((await counts()).files).toBe(files);
  });

  it('may have a reader of its answers that leaves', async () => {
    const rows = Array.from({ length: 3_000 }, (_, at) => `${'I love it '.repeat(20)}${at}\n`);
    writeFileSync(folder.file('many.txt'), rows.join(''));
    const command = `cat many.txt | "${process.execPath}" "${program}" label - --categories a,b --model sandbox/rules | head -1`;

    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', command], {
      cwd: folder.path,
      env: { PATH: process.env.PATH, WINNOW_URL: app.url },
    });

    expect(stdout).toMatch(/^text,label,|^content,label,/);
  });
});
