/**
 * nginx and Caddy with the files of deploy, before two processes of Winnow: a WebSocket and an
 * event stream that are quiet for longer than a proxy's usual minute, an upload of 100 MB, and the
 * end of one process under requests, of which none may fail.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { Agent, fetch } from 'undici';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';
import { type Check, findProgram, root, run } from './checks.ts';

/** A proxy that closes what is quiet does so after 60 s where it is not told otherwise. */
const quietMs = 80_000;
const uploadBytes = 100_000_000;
const key = 'a-proxy-key-0123456789abcdef';
const authorization = `Bearer ${key}`;
const agent = new Agent({ connect: { rejectUnauthorized: false } });

interface Proxy {
  port: number;
  process: ChildProcess;
}

interface Setting {
  /** A folder of this check's own. */
  folder: string;
  /** Ports of the two processes. */
  upstreams: readonly [number, number];
}

export const nginx: Check = {
  name: 'nginx.conf before two processes: quiet streams, 100 MB up, SIGTERM without a lost request',
  needs: { nginx: 'nginx-light', openssl: 'openssl' },
  run: () => tryProxy(startNginx),
};

export const caddy: Check = {
  name: 'Caddyfile before two processes: quiet streams, 100 MB up, SIGTERM without a lost request',
  needs: { caddy: 'caddy' },
  run: () => tryProxy(startCaddy),
};

async function startNginx({ folder, upstreams }: Setting): Promise<Proxy> {
  const port = await freePort();
  const plain = await freePort();
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'],
    ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'fullchain.pem')],
  ]);
  const text = replaceAll(readFileSync(join(root, 'deploy/nginx.conf'), 'utf8'), {
    '127.0.0.1:4001': `127.0.0.1:${upstreams[0]}`,
    '127.0.0.1:4002': `127.0.0.1:${upstreams[1]}`,
    'listen 80;': `listen 127.0.0.1:${plain};`,
    'listen 443 ': `listen 127.0.0.1:${port} `,
    '/etc/ssl/winnow': folder,
    '/run/nginx.pid': join(folder, 'nginx.pid'),
    'http {\n': `http {\n${temporaryPaths(folder)}`,
  });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, text);
  const program = findProgram('nginx') ?? 'nginx';
  const log = ['-e', join(folder, 'error.log')];
  await run(program, ['-t', '-c', file, ...log]);
  const child = spawn(program, ['-c', file, ...log, '-g', 'daemon off;'], { stdio: 'ignore' });
  return { port, process: child };
}

/** Where nginx puts bodies: the usual folders are the system's. */
function temporaryPaths(folder: string): string {
  return ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};\n`)
    .join('');
}

async function startCaddy({ folder, upstreams }: Setting): Promise<Proxy> {
  const port = await freePort();
  const file = join(folder, 'Caddyfile');
  const global = `{
	admin off
	skip_install_trust
	auto_https disable_redirects
	https_port ${port}
}
`;
  writeFileSync(file, global + readFileSync(join(root, 'deploy/Caddyfile'), 'utf8'));
  const env = {
    ...process.env,
    HOME: folder,
    XDG_DATA_HOME: folder,
    XDG_CONFIG_HOME: folder,
    WINNOW_DOMAIN: `localhost:${port}`,
    WINNOW_UPSTREAMS: upstreams.map((upstream) => `127.0.0.1:${upstream}`).join(' '),
  };
  const settings = ['--adapter', 'caddyfile', '--config', file];
  await run('caddy', ['validate', ...settings], { env });
  const child = spawn(findProgram('caddy') ?? 'caddy', ['run', ...settings], {
    env,
    stdio: 'ignore',
  });
  return { port, process: child };
}

function replaceAll(text: string, words: Readonly<Record<string, string>>): string {
  let replaced = text;
  for (const [from, to] of Object.entries(words)) {
    if (!replaced.includes(from)) throw new Error(`the file must have ${from.trim()}`);
    replaced = replaced.replaceAll(from, to);
  }
  return replaced;
}

async function tryProxy(startProxy: (setting: Setting) => Promise<Proxy>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'winnow-proxy-'));
  const ends: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true })];
  try {
    const databaseUrl = await startDatabase(folder, ends);
    const upstreams = [await freePort(), await freePort()] as const;
    const proxy = await startProxy({ folder, upstreams });
    ends.unshift(async () => {
      proxy.process.kill('SIGTERM');
      if (proxy.process.exitCode === null) await once(proxy.process, 'exit');
    });
    const [first] = await Promise.all(
      upstreams.map((port) => startProcess(port, { databaseUrl, proxy }, ends)),
    );
    if (!first) throw new Error('two processes must run');
    return await useProxy(proxy.port, first);
  } finally {
    for (const end of ends) await end();
  }
}

async function startDatabase(folder: string, ends: (() => Promise<unknown>)[]): Promise<string> {
  const data = join(folder, 'data');
  mkdirSync(data);
  const script = join(root, 'test/support/embedded-process.ts');
  const database = spawn(process.execPath, ['--import', 'tsx', script, data], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  ends.unshift(async () => {
    database.stdin.end();
    await once(database, 'exit');
  });
  const [line] = (await once(createInterface(database.stdout), 'line')) as [string];
  return (JSON.parse(line) as { url: string }).url;
}

async function startProcess(
  port: number,
  { databaseUrl, proxy }: { databaseUrl: string; proxy: Proxy },
  ends: (() => Promise<unknown>)[],
): Promise<Program> {
  const program = startProgram({
    DATABASE_URL: databaseUrl,
    PORT: String(port),
    API_KEYS: `proxied:${key}`,
    PUBLIC_URL: `https://localhost:${proxy.port}`,
    SHUTDOWN_DELAY_MS: '5000',
  });
  ends.unshift(async () => {
    program.process.kill('SIGTERM');
    await program.ended;
  });
  await until(() => program.out.includes('Winnow is up'), {
    deadlineMs: 60_000,
    what: `a start: ${program.errors}`,
  });
  return program;
}

