/** How many requests wait for a connection: the worker marks nothing behind them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { createThinFetch, type ThinFetch } from '../../src/model/thin-fetch.ts';
import { closedPort } from '../webhooks/support.ts';

function fetchOf(port: number): ThinFetch & { ask: () => Promise<Response> } {
  const origin = `http://127.0.0.1:${port}`;
  const thin = createThinFetch({ origin, headers: {}, timeoutMs: 5_000 });
  return { ...thin, ask: () => thin.fetch(`${origin}/`) };
}

test('a request is counted until it is sent on a new connection, and not on one that stands', async () => {
  const counts: number[] = [];
  const server = createServer((_request, response) => {
    counts.push(connecting.count);
    response.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { ask, connecting, close } = fetchOf((server.address() as AddressInfo).port);
  let told = 0;
  const listener = () => {
    told += 1;
  };

  const first = [ask(), ask()];
  const atFirst = connecting.count;
  connecting.whenFewer(listener);
  connecting.whenFewer(listener);
  await Promise.all(first);
  const second = ask();
  const atSecond = connecting.count;
  await second;
  await close();
  server.close();

  expect(atFirst).toBe(2);
  expect(told).toBe(1);
  expect(counts.at(-1)).toBe(0);
  expect(atSecond).toBe(0);
});

test('a request is counted no more when no connection comes about', async () => {
  const { ask, connecting, close } = fetchOf(await closedPort());
  let told = 0;
  connecting.whenFewer(() => {
    told += 1;
  });

  await expect(ask()).rejects.toThrow('Nothing was sent');
  await close();

  expect(connecting.count).toBe(0);
  expect(told).toBe(1);
});
