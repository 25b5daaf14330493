import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { sendEvents } from '../../../src/faces/http/event-stream.ts';
import { ClientGone } from '../../../src/faces/http/route-error.ts';

test('a reader that takes nothing loses the stream', async () => {
  let tell: (error: unknown) => void = () => undefined;
  const ended = new Promise<unknown>((resolve) => {
    tell = resolve;
  });
  async function* endless() {
    for (;;) yield 'x'.repeat(100_000);
  }
  const server = createServer((_request, response) => {
    sendEvents(response, endless(), { alive: '', patienceMs: 50 }).catch(tell);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const asked = get({ port, host: '127.0.0.1' });
  asked.on('error', () => undefined);

  const [answer] = (await once(asked, 'response')) as [IncomingMessage];

  answer.on('error', () => undefined);
  expect(answer.statusCode).toBe(200);
  expect(await ended).toBeInstanceOf(ClientGone);
});
