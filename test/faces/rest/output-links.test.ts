/** Batch.outputUrl: links to the output that need no key, for a quarter of an hour. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import {
  createSignedLinks,
  newLinkKey,
  type SignedLinks,
} from '../../../src/faces/http/signed-link.ts';
import { type App, startApp } from '../../support/app.ts';
import { closedPort } from '../../webhooks/support.ts';
import { post, submitTexts, untilEnded } from '../graphql/support.ts';

const keys = { ada: 'ada-key-of-sufficient-length', bob: 'bob-key-of-sufficient-length' };
const env = { API_KEYS: `ada:${keys.ada},bob:${keys.bob}` };
const byAda = { authorization: `Bearer ${keys.ada}` };
const urlQuery = `query($id: ID!, $format: OutputFormat! = JSONL, $status: [ItemStatus!], $includeInput: Boolean) {
  batch(id: $id) { outputUrl(format: $format, status: $status, includeInput: $includeInput) }
}`;

let app: App;
let id: string;
beforeAll(async () => {
  app = await startApp(env);
  id = await submitTexts(app, ['thing 0', 'thing 1', 'thing 2'], { headers: byAda });
  await untilEnded(app, id, byAda);
});
afterAll(() => app.stop());

async function linkTo(variables: Record<string, unknown> = {}, to = app): Promise<string> {
  const { data, errors } = await to.graphql(urlQuery, { id, ...variables }, byAda);
  expect(errors).toBeUndefined();
  // The address that it was asked by; which of several servers is asked is for each test to say.
  expect(data?.batch.outputUrl.startsWith(`${to.url}/`)).toBe(true);
  return data?.batch.outputUrl.slice(to.url.length);
}

async function get(path: string, { from = app, headers = {} as Record<string, string> } = {}) {
  const response = await fetch(`${from.url}${path}`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** The link with some of its query changed; null takes a parameter away. */
function altered(link: string, changes: Record<string, string | null>): string {
  const url = new URL(link, 'http://localhost');
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.pathname + url.search;
}

/** Links as this server made them some minutes ago. */
async function linksOf(minutesAgo: number): Promise<SignedLinks> {
  const db = openDatabase(app.databaseUrl);
  const [setting] = await db.sql<
    { value: string }[]
  >`select value from settings where name = 'link_key'`;
  await db.close();
  return createSignedLinks({
    key: setting?.value ?? '',
    now: () => Date.now() - minutesAgo * 60_000,
  });
}

