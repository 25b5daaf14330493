import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { limitPace } from '../../../src/faces/http/received.ts';

test('a body that comes fast enough is given up all the same when it takes too long', async () => {
  const server = createServer((incoming, response) => {
    incoming.resume();
    const giveUp = ({ status, code }: { status: number; code: string }) => {
      response.writeHead(status, { 'x-code': code }).end();
    };
    limitPace(incoming, giveUp, { lookEveryMs: 20, wholeMs: 200 });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const asked = request({
    port,
    host: '127.0.0.1',
    method: 'POST',
    headers: { 'content-length': 1e9 },
  });
  asked.on('error', () => undefined);
  const sending = setInterval(() => asked.write('x'.repeat(10_000)), 10);
  onTestFinished(() => {
    clearInterval(sending);
    asked.destroy();
    server.closeAllConnections();
    server.close();
  });

  const [answer] = (await once(asked, 'response')) as [IncomingMessage];

  expect([answer.statusCode, answer.headers['x-code']]).toEqual([408, 'REQUEST_TIMEOUT']);
});
