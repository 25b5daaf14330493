/**
 * The roles of deploy/roles.sql: one migrates, the other works without a right to change a table.
 * And MIGRATE, as real processes have it.
 */
import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const roles = readFileSync(new URL('../../deploy/roles.sql', import.meta.url), 'utf8');
const password = 'the-right-password';
const deadlineMs = 30_000;
const programs: Program[] = [];

afterAll(() => {
  for (const { process: child } of programs) child.kill('SIGKILL');
});

function start(env: Record<string, string>): Program {
  const program = startProgram(env);
  programs.push(program);
  return program;
}

/** Its output once it has ended by itself. */
async function run(env: Record<string, string>) {
  const program = start(env);
  const code = await program.ended;
  return { code, out: program.out, errors: program.errors };
}

function as(role: string, url: string): string {
  const changed = new URL(url);
  changed.username = role;
  changed.password = password;
  return changed.href;
}

async function withAdmin(url: string, work: (sql: postgres.Sql) => Promise<unknown>) {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await work(sql).finally(() => sql.end());
}

async function giveRoles(url: string): Promise<void> {
  await withAdmin(url, async (sql) => {
    await sql.unsafe(roles);
    for (const role of ['winnow_owner', 'winnow_app']) {
      await sql.unsafe(`alter role ${role} password '${password}'`);
    }
  });
}

const newest = /^\d{4}_\w+$/;

describe('tables that are there', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await giveRoles(database.url);
    await giveRoles(database.url);
  });
  afterAll(() => database.drop());

  it('serve the application role: it starts, runs a batch, uploads, downloads and deletes', async () => {
    const program = start({ DATABASE_URL: as('winnow_app', database.url), MIGRATE: 'off' });
    await until(() => program.out.includes('is up'), {
      deadlineMs,
      what: `a start: ${program.errors}`,
    });
    const [, url = ''] = /GraphQL +(http\S+)\/graphql/.exec(program.out) ?? [];
    const ask = async (query: string) => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      return (await response.json()) as { data: Record<string, any>; errors?: object[] };
    };

    const uploaded = await fetch(`${url}/files?name=a.csv`, {
      method: 'POST',
      body: 'content\nI love it\nI hate it\n',
    });
    const file = (await uploaded.json()) as { id: string };
    const submitted = await ask(`mutation {
      submitBatch(input: {
        source: {fileId: "${file.id}"}, operation: {label: {categories: ["praise", "complaint"]}}
      }) {
        batch { id }
      }
    }`);
    expect(submitted.errors).toBeUndefined();
    const { id } = submitted.data.submitBatch.batch;
    await until(
      async () =>
        (await ask(`{ batch(id: "${id}") { status } }`)).data.batch.status === 'COMPLETED',
      { deadlineMs, what: 'the end of the batch' },
    );
    const output = await (await fetch(`${url}/batches/${id}/output?format=jsonl`)).text();
    const deleted = await ask(`mutation {
      deleteBatch(id: "${id}") { deletedId }
      deleteFile(id: "${file.id}") { deletedId }
    }`);
    await withAdmin(database.url, (sql) =>
      until(async () => (await sql`select from batches`).length === 0, {
        deadlineMs,
        what: 'the purge',
      }),
    );
    program.process.kill('SIGTERM');

    expect(await program.ended).toBe(0);
    expect(output.trim().split('\n')).toHaveLength(2);
    expect(deleted.errors).toBeUndefined();
    expect(program.errors).not.toMatch(/"level":[456]0/);
  });

  it('of which one migration is missing end a start with MIGRATE=off, and MIGRATE=only as the owner brings it, twice', async () => {
    const asOwner = { DATABASE_URL: as('winnow_owner', database.url), MIGRATE: 'only' };
    const asApp = { DATABASE_URL: as('winnow_app', database.url) };
    // The newest is taken out, with the table that it might bring: it must be able to run again.
    await withAdmin(database.url, async (sql) => {
      await sql`drop schema public cascade`;
      await sql`create schema public`;
      await sql`truncate drizzle.__drizzle_migrations`;
    });
    await giveRoles(database.url);

    const off = await run({ ...asApp, MIGRATE: 'off' });
    const auto = await run(asApp);
    const first = await run(asOwner);
    const second = await run(asOwner);
    const after = start({ ...asApp, MIGRATE: 'off', ROLE: 'worker' });
    await until(() => after.out.includes('is up'), {
      deadlineMs,
      what: `a start: ${after.errors}`,
    });
    after.process.kill('SIGTERM');

    expect(off).toMatchObject({ code: 1, out: '' });
    expect(off.errors).toMatch(
      /^The database at \S+ lacks the migration 0000_create_tables and \d+ more; .*MIGRATE=only/,
    );
    expect(auto).toMatchObject({ code: 1, out: '' });
    expect(auto.errors).toMatch(
      /gives "winnow_app" too few rights \(permission denied .*deploy\/roles\.sql/,
    );
    expect(first).toMatchObject({ code: 0, errors: '' });
    for (const line of first.out.trimEnd().split('\n')) expect(line).toMatch(newest);
    expect(second).toEqual({ code: 0, errors: '', out: 'No migration is missing.\n' });
    expect(await after.ended).toBe(0);
  });
});

it('a database that a newer version has migrated is served, with a warning', async () => {
  const database = await createTestDatabase();
  await withAdmin(
    database.url,
    (sql) =>
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('x', 4000000000000)`,
  );

  const program = start({ DATABASE_URL: database.url, ROLE: 'api' });
  await until(() => program.out.includes('is up'), { deadlineMs, what: 'the start' });
  program.process.kill('SIGTERM');
  await program.ended;
  await database.drop();

  expect(program.errors).toMatch(/"unknown":1,.*migrations that this version does not know/);
});

it('MIGRATE=only fills a database that has no table yet', async () => {
  const url = new URL(inject('postgresUrl'));
  await withAdmin(url.href, (sql) => sql`create database bare template template0`);
  url.pathname = '/bare';

  const { code, out } = await run({ DATABASE_URL: url.href, MIGRATE: 'only' });
  await withAdmin(inject('postgresUrl'), (sql) => sql`drop database bare with (force)`);

  expect(code).toBe(0);
  expect(out.split('\n')[0]).toBe('0000_create_tables');
});