describe('a link', () => {
  it('gives without a key what its owner gets with one, in every format', async () => {
    const choices = [
      [{}, '?format=jsonl'],
      [{ format: 'CSV' }, '?format=csv'],
      [{ format: 'JSON', includeInput: true }, '?format=json&include=input'],
      [{ format: 'OPENAI_JSONL', status: ['SUCCEEDED', 'FAILED'] }, '?format=openai_jsonl'],
      [
        { format: 'ANTHROPIC_JSONL', status: ['SUCCEEDED'] },
        '?format=anthropic_jsonl&status=succeeded',
      ],
    ] as const;
    for (const [variables, query] of choices) {
      const link = await linkTo(variables);
      const linked = await get(link);
      const own = await get(`/batches/${id}/output${query}`, { headers: byAda });

      expect(link).toMatch(/^\/batches\/batch_\w+\/output\?format=/);
      expect(linked.status).toBe(200);
      expect(linked.text).toBe(own.text);
      expect(linked.text.length).toBeGreaterThan(100);
    }
    expect((await get(`/batches/${id}/output`)).status).toBe(401);
  });

  it('is kept by nobody, told to nobody, and saved as a file', async () => {
    const { headers } = await get(await linkTo({ format: 'CSV' }));

    expect(headers.get('cache-control')).toBe('private, no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="${id}.csv"`);
  });

  it('goes on behind the last index of a download that broke', async () => {
    const { status, text } = await get(`${await linkTo()}&after=1`);

    expect(status).toBe(200);
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(JSON.parse(text)).toMatchObject({ index: 2 });
  });

  it('gives the statuses that it was made for', async () => {
    expect((await get(await linkTo({ status: ['PENDING'] }))).text).toBe('');
    expect(
      (await get(await linkTo({ status: ['SUCCEEDED'] }))).text.trimEnd().split('\n'),
    ).toHaveLength(3);
  });

  it.each([
    ['format', { format: 'csv' }],
    ['format taken away and', { format: null }],
    ['status', { status: 'failed' }],
    ['status taken away and', { status: null }],
    ['include', { include: 'input' }],
    ['expires', { expires: String(Math.floor(Date.now() / 1_000) + 86_400) }],
    ['expires taken away and', { expires: null }],
    ['signature', { signature: 'A'.repeat(43) }],
    ['signature cut short and', { signature: 'A' }],
    ['signature taken away and', { signature: null }],
  ])('%s changed is refused, with or without a key', async (_what, changes) => {
    const link = altered(await linkTo({ status: ['SUCCEEDED'] }), changes);

    for (const headers of [{}, byAda]) {
      const { status, text } = await get(link, { headers });
      expect(status).toBe(403);
      expect(JSON.parse(text).error).toEqual({
        code: 'FORBIDDEN',
        message: expect.stringContaining('nothing changed'),
        requestId: expect.any(String),
      });
    }
  });

  it('opens no other batch, also none of the same owner', async () => {
    const other = await submitTexts(app, ['secret'], { autoStart: false, headers: byAda });

    const { status, text } = await get((await linkTo()).replace(id, other));

    expect(status).toBe(403);
    expect(text).not.toContain('secret');
  });

  it('is good for 15 minutes', async () => {
    const link = {
      batchId: id,
      format: 'jsonl',
      status: undefined,
      includeInput: false,
      includeRow: false,
    } as const;
    const late = await get((await linksOf(14)).toOutput(link));
    const tooLate = await get((await linksOf(15)).toOutput(link));

    expect(late.status).toBe(200);
    expect(tooLate.status).toBe(403);
    expect(JSON.parse(tooLate.text).error).toEqual({
      code: 'FORBIDDEN',
      message: expect.stringContaining('expired'),
      requestId: expect.any(String),
    });
  });

  it('ends with its batch', async () => {
    const gone = await submitTexts(app, ['x'], { autoStart: false, headers: byAda });
    const link = await linkTo({ id: gone });
    expect((await get(link)).status).toBe(200);

    await app.graphql(
      'mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }',
      { id: gone },
      byAda,
    );
    await untilEnded(app, gone, byAda);
    const deleted = await app.graphql(
      'mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }',
      { id: gone },
      byAda,
    );

    expect(deleted.errors).toBeUndefined();
    expect((await get(link)).status).toBe(404);
  });

  it('is read only', async () => {
    const link = await linkTo();
    const response = await fetch(`${app.url}${link}`, { method: 'DELETE' });

    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await fetch(`${app.url}${link}`, { method: 'HEAD' })).status).toBe(200);
    expect((await get(`${link}&limit=1`)).status).toBe(400);
    expect((await get(`${link}&format=csv`)).status).toBe(400);
  });
});

describe('other servers of the same database', () => {
  it('know each other’s links', async () => {
    const other = await startApp(env, { databaseUrl: app.databaseUrl, sandbox: app.sandbox });
    try {
      expect((await get(await linkTo(), { from: other })).status).toBe(200);
      expect((await get(await linkTo({}, other))).status).toBe(200);
    } finally {
      await other.stop();
    }
  });

  it('begins with the public URL where there is one', async () => {
    const port = await closedPort();
    const proxied = await startApp(
      { ...env, PORT: String(port), PUBLIC_URL: 'https://winnow.example/base/' },
      { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
    );
    try {
      const { body } = await post(
        { url: `http://127.0.0.1:${port}` },
        { query: urlQuery, variables: { id } },
        byAda,
      );
      const link = body.data?.batch.outputUrl as string;

      expect(link).toMatch(
        /^https:\/\/winnow\.example\/base\/batches\/batch_\w+\/output\?format=jsonl&/,
      );
      expect((await get(link.slice('https://winnow.example/base'.length))).status).toBe(200);
    } finally {
      await proxied.stop();
    }
  });

  it('of a server with another key does not fit', async () => {
    const link = createSignedLinks({ key: newLinkKey() }).toOutput({
      batchId: id,
      format: 'csv',
      status: undefined,
      includeInput: false,
      includeRow: false,
    });

    expect((await get(link)).status).toBe(403);
  });
});

describe('outputUrl', () => {
  it('refuses an empty list of statuses', async () => {
    const { errors } = await app.graphql(urlQuery, { id, status: [] }, byAda);

    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(errors?.[0]?.message).toContain('at least one status');
  });

  it('says nothing of a stranger’s batch', async () => {
    const { data } = await app.graphql(urlQuery, { id }, { authorization: `Bearer ${keys.bob}` });

    expect(data).toEqual({ batch: null });
  });
});
