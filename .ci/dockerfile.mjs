/**
 * Replays the Dockerfile without Docker: its stages in folders of their own, with the files that
 * COPY names from what is committed, its RUN lines in order, and its CMD against a database. Each
 * step is printed; exits with 1 where a step fails.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';

const root = resolve(import.meta.dirname, '..');
const work = mkdtempSync(join(tmpdir(), 'winnow-image-'));
// biome-ignore lint/style/noProcessEnv: what the replayed commands get is made of it.
const given = process.env;
/** As an image has it: the system's Node, and nothing of the repository. */
const path = given.PATH.split(':').filter((folder) => !folder.includes('node_modules'));
const env = { ...given, PATH: path.join(':') };

const context = join(work, 'context');
mkdirSync(context);
const archive = execFileSync('git', ['archive', 'HEAD'], { cwd: root, maxBuffer: 2 ** 30 });
execFileSync('tar', ['-x', '-C', context], { input: archive });
for (const name of ['.env', '.data', 'node_modules']) {
  const ignored = readFileSync(join(context, '.dockerignore'), 'utf8').split('\n');
  if (!ignored.includes(name)) throw new Error(`.dockerignore does not leave out ${name}`);
}

const stages = new Map();
let stage;
for (const line of readFileSync(join(context, 'Dockerfile'), 'utf8')
  .replace(/\\\n/g, ' ')
  .split('\n')) {
  const [, instruction, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  if (!instruction) continue;
  say(line);
  if (instruction === 'FROM') {
    const name = / AS (\S+)$/i.exec(rest)?.[1] ?? 'final';
    stage = { folder: join(work, name), directory: '/', command: [] };
    stages.set(name, stage);
  } else if (instruction === 'WORKDIR') {
    stage.directory = rest;
    mkdirSync(join(stage.folder, rest), { recursive: true });
  } else if (instruction === 'COPY') {
    copy(rest.split(/\s+/));
  } else if (instruction === 'RUN') {
    execFileSync('sh', ['-c', rest], { cwd: here(), env, stdio: 'inherit' });
  } else if (instruction === 'CMD') {
    stage.command = JSON.parse(rest);
  }
}

await start();
rmSync(work, { recursive: true, force: true });

function say(text) {
  process.stdout.write(`${text}\n`);
}

function here() {
  return join(stage.folder, stage.directory);
}

/**
 * A path that begins with a slash is one of the other stage. Files go into a folder, a folder's
 * contents into the target.
 */
function copy(words) {
  const from = /^--from=(.*)$/.exec(words[0])?.[1];
  const [target, ...sources] = (from ? words.slice(1) : words).reverse();
  for (const source of sources.reverse()) {
    const origin = from ? join(stages.get(from).folder, source) : join(context, source);
    if (!existsSync(origin)) throw new Error(`COPY: ${source} is missing`);
    const isFile = statSync(origin).isFile();
    cpSync(origin, isFile ? join(here(), target, basename(source)) : join(here(), target), {
      recursive: true,
    });
  }
}

/** The image's command, against a database that the repository's own binaries serve. */
async function start() {
  const script = join(root, 'test/support/embedded-process.ts');
  const database = spawn('node', ['--import', 'tsx', script, mkdtempSync(join(work, 'data-'))], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [{ url }] = await firstLine(database.stdout, (line) => [JSON.parse(line)]);
  const [program, ...args] = stage.command;
  const server = spawn(program, args, {
    cwd: here(),
    env: { ...env, DATABASE_URL: url, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((done) => server.once('exit', done));
  const endpoint = await firstLine(server.stdout, (line) => /GraphQL +(http\S+)/.exec(line)?.[1]);
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: `mutation { label(items: [{content: "I love it"}],
        options: {categories: ["praise", "complaint"]}) { results { label } } }`,
    }),
  });
  const text = await answer.text();
  say(text);
  server.kill('SIGTERM');
  const code = await exited;
  database.stdin.end();
  await new Promise((done) => database.once('exit', done));
  if (!text.includes('"praise"') || code !== 0) throw new Error(`wrong answer, or exit ${code}`);
}

/** The result of `read` for the first line of which it makes something. */
async function firstLine(stream, read) {
  for await (const line of createInterface(stream)) {
    const found = read(line);
    if (found) {
      stream.resume();
      return found;
    }
  }
  throw new Error('it ended before it was up');
}
