/** A server of the command's own: killed with its whole process group, and ended in order. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { until } from '../support/until.ts';
import { type Folder, openFolder } from './support.ts';

const rows = 120;
const concurrency = 4;
/** A machine under load loses shorter ones, and each loss sends calls again. */
const leaseMs = 5_000;
const label = ['label', 'rows.txt', '--categories', 'praise,complaint', '--yes', '--local'];

// Process groups and signals are part of the matter.
describe.skipIf(process.platform === 'win32')('--local', () => {
  let sandbox: Sandbox;
  let folder: Folder;
  beforeAll(async () => {
    sandbox = await startFaultySandbox({ latencyMs: 30 });
    folder = openFolder();
    writeFileSync(
      folder.file('.env'),
      `DATA_DIR=data\nCONSOLE=off\nWORKER_CONCURRENCY=${concurrency}\nWORKER_LEASE_MS=${leaseMs}\nDEFAULT_MODEL=test/rules\nPROVIDERS=${JSON.stringify({ test: { baseURL: sandbox.url, models: ['rules'] } })}\n`,
    );
    writeFileSync(
      folder.file('rows.txt'),
      Array.from({ length: rows }, (_, at) => `I love it, ${at}\n`).join(''),
    );
  });
  afterAll(async () => {
    folder.remove();
    await sandbox.close();
  });

  it('goes on after a kill -9 of everything, and sends again no more than was in flight', async () => {
    const killed = folder.start([...label, '-o', 'out.csv'], { detached: true });
    await sandbox.until(({ requests }) => requests.count >= rows / 3);
    process.kill(-(killed.process.pid ?? 0), 'SIGKILL');
    await killed.ended;

    const { code, err } = await folder.run([...label, '-o', 'out.csv']);

    expect(code, err).toBe(0);
    expect(err).toMatch(/^batch_\w+ of the same file and options goes on\.$/m);
    expect(readFileSync(folder.file('out.csv'), 'utf8').trimEnd().split('\n')).toHaveLength(
      rows + 1,
    );
    expect(existsSync(folder.file('out.csv.part'))).toBe(false);
    expect(existsSync(folder.file('data'))).toBe(true);
    const { batch, output } = await folder.json([...label, '-o', 'again.csv']);
    expect(err).toContain(batch.id);
    expect(output).toBe('again.csv');
    expect(readFileSync(folder.file('again.csv'))).toEqual(readFileSync(folder.file('out.csv')));
    expect(batch.usage.requests).toBe(rows);
    expect(batch.resentRequests).toBeLessThanOrEqual(concurrency);
    expect(sandbox.requests.count).toBeLessThanOrEqual(rows + concurrency);
  });

  it('ends in order at Ctrl-C, and the batch waits for the next run', async () => {
    const args = [...label, '--name', 'later', '-o', 'later.csv'];
    const left = folder.start(args);
    const before = sandbox.requests.count;
    await sandbox.until(({ requests }) => requests.count > before);
    left.process.kill('SIGINT');
    const { code, err } = await left.ended;

    const next = await folder.run(args);

    expect(code, err).toBe(130);
    expect(err).toMatch(/^batch_\w+ waits for the next run of the same command$/m);
    expect(existsSync(folder.file('data/postgres/postmaster.pid'))).toBe(false);
    expect(next.code, next.err).toBe(0);
    expect(sandbox.requests.count - before).toBe(rows);
  });

  it('tells of wrong variables as of a wrong use', async () => {
    const { code, error } = await folder.json(['models', '--local'], {
      env: { WORKER_CONCURRENCY: 'many' },
    });

    expect(code).toBe(2);
    expect(error.message).toContain('WORKER_CONCURRENCY');
  });

  it('serves by itself as npm start does, until it is ended', async () => {
    const served = folder.start(['serve'], { env: { PORT: '0' } });
    await until(() => served.out.includes('Winnow is up'), {
      deadlineMs: 20_000,
      what: `a start: ${served.err}`,
    });
    const [, url = ''] = /GraphQL +(\S+)\/graphql/.exec(served.out) ?? [];

    const { code, models } = await folder.json(['models', '--url', url]);
    served.process.kill('SIGTERM');

    expect(code).toBe(0);
    expect(models).toContainEqual(expect.objectContaining({ id: 'test/rules' }));
    expect((await served.ended).code).toBe(0);
  });
});
