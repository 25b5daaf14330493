/**
 * The life of a batch in the log: a line each when it is submitted, started and ended, of whose it
 * is and what it came to.
 */
import { hostname } from 'node:os';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { version } from '../../src/core/version.ts';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase } from '../support/database.ts';
import { createLogTo, type Line } from '../support/logged.ts';
import { startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const headers = { authorization: `Bearer ${annaKey}` };
const secret = 'the secret words of an item';

const { logTo, lines } = createLogTo();
let app: App;
beforeAll(async () => {
  app = await startApp(
    { API_KEYS: `anna:${annaKey}`, LOG_LEVEL: 'info', PROVIDER_BATCH_POLL_MS: '50' },
    { logTo },
  );
});
afterAll(() => app.stop());
afterEach(() => app.sandbox.faults.clear());

const life = ['batch submitted', 'batch started', 'batch ended'];

/**
 * The lines of a batch about its life, in the order of that: each is written when the database has
 * answered, so that they may pass each other. Waits until it has been told to have ended, as often
 * as `ends` says, and all that it went through.
 */
async function linesOf(id: string, ends = 1): Promise<Line[]> {
  const own = () =>
    lines.filter(({ batchId, msg }) => batchId === id && life.includes(String(msg)));
  await until(
    () => {
      const told = own().filter(({ msg }) => msg === 'batch ended');
      const hasRun = told.some(({ runSeconds }) => runSeconds !== null);
      const before = own().length - told.length;
      return told.length >= ends && before === (hasRun ? 2 : 1);
    },
    { deadlineMs: 10_000, what: `the lines of ${id}` },
  );
  return own().toSorted((a, b) => life.indexOf(String(a.msg)) - life.indexOf(String(b.msg)));
}

const submit = (texts: string[], input: Record<string, unknown> = {}) =>
  submitTexts(app, texts, { headers, ...input });
const mutate = (field: string, id: string) =>
  app.graphql(`mutation($id: ID!) { ${field}(id: $id) { batch { id } } }`, { id }, headers);

it('a batch has three lines, which hold no text of its items, its name or its options', async () => {
  app.sandbox.faults.add({ fault: { kind: 'refusal' }, times: 1 });
  const id = await submit([`${secret} one`, `${secret} two`, `${secret} three`], {
    name: `${secret} name`,
    metadata: { note: `${secret} metadata` },
    operation: { label: { categories: ['praise', 'complaint'], instructions: `${secret} prompt` } },
  });

  const own = await linesOf(id);

  expect(own.map(({ msg, level }) => [msg, level])).toEqual([
    ['batch submitted', 30],
    ['batch started', 30],
    ['batch ended', 30],
  ]);
  for (const line of own) {
    expect(line).toMatchObject({
      batchId: id,
      owner: 'anna',
      operation: 'label',
      provider: 'test',
      model: 'test/rules',
      lane: 'live',
      items: 3,
    });
    expect(line.seconds).toBeGreaterThanOrEqual(0);
  }
  expect(own.at(-1)).toMatchObject({
    status: 'COMPLETED',
    counts: { succeeded: 2, failed: 1, cancelled: 0, expired: 0 },
    requests: 3,
    resentRequests: 0,
    costUsd: null,
  });
  expect(own.at(-1)?.seconds).toBeGreaterThanOrEqual(own.at(-1)?.runSeconds);
  expect(JSON.stringify(lines)).not.toContain(secret);
});

it('a draft that is cancelled was never started', async () => {
  const id = await submit(['good'], { autoStart: false });
  await mutate('cancelBatch', id);

  const own = await linesOf(id);

  expect(own.map(({ msg }) => msg)).toEqual(['batch submitted', 'batch ended']);
  expect(own.at(-1)).toMatchObject({
    status: 'CANCELLED',
    counts: { cancelled: 1 },
    runSeconds: null,
  });
});

it('a batch that is stopped and goes on ends twice, and starts once', async () => {
  app.sandbox.faults.add({ fault: { kind: 'status', status: 401 }, times: 1 });
  const id = await submit(['good']);
  await untilEnded(app, id, headers);
  await linesOf(id);
  await app.graphql('mutation($id: ID!) { retryBatch(id: $id) { batch { id } } }', { id }, headers);

  const own = await linesOf(id, 2);

  expect(own.map(({ msg, status }) => [msg, status])).toEqual([
    ['batch submitted', expect.any(String)],
    ['batch started', 'PROCESSING'],
    ['batch ended', 'FAILED'],
    ['batch ended', 'COMPLETED'],
  ]);
  expect(own[2]).toMatchObject({ errorCode: 'INVALID_KEY' });
  expect(
    lines.find(({ msg, batchId }) => msg === 'a batch was stopped' && batchId === id),
  ).toBeDefined();
});

it('a batch at its provider has the same lines', async () => {
  const id = await submit(['good', 'bad'], { execution: 'PROVIDER_BATCH' });

  const own = await linesOf(id);

  expect(own.map(({ msg }) => msg)).toEqual(['batch submitted', 'batch started', 'batch ended']);
  expect(own.at(-1)).toMatchObject({ lane: 'provider_batch', counts: { succeeded: 2 } });
});

it('an upload with an operation has them, and a submit that is repeated has none of its own', async () => {
  const form = new FormData();
  form.set('operation', 'label');
  form.set('categories', 'praise,complaint');
  form.set('file', new Blob(['good\nbad\n']), 'a.txt');
  const upload = await fetch(`${app.url}/files`, { method: 'POST', headers, body: form });
  const requestId = upload.headers.get('x-request-id');
  const { batchId } = (await upload.json()) as { batchId: string };
  const repeated = { idempotencyKey: 'once', autoStart: false };
  const [first, again] = [await submit(['x'], repeated), await submit(['x'], repeated)];
  await mutate('cancelBatch', first);

  expect((await linesOf(batchId))[0]).toMatchObject({ msg: 'batch submitted', requestId });
  expect(again).toBe(first);
  expect((await linesOf(first)).map(({ msg }) => msg)).toEqual(['batch submitted', 'batch ended']);
});

it('a pause and its end have a line each', async () => {
  const told = (id: string, msg: string) =>
    lines.find((line) => line.batchId === id && line.msg === msg);
  const line = async (id: string, msg: string) => {
    await until(() => told(id, msg) !== undefined, { deadlineMs: 10_000, what: msg });
    return told(id, msg);
  };
  const undo = app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, times: 10 });
  const id = await submit(['good', 'bad']);
  await line(id, 'batch started');

  await mutate('pauseBatch', id);
  const paused = await line(id, 'batch paused');
  undo();
  await mutate('resumeBatch', id);
  const goesOn = await line(id, 'batch goes on');
  await mutate('cancelBatch', id);

  expect(paused).toMatchObject({ level: 30, owner: 'anna', reason: 'REQUESTED', items: 2 });
  expect(goesOn).toMatchObject({ level: 30, owner: 'anna', items: 2 });
});