async function useProxy(port: number, first: Program): Promise<string> {
  const url = `https://localhost:${port}`;
  await until(async () => (await reach(`${url}/health`)) === 200, {
    deadlineMs: 20_000,
    what: 'the proxy passes requests on',
  });
  for (const path of ['/metrics', '/healthz', '/readyz']) {
    const status = await reach(`${url}${path}`);
    if (status !== 404) throw new Error(`${path} must not be passed on, but answers ${status}`);
  }
  const batch = await makeDraft(url);
  const quiet = Promise.all([overSocket(url), overEventStream(url)]);
  // Awaited later: a failure in between is told then.
  quiet.catch(() => undefined);
  const began = performance.now();
  const stored = await upload(url);
  const uploadSeconds = (performance.now() - began) / 1_000;
  await sleep(Math.max(0, quietMs - (performance.now() - began)));
  await ask(url, `mutation { deleteFile(id: "${stored}") { __typename } }`);
  await ask(url, `mutation { deleteBatch(id: "${batch}") { __typename } }`);
  for (const [at, heard] of (await quiet).entries())
    if (heard !== batch) throw new Error(`stream ${at} must tell of ${batch}, not ${heard}`);
  const asked = await endUnderRequests(url, first);
  return (
    `100 MB in ${uploadSeconds.toFixed(0)} s, WebSocket and event stream alive after 80 s, ` +
    `${asked} requests while one process ended, none lost`
  );
}

async function reach(address: string): Promise<number> {
  const answer = await fetch(address, { dispatcher: agent }).catch(() => null);
  await answer?.body?.cancel();
  return answer?.status ?? 0;
}

/** `repeats`: as clients do, what an ending process refused is sent again when it says so. */
async function ask(
  url: string,
  query: string,
  { repeats = false } = {},
): Promise<Record<string, { id: string }>> {
  const answer = await fetch(`${url}/graphql`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query }),
  });
  const text = await answer.text();
  if (repeats && answer.status === 503 && text.includes('"SHUTTING_DOWN"')) {
    await sleep(1_000 * Number(answer.headers.get('retry-after')));
    return await ask(url, query, { repeats });
  }
  if (answer.status !== 200 || text.includes('"errors"'))
    throw new Error(`${query} is answered ${answer.status} ${text}`);
  return (JSON.parse(text) as { data: Record<string, { id: string }> }).data;
}

async function makeDraft(url: string): Promise<string> {
  const { submitBatch } = (await ask(
    url,
    `mutation { submitBatch(input: {
      operation: {label: {categories: ["praise", "complaint"]}},
      source: {texts: ["fine"]}, autoStart: false}) { batch { id } } }`,
  )) as unknown as { submitBatch: { batch: { id: string } } };
  return submitBatch.batch.id;
}

async function upload(url: string): Promise<string> {
  const line = `${JSON.stringify({ content: 'x'.repeat(9_985) })}\n`;
  const answer = await fetch(`${url}/files?name=large.jsonl`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/jsonl', authorization },
    body: Buffer.from(line.repeat(uploadBytes / line.length)),
  });
  const text = await answer.text();
  if (answer.status >= 300) throw new Error(`the upload is answered ${answer.status} ${text}`);
  const { id, sizeBytes } = JSON.parse(text) as { id: string; sizeBytes: number };
  if (sizeBytes !== uploadBytes) throw new Error(`${sizeBytes} bytes came, not ${uploadBytes}`);
  return id;
}

const subscription = 'subscription { batchDeleted { deletedId } }';

/** The first batch that a socket is told of. */
async function overSocket(url: string): Promise<string> {
  class Trusting extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols, { rejectUnauthorized: false });
    }
  }
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: Trusting,
    connectionParams: { authorization },
    // A socket that a proxy closes is a failure.
    retryAttempts: 0,
  });
  for await (const { data } of client.iterate<{ batchDeleted: { deletedId: string } }>({
    query: subscription,
  })) {
    if (data) return data.batchDeleted.deletedId;
  }
  throw new Error('the socket must not be closed while it is quiet');
}

async function overEventStream(url: string): Promise<string> {
  const answer = await fetch(`${url}/graphql`, {
    dispatcher: agent,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization,
    },
    body: JSON.stringify({ query: subscription }),
  });
  let text = '';
  for await (const piece of answer.body ?? []) {
    text += Buffer.from(piece).toString();
    const [, id] = /"batchDeleted":\{"deletedId":"(\w+)"\}/.exec(text) ?? [];
    if (id) return id;
  }
  throw new Error(`the event stream must not end while it is quiet: ${text}`);
}

/** How many requests were answered while the process ended, refused ones when they came again. */
async function endUnderRequests(url: string, ending: Program): Promise<number> {
  let answered = 0;
  let going = true;
  const askOn = async () => {
    while (going) {
      await ask(url, '{ service { version } }', { repeats: true });
      answered += 1;
      await sleep(20);
    }
  };
  const asking = Promise.all(Array.from({ length: 8 }, askOn));
  ending.process.kill('SIGTERM');
  await Promise.race([ending.ended, asking]);
  await sleep(1_000);
  going = false;
  await asking;
  const code = await ending.ended;
  if (code !== 0) throw new Error(`the process must exit with 0, not ${code}`);
  return answered;
}
