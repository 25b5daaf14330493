/** What a balancer and a cluster ask, from the start of a process to its exit. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startApp } from '../support/app.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { freePort } from '../support/free-port.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';
import { type Program, startProgram } from '../support/program.ts';
import { startProxy } from '../support/proxy.ts';
import { type StubProvider, startStubProvider } from '../support/stub-provider.ts';
import { until } from '../support/until.ts';

const deadlineMs = 30_000;
const key = 'anna-key-0123456789abcdefgh';

let database: TestDatabase;
let provider: StubProvider;
beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startStubProvider();
});
afterAll(async () => {
  await provider.close();
  await database.drop();
});

async function read(address: string, init?: RequestInit) {
  const response = await fetch(address, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const ask = (url: string, headers = {}) =>
  read(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: '{"query": "{ __typename }"}',
  });

describe('the probes', () => {
  it('need no key, tell of each check, and can only be read', async () => {
    const app = await startApp({ API_KEYS: `anna:${key}` });

    const health = await read(`${app.url}/healthz`);
    const ready = await read(`${app.url}/readyz`);
    const post = await read(`${app.url}/readyz`, { method: 'POST' });
    const head = await fetch(`${app.url}/readyz`, { method: 'HEAD' });
    await app.stop();

    expect([health.status, health.body]).toEqual([200, { status: 'ok' }]);
    expect([ready.status, ready.body]).toEqual([
      200,
      {
        status: 'ready',
        checks: { database: true, migrations: true, adopt: true, worker: true },
      },
    ]);
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('tell of a database that is away, and of a lease that is lost', async () => {
    const proxy = await startProxy(Number(new URL(database.url).port));
    const app = await startApp(
      { WORKER_LEASE_MS: '3000' },
      { databaseUrl: proxy.through(database.url) },
    );
    const untilReady = (what: string, isSo: (found: Awaited<ReturnType<typeof read>>) => boolean) =>
      until(
        async () => {
          const found = await read(`${app.url}/readyz`);
          return isSo(found) ? found : null;
        },
        { deadlineMs, what },
      );

    proxy.swallow();
    const away = await untilReady('a lost lease', ({ body }) => body.checks.worker === false);
    const health = await read(`${app.url}/healthz`);
    proxy.pass();
    await untilReady('ready again', ({ status }) => status === 200);
    await app.stop();
    await proxy.close();

    expect(health.status).toBe(200);
    expect([away?.status, away?.body]).toEqual([
      503,
      {
        status: 'database',
        checks: { database: false, migrations: true, adopt: true, worker: false },
      },
    ]);
  });

  it('are answered on METRICS_PORT before there is a database', async () => {
    const metricsPort = await freePort();
    const program = startProgram({
      DATABASE_URL: 'postgres://winnow@127.0.0.1:1/winnow',
      METRICS_PORT: String(metricsPort),
    });
    const url = `http://127.0.0.1:${metricsPort}`;
    await until(() => program.errors.includes('Waiting'), { deadlineMs, what: 'a wait' });

    const health = await read(`${url}/healthz`);
    const ready = await read(`${url}/readyz`);
    program.process.kill('SIGTERM');
    await program.ended;

    expect(health.status).toBe(200);
    expect([ready.status, ready.body]).toEqual([
      503,
      { status: 'database', checks: { database: false, migrations: false } },
    ]);
  });
});

describe('METRICS_PORT', () => {
  it('is the one port of a worker, on any address without keys, and has nothing of owners', async () => {
    const metricsPort = await freePort();
    const program = startProgram({
      DATABASE_URL: database.url,
      ROLE: 'worker',
      HOST: '0.0.0.0',
      METRICS_PORT: String(metricsPort),
    });
    await until(() => program.out.includes('is up'), { deadlineMs, what: 'the start' });
    const url = `http://127.0.0.1:${metricsPort}`;

    const ready = await read(`${url}/readyz`);
    const other = await read(`${url}/graphql?query={__typename}`);
    program.process.kill('SIGTERM');

    expect(ready.body).toMatchObject({ status: 'ready', checks: { worker: true } });
    expect([other.status, other.body.error.code]).toEqual([404, 'NOT_FOUND']);
    expect(program.out).toContain(`Probes      ${url}/readyz`);
    expect(await program.ended).toBe(0);
  });

  it('names each request that it answers', async () => {
    const app = await startApp({ METRICS_PORT: '0' });
    const url = app.service.operatorUrl ?? '';
    const headers = { 'x-request-id': 'abc-1' };

    const ids = await Promise.all(
      ['/healthz', '/metrics', '/nothing'].map(async (path) =>
        (await fetch(url + path, { headers })).headers.get('x-request-id'),
      ),
    );
    await app.stop();

    expect(ids).toEqual(['abc-1', 'abc-1', 'abc-1']);
  });

  it('must be free', async () => {
    const app = await startApp({ METRICS_PORT: '0' });
    const { port } = new URL(app.service.operatorUrl ?? '');
    const program = startProgram({ DATABASE_URL: database.url, METRICS_PORT: port });

    const code = await program.ended;
    await app.stop();

    expect([code, program.errors]).toEqual([
      1,
      `METRICS_PORT must be free: 127.0.0.1:${port} is in use, perhaps by another Winnow\n`,
    ]);
  });
});

describe('the end of a process', () => {
  let program: Program;
  let url: string;
  let metricsUrl: string;

  async function start(env: Record<string, string> = {}): Promise<void> {
    const [port, metricsPort] = [await freePort(), await freePort()];
    program = startProgram({
      DATABASE_URL: database.url,
      PORT: String(port),
      METRICS_PORT: String(metricsPort),
      API_KEYS: `anna:${key}`,
      PROVIDERS: JSON.stringify({ stub: { baseURL: provider.url, models: ['m'] } }),
      ...env,
    });
    url = `http://127.0.0.1:${port}`;
    metricsUrl = `http://127.0.0.1:${metricsPort}`;
    await until(() => program.out.includes('is up'), { deadlineMs, what: 'the start' });
  }

  /** A live call that the provider answers when the test says so. */
  async function callModel(): Promise<{ answer: Promise<Response>; release: () => void }> {
    let release: () => void = () => undefined;
    const after = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sent = provider.requests.length;
    provider.reply({ after, body: completion });
    const answer = fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: 'stub/m', messages: [{ role: 'user', content: 'Hello' }] }),
    });
    await provider.received(sent + 1);
    return { answer, release };
  }

  const untilStopping = (address: string) =>
    until(async () => (await read(`${address}/readyz`)).body.status === 'stopping', {
      deadlineMs,
      what: 'the beginning of the end',
    });

  it('is told by /readyz until the exit, lets calls end, and turns new ones away', async () => {
    await start();
    const { answer, release } = await callModel();

    program.process.kill('SIGTERM');
    await untilStopping(url);
    const [ready, second, health] = await Promise.all([
      read(`${url}/readyz`),
      read(`${metricsUrl}/readyz`),
      read(`${url}/healthz`),
    ]);
    const query = await ask(url);
    const route = await read(`${url}/files`, { method: 'POST' });
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      headers: { 'x-request-id': 'abc-1' },
    });
    const [, refused] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    release();
    const answered = await answer;

    expect([ready.status, second.status, health.status]).toEqual([503, 503, 200]);
    expect(ready.body).toMatchObject({ status: 'stopping' });
    expect([query.status, query.body.errors[0].extensions.code]).toEqual([503, 'SHUTTING_DOWN']);
    expect([route.status, route.body.error.code]).toEqual([503, 'SHUTTING_DOWN']);
    expect([query.headers.get('connection'), query.headers.get('retry-after')]).toEqual([
      'close',
      '1',
    ]);
    expect([refused.statusCode, refused.headers['x-request-id']]).toEqual([503, 'abc-1']);
    expect([answered.status, answered.headers.get('connection')]).toEqual([200, 'close']);
    expect(await program.ended).toBe(0);
  });

  it('refuses before it closes, where SHUTDOWN_DELAY_MS gives time, also with nothing under way', async () => {
    await start({ SHUTDOWN_DELAY_MS: '400' });
    const statuses: number[] = [];

    program.process.kill('SIGTERM');
    while (statuses.at(-1) !== 0) {
      const { status } = await ask(url).catch(() => ({ status: 0 }));
      statuses.push(status);
    }

    expect([...new Set(statuses)]).toEqual([200, 503, 0]);
    expect(await program.ended).toBe(0);
  });

  it('leaves a balancer the time of SHUTDOWN_DELAY_MS, which a second signal ends', async () => {
    await start({ SHUTDOWN_DELAY_MS: '600000' });

    program.process.kill('SIGTERM');
    await untilStopping(url);
    const query = await ask(url);
    // One press of Ctrl-C may arrive twice, so that the program leaves a second one aside at first.
    await until(
      async () => {
        program.process.kill('SIGTERM');
        const { status } = await ask(url).catch(() => ({ status: 0 }));
        return status !== 200;
      },
      { deadlineMs, what: 'the end of the delay' },
    );

    expect(query.status).toBe(200);
    expect(await program.ended).toBe(0);
  });
});

