/**
 * The start of the program: what it waits for, what it gives up at once, and what it says
 * meanwhile.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import pino from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { StartFailure } from '../../src/core/errors.ts';
import { awaitDatabase } from '../../src/db/driver/await-database.ts';
import { startService } from '../../src/service.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createLogTo } from '../support/logged.ts';
import { type Program, startProgram } from '../support/program.ts';
import { startProxy } from '../support/proxy.ts';
import { createTrail } from '../support/trail.ts';
import { until } from '../support/until.ts';
import { selfSigned } from '../webhooks/certificate.ts';
import { closedPort } from '../webhooks/support.ts';

const programs: Program[] = [];
let database: TestDatabase;
let stranger: string;
beforeAll(async () => {
  database = await createTestDatabase();
  stranger = `stranger_${process.pid}`;
  await asOwner((sql) => sql.unsafe(`create role ${stranger} login password 'the-right-password'`));
});
afterAll(async () => {
  for (const { process: child } of programs) child.kill('SIGKILL');
  await database.drop();
  const url = new URL(database.url);
  url.pathname = '/postgres';
  await asOwner((sql) => sql.unsafe(`drop role ${stranger}`), url.href);
});

async function asOwner(
  work: (sql: postgres.Sql) => Promise<unknown>,
  url = database.url,
): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await work(sql).finally(() => sql.end());
}

function start(env: Record<string, string>): Program {
  const program = startProgram(env);
  programs.push(program);
  return program;
}

/** The test database's address with parts of it changed. */
function addressWith(change: (url: URL) => void): string {
  const url = new URL(database.url);
  change(url);
  return url.href;
}

/** One line, and no stack. */
function expectSentence({ errors, out }: Program, expected: RegExp): void {
  expect(errors.trimEnd().split('\n')).toEqual([expect.stringMatching(expected)]);
  expect(errors).not.toMatch(/ at .*\.ts:|"level"/);
  expect(out).toBe('');
}

const deadlineMs = 30_000;

describe.concurrent('a database that is not there yet', () => {
  it('is waited for, with a sentence every five seconds, and served when it comes', async () => {
    const proxy = await startProxy(await closedPort());
    const program = start({ DATABASE_URL: proxy.through(database.url) });
    await until(() => program.errors.split('\n').length > 2, { deadlineMs, what: 'two sentences' });

    proxy.target(Number(new URL(database.url).port));
    await until(() => program.out.includes('is up'), { deadlineMs, what: 'the start' });
    program.process.kill('SIGTERM');

    expect(await program.ended).toBe(0);
    const [first, second, ...more] = program.errors.trimEnd().split('\n');
    expect(more).toEqual([]);
    const seconds = [first, second].map((line) =>
      Number(
        /^Waiting for the database at 127\.0\.0\.1:\d+, for up to (\d+) s more: /.exec(
          line ?? '',
        )?.[1],
      ),
    );
    expect((seconds[0] ?? 0) - (seconds[1] ?? 0)).toBeGreaterThanOrEqual(4);
    await proxy.close();
  });

  it('may answer too late for the lease: the start goes on, and the lease is taken later', async () => {
    const leaseMs = 200;
    const proxy = await startProxy(Number(new URL(database.url).port));
    proxy.weather({ delayMs: () => 0.35 * leaseMs }); // and as long back
    const config = readConfig({
      PORT: '0',
      CONSOLE: 'off',
      DATABASE_URL: proxy.through(database.url),
    });
    const { logTo, lines } = createLogTo();
    const service = await startService(
      { ...config, workerLeaseMs: leaseMs },
      pino({ level: 'warn' }, logTo),
    );
    const { next } = createTrail(service.events);
    const warnings = lines.map(({ msg }) => msg);

    const taken = next('lease.taken');
    proxy.weather({});
    await taken;
    await service.stop({ hurry: true });
    await proxy.close();

    expect(warnings).toContain('could not renew the lease');
  });

  it('is given up at the first Ctrl-C', async () => {
    const program = start({
      DATABASE_URL: addressWith((url) => {
        url.port = '1';
      }),
    });
    await until(() => program.errors.includes('Waiting'), { deadlineMs, what: 'a sentence' });

    program.process.kill('SIGINT');

    expect(await program.ended).toBe(0);
    expectSentence(program, /^Waiting for the database at 127\.0\.0\.1:1, .*nothing listens there/);
  });

  it('is given up when the time is over', async () => {
    const told: string[] = [];
    const url = addressWith((address) => {
      address.port = '1';
    });

    await expect(
      awaitDatabase(url, { tell: (sentence) => told.push(sentence), patienceMs: 600 }),
    ).rejects.toThrow(/^The database at 127\.0\.0\.1:1 did not answer within 1 s: /);
    expect(told).toHaveLength(1);
  });

  it('is given up when something else answers in its place', async () => {
    const other = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const url = addressWith((changed) => {
      changed.port = typeof address === 'object' ? String(address?.port) : '';
    });

    await expect(awaitDatabase(url, { tell: () => undefined, patienceMs: 100 })).rejects.toThrow(
      /did not answer within 0 s: it does not answer/,
    );
    other.close();
  });
});

