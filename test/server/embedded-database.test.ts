/**
 * What a server with its own Postgres outlives: a killed server process, and a disk that fills up.
 */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import postgres from 'postgres';
import { expect, type OnTestFinishedHandler, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startService } from '../../src/service.ts';
import { readBatch, submit, texts, untilEnded } from '../engine/worker/support.ts';
import { databaseHome } from '../support/database-home.ts';
import { until } from '../support/until.ts';

const megabyte = 1024 * 1024;

/** A service on an embedded Postgres in `directory`. */
async function serve(directory: string) {
  const config = readConfig({ PORT: '0', CONSOLE: 'off', DATA_DIR: directory });
  const service = await startService(config, pino({ level: 'silent' }));
  onTestFinished(() => service.stop({ hurry: true }));
  return { url: service.url ?? '' };
}

async function makeDirectory(finished: (undo: OnTestFinishedHandler) => void): Promise<string> {
  const directory = await mkdtemp(join(databaseHome(), 'winnow-data-'));
  await chmod(directory, 0o755);
  finished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

async function upload({ url }: { url: string }): Promise<{ status: number; code: string | null }> {
  const response = await fetch(`${url}/files?name=a.txt`, { method: 'POST', body: 'one\ntwo\n' });
  const body = (await response.json()) as { error?: { code: string } };
  return { status: response.status, code: body.error?.code ?? null };
}

test.skipIf(process.platform === 'win32')(
  'a Postgres that is killed comes back by itself, and the batch that ran goes on to its end',
  async () => {
    const directory = await makeDirectory(onTestFinished);
    const api = await serve(directory);
    const id = await submit(api, texts(1_000));
    const pidFile = join(directory, 'postgres', 'cluster', 'data', 'postmaster.pid');
    const pid = Number.parseInt(await readFile(pidFile, 'utf8'), 10);

    process.kill(pid, 'SIGKILL');

    await until(async () => (await fetch(`${api.url}/health`)).status !== 200, {
      deadlineMs: 10_000,
      what: 'the health tells of the kill',
    });
    await until(async () => (await fetch(`${api.url}/health`)).status === 200, {
      deadlineMs: 15_000,
      what: 'the database has come back',
    });
    expect(await upload(api)).toEqual({ status: 201, code: null });
    const ended = await untilEnded(api, id, 60_000);
    expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 1_000 } });
  },
);

/** Only root may mount; where it may not, nothing can be said here about a full disk. */
function mountSmallDisk(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=900m,mode=0755', 'tmpfs', directory]);
    return true;
  } catch {
    return false;
  }
}

/** A folder on a small disk of its own. */
async function makeSmallDisk(skip: (why: string) => never): Promise<string> {
  const undo: OnTestFinishedHandler[] = [];
  const directory = await makeDirectory((step) => undo.push(step));
  if (!mountSmallDisk(directory)) skip('only root may mount a disk to fill');
  onTestFinished(async (context) => {
    execFileSync('umount', ['--lazy', directory]);
    for (const step of undo) await step(context);
  });
  return directory;
}

/** Writes to the database of `directory` until it breaks. */
async function writeUntilItBreaks(directory: string): Promise<void> {
  const cluster = join(directory, 'postgres', 'cluster');
  const password = await readFile(join(cluster, 'password'), 'utf8');
  const port = (await readFile(join(cluster, 'data', 'postmaster.pid'), 'utf8')).split('\n')[3];
  const sql = postgres(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`, { max: 1 });
  try {
    // Text that does not compress, and nothing but log, which Postgres cannot be without.
    for (;;) {
      await sql`
        select pg_logical_emit_message(false, 'ballast', string_agg(md5(random()::text), ''))
        from generate_series(1, 100000)`;
    }
  } catch {
    await sql.end({ timeout: 0 });
  }
}

test('a Postgres that a full disk has ended comes back when there is room again', async ({
  skip,
}) => {
  const directory = await makeSmallDisk(skip);
  const api = await serve(directory);
  const kept = await upload(api);
  const filler = join(directory, 'filler');
  await writeFile(filler, Buffer.alloc(1000 * megabyte)).catch(() => undefined); // to the last byte

  await writeUntilItBreaks(directory);
  await until(async () => (await fetch(`${api.url}/health`)).status !== 200, {
    deadlineMs: 10_000,
    what: 'the database has ended',
  });
  await rm(filler);

  await until(async () => (await fetch(`${api.url}/health`)).status === 200, {
    deadlineMs: 35_000,
    what: 'the database has come back',
  });
  expect(kept.status).toBe(201);
});

test('a disk that is nearly full takes nothing new but goes on answering, and takes again when there is room', async ({
  skip,
}) => {
  const directory = await makeSmallDisk(skip);
  const api = await serve(directory);
  const before = await upload(api);
  const id = await submit(api, texts(10));
  await untilEnded(api, id);
  const filler = join(directory, 'filler');
  await writeFile(filler, Buffer.alloc(450 * megabyte));

  const refused = await until(
    async () => {
      const answer = await upload(api);
      return answer.status !== 201 && answer;
    },
    { deadlineMs: 10_000, what: 'the full disk is noticed' },
  );
  const submitted = await submit(api, texts(10)).catch(String);

  expect(before).toEqual({ status: 201, code: null });
  expect(refused).toEqual({ status: 507, code: 'STORAGE_FULL' });
  expect(submitted).toContain('STORAGE_FULL');
  expect(await readBatch(api, id)).toMatchObject({ status: 'COMPLETED' });
  const output = await fetch(`${api.url}/batches/${id}/output`);
  expect((await output.text()).trimEnd().split('\n')).toHaveLength(10);

  await rm(filler);
  await until(async () => (await upload(api)).status === 201, {
    deadlineMs: 10_000,
    what: 'the room is noticed',
  });
});
