/** Commands over batches, files and models, against a server with keys. */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { Winnow } from '../../src/client/index.ts';
import { type App, startApp } from '../support/app.ts';
import { type Folder, openFolder, program } from './support.ts';

const key = '0123456789abcdef01234567';

let app: App;
let folder: Folder;
let winnow: Winnow;
/** With rows that have answers, and one that failed. */
let id: string;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `ada:${key}`, DEFAULT_MODEL: 'sandbox/rules' });
  folder = openFolder({ WINNOW_URL: app.url, WINNOW_API_KEY: key });
  winnow = new Winnow({ url: app.url, apiKey: key });
  const batch = await winnow.batches.submit({
    label: { categories: ['praise', 'complaint'] },
    source: { texts: ['I love it', 'Worst service', ' '] },
    name: 'moods',
  });
  id = (await batch.done()).id;
  writeFileSync(folder.file('texts.csv'), 'id,text\nr-1,I love it\n');
});
afterAll(async () => {
  folder.remove();
  await app.stop();
});

describe('a key', () => {
  it.each([
    ['missing', ''],
    ['wrong', 'x'.repeat(24)],
  ])('that is %s ends with 4', async (_how, wrong) => {
    const { code, error } = await folder.json(['batches'], { env: { WINNOW_API_KEY: wrong } });

    expect(code).toBe(4);
    expect(error.code).toBe('UNAUTHENTICATED');
    expect(error.message).toContain('WINNOW_API_KEY');
  });
});

it.each(['show', 'output', 'cancel', 'pause', 'resume', 'retry', 'start'])(
  '%s of an unknown id ends with 1',
  async (command) => {
    const { code, error } = await folder.json([command, 'batch_nope']);

    expect(code).toBe(1);
    expect(error).toMatchObject({ code: 'NOT_FOUND', issues: [] });
  },
);

