/**
 * Requests that are refused for what they are, with a key and without: see one-request-harness.ts
 * for what must hold beside them.
 */
import { once } from 'node:events';
import { get, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { busyRetries, startVictim, type Target, type Victim } from './harness.ts';

const megabyte = 1024 * 1024;

/** k aliases on each of five levels of the schema. */
function introspection(aliases: number): string {
  const level = (field: string, selection: string) =>
    Array.from({ length: aliases }, (_, index) => `a${index}: ${field} ${selection}`).join(' ');
  return `{ ${level('__schema', '{ ...S }')} }
    fragment S on __Schema { ${level('types', '{ ...T }')} }
    fragment T on __Type { ${level('fields', '{ ...F }')} }
    fragment F on __Field { ${level('type', '{ ...U }')} }
    fragment U on __Type { ${level('ofType', '{ name }')} }`;
}

/** JSON nested so deep that making its values takes seconds. */
function nested(bytes: number): string {
  const half = Math.floor((bytes - 40) / 2);
  return `{"query": "{ __typename }", "variables": {"a": ${'['.repeat(half)}${']'.repeat(half)}}}`;
}

function flat(bytes: number): string {
  const values = Math.floor((bytes - 40) / 3);
  return `{"query": "{ __typename }", "variables": {"a": [${'[],'.repeat(values)}0]}}`;
}

const variables = (json: string) => `{"query": "{ __typename }", "variables": {"a": ${json}}}`;
const differentNames = (count: number) =>
  variables(`{${Array.from({ length: count }, (_, at) => `"k${at}": 1`).join()}}`);
const differentTexts = (count: number) =>
  variables(`[${Array.from({ length: count }, (_, at) => `"k${at}"`).join()}]`);

const longName = (characters: number) =>
  JSON.stringify({
    query: `query ${'n'.repeat(characters)}(${Array.from({ length: 100 }, (_, at) => `$v${at}: Int`).join(' ')}) { __typename }`,
  });

/** Bodies of any size, and what they are answered with where a key comes with them. */
const bodies: [what: string, body: () => string, status: number, code: string][] = [
  ['15 MB nested 7 million deep', () => nested(15_000_000), 413, 'PAYLOAD_TOO_LARGE'],
  ['15 MB of empty lists', () => flat(15_000_000), 413, 'PAYLOAD_TOO_LARGE'],
  ['900,000 names that are all different', () => differentNames(900_000), 413, 'PAYLOAD_TOO_LARGE'],
  ['900,000 texts that are all different', () => differentTexts(900_000), 413, 'PAYLOAD_TOO_LARGE'],
  [
    '15 MB of comments',
    () => JSON.stringify({ query: `{ __typename }\n${'#\n'.repeat(4.7 * megabyte)}` }),
    200,
    'BAD_USER_INPUT',
  ],
  [
    '250,000 tokens',
    () => JSON.stringify({ query: `{ __typename(a: [${'1,'.repeat(250_000)}]) }` }),
    200,
    'BAD_USER_INPUT',
  ],
  [
    '450,000 comments in 900 kB',
    () => JSON.stringify({ query: `{ __typename }\n${'#\n'.repeat(450_000)}` }),
    200,
    'BAD_USER_INPUT',
  ],
  [
    'a name of 4 MB that a hundred errors would quote',
    () => longName(4 * megabyte),
    200,
    'BAD_USER_INPUT',
  ],
  [
    'a name of 900 kB that a hundred errors would quote',
    () => longName(900_000),
    200,
    'BAD_USER_INPUT',
  ],
  [
    'a text of 1.5 MB',
    () => JSON.stringify({ query: `{ batch(id: "${'x'.repeat(1.5 * megabyte)}") { id } }` }),
    200,
    'BAD_USER_INPUT',
  ],
  [
    'introspection of 1,100 fields that cost little',
    () => {
      const names = Array.from({ length: 1_100 }, (_, at) => `a${at}: name`);
      return JSON.stringify({ query: `{ __schema { queryType { ${names.join(' ')} } } }` });
    },
    200,
    'BAD_USER_INPUT',
  ],
  [
    'introspection, three aliases on five levels',
    () => JSON.stringify({ query: introspection(3) }),
    200,
    'BAD_USER_INPUT',
  ],
  [
    'introspection, four aliases on five levels',
    () => JSON.stringify({ query: introspection(4) }),
    200,
    'BAD_USER_INPUT',
  ],
  [
    'introspection, twelve aliases on five levels',
    () => JSON.stringify({ query: introspection(12) }),
    200,
    'BAD_USER_INPUT',
  ],
];

describe('a server with keys', { retry: busyRetries }, () => {
  let victim: Victim;

  beforeAll(async () => {
    victim = await startVictim({ withKeys: true });
  });
  afterAll(() => victim.stop());

  async function send(target: Target, body: string, headers: Record<string, string>) {
    const response = await fetch(`${target.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
      signal: target.signal,
    });
    return { status: response.status, text: await response.text() };
  }

  test.each(bodies)(
    '%s is refused before it is read where no key comes with it',
    async (_what, body) => {
      const sent = body();

      const report = await victim.attack(async (target) => {
        const { status, text } = await send(target, sent, {});
        expect(status).toBe(401);
        expect(JSON.parse(text).errors[0].extensions.code).toBe('UNAUTHENTICATED');
      });

      expect(report.breaches).toEqual([]);
    },
  );

  test.each(bodies)('%s is refused with a key', async (_what, body, status, code) => {
    const sent = body();

    const report = await victim.attack(async (target) => {
      const answer = await send(target, sent, target.headers);
      expect({
        status: answer.status,
        code: JSON.parse(answer.text).errors[0].extensions.code,
      }).toEqual({ status, code });
      expect(answer.text.length).toBeLessThan(20_000);
    });

    expect(report.breaches).toEqual([]);
  });

  test('500 documents of 9.6 kB leave no more than 16 MB behind', async () => {
    const report = await victim.attack(async (target) => {
      for (let number = 100; number < 600; number += 1) {
        const fields = Array.from({ length: 460 }, (_, at) => `f${number}_${at}: __typename`);
        // Valid, so that it is kept, and not run, which would take most of the time.
        const { text } = await target.post({
          query: `query a { ${fields.join(' ')} }`,
          operationName: 'b',
        });
        expect(text).toContain('what operation to execute');
      }
    });

    expect(report.breaches).toEqual([]);
  });

  test('bodies that stop before their end are given up, and hold nothing meanwhile', async () => {
    const closed: number[] = [];

    const report = await victim.attack(async ({ url }) => {
      const { hostname, port } = new URL(url);
      const startedAt = performance.now();
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => undefined);
          const head = `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${24 * megabyte}\r\n\r\n`;
          socket.write(head);
          socket.write(Buffer.alloc(24 * megabyte - 2, ' '));
          socket.resume();
          await new Promise((resolve) => socket.once('close', resolve));
          closed.push(performance.now() - startedAt);
        }),
      );
    });

    expect(report.breaches).toEqual([]);
    expect(closed).toHaveLength(20);
    expect(Math.max(...closed)).toBeLessThan(14_000);
  });

  /** Begins a body of a gigabyte without a key; `send` writes of it what it likes. */
  async function sendWithoutKey(url: string, send: (socket: Socket) => void) {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: 1000000000\r\n\r\n`,
    );
    socket.resume();
    send(socket);
    await new Promise((resolve) => socket.once('close', resolve));
    return socket.bytesWritten;
  }

  test('a body without a key that trickles on is cut off', async () => {
    const report = await victim.attack(async ({ url }) => {
      let trickle: NodeJS.Timeout | undefined;
      await sendWithoutKey(url, (socket) => {
        trickle = setInterval(() => socket.write(' '), 500);
      });
      clearInterval(trickle);
    });

    expect(report.breaches).toEqual([]);
  });

  test('a body without a key that comes as fast as it can is cut off', async () => {
    let sent = 0;

    const report = await victim.attack(async ({ url }) => {
      sent = await sendWithoutKey(url, (socket) => {
        const piece = Buffer.alloc(65_536, ' ');
        const fill = () => {
          while (socket.writable && socket.write(piece));
        };
        socket.on('drain', fill);
        fill();
      });
    });

    expect(report.breaches).toEqual([]);
    // The connection itself holds some.
    expect(sent).toBeLessThan(32 * megabyte);
  });

  test('a body that stops before its end is given up with a key too, in the shape of GraphQL', async () => {
    let answer: unknown;

    const report = await victim.attack(async ({ url, headers }) => {
      const length = { 'content-type': 'application/json', 'content-length': 1_000 };
      const asked = request(`${url}/graphql`, {
        method: 'POST',
        headers: { ...headers, ...length },
      });
      asked.on('error', () => undefined);
      asked.write('{"query"');
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      answer = { status: response.statusCode, body: await json(response) };
    });

    expect(report.breaches).toEqual([]);
    expect(answer).toEqual({
      status: 408,
      body: {
        errors: [
          {
            message: expect.stringContaining('1,024 bytes a second'),
            extensions: { code: 'REQUEST_TIMEOUT', requestId: expect.any(String) },
          },
        ],
      },
    });
  });

  test('a socket that says more than 8 kB before it is known is closed', async () => {
    const codes: number[] = [];

    const report = await victim.attack(async ({ socketUrl }) => {
      const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
      socket.on('error', () => undefined);
      await once(socket, 'open');
      const payload = { Authorization: 'x'.repeat(megabyte / 2) };
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
      const [code] = await once(socket, 'close');
      codes.push(code as number);
    });

    expect(report.breaches).toEqual([]);
    expect(codes).toEqual([1009]);
  });

  test('10,000 queries on one socket: a hundred at once are answered, the next ones are told so', async () => {
    let refused = 0;
    let answered = 0;

    const report = await victim.attack(async ({ socketUrl, headers }) => {
      const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
      await once(socket, 'open');
      const payload = { Authorization: headers.authorization };
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
      await once(socket, 'message');
      const all = new Promise<void>((resolve) => {
        socket.on('message', (data) => {
          const message = JSON.parse(String(data));
          if (message.type === 'error') {
            expect(message.payload[0].extensions.code).toBe('TOO_MANY_REQUESTS');
            refused += 1;
          } else if (message.type === 'next') answered += 1;
          if (refused + answered === 10_000) resolve();
        });
      });
      const query = '{ batches(first: 50) { edges { node { id status } } totalCount } }';
      for (let id = 0; id < 10_000; id += 1) {
        socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } }));
      }
      await all;
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.close();
    });

    expect(report.breaches).toEqual([]);
    expect(answered).toBeGreaterThanOrEqual(100);
    expect(refused).toBeGreaterThan(1_000);
  });
});

