/** A server that is killed and started again under a command, and Ctrl-C. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Winnow } from '../../src/client/index.ts';
import type { Sandbox } from '../../src/sandbox/faults/sandbox.ts';
import { type Killable, startKillable } from '../support/killable.ts';
import { until } from '../support/until.ts';
import { type Folder, openFolder, type Running } from './support.ts';

const rows = 120;
const concurrency = 4;
/** A machine under load loses shorter ones, and each loss sends calls again. */
const leaseMs = 5_000;
const label = ['label', 'rows.txt', '--categories', 'praise,complaint', '--yes'];

let server: Killable;
let sandbox: Sandbox;
let folder: Folder;
let winnow: Winnow;
beforeAll(async () => {
  server = await startKillable({ latencyMs: 30, concurrency, leaseMs });
  ({ sandbox } = server);
  folder = openFolder({ WINNOW_URL: server.url });
  winnow = new Winnow({ url: server.url });
  writeFileSync(
    folder.file('rows.txt'),
    Array.from({ length: rows }, (_, at) => `I love it, ${at}\n`).join(''),
  );
});
beforeEach(() => sandbox.faults.clear());
afterAll(async () => {
  folder.remove();
  await server.remove();
});

/** The id of the batch, once the command has told of it. */
async function batchOf(running: Running): Promise<string> {
  const told = /^(batch_\w+) {2}/m;
  await until(() => told.test(running.err), { deadlineMs: 10_000, what: 'the batch' });
  return told.exec(running.err)?.[1] ?? '';
}

it('waits for a server that is killed and started again, and loses nothing', async () => {
  const running = folder.start([...label, '-o', 'out.csv']);
  const id = await batchOf(running);
  await sandbox.until(({ requests }) => requests.count >= rows / 3);

  await server.kill();
  await until(() => running.err.includes('does not answer; waiting for it.'), {
    deadlineMs: 20_000,
    what: 'a word about the server',
  });
  await server.start();

  const { code, err } = await running.ended;
  expect(code, err).toBe(0);
  expect(err).toContain('answers again.');
  const { usage, resentRequests, counts } = await winnow.batches.get(id);
  expect(counts.succeeded).toBe(rows);
  expect(usage.requests).toBe(rows);
  expect(resentRequests).toBeLessThanOrEqual(concurrency);
});

it('Ctrl-C once leaves the batch to the server', async () => {
  sandbox.faults.add({ fault: { kind: 'latency', ms: 200 } });
  const running = folder.start([...label, '--name', 'once']);
  const id = await batchOf(running);

  running.process.kill('SIGINT');

  const { code, out, err } = await running.ended;
  expect(code).toBe(130);
  expect(out).toBe('');
  expect(err).toContain(`${id} goes on; winnow show ${id} --watch\n`);
  const batch = await winnow.batches.get(id);
  expect(['queued', 'processing']).toContain(batch.status);
  await batch.cancel();
});

it('Ctrl-C twice cancels it', async () => {
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const running = folder.start([...label, '--name', 'twice']);
  const id = await batchOf(running);

  running.process.kill('SIGINT');
  await until(() => running.err.includes('once more cancels it'), {
    deadlineMs: 10_000,
    what: 'the first Ctrl-C',
  });
  const again = setInterval(() => running.process.kill('SIGINT'), 50);
  const { code, err } = await running.ended.finally(() => clearInterval(again));

  expect(code).toBe(130);
  expect(err).toContain(`${id} is cancelled; the same command retries what was left.`);
  expect((await winnow.batches.get(id)).status).toMatch(/^cancell/);
});

it('Ctrl-C tells of itself as JSON where that was asked for', async () => {
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const running = folder.start(['summarize', 'rows.txt', '--yes', '--json']);
  await sandbox.until(({ inFlight }) => inFlight > 0);
  running.process.kill('SIGINT');

  const { code, out } = await running.ended;
  expect(code).toBe(130);
  expect(JSON.parse(out).error).toMatchObject({ code: 'ABORTED', issues: [] });
});