describe('batches', () => {
  it('are listed, with a status and so many', async () => {
    const { batches } = await folder.json(['batches', '--status', 'completed', '--limit', '1']);
    const none = await folder.json(['batches', '--status', 'failed,expired']);
    const { out } = await folder.run(['batches', '--name', 'moods']);

    expect(batches).toMatchObject([{ id, name: 'moods', status: 'completed', operation: 'label' }]);
    expect(none.batches).toEqual([]);
    expect(out).toBe(`${id}  completed  label  100 %  3 rows  moods\n`);
  });

  it('are shown with every fact of the client', async () => {
    const { code, batch } = await folder.json(['show', id]);
    const shown = await folder.run(['show', id]);

    expect(code).toBe(0);
    expect(batch).toEqual(JSON.parse(JSON.stringify(await winnow.batches.get(id))));
    expect(shown.out).toMatch(/^rows +3: 2 succeeded, 1 failed, 0 open$/m);
  });

  it('are watched to their end, where 5 tells of failures', async () => {
    const { code, err } = await folder.run(['show', id, '--watch']);

    expect(code).toBe(5);
    expect(err).toContain('1 row failed with EMPTY_CONTENT');
  });

  it('are started, retried and cancelled', async () => {
    const draft = await winnow.batches.submit({
      summarize: {},
      source: { texts: ['One text'] },
      autoStart: false,
    });

    const started = await folder.json(['start', draft.id]);
    await draft.done();
    const retried = await folder.json(['retry', id]);
    const cancelled = await folder.run(['cancel', draft.id]);

    expect(started.batch.id).toBe(draft.id);
    expect(retried.code).toBe(0);
    expect(retried.batch.id).toBe(id);
    expect(cancelled.out).toMatch(new RegExp(`^${draft.id} {2}completed {2}summarize`));
  });

  it('are paused, which 6 tells of, and resumed', async () => {
    app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, times: 1 });
    const args = ['summarize', 'texts.csv', '--column', 'text', '--model', 'test/rules', '--yes'];
    const { batch } = await folder.json([...args, '--detach']);

    const paused = await folder.json(['pause', batch.id]);
    const same = await folder.run(args);
    const told = await folder.json(['show', batch.id, '--watch']);
    const resumed = await folder.json(['resume', batch.id]);

    expect(paused).toMatchObject({
      code: 0,
      batch: { status: 'paused', pauseReason: 'requested' },
    });
    expect(same.code).toBe(6);
    expect(same.err).toContain(`winnow resume ${batch.id} lets it go on`);
    expect(told).toMatchObject({ code: 6, error: { code: 'PAUSED' }, batch: { id: batch.id } });
    expect(resumed).toMatchObject({ code: 0, batch: { id: batch.id, pauseReason: null } });
    await (await winnow.batches.get(batch.id)).cancel();
  });

  it('are deleted where somebody agrees', async () => {
    const batch = await winnow.batches.submit({ summarize: {}, source: { texts: ['A text'] } });

    const asked = await folder.json(['delete', batch.id]);
    const deleted = await folder.json(['delete', batch.id, '--yes']);

    expect(asked.code).toBe(2);
    expect(asked.error.code).toBe('usage');
    expect(deleted).toMatchObject({ code: 0, deletedId: batch.id });
    await expect(winnow.batches.get(batch.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('an output', () => {
  it('is that of the route, with its parameters', async () => {
    const batch = await winnow.batches.get(id);
    const args = ['output', id, '--status', 'failed', '--include', 'input,row'];

    const plain = await folder.run(['output', id, '--format', 'csv']);
    const failed = await folder.run(args);
    const saved = await folder.json(['output', id, '-o', 'answers.json']);

    expect(plain.out).toBe(await batch.getOutput('csv'));
    expect(failed.out).toBe(
      await batch.getOutput('jsonl', { status: 'failed', include: ['input', 'row'] }),
    );
    expect(saved).toMatchObject({ code: 0, output: 'answers.json', batch: { id } });
  });

  it('is only of the answers that flags ask for', async () => {
    const batch = await winnow.batches.get(id);
    const csv = ['output', id, '--format', 'csv'];
    const one = await folder.run([...csv, '--label', 'nothing', '--label', 'praise']);
    const sure = await folder.run([...csv, '--confidence-from', '0.01', '--confidence-below=1']);
    const wrong = await folder.json([...csv, '--confidence-below', '2']);

    expect(one.out).toBe(await batch.getOutput('csv', { labels: ['praise'] }));
    expect(one.out.trimEnd().split('\n')).toHaveLength(2);
    expect(sure.out).toBe(
      await batch.getOutput('csv', { confidenceFrom: 0.01, confidenceBelow: 1 }),
    );
    expect(wrong).toMatchObject({ code: 2, error: { code: 'usage' } });
    expect(wrong.error.message).toContain('--confidence-below must be a number from 0 to 1');
  });

  it('that cannot be written ends with 1 before anything is asked', async () => {
    const { code, error } = await folder.json(['output', id, '-o', 'nowhere/a.csv']);

    expect(code).toBe(1);
    expect(error.code).toBe('ENOENT');
  });
});

it('files are uploaded and listed', async () => {
  const { file } = await folder.json(['upload', 'texts.csv', '--column', 'text', '--id', 'id']);
  const { files } = await folder.json(['files', '--limit', '1']);
  const wrong = await folder.json(['upload', 'texts.csv', '--column', 'nope']);

  expect(file).toMatchObject({
    name: 'texts.csv',
    format: 'csv',
    itemCount: 1,
    contentField: 'text',
  });
  expect(files).toEqual([file]);
  expect(wrong.code).toBe(2);
  expect(wrong.error.code).toBe('BAD_USER_INPUT');
  expect(wrong.error.message).toMatch(/^--column must be a column of the file/);
});

it('models are listed with their prices', async () => {
  const { models } = await folder.json(['models']);
  const { out } = await folder.run(['models']);

  expect(models).toContainEqual(expect.objectContaining({ id: 'sandbox/rules', inputPrice: null }));
  expect(out).toContain('sandbox/rules  no known price\n');
});

it('the spending of a month is told, and unknown is no sum', async () => {
  const { code, spending } = await folder.json(['spending']);
  const { out } = await folder.run(['spending', '2000-01']);
  const wrong = await folder.json(['spending', 'november']);

  expect(code).toBe(0);
  expect(spending.month).toBe(new Date().toISOString().slice(0, 7));
  expect(spending.byModel).toContainEqual(
    expect.objectContaining({ model: 'sandbox/rules', execution: 'live' }),
  );
  expect(spending.usage).toMatchObject({ requests: expect.any(Number), costUsd: null });
  expect(out).toBe('2000-01  nothing  0 requests  0 tokens in, 0 out\n');
  expect(wrong).toMatchObject({ code: 2, error: { code: 'BAD_USER_INPUT' } });
});

it('results of a provider are parsed and held to a schema', async () => {
  const batch = await winnow.batches.get(id);
  writeFileSync(folder.file('results.jsonl'), await batch.getOutput('openai_jsonl'));
  const args = [
    'parse',
    'results.jsonl',
    '--schema',
    '{"label": "string", "confidence": "number"}',
  ];
  const before = (await folder.json(['files'])).files.length;

  const { code, results } = await folder.json(args);
  const { out } = await folder.run([...args, '--status', 'succeeded']);

  expect(code).toBe(0);
  expect(results[0]).toMatchObject({
    customId: '0',
    status: 'succeeded',
    output: { label: 'praise' },
  });
  expect(out.trimEnd().split('\n')).toHaveLength(2);
  expect((await folder.json(['files'])).files).toHaveLength(before);
});

it('a server of its own and an address exclude each other', async () => {
  const { code, error } = await folder.json(['models', '--local', '--url', app.url]);

  expect(code).toBe(2);
  expect(error.message).toBe('--local and --url exclude each other');
});

describe('the examples of the help run as they stand', () => {
  let shown: string;
  beforeAll(async () => {
    mkdirSync(folder.file('bin'));
    symlinkSync(program, folder.file('bin/winnow'));
    writeFileSync(folder.file('reviews.csv'), 'id,text\nr-1,I love it\nr-2,Worst service\n');
    const line = { messages: [{ role: 'user', content: 'Hello' }], model: 'sandbox/rules' };
    writeFileSync(folder.file('requests.jsonl'), `${JSON.stringify(line)}\n`);
    const batch = await winnow.batches.submit({
      label: { categories: ['praise', 'complaint'] },
      source: { texts: ['I love it'] },
    });
    shown = (await batch.done()).id;
    writeFileSync(folder.file('results.jsonl'), await batch.getOutput('openai_jsonl'));
  });

  it.each(
    commands.filter(({ name }) => name !== 'serve').map(({ name, example }) => [name, example]),
  )('%s', async (_name, example) => {
    const { stderr } = await promisify(execFile)(
      'bash',
      ['-c', example.replace('batch_…', shown)],
      {
        cwd: folder.path,
        env: {
          PATH: `${folder.file('bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
          WINNOW_URL: app.url,
          WINNOW_API_KEY: key,
          PORT: new URL(app.url).port,
          DATABASE_URL: app.databaseUrl,
        },
      },
    );

    expect(stderr).not.toContain('rror');
  });
});
