import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createDrain, type Drain } from '../../../src/faces/http/drain.ts';

const forEver = 600_000;

let http: Server;
let drain: Drain;
let agent: Agent;
afterEach(() => {
  agent.destroy();
  http.closeAllConnections();
  http.close();
});

/** A server with one connection, which is kept for the next request. */
async function serve({ lingerMs = 1, keptMs = forEver } = {}): Promise<void> {
  http = createServer((_request, response) => {
    drain.add(response);
    response.statusCode = drain.refusal(response)?.status ?? 200;
    response.end();
  });
  http.keepAliveTimeout = keptMs;
  drain = createDrain(http, lingerMs);
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  await ask();
  expect(await connections()).toBe(1);
}

/** Asks over that connection. */
async function ask(): Promise<IncomingMessage> {
  const { port } = http.address() as AddressInfo;
  const asked = request({ port, host: '127.0.0.1', agent }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  return answer;
}

const connections = () =>
  new Promise<number>((resolve, reject) =>
    http.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );

it('leaves a kept connection open until it runs out', async () => {
  await serve({ keptMs: 2_000 });

  await drain.begin(forEver);

  expect(await connections()).toBe(0);
});

it('tells a kept connection with its next answer, and waits for no other', async () => {
  await serve();

  const drained = drain.begin(forEver);
  const answer = await ask();
  await drained;

  expect([answer.statusCode, answer.headers.connection]).toEqual([503, 'close']);
  expect(await connections()).toBe(0);
});

it.each([
  ['in a hurry', 1, 0],
  ['where nobody is to notice', 0, forEver],
])('leaves a kept connection to the close %s', async (_when, lingerMs, graceMs) => {
  await serve({ lingerMs });

  await drain.begin(graceMs);

  expect(await connections()).toBe(1);
});