describe.concurrent('a database that takes connections and says nothing', () => {
  it('is told of once when the first question is given up', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const url = addressWith((changed) => {
      changed.port = typeof address === 'object' ? String(address?.port) : '';
    });
    const told: string[] = [];
    const stop = new AbortController();

    const waiting = awaitDatabase(url, {
      tell: (sentence) => told.push(sentence),
      patienceMs: 60_000,
      signal: stop.signal,
    });
    waiting.catch(() => undefined);
    await until(() => told.length > 0, { deadlineMs, what: 'a sentence' });
    stop.abort();

    await expect(waiting).rejects.toThrow(/aborted/);
    expect(told).toHaveLength(1);
    silent.close();
  });
});

describe('a start that no waiting mends is one sentence', () => {
  const password = 'a-wrong-secret';
  it.each<[string, (url: URL) => void, RegExp]>([
    [
      'a wrong password',
      (url) => {
        url.password = password;
      },
      /^The database "test_\w+" at 127\.0\.0\.1:\d+ refuses the password of "postgres"$/,
    ],
    [
      'an unknown account',
      (url) => {
        url.username = 'nobody';
        url.password = password;
      },
      /^The database "test_\w+" at 127\.0\.0\.1:\d+ refuses the password of "nobody"$/,
    ],
    [
      'a missing database',
      (url) => {
        url.pathname = '/nowhere';
      },
      /^There is no database "nowhere" at 127\.0\.0\.1:\d+ for "postgres"; create it/,
    ],
    [
      'missing rights',
      (url) => {
        url.username = stranger;
        url.password = 'the-right-password';
      },
      /gives "stranger_\d+" too few rights \(permission denied .*\); .*grant CREATE/,
    ],
  ])('%s', async (_what, change, expected) => {
    const message = await failureOf({ DATABASE_URL: addressWith(change) });

    expect(message).toMatch(expected);
    expect(message).not.toMatch(/a-wrong-secret|the-right-password/);
  });

  it('which is all that the program says', async () => {
    const program = start({
      DATABASE_URL: addressWith((url) => {
        url.password = password;
      }),
    });

    expect(await program.ended).toBe(1);
    expectSentence(
      program,
      /^The database "test_\w+" at 127\.0\.0\.1:\d+ refuses the password of "postgres"$/,
    );
  });

  it('a port that is taken, and a HOST that is not ours', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const keys = { API_KEYS: 'anna:anna-key-0123456789abcdefgh' };

    const inUse = await failureOf({ DATABASE_URL: database.url, PORT: port });
    const foreign = await failureOf({ DATABASE_URL: database.url, HOST: '192.0.2.1', ...keys });
    taken.close();

    expect(inUse).toMatch(
      /^PORT must be free: 127\.0\.0\.1:\d+ is in use, perhaps by another Winnow/,
    );
    expect(foreign).toMatch(/^HOST must be an address of this machine, not 192\.0\.2\.1/);
  });

  it('a certificate that is not trusted', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      // The answer to the question whether TLS is spoken here.
      socket.once('data', () => {
        socket.write('S');
        const secure = new TLSSocket(socket, { isServer: true, ...selfSigned });
        secure.on('error', () => undefined);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';

    const message = await failureOf({
      DATABASE_URL: `postgres://anna:the-right-password@127.0.0.1:${port}/winnow?sslmode=verify-full`,
    });
    server.close();

    expect(message).toMatch(
      /^The database "winnow" at 127\.0\.0\.1:\d+ shows "anna" a certificate that is not trusted \([A-Z_]+\)/,
    );
    expect(message).not.toContain('the-right-password');
  });

  it('a DATA_DIR that cannot be made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'winnow-start-'));
    await writeFile(join(folder, 'file'), '');

    const message = await failureOf({ DATA_DIR: join(folder, 'file', 'data') });
    await rm(folder, { recursive: true });

    expect(message).toMatch(/cannot be made \(ENOTDIR\): choose another DATA_DIR/);
  });
});

/** What a start says that fails for a reason beside it. */
async function failureOf(env: Record<string, string>): Promise<string> {
  const log = pino({ level: 'silent' });
  const failure = await startService(readConfig({ PORT: '0', CONSOLE: 'off', ...env }), log).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(failure instanceof StartFailure)) throw failure;
  return failure.message;
}

it('how long the start took is counted from the start of the process', async () => {
  // Before any source is read.
  const stall = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000)';
  const program = start({
    DATABASE_URL: database.url,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(stall)}`,
  });
  await until(() => program.out.includes('is up'), { deadlineMs, what: 'the start' });
  program.process.kill('SIGTERM');
  await program.ended;

  const toldSeconds = Number(/is up after ([\d.]+) s/.exec(program.out)?.[1]);
  expect(toldSeconds).toBeGreaterThanOrEqual(3);
});
