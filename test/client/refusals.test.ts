/** What fails, and what is sent again: against a server that answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as client from '../../src/client/index.ts';
import { Winnow, type WinnowOptions } from '../../src/client/index.ts';

const classes: Record<string, unknown> = { ...client };

type Reply = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let url: string;
let replies: Reply[] = [];
let bodies: string[] = [];
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    bodies.push(body);
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    reply?.(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  bodies = [];
});

const answer =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Reply =>
  (_request, response) => {
    const isText = typeof body === 'string';
    response.writeHead(status, {
      'content-type': isText ? 'text/html' : 'application/json',
      ...headers,
    });
    response.end(isText ? body : JSON.stringify(body));
  };
const problem = (code: string, extra: object = {}) => ({
  errors: [{ message: `because of ${code}`, extensions: { code, ...extra } }],
});
const models = answer({ data: { service: { models: [] } } });
const atOnce = { 'retry-after': '0' };
const reset: Reply = (request) => request.socket.destroy();

function winnowOf(options: WinnowOptions = {}): Winnow {
  return new Winnow({ url, ...options });
}

async function failureOf(work: Promise<unknown>): Promise<client.WinnowError> {
  const failure = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(client.WinnowError);
  return failure as client.WinnowError;
}

describe('an error of GraphQL', () => {
  it.each([
    ['BAD_USER_INPUT', 'BadUserInput', 400],
    ['NOT_FOUND', 'NotFound', 404],
    ['UNAUTHENTICATED', 'Unauthenticated', 401],
    ['FORBIDDEN', 'Forbidden', 403],
    ['CONFLICT', 'Conflict', 409],
    ['IDEMPOTENCY_CONFLICT', 'Conflict', 409],
    ['PAYLOAD_TOO_LARGE', 'PayloadTooLarge', 413],
    ['RATE_LIMITED', 'RateLimited', 429],
    ['TOO_MANY_REQUESTS', 'RateLimited', 429],
    ['PROVIDER_UNAVAILABLE', 'ProviderUnavailable', 503],
    ['DATABASE_UNAVAILABLE', 'Unavailable', 503],
    ['STORAGE_FULL', 'Unavailable', 507],
    ['LIMIT_EXCEEDED', 'LimitExceeded', null],
    ['BUDGET_EXCEEDED', 'BudgetExceeded', null],
    ['SOMETHING_NEW', 'WinnowError', null],
  ] as const)('%s is a %s', async (code, name, status) => {
    const issues = [{ path: 'options', message: 'must be there' }];
    replies = [answer(problem(code, { issues }), 200, { 'x-request-id': 'the-request' })];

    const failure = await failureOf(winnowOf({ maxRetries: 0 }).models());

    expect(failure).toBeInstanceOf(classes[name]);
    expect(failure).toMatchObject({
      name,
      code,
      status,
      issues,
      message: `because of ${code}`,
      requestId: 'the-request',
    });
  });
});

describe('an answer of something else', () => {
  it.each([
    [401, 'UNAUTHENTICATED'],
    [413, 'PAYLOAD_TOO_LARGE'],
    [429, 'TOO_MANY_REQUESTS'],
    [502, 'CONNECTION_LOST'],
    [500, 'INTERNAL_SERVER_ERROR'],
  ])('with %i is %s', async (status, code) => {
    replies = [answer('<h1>a proxy</h1>', status)];

    expect(await failureOf(winnowOf({ maxRetries: 0 }).models())).toMatchObject({ status, code });
  });

  it('that is not JSON is told of', async () => {
    replies = [answer('<h1>a page</h1>')];

    const failure = await failureOf(winnowOf({ maxRetries: 0 }).models());
    expect(failure.message).toMatch(/is it a Winnow server/);
  });
});

describe('a read', () => {
  it.each([429, 502, 503, 504])('is sent again after %i', async (status) => {
    replies = [answer('busy', status, atOnce), models];

    expect(await winnowOf().models()).toEqual([]);
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toBe(bodies[0]);
  });

  it('is sent again where the connection is lost, and where the database was away', async () => {
    replies = [reset, answer(problem('DATABASE_UNAVAILABLE'), 503, atOnce), models];

    expect(await winnowOf().models()).toEqual([]);
    expect(bodies).toHaveLength(3);
  });

  it.each([400, 401, 404, 500, 507])('is not sent again after %i', async (status) => {
    replies = [answer('no', status, atOnce)];

    await failureOf(winnowOf().models());
    expect(bodies).toHaveLength(1);
  });

  it('is sent as often as maxRetries says', async () => {
    replies = [answer('busy', 503, atOnce)];

    await failureOf(winnowOf({ maxRetries: 4 }).models());
    expect(bodies).toHaveLength(5);
  });

  it('does not wait for a server that asks for an hour', async () => {
    replies = [answer('busy', 429, { 'retry-after': '3600' })];

    expect(await failureOf(winnowOf().models())).toMatchObject({ retryAfterMs: 3_600_000 });
    expect(bodies).toHaveLength(1);
  });

  it('is lost where nothing comes in time', async () => {
    replies = [() => undefined];

    const failure = await failureOf(winnowOf({ maxRetries: 0, timeoutMs: 20 }).models());
    expect(failure).toMatchObject({ code: 'CONNECTION_LOST', status: null });
  });
});

describe('what may not be done twice', () => {
  it('is sent once', async () => {
    replies = [answer('busy', 503, atOnce)];
    const winnow = winnowOf();

    await failureOf(winnow.label(['x'], { categories: ['a', 'b'] }));
    await failureOf(winnow.graphql('mutation { deleteFile(id: "x") { deletedId } }'));
    expect(bodies).toHaveLength(2);
  });

  it('is a submit that has a key, the same each time', async () => {
    replies = [answer('busy', 503, atOnce), reset, answer(problem('BAD_USER_INPUT'))];

    await failureOf(winnowOf().batches.submit({ summarize: {}, source: ['x'] }));
    const keys = bodies.map((body) => JSON.parse(body).variables.input.idempotencyKey);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toMatch(/^client-[0-9a-f]{32}$/);
  });

  it('is an upload whose source can be read once alone', async () => {
    replies = [answer('busy', 503, atOnce)];
    const winnow = winnowOf();

    await failureOf(winnow.files.upload(new Blob(['a text'])));
    expect(bodies).toEqual(['a text', 'a text', 'a text']);
    await failureOf(winnow.files.upload(new Blob(['a text']).stream()));
    expect(bodies).toHaveLength(4);
  });
});

describe('a signal', () => {
  const calls: [string, (winnow: Winnow, signal: AbortSignal) => Promise<unknown>][] = [
    ['label', (winnow, signal) => winnow.label(['x'], { categories: ['a', 'b'], signal })],
    ['submit', (winnow, signal) => winnow.batches.submit({ summarize: {}, source: ['x'], signal })],
    ['models', (winnow, signal) => winnow.models({ signal })],
    ['upload', (winnow, signal) => winnow.files.upload(new Blob(['x']), { signal })],
    ['list', (winnow, signal) => winnow.batches.list({ signal }).next()],
    ['graphql', (winnow, signal) => winnow.graphql('{ x }', {}, { signal })],
  ];

  it.each(calls)('ends %s', async (_name, call) => {
    const { signal, ...controller } = abortable();
    replies = [() => controller.abort(new Error('enough'))];

    const failure = await failureOf(call(winnowOf(), signal));
    expect(failure).toBeInstanceOf(client.Aborted);
    expect(failure).toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
    expect(await failureOf(call(winnowOf(), signal))).toBeInstanceOf(client.Aborted);
    expect(bodies).toHaveLength(1);
  });

  it('ends the wait for another try', async () => {
    const { signal, abort } = abortable();
    replies = [
      (request, response) => {
        answer('busy', 503, { 'retry-after': '50' })(request, response);
        response.once('close', () => abort());
      },
    ];

    expect(await failureOf(winnowOf().models({ signal }))).toBeInstanceOf(client.Aborted);
  });

  function abortable() {
    const controller = new AbortController();
    return {
      signal: controller.signal,
      abort: (reason?: unknown) => controller.abort(reason),
    };
  }
});

it('sends the key, and takes both from the environment', async () => {
  const seen: unknown[] = [];
  replies = [
    (request, response) => {
      seen.push(request.headers.authorization);
      models(request, response);
    },
  ];
  await winnowOf({ apiKey: 'the-key' }).models();
  process.env.WINNOW_URL = url;
  process.env.WINNOW_API_KEY = 'of-the-environment';
  try {
    await new Winnow().models();
  } finally {
    delete process.env.WINNOW_URL;
    delete process.env.WINNOW_API_KEY;
  }

  expect(seen).toEqual(['Bearer the-key', 'Bearer of-the-environment']);
});

it('takes a fetch of its own, and refuses what is not a URL', async () => {
  const asked: string[] = [];
  const winnow = new Winnow({
    url,
    fetch: async (input) => {
      asked.push(String(input));
      return Response.json({ data: { service: { models: [] } } });
    },
  });
  await winnow.models();

  expect(asked).toEqual([`${url}/graphql`]);
  expect(() => new Winnow({ url: 'localhost:4000' })).toThrow(/must begin with http/);
});

describe('a stream of events', () => {
  const batch = { id: 'batch_x', status: 'QUEUED' };
  const event = (data: unknown) => `event: next\ndata: ${JSON.stringify(data)}\n\n`;
  const stream =
    (...events: string[]): Reply =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(':\n\n');
      for (const one of events) response.write(one);
      response.end();
    };
  const results = (cursor: string, ...indexes: number[]) =>
    event({
      data: {
        batchResults: { cursor, items: indexes.map((index) => ({ index, status: 'SUCCEEDED' })) },
      },
    });
  const complete = 'event: complete\ndata:\n\n';

  async function batchOf(options: WinnowOptions) {
    replies = [answer({ data: { batch: { ...batch, operation: 'RUN', execution: 'LIVE' } } })];
    const got = await winnowOf(options).batches.get('batch_x');
    bodies = [];
    return got;
  }

  it('that breaks off is gone on with behind the last event', async () => {
    const got = await batchOf({});
    replies = [stream(results('1-1', 0, 1)), reset, stream(results('2-2', 2), complete)];
    const indexes: number[] = [];
    for await (const { index } of got.results()) indexes.push(index);

    expect(indexes).toEqual([0, 1, 2]);
    expect(bodies.map((body) => JSON.parse(body).variables.after)).toEqual([null, '1-1', '1-1']);
  });

  it('is given up after as many tries in a row without an event', async () => {
    const got = await batchOf({ maxRetries: 1 });
    replies = [stream(results('1-1', 0)), stream(results('2-1', 1)), stream()];
    const indexes: number[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { index } of got.results()) indexes.push(index);
      })(),
    );

    expect(failure).toBeInstanceOf(client.ConnectionLost);
    expect(indexes).toEqual([0, 1]);
    expect(bodies).toHaveLength(3);
  });

  it('whose events come in pieces is read as they are', async () => {
    const got = await batchOf({ maxRetries: 0 });
    const text = `:\r\n\r\n${results('1-1', 7)}${complete}`.replaceAll('\n', '\r\n');
    replies = [
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const byte of Buffer.from(text)) response.write(Buffer.of(byte));
        response.end();
      },
    ];
    const indexes: number[] = [];
    for await (const { index } of got.results()) indexes.push(index);

    expect(indexes).toEqual([7]);
  });
});
