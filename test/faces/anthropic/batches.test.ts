/** Message batches, as Anthropic's package makes and reads them. */
import { connect } from 'node:net';
import Anthropic, { APIError } from '@anthropic-ai/sdk';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { closedPort } from '../../webhooks/support.ts';
import { submitTexts, untilEnded } from '../graphql/support.ts';

type Requests = Anthropic.Messages.BatchCreateParams['requests'];
type Batch = Anthropic.Messages.MessageBatch;

const adasKey = 'the-right-key-of-ada-0123';
const bensKey = 'the-right-key-of-ben-0123';
let app: App;
let sql: postgres.Sql;
let client: Anthropic;
let ben: Anthropic;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `ada:${adasKey},ben:${bensKey}` });
  sql = postgres(app.databaseUrl, { max: 1 });
  client = clientOf(adasKey);
  ben = clientOf(bensKey);
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});
afterEach(() => {
  app.sandbox.faults.clear();
});

const key = { authorization: `Bearer ${adasKey}` };

function clientOf(apiKey: string): Anthropic {
  return new Anthropic({ baseURL: app.url, apiKey, maxRetries: 0 });
}

function request(custom_id: string, content: string, more = {}): Requests[number] {
  const messages = [{ role: 'user' as const, content }];
  return { custom_id, params: { model: 'rules', max_tokens: 99, messages, ...more } };
}

async function create(requests: Requests, headers: Record<string, string> = {}): Promise<Batch> {
  return await client.messages.batches.create({ requests }, { headers });
}

/** The batch at its end; on the way its counts add up. */
async function ended({ id }: Batch): Promise<Batch> {
  return (await app.lookAfter('batch.ended', async () => {
    const batch = await client.messages.batches.retrieve(id);
    expect(sum(batch)).toBe(sum(await client.messages.batches.retrieve(id)));
    return batch.processing_status === 'ended' ? batch : null;
  })) as Batch;
}

function sum({ request_counts }: Batch): number {
  return Object.values(request_counts).reduce((all, count) => all + count, 0);
}

async function resultsOf({ id }: Batch) {
  const lines: Anthropic.Messages.MessageBatchIndividualResponse[] = [];
  for await (const line of await client.messages.batches.results(id)) lines.push(line);
  return lines;
}

async function failureOf(promise: Promise<unknown>): Promise<APIError> {
  const failure = await promise.then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(APIError);
  return failure as APIError;
}

const refusedWith = (type: string) => ({ error: { type: 'error', error: { type } } });

/** What a create may leave that is of no batch. */
async function leftovers() {
  const [counted] = await sql<Record<'ingests' | 'rows' | 'files', number>[]>`
    select (select count(*) from ingests)::int as ingests,
           (select count(*) from rows r where not exists (select from files where key = r.file_key))::int as rows,
           (select count(*) from files f where deleted_at is null
              and not exists (select from batches where file_key = f.key))::int as files`;
  return { ...counted };
}

const nothing = { ingests: 0, rows: 0, files: 0 };

