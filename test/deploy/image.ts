/**
 * Replays the Dockerfile without Docker: its stages in folders of their own, with the files that
 * .dockerignore lets through, its RUN lines in order, then its CMD and its HEALTHCHECK against a
 * database, as the user that it names.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { freePort } from '../support/free-port.ts';
import { type Check, root, run, tryRun } from './checks.ts';
import { ignoredBy, readInstructions } from './dockerfile.ts';

/** Ids of `node` in Node's images. */
const nodeUser = { uid: 1000, gid: 1000 };
const key = 'an-image-key-0123456789abcdef';

interface Stage {
  folder: string;
  directory: string;
  env: Record<string, string>;
  command: string[];
  healthcheck: string[];
  user: string | null;
}

/** The image that the Dockerfile makes of a clean clone. */
export const image: Check = {
  name: 'the Dockerfile builds, and its image serves as the user that it names',
  needs: { npm: 'npm' },
  async run() {
    const work = mkdtempSync(join(tmpdir(), 'winnow-image-'));
    chmodSync(work, 0o755);
    try {
      const context = await makeContext(join(work, 'context'));
      const stages = await replay(context, work);
      const stage = [...stages.values()].at(-1);
      if (!stage) throw new Error('the Dockerfile must have a stage');
      return await start(stage, work);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
};

/** What is committed, with what else may lie about, less what .dockerignore leaves out. */
async function makeContext(context: string): Promise<string> {
  mkdirSync(context);
  const archive = `${context}.tar`;
  await run('git', ['archive', '-o', archive, 'HEAD']);
  await run('tar', ['-xf', archive, '-C', context]);
  for (const name of ['.env', '.env.production', '.data/postgres', 'node_modules/x', 'dist/x']) {
    mkdirSync(join(context, name, '..'), { recursive: true });
    writeFileSync(join(context, name), 'must not be in an image');
  }
  const isIgnored = ignoredBy(readFileSync(join(context, '.dockerignore'), 'utf8'));
  for (const name of readdirSync(context)) {
    if (isIgnored(name)) rmSync(join(context, name), { recursive: true });
  }
  const left = ['.env', '.env.production', '.data', 'node_modules', 'dist', '.git'].filter((name) =>
    existsSync(join(context, name)),
  );
  if (left.length > 0) throw new Error(`.dockerignore must leave out ${left.join(', ')}`);
  return context;
}

async function replay(context: string, work: string): Promise<Map<string, Stage>> {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const { name, rest } of readInstructions(readFileSync(join(root, 'Dockerfile'), 'utf8'))) {
    if (name === 'FROM') {
      const called = / AS (\S+)$/i.exec(rest)?.[1] ?? 'final';
      const folder = join(work, called);
      stage = { folder, directory: '/', env: {}, command: [], healthcheck: [], user: null };
      stages.set(called, stage);
    } else if (stage) await perform(stage, { name, rest, context, stages });
  }
  return stages;
}

async function perform(
  stage: Stage,
  step: { name: string; rest: string; context: string; stages: ReadonlyMap<string, Stage> },
): Promise<void> {
  const here = join(stage.folder, stage.directory);
  switch (step.name) {
    case 'WORKDIR':
      stage.directory = step.rest;
      mkdirSync(join(stage.folder, step.rest), { recursive: true });
      return;
    case 'ENV':
      for (const [, name = '', value = ''] of step.rest.matchAll(/(\w+)=(\S+)/g))
        stage.env[name] = value;
      return;
    case 'COPY':
      copy(here, step.rest.split(/\s+/), step);
      return;
    case 'RUN':
      await run('sh', ['-c', step.rest], {
        cwd: here,
        env: { ...bareEnvironment(), ...stage.env },
      });
      return;
    case 'HEALTHCHECK':
      stage.healthcheck = JSON.parse(/CMD (\[.*\])$/.exec(step.rest)?.[1] ?? '[]') as string[];
      return;
    case 'USER':
      stage.user = step.rest;
      return;
    case 'CMD':
      stage.command = JSON.parse(step.rest) as string[];
      return;
    default:
      if (!['LABEL', 'EXPOSE', 'STOPSIGNAL'].includes(step.name))
        throw new Error(`the replay must know ${step.name}`);
  }
}

/**
 * A path of another stage begins with a slash. Files go into a folder, a folder's contents into the
 * target.
 */
function copy(
  here: string,
  words: readonly string[],
  { context, stages }: { context: string; stages: ReadonlyMap<string, Stage> },
): void {
  const from = /^--from=(.*)$/.exec(words[0] ?? '')?.[1];
  const paths = from ? words.slice(1) : words;
  const target = join(here, paths.at(-1) ?? '.');
  for (const source of paths.slice(0, -1)) {
    const origin = join(from ? (stages.get(from)?.folder ?? '') : context, source);
    if (!existsSync(origin)) throw new Error(`COPY: ${source} must exist`);
    const isFile = statSync(origin).isFile();
    cpSync(origin, isFile ? join(target, basename(source)) : target, { recursive: true });
  }
}

/** As an image has it: the system's Node, and nothing of the repository. */
function bareEnvironment(): Record<string, string | undefined> {
  const { PATH = '', HOME, npm_config_registry, npm_config_cache } = process.env;
  const path = PATH.split(':').filter((folder) => !folder.includes('node_modules'));
  return { PATH: path.join(':'), HOME, npm_config_registry, npm_config_cache };
}

/** The image's command, against a database that the repository's own binaries serve. */
async function start(stage: Stage, work: string): Promise<string> {
  if (stage.user !== 'node') throw new Error('USER must be node');
  const script = join(root, 'test/support/embedded-process.ts');
  const data = mkdtempSync(join(work, 'data-'));
  const database = spawn('node', ['--import', 'tsx', script, data], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { url } = JSON.parse(await firstLine(database.stdout, /^(\{.*\})$/)) as { url: string };
  const port = String(await freePort());
  const [program = '', ...args] = stage.command;
  const settings = {
    cwd: join(stage.folder, stage.directory),
    env: {
      ...bareEnvironment(),
      HOME: '/nonexistent',
      ...stage.env,
      DATABASE_URL: url,
      PORT: port,
      API_KEYS: `image:${key}`,
    },
    ...(process.getuid?.() === 0 ? nodeUser : {}),
  };
  const server = spawn(program, args, { ...settings, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((done) => server.once('exit', done));
  const [probe = '', ...probeArgs] = stage.healthcheck;
  let text: string;
  let code: unknown;
  try {
    await firstLine(server.stdout, /GraphQL +(http\S+)/);
    text = await ask(port);
    await run(probe, probeArgs, settings);
  } finally {
    server.kill('SIGTERM');
    code = await exited;
    database.stdin.end();
    await new Promise((done) => database.once('exit', done));
  }
  if (!text.includes('"praise"')) throw new Error(`the answer must be praise: ${text}`);
  if (code !== 0) throw new Error(`CMD must exit with 0 after SIGTERM, not ${code}`);
  const { code: unready } = await tryRun(probe, probeArgs, settings);
  if (unready !== 1) throw new Error('HEALTHCHECK must exit with 1 where nothing serves');
  const [megabytes] = (await run('du', ['-sm', settings.cwd])).split('\t');
  const version = (await run('node', ['--version'], { env: bareEnvironment() })).trim();
  return `${megabytes} MB in /app; Node ${version} in place of the image's`;
}

async function ask(port: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({
      query: `mutation { label(items: [{content: "I love it"}],
        options: {categories: ["praise", "complaint"]}) { results { label } } }`,
    }),
  });
  return await answer.text();
}

/** The first group of the first line that matches. */
async function firstLine(stream: Readable, pattern: RegExp): Promise<string> {
  const lines = createInterface(stream);
  for await (const line of lines) {
    const [, found] = pattern.exec(line) ?? [];
    if (found === undefined) continue;
    stream.resume();
    return found;
  }
  throw new Error('a process ended before it was up');
}