describe('a server without keys', { retry: busyRetries }, () => {
  let victim: Victim;

  beforeAll(async () => {
    victim = await startVictim({ withKeys: false });
  });
  afterAll(() => victim.stop());

  test('an image on a page from elsewhere reads nothing', async () => {
    const report = await victim.attack(async ({ url }) => {
      const response = await fetch(`${url}/graphql?query=${encodeURIComponent(introspection(5))}`, {
        headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
      });
      expect(response.status).toBe(403);
    });

    expect(report.breaches).toEqual([]);
  });

  test('a person who follows a link sees the page, and this machine is served', async () => {
    const statuses: number[] = [];
    const report = await victim.attack(async ({ url }) => {
      for (const headers of [
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', accept: 'text/html' },
        { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' },
        { 'sec-fetch-site': 'cross-site', origin: 'http://localhost:5173' },
      ]) {
        // Not by fetch, which has a sec-fetch-mode of its own.
        const asked = get(`${url}/graphql?query={__typename}`, { headers });
        const [response] = (await once(asked, 'response')) as [IncomingMessage];
        response.resume();
        statuses.push(response.statusCode ?? 0);
      }
    });

    expect(statuses).toEqual([200, 200, 200]);
    expect(report.alive).toBe(true);
  });

  test.each([2, 4, 12])('introspection with %s aliases on five levels', async (aliases) => {
    const report = await victim.attack(async (target) => {
      await target.post({ query: introspection(aliases) });
    });

    expect(report.breaches).toEqual([]);
  });
});