describe('a batch', () => {
  it('has every key from its create on, and results at its end', async () => {
    const made = await create([request('row-0', 'I love it'), request('row-1', 'Never again 🙂')]);
    const over = await ended(made);

    expect(made).toEqual({
      id: expect.stringMatching(/^msgbatch_[0-9a-z]{25}$/),
      type: 'message_batch',
      processing_status: expect.stringMatching(/^(in_progress|ended)$/),
      request_counts: expect.anything(),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      expires_at: expect.any(String),
      ended_at: null,
      archived_at: null,
      cancel_initiated_at: null,
      results_url: null,
    });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(86_400_000);
    expect(over).toMatchObject({
      request_counts: { processing: 0, succeeded: 2, errored: 0, canceled: 0, expired: 0 },
      ended_at: expect.stringMatching(/Z$/),
      results_url: `${app.url}/v1/messages/batches/${made.id}/results`,
    });
    expect(await resultsOf(over)).toEqual(
      ['row-0', 'row-1'].map((custom_id) => ({
        custom_id,
        result: {
          type: 'succeeded',
          message: expect.objectContaining({ type: 'message', stop_reason: 'end_turn' }),
        },
      })),
    );
  });

  it('is the same in GraphQL, in either form of its id', async () => {
    const made = await create([request('a', 'I love it')]);
    const id = made.id.replace('msgbatch_', 'batch_');

    expect(await untilEnded(app, id, key)).toMatchObject({ id, status: 'COMPLETED' });
    expect(await client.messages.batches.retrieve(id)).toMatchObject({ id: made.id });
  });

  it('made in GraphQL, of another operation, has messages too', async () => {
    const id = await submitTexts(app, ['I love it'], { headers: key });
    await untilEnded(app, id, key);
    const [batch] = (await client.messages.batches.list({ limit: 1 })).data;
    const [line] = await resultsOf(batch as Batch);

    expect(batch?.id).toBe(`msg${id}`);
    expect(line?.result).toMatchObject({ type: 'succeeded', message: { type: 'message' } });
  });

  it('has what is wrong inside of params as the result of that request', async () => {
    const { id } = await create([
      request('good', 'I love it'),
      request('bad', '', { messages: 'none' }),
    ]);
    const lines = await resultsOf(await ended({ id } as Batch));

    expect(lines.map(({ result }) => result.type)).toEqual(['succeeded', 'errored']);
    expect(lines[1]?.result).toEqual({
      type: 'errored',
      error: {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: expect.any(String),
          code: 'invalid_request',
        },
        request_id: expect.stringMatching(/^req_\w+_1$/),
      },
    });
  });

  it('that failed has the batch’s error for all that was left undone', async () => {
    app.sandbox.faults.add({ fault: { kind: 'status', status: 401, code: 'invalid_api_key' } });
    const over = await ended(await create([request('a', 'x'), request('b', 'y')]));
    const lines = await resultsOf(over);

    expect(over.request_counts).toMatchObject({ processing: 0, succeeded: 0, errored: 2 });
    expect(lines.map(({ custom_id }) => custom_id)).toEqual(['a', 'b']);
    expect(lines[0]?.result).toMatchObject({
      type: 'errored',
      error: { error: { type: 'authentication_error', code: 'invalid_key' } },
    });
  });

  it('has no results before its end', async () => {
    app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
    const { id } = await create([request('a', 'x')]);
    const failure = await failureOf(client.get(`/v1/messages/batches/${id}/results`));

    expect(failure).toMatchObject({ status: 404, ...refusedWith('not_found_error') });
    await expect(client.messages.batches.results(id)).rejects.toThrow(/finished processing/);
    await client.messages.batches.cancel(id);
  });

  it('cancelled while it runs has canceled results', async () => {
    const count = 20_000;
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 20 } });
    const made = await create(
      Array.from({ length: count }, (_, index) => request(`n-${index}`, `Number ${index}`)),
    );
    const cancelled = await client.messages.batches.cancel(made.id);
    const over = await ended(cancelled);
    const canceled = (await resultsOf(over)).filter(({ result }) => result.type === 'canceled');

    expect(cancelled.processing_status).toMatch(/^(canceling|ended)$/);
    expect(cancelled.cancel_initiated_at).toMatch(/Z$/);
    expect(sum(over)).toBe(count);
    expect(over.request_counts.canceled).toBeGreaterThan(0);
    expect(canceled).toHaveLength(over.request_counts.canceled);
    expect(await client.messages.batches.cancel(made.id)).toEqual(over);
  });

  it('is deleted once it has ended, and unknown then', async () => {
    app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
    const made = await create([request('a', 'x')]);
    const tooEarly = await failureOf(client.messages.batches.delete(made.id));
    await client.messages.batches.cancel(made.id);
    await ended(made);

    expect(tooEarly).toMatchObject({ status: 400, ...refusedWith('invalid_request_error') });
    expect(await client.messages.batches.delete(made.id)).toEqual({
      id: made.id,
      type: 'message_batch_deleted',
    });
    for (const ask of [
      () => client.messages.batches.retrieve(made.id),
      () => client.messages.batches.cancel(made.id),
      () => client.messages.batches.delete(made.id),
      () => client.get(`/v1/messages/batches/${made.id}/results`),
    ]) {
      expect(await failureOf(ask())).toMatchObject({
        status: 404,
        ...refusedWith('not_found_error'),
      });
    }
  });

  it('is unknown to other owners', async () => {
    const made = await create([request('a', 'x')]);
    await ended(made);
    for (const ask of [
      () => ben.messages.batches.retrieve(made.id),
      () => ben.messages.batches.cancel(made.id),
      () => ben.messages.batches.delete(made.id),
      () => ben.get(`/v1/messages/batches/${made.id}/results`),
    ]) {
      expect(await failureOf(ask())).toMatchObject({ status: 404 });
    }

    expect((await ben.messages.batches.list()).data).toEqual([]);
    expect(await failureOf(ben.messages.batches.list({ after_id: made.id }))).toMatchObject({
      status: 400,
    });
    expect(await client.messages.batches.retrieve(made.id)).toMatchObject({ id: made.id });
  });
});

