/** Keys in the database, with two processes and the operator's command, each one of its own. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Folder, openFolder } from '../cli/support.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

const startMs = 30_000;
/** What the API promises, and some time for a busy machine. */
const outMs = 20_000;

let database: TestDatabase;
let folder: Folder;
let programs: Program[];
let urls: string[];
beforeAll(async () => {
  database = await createTestDatabase();
  folder = openFolder({ DATABASE_URL: database.url });
  programs = [0, 1].map(() => startProgram({ DATABASE_URL: database.url }));
  urls = await Promise.all(programs.map(urlOf));
});
afterAll(async () => {
  for (const program of programs) program.process.kill('SIGKILL');
  await Promise.all(programs.map(({ ended }) => ended));
  folder.remove();
  await database.drop();
});

async function urlOf(program: Program): Promise<string> {
  await until(() => program.out.includes('Winnow is up'), {
    deadlineMs: startMs,
    what: `a start: ${program.errors}`,
  });
  return /GraphQL +(http\S+)\/graphql/.exec(program.out)?.[1] ?? '';
}

async function ask(url: string, query: string, key?: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(key) },
    body: JSON.stringify({ query }),
  });
  const body = (await response.json()) as Record<string, any>;
  return { status: response.status, data: body.data, errors: body.errors };
}

const bearer = (key?: string): Record<string, string> =>
  key === undefined ? {} : { authorization: `Bearer ${key}` };
const statuses = (key?: string) =>
  Promise.all(urls.map(async (url) => (await ask(url, '{ service { owner } }', key)).status));

/** A socket with an open subscription; resolves with the code and reason of its close. */
async function openSocket(url: string, key?: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const send = (message: object) => socket.send(JSON.stringify(message));
  await once(socket, 'open');
  send({ type: 'connection_init', payload: key ? { Authorization: `Bearer ${key}` } : {} });
  const [ack] = await once(socket, 'message');
  send({
    id: '1',
    type: 'subscribe',
    payload: { query: 'subscription { batchDeleted { deletedId } }' },
  });
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)]);
  return { ack: JSON.parse(String(ack)) as { type: string }, closed };
}

/** An open event stream; resolves with what it has sent at its end. */
async function openStream(url: string, key?: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...bearer(key),
    },
    body: JSON.stringify({ query: 'subscription { batchDeleted { deletedId } }' }),
  });
  return response.text();
}

async function create(...flags: string[]): Promise<string> {
  const { code, out, err } = await folder.run(['keys', 'create', ...flags]);
  expect([code, err]).toEqual([0, expect.stringContaining('only time')]);
  expect(out).toMatch(/^wnw_[0-9A-Za-z]{40}\n$/);
  return out.trim();
}