it('a provider that is down has one line at the beginning of the wait and one at its end', async () => {
  const undo = app.sandbox.faults.add({
    fault: { kind: 'status', status: 503 },
  });
  const id = await submit(Array.from({ length: 100 }, (_, at) => `good ${at}`));
  const own = (msg: string) => lines.filter((line) => line.batchId === id && line.msg === msg);
  await until(() => own('batch waits').length > 0, { deadlineMs: 30_000, what: 'the wait' });
  undo();
  await untilEnded(app, id, headers);

  expect(own('batch waits')).toMatchObject([{ level: 30, reason: expect.any(String) }]);
  await until(() => own('batch goes on').length > 0, { deadlineMs: 10_000, what: 'its end' });
});

it('a batch that is deleted is told of once more, by its id and owner', async () => {
  const id = await submit(['x'], { autoStart: false });
  await app.graphql('mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id }, headers);

  const line = lines.find(({ msg, batchId }) => msg === 'batch deleted' && batchId === id);
  expect(line).toMatchObject({ owner: 'anna', level: 30 });
});

it('no line names a key that only the database knows', () => {
  expect(lines.filter((line) => 'batchKey' in line)).toEqual([]);
});

it('each line of the program says which process wrote it, its role and its version', async () => {
  const database = await createTestDatabase();
  const program = startProgram({ DATABASE_URL: database.url });
  try {
    await until(() => program.out.includes('is up'), { deadlineMs: 60_000, what: 'the start' });
    const url = /GraphQL +(\S+)/.exec(program.out)?.[1] ?? '';
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query:
          'mutation { submitBatch(input: { operation: { run: { instructions: "x" } }, source: { texts: ["x"] } }) { batch { id } } }',
      }),
    });
    await until(() => program.errors.includes('batch ended'), {
      deadlineMs: 30_000,
      what: 'the end',
    });

    const written = program.errors
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
    expect(written.length).toBeGreaterThanOrEqual(3);
    for (const line of written) {
      expect(line).toMatchObject({
        pid: program.process.pid,
        host: hostname(),
        role: 'all',
        version,
      });
    }
  } finally {
    program.process.kill('SIGTERM');
    await program.ended;
    await database.drop();
  }
});