describe('the list', () => {
  it('goes forwards and backwards, and reaches every batch once', async () => {
    const made: string[] = [];
    for (let count = 0; count < 3; count += 1) made.push((await create([request('a', 'x')])).id);
    const seen: string[] = [];
    for await (const { id } of client.messages.batches.list({ limit: 2 })) seen.push(id);
    const [third] = seen.slice(2);
    const before = await client.messages.batches.list({ before_id: third, limit: 2 });
    const nearest = await client.messages.batches.list({ before_id: third, limit: 1 });
    const back: string[] = [];
    const last = seen.at(-1);
    for await (const { id } of client.messages.batches.list({ before_id: last, limit: 2 }))
      back.push(id);

    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, 3)).toEqual(made.toReversed());
    expect(before).toMatchObject({ has_more: false, first_id: seen[0], last_id: seen[1] });
    expect(nearest).toMatchObject({ has_more: true, first_id: seen[1], last_id: seen[1] });
    expect(back.toSorted()).toEqual(seen.slice(0, -1).toSorted());
  });

  it('goes on behind a batch that was deleted since', async () => {
    const older = await create([request('a', 'x')]);
    const newer = await create([request('a', 'x')]);
    await ended(newer);
    await client.messages.batches.delete(newer.id);

    const page = await client.messages.batches.list({ after_id: newer.id, limit: 1 });
    expect(page.data.map(({ id }) => id)).toEqual([older.id]);
  });

  it('is empty with ids that are null', async () => {
    expect(await ben.messages.batches.list()).toMatchObject({
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'after_id=msgbatch_none', 'after_id=a&before_id=b'])(
    'is refused where its query is wrong: %s',
    async (query) => {
      const failure = await failureOf(client.get(`/v1/messages/batches?${query}`));

      expect(failure).toMatchObject({ status: 400, ...refusedWith('invalid_request_error') });
      expect(failure.message).toContain(`${query.split('=')[0]}: must be`);
    },
  );
});