describe('two processes on one database', () => {
  it('are open until the first key is made, which ends what was open', async () => {
    const open = await Promise.all(urls.map((url) => ask(url, '{ service { owner } }')));
    const sockets = await Promise.all(urls.map((url) => openSocket(url)));
    const streams = urls.map((url) => openStream(url));

    const key = await create('--owner', 'local', '--name', 'the first', '--scopes', 'read,submit');

    expect(open.map(({ data }) => data.service.owner)).toEqual([null, null]);
    expect(await statuses(key)).toEqual([200, 200]);
    await until(async () => String(await statuses()) === '401,401', {
      deadlineMs: outMs,
      what: 'closed servers',
    });
    for (const { closed } of sockets) {
      expect(await closed).toEqual([4403, expect.stringContaining('UNAUTHENTICATED')]);
    }
    for (const stream of await Promise.all(streams)) {
      expect(stream).toContain('"code":"UNAUTHENTICATED"');
    }
  });

  it('serve a key by its scopes, and refuse it everywhere once it is revoked', async () => {
    const key = await create('--owner', 'acme', '--scopes', 'read');
    const [first = '', second = ''] = urls;
    const read = await ask(first, '{ service { owner } }', key);
    const submit = await ask(
      second,
      'mutation { label(items: [{content: "x"}], options: {categories: ["a", "b"]}) { model } }',
      key,
    );
    const route = await fetch(`${first}/files`, {
      method: 'POST',
      headers: bearer(key),
      body: 'x',
    });
    const call = await fetch(`${first}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...bearer(key), 'content-type': 'application/json' },
      body: '{}',
    });
    const models = await fetch(`${first}/v1/models`, { headers: bearer(key) });
    expect(read.data.service.owner).toBe('acme');
    expect(submit.errors[0].extensions.code).toBe('FORBIDDEN');
    expect(submit.errors[0].message).toContain('SUBMIT');
    expect([route.status, await route.json()]).toEqual([
      403,
      {
        error: {
          code: 'FORBIDDEN',
          message: expect.stringContaining('SUBMIT'),
          requestId: expect.any(String),
        },
      },
    ]);
    expect([call.status, models.status]).toEqual([403, 200]);

    const sockets = await Promise.all(urls.map((url) => openSocket(url, key)));
    const streams = urls.map((url) => openStream(url, key));
    const id = key.slice(4, 12);
    const revoked = await folder.json(['keys', 'revoke', id]);

    expect(revoked.key).toMatchObject({ id, owner: 'acme', revokedAt: expect.any(String) });
    for (const { ack, closed } of sockets) {
      expect(ack.type).toBe('connection_ack');
      expect(await closed).toEqual([4403, expect.stringContaining('expired or was revoked')]);
    }
    for (const stream of await Promise.all(streams)) {
      expect(stream).toContain('"code":"UNAUTHENTICATED"');
      expect(stream).toMatch(/event: complete/);
    }
    await until(async () => String(await statuses(key)) === '401,401', {
      deadlineMs: outMs,
      what: 'a key that is refused',
    });
  });

  it('tell the operator of keys, and never a key', async () => {
    const key = await create('--owner', 'acme', '--name', 'nightly', '--expires', '2099-06-30');
    await statuses(key);
    const used = () => folder.json(['keys', 'list', '--owner', 'acme']);
    await until(async () => (await used()).keys[0].lastUsedAt !== null, {
      deadlineMs: outMs,
      what: 'a key that was used',
    });

    const { keys, out } = await used();

    expect(keys).toHaveLength(2);
    expect(keys[0]).toMatchObject({
      id: key.slice(4, 12),
      owner: 'acme',
      name: 'nightly',
      scopes: ['READ', 'SUBMIT'],
      expiresAt: '2099-06-30T00:00:00.000Z',
      revokedAt: null,
    });
    expect(out).not.toContain(key.slice(12));
    for (const program of programs) {
      expect(program.out + program.errors).not.toContain(key.slice(12));
    }
  });
});

describe('the command', () => {
  it('says what a key must be', async () => {
    const wrong = (...args: string[]) => folder.run(['keys', ...args]);
    const [none, word, owner, scope, day, unknown] = await Promise.all([
      wrong(),
      wrong('revoek'),
      wrong('create'),
      wrong('create', '--owner', 'a', '--scopes', 'reed'),
      wrong('create', '--owner', 'a', '--expires', 'tomorrow'),
      wrong('revoke', 'AAAAAAAA'),
    ]);

    expect([none?.code, word?.code, owner?.code, scope?.code, day?.code]).toEqual([2, 2, 2, 2, 2]);
    expect(none?.err).toContain('create, list, revoke');
    expect(word?.err).toContain('Did you mean revoke?');
    expect(owner?.err).toContain('--owner NAME');
    expect(scope?.err).toContain('--scopes must be of read, submit, admin');
    expect(day?.err).toContain('--expires must be a day');
    expect([unknown?.code, unknown?.err]).toEqual([1, expect.stringContaining('AAAAAAAA')]);
  });

  it('gives with --json all that is known of a new key', async () => {
    const made = await folder.json(['keys', 'create', '--owner', 'acme', '--scopes', 'admin']);

    expect(Object.keys(JSON.parse(made.out))).toEqual([
      'id',
      'owner',
      'name',
      'scopes',
      'createdAt',
      'expiresAt',
      'key',
    ]);
    expect(made.key).toMatch(new RegExp(`^wnw_${made.id}`));
  });
});