describe('winnow healthcheck', () => {
  const check = async (file: string[], env: Record<string, string>) => {
    const command = promisify(execFile)(process.execPath, [...nodeFlags, ...file], {
      env: { ...nodeEnv, PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...env },
    });
    return await command.then(
      () => ({ code: 0, stderr: '' }),
      ({ code, stderr }) => ({ code, stderr }),
    );
  };

  it.each([
    ['the file', ['src/cli/healthcheck.ts']],
    ['the command', ['src/cli/main.ts', 'healthcheck']],
  ])('%s tells by its exit whether all ports are ready', async (_name, file) => {
    const app = await startApp({ METRICS_PORT: '0' });
    const ports = {
      PORT: new URL(app.url).port,
      METRICS_PORT: new URL(app.service.operatorUrl ?? '').port,
    };
    const closed = String(await freePort());

    const well = await check(file, { ...ports, HOST: '0.0.0.0' });
    const half = await check(file, { ...ports, PORT: closed });
    const worker = await check(file, { ...ports, PORT: closed, ROLE: 'worker' });
    const portless = await check(file, { ROLE: 'worker' });
    await app.stop();

    expect([well.code, half.code, worker.code, portless.code]).toEqual([0, 1, 0, 1]);
    expect(half.stderr).toContain(`http://127.0.0.1:${closed}/readyz does not answer`);
    expect(portless.stderr).toContain('METRICS_PORT must be set');
  });
});

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};