describe('a create', () => {
  it.each<[string, unknown, string]>([
    ['no requests', [], 'requests: must have'],
    ['an id twice', [request('a', 'x'), request('a', 'y')], 'requests.1.custom_id: must be unique'],
    ['a blank in an id', [request('b', 'x'), request('a b', 'x')], 'requests.1.custom_id: must be'],
    ['a long id', [request('a'.repeat(65), 'x')], 'requests.0.custom_id: must be'],
    ['no params', [request('a', 'x'), { custom_id: 'b' }], 'requests.1.params: must be'],
    [
      'no max_tokens',
      [request('a', 'x', { max_tokens: undefined })],
      'requests.0.params.max_tokens: must be',
    ],
    [
      'more than 100,000 requests',
      Array.from({ length: 100_001 }, (_, index) => request(`n-${index}`, 'x')),
      'requests: must have at most 100,000',
    ],
  ])('with %s is refused as a whole, and leaves nothing', async (_name, requests, message) => {
    const failure = await failureOf(create(requests as Requests));

    expect(failure).toMatchObject({ status: 400, ...refusedWith('invalid_request_error') });
    expect((failure.error as { error: { message: string } }).error.message).toContain(message);
    expect(await leftovers()).toEqual(nothing);
  });

  it('ignores fields and parameters that it does not know', async () => {
    const made = await client.beta.messages.batches.create({
      requests: [{ ...request('a', 'x'), more: { of: ['it'] } }] as never,
      ...{ before: '}]', and: [{ requests: 1 }] },
    });

    expect(sum(made as Batch)).toBe(1);
  });

  it('again under its Idempotency-Key is the same batch, and leaves no rows', async () => {
    const headers = { 'idempotency-key': 'once' };
    const made = await create([request('a', 'x')], headers);
    const again = await create([request('a', 'x')], headers);
    const other = await failureOf(create([request('a', 'y')], headers));

    expect(again.id).toBe(made.id);
    expect(other).toMatchObject({ status: 409, ...refusedWith('invalid_request_error') });
    expect(other.headers?.get('x-should-retry')).toBe('false');
    expect(await leftovers()).toEqual(nothing);
  });

  it('with a key that is too long is refused', async () => {
    const failure = await failureOf(
      create([request('a', 'x')], { 'idempotency-key': 'k'.repeat(201) }),
    );

    expect(failure.status).toBe(400);
    expect(failure.message).toContain('Idempotency-Key: must have at most 200 characters');
  });

  it('that the client leaves in the middle of its body leaves nothing', async () => {
    const { port } = new URL(app.url);
    const socket = connect(Number(port), '127.0.0.1');
    const rows = Array.from({ length: 2_000 }, (_, index) =>
      JSON.stringify(request(`n-${index}`, 'x')),
    );
    socket.write(
      `POST /v1/messages/batches HTTP/1.1\r\nhost: x\r\nx-api-key: ${adasKey}\r\ncontent-length: 9000000\r\n\r\n{"requests":[${rows.join()}`,
    );
    await until(async () => (await leftovers()).ingests === 1, {
      deadlineMs: 5_000,
      what: 'an ingest',
    });
    socket.destroy();

    await until(async () => (await leftovers()).ingests === 0, {
      deadlineMs: 5_000,
      what: 'its end',
    });
    expect(await leftovers()).toEqual(nothing);
  });

  it.each([
    ['is too large', { 'content-length': '268435457' }, 413, 'request_too_large'],
    ['is compressed', { 'content-encoding': 'gzip' }, 415, 'invalid_request_error'],
  ])('whose body %s is refused before it is read', async (_name, more, status, type) => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    const headers = { host: 'x', 'x-api-key': adasKey, 'content-length': '9', ...more };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    let answer = '';
    socket.on('data', (piece) => {
      answer += String(piece);
    });
    socket.write(`POST /v1/messages/batches HTTP/1.1\r\n${lines.join('')}\r\n`);
    await until(() => answer.includes('request_id'), { deadlineMs: 5_000, what: 'the answer' });
    socket.destroy();

    expect(answer).toContain(`HTTP/1.1 ${status} `);
    expect(answer).toContain(type);
  });
});

it('has the results of a batch at the public URL where there is one', async () => {
  const port = await closedPort();
  const proxied = await startApp(
    { PORT: String(port), PUBLIC_URL: 'https://winnow.example/base/' },
    { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
  );
  try {
    const { batches } = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: 'x' })
      .messages;
    const { id } = await batches.create({ requests: [request('a', 'x')] });
    // Either of the two servers runs it.
    const resultsUrl = await until(async () => (await batches.retrieve(id)).results_url, {
      deadlineMs: 10_000,
      what: 'the end of the batch',
    });

    expect(resultsUrl).toBe(`https://winnow.example/base/v1/messages/batches/${id}/results`);
  } finally {
    await proxied.stop();
  }
});
