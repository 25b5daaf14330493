/** Small doors: a long key, a strange Host, secrets in the database, fields of a request. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { findWeakKeys } from '../../src/config/weak-keys.ts';
import { readConfig } from '../../src/config.ts';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { readOrMakeSecret } from '../../src/db/sealed-settings.ts';
import { type App, startApp } from '../support/app.ts';

const key = 'anna-key-0123456789abcdefgh';
const headers = { authorization: `Bearer ${key}` };

let app: App;
let db: Database;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `anna:${key}`, EXTRA_BODY: 'top_k, safe_prompt' });
  db = openDatabase(app.databaseUrl);
});
afterAll(async () => {
  await db.close();
  await app.stop();
});

/** The first line of what comes back for raw bytes. */
async function statusLineOf(request: string): Promise<string> {
  const { hostname, port } = new URL(app.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined); // the server hangs up on what it does not read
  let answer = '';
  socket.write(request);
  socket.on('data', (bytes) => {
    answer += String(bytes);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  return answer.split('\r\n', 1)[0] ?? '';
}

it('an Authorization of a megabyte is 431, and not looked up', async () => {
  const long = 'x'.repeat(1_000_000);

  expect(
    await statusLineOf(
      `GET /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${long}\r\n\r\n`,
    ),
  ).toMatch(/^HTTP\/1\.1 431 /);
});

it.each(['evil.example/path', 'a"><script>', 'user@evil.example', 'a b', 'x:port'])(
  'a WebSocket for the Host %s, which would go into links, is refused with 400',
  async (host) => {
    const socket = new WebSocket(
      `${app.url.replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
      {
        headers: { host },
      },
    );

    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
      socket.on('open', () => resolve('open'));
      socket.on('error', () => resolve('error'));
    });
    socket.terminate();

    expect(status).toBe(400);
  },
);

it('extraBody sets what EXTRA_BODY lists, and nothing else', async () => {
  const label = (extraBody: object) =>
    app.graphql(
      `mutation($extraBody: JSONObject) {
        label(items: [{content: "x"}], options: {categories: ["a", "b"], extraBody: $extraBody}) { results { label } }
      }`,
      { extraBody },
      headers,
    );

  expect((await label({ top_k: 3 })).errors).toBeUndefined();
  expect((await label({ top_k: 3, tools: [] })).errors).toMatchObject([
    {
      extensions: {
        code: 'BAD_USER_INPUT',
        issues: [
          {
            path: expect.stringMatching(/extraBody$/),
            message: expect.stringContaining('top_k, safe_prompt'),
          },
        ],
      },
    },
  ]);
});

it('secrets are sealed where there is a key, also those that were kept in clear', async () => {
  const [first, second] = [randomBytes(32), randomBytes(32)];
  const read = (...sealKeys: Buffer[]) =>
    readOrMakeSecret(db, { name: 'a_secret', make: () => 'the secret', sealKeys });
  const kept = async () => {
    const [row] = await db.sql<
      { value: string }[]
    >`select value from settings where name = 'a_secret'`;
    return row?.value;
  };

  expect([await read(), await kept()]).toEqual(['the secret', 'the secret']);
  expect([await read(first), await kept()]).toEqual([
    'the secret',
    expect.stringMatching(/^sealed:/),
  ]);
  await expect(read()).rejects.toThrow('SECRETS_KEY must be set');
  await expect(read(second)).rejects.toThrow('SECRETS_KEY must be the key');
  expect(await read(second, first)).toBe('the secret');
  expect(await read(second)).toBe('the secret');
  // What is sealed for one name is worth nothing under another.
  await db.sql`insert into settings (name, value) select 'other', value from settings where name = 'a_secret'`;
  await expect(
    readOrMakeSecret(db, { name: 'other', make: () => '', sealKeys: [second] }),
  ).rejects.toThrow('SECRETS_KEY must be the key');
});

it('a start seals what signs webhooks and links, and needs the key from then on', async () => {
  const env = { SECRETS_KEY: randomBytes(32).toString('base64') };
  const shared = { databaseUrl: app.databaseUrl, sandbox: app.sandbox };
  await (await startApp(env, shared)).stop();

  const rows = await db.sql<{ value: string }[]>`
    select value from settings where name in ('webhook_secret', 'link_key')`;
  expect(rows.map(({ value }) => value.slice(0, 7))).toEqual(['sealed:', 'sealed:']);
  await expect(startApp({}, shared)).rejects.toThrow('SECRETS_KEY must be set');
  await (await startApp(env, shared)).stop();
});

it('a SECRETS_KEY that is none, and a bad list of fields, are told with all that is wrong', () => {
  expect(() => readConfig({ SECRETS_KEY: 'short', EXTRA_BODY: 'a,,b' })).toThrow(
    /EXTRA_BODY must be allow, or names.*SECRETS_KEY must be 32 bytes in base64/s,
  );
});

it('keys that are easy to guess are told by their place, never by a part of them', () => {
  const keys = [
    'a'.repeat(24),
    key,
    'abcdefgh'.repeat(3),
    'abababababababababababab',
    'x7Kq'.repeat(7),
  ];
  const told = findWeakKeys(keys);

  expect(told.map((sentence) => sentence.slice(0, 20))).toEqual([
    'entry 1 of API_KEYS ',
    'entry 3 of API_KEYS ',
    'entry 4 of API_KEYS ',
    'entry 5 of API_KEYS ',
  ]);
  expect(told.join()).not.toMatch(/aaaa|abab|x7Kq/);
});
