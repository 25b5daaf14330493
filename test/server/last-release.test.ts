/**
 * The last release on the tables of this version, alone and beside it: an upgrade replaces one
 * process after the other. It runs with the packages of today.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const deadlineMs = 30_000;
const programs: Program[] = [];
let database: TestDatabase;
let release: string;
let folder: string | null;

beforeAll(async () => {
  const changes = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  [, release = ''] = /^## \[(\d+\.\d+\.\d+)\]/m.exec(changes) ?? [];
  folder = await checkOut(release);
  database = await createTestDatabase();
});
afterAll(async () => {
  for (const { process: child } of programs) child.kill('SIGKILL');
  await Promise.all(programs.map(({ ended }) => ended));
  await database.drop();
  if (folder) await rm(folder, { recursive: true });
});

/** A folder with the sources of a release; null where the history does not reach back to it. */
async function checkOut(version: string): Promise<string | null> {
  const commit = git('log', '-1', '--format=%H', `--grep=^Cut ${version}$`)?.toString().trim();
  if (!commit) return null;
  const made = await mkdtemp(join(tmpdir(), 'winnow-release-'));
  const sources = git('archive', commit, 'src', 'drizzle', 'package.json', 'tsconfig.json');
  execFileSync('tar', ['-x', '-C', made], { input: sources ?? '' });
  await symlink(join(root, 'node_modules'), join(made, 'node_modules'));
  return made;
}

function git(...parameters: string[]): Buffer | null {
  try {
    return execFileSync('git', parameters, { cwd: root, stdio: 'pipe', maxBuffer: 1e8 });
  } catch {
    return null;
  }
}

/** A server of the sources in `of`, with the address that it says. */
async function serve(of: string): Promise<Program & { url: string }> {
  const program = startProgram({ DATABASE_URL: database.url }, of);
  programs.push(program);
  const told = await until(() => /GraphQL +(http\S+)\/graphql/.exec(program.out), {
    deadlineMs,
    what: `a start in ${of}: ${program.errors}`,
  });
  return Object.assign(program, { url: told?.[1] ?? '' });
}

async function ask(url: string, query: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as { data: Record<string, any>; errors?: object[] };
}

/** Uploads 400 rows, runs them, and returns what the output says of each. */
async function runBatch(url: string, name: string): Promise<{ output: { label: string } }[]> {
  const rows = Array.from({ length: 400 }, (_, n) => `${n % 2 ? 'I love' : 'I hate'} ${name} ${n}`);
  const uploaded = await fetch(`${url}/files?name=${name}.csv`, {
    method: 'POST',
    body: ['content', ...rows].join('\n'),
  });
  const file = (await uploaded.json()) as { id: string };
  const submitted = await ask(
    url,
    `mutation {
      submitBatch(input: {
        source: {fileId: "${file.id}"}, operation: {label: {categories: ["positive", "negative"]}}
      }) {
        batch { id }
      }
    }`,
  );
  expect(submitted.errors).toBeUndefined();
  const { id } = submitted.data.submitBatch.batch;
  await until(
    async () =>
      (await ask(url, `{ batch(id: "${id}") { status } }`)).data.batch.status === 'COMPLETED',
    { deadlineMs, what: 'the end of the batch' },
  );
  const output = await (await fetch(`${url}/batches/${id}/output?format=jsonl`)).text();
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

it('it runs a batch, and so do both at once', async ({ skip }) => {
  if (folder === null) return skip(`no commit of this clone is ${release}`);
  const old = await serve(folder);
  expect(await runBatch(old.url, 'alone')).toHaveLength(400);

  const present = await serve(root);
  const [ofOld, ofPresent] = await Promise.all([
    runBatch(old.url, 'old'),
    runBatch(present.url, 'present'),
  ]);

  const expected = Array.from({ length: 400 }, (_, n) => (n % 2 ? 'positive' : 'negative'));
  for (const output of [ofOld, ofPresent]) {
    expect(output.map((line) => line.output.label)).toEqual(expected);
  }
  for (const { process: child, ended, errors } of [old, present]) {
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(errors).not.toMatch(/"level":[56]0/); // error, fatal
  }
});
