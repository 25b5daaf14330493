import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Papa from 'papaparse';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { databaseHome } from '../support/database-home.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';
import { until } from '../support/until.ts';

const program = fileURLToPath(new URL('../../src/demo/demo.ts', import.meta.url));
/** In all there are 3,080. */
const questions = 1_100;

interface Run {
  process: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves with the exit code, or null where a signal ended it. */
  ended: Promise<number | null>;
}

// Signals are part of the matter, and Windows has neither them nor `ps`.
describe.skipIf(process.platform === 'win32')('npm run demo', () => {
  let directory: string;
  const runs: Run[] = [];

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(databaseHome(), 'winnow-demo-')));
    await chmod(directory, 0o755);
  });

  afterEach(async () => {
    for (const run of runs.splice(0)) run.process.kill('SIGKILL');
    await until(async () => (await processesIn(directory)).length === 0, {
      deadlineMs: 15_000,
      what: 'the end of Postgres',
    });
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });

  it('labels questions, reports the agreement and saves the answers', async () => {
    // None of these may reach the demo.
    const demo = start(['--exit', '--items', String(questions)], {
      PORT: '1',
      DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nowhere',
      DATA_DIR: '/nowhere',
      API_KEYS: 'someone:0123456789abcdef01234567',
    });

    expect(await demo.ended, demo.err()).toBe(0);

    const lines = (await readFile(join(directory, 'answers.jsonl'), 'utf8')).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line));
    const agreed = records.filter(({ output, metadata }) => output.label === metadata.category);
    const csv = Papa.parse<Record<string, string>>(
      await readFile(join(directory, 'answers.csv'), 'utf8'),
      { header: true, skipEmptyLines: true },
    );
    expect(records).toHaveLength(questions);
    expect(csv.data.map(({ label }) => label)).toEqual(records.map(({ output }) => output.label));
    expect(demo.out()).toContain('by chance it would be 1.3 %');
    expect(demo.out()).toContain(`${agreed.length.toLocaleString('en-US')} of 1,100`);
    expect(demo.out()).toContain('is not a language model');
    expect(agreed.length).toBeGreaterThan(questions * 0.4);
    expect(demo.err()).toBe('');
  });

  it('ends in order at Ctrl-C while it labels, as npm passes that on, and leaves no process', async () => {
    const demo = start([]);
    await demoSays(demo, /batch_\w+ {2}Demo/);

    demo.process.kill('SIGINT');
    demo.process.kill('SIGINT');

    expect(await demo.ended, demo.err()).toBe(0);
    expect(demo.out()).toContain('label 3,080 bank questions');
    expect(demo.out()).toContain('Stopping');
    expect(demo.out()).not.toContain('Agreement');
    expect(await postgresIn(directory)).toEqual([]);
  });

  it('after a kill sends nothing more of the killed run, and answers until it is ended', async () => {
    const sandbox = await startFaultySandbox({ models: ['gpt-4.1-mini'], latencyMs: 100 });
    const model = { OPENAI_BASE_URL: sandbox.url };
    const killed = start(['--yes'], model);
    await sandbox.until(({ requests }) => requests.count >= 100);
    killed.process.kill('SIGKILL');
    await killed.ended;
    await sandbox.until(({ inFlight }) => inFlight === 0);
    const before = sandbox.requests.count;

    const next = start(['--yes', '--items', '7'], model);
    await demoSays(next, /Ctrl-C ends it/);

    expect(sandbox.requests.count - before).toBe(7);
    const [, url] = /GraphiQL +(\S+)/.exec(next.out()) ?? [];
    const page = await fetch(url ?? '', { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    await page.arrayBuffer();
    next.process.kill('SIGTERM');
    expect(await next.ended, next.err()).toBe(0);
    await sandbox.close();
  });

  it('refuses to send requests to a model when nobody can be asked', async () => {
    const demo = start(['--exit'], { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' });

    expect(await demo.ended).toBe(1);
    expect(demo.err()).toContain('--yes');
    expect(demo.err()).toContain('openai/gpt-4.1-mini');
    expect(demo.out()).toBe('');
  });

  /** Without a terminal, without HOME, and in a folder without an .env of somebody's. */
  function start(args: string[], environment: Record<string, string> = {}): Run {
    const child = spawn(process.execPath, [...nodeFlags, program, '--data', directory, ...args], {
      cwd: directory,
      env: { ...nodeEnv, PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    const run = {
      process: child,
      out: () => out,
      err: () => err,
      ended: once(child, 'close').then(([code]) => code as number | null),
    };
    runs.push(run);
    return run;
  }
});

async function demoSays(demo: Run, what: RegExp): Promise<void> {
  await until(() => what.test(demo.out()) || demo.process.exitCode !== null, {
    deadlineMs: 30_000,
    what: String(what),
  });
}

async function processesIn(directory: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-eo', 'args']);
  return stdout.split('\n').filter((line) => line.includes(directory));
}

async function postgresIn(directory: string): Promise<string[]> {
  return (await processesIn(directory)).filter((line) => /postgres/.test(line));
}
