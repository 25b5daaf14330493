/** Scrapes that come together. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { metricsRoute } from '../../../src/faces/operator/metrics-route.ts';

test('scrapes that come together share a text, which is never older than they are', async () => {
  let made = 0;
  const route = metricsRoute({
    text: async () => `made ${++made}\n`,
    token: null,
    isShown: () => true,
  });
  let arrived = 0;
  const held: (() => unknown)[] = [];
  // All of them are asked for in one turn of the event loop.
  const server = createServer((request, response) => {
    held.push(() => route.answer(request, response));
    arrived += 1;
    if (arrived === 50) for (const begin of held.splice(0)) begin();
    if (arrived > 50) held.shift()?.();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  const scrape = async () => (await fetch(url)).text();

  const together = await Promise.all(Array.from({ length: 50 }, scrape));
  const after = await scrape();

  expect(new Set(together)).toEqual(new Set(['made 1\n']));
  expect(after).toBe('made 2\n');
  server.closeAllConnections();
  server.close();
});
