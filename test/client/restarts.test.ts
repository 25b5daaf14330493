/** A server that is killed and started again, while its client reads on. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BatchState, Winnow } from '../../src/client/index.ts';
import { type Killable, startKillable } from '../support/killable.ts';

const total = 400;
const killedAt = [100, 250];

let server: Killable;
beforeAll(async () => {
  server = await startKillable({ latencyMs: 60, concurrency: 8, leaseMs: 1_000 });
});
afterAll(() => server.remove());

it('gives each result once and the final state last, although the server was killed twice', async () => {
  const winnow = new Winnow({ url: server.url });
  const batch = await winnow.batches.submit({
    label: { categories: ['praise', 'complaint'] },
    source: Array.from({ length: total }, (_, at) => `I love it, ${at}`),
  });
  const states: BatchState[] = [];
  const watched = (async () => {
    for await (const state of batch.watch()) states.push(state);
  })();

  const indexes: number[] = [];
  const kills = [...killedAt];
  for await (const { index, status } of batch.results()) {
    expect(status).toBe('succeeded');
    indexes.push(index);
    if (indexes.length === kills[0]) {
      kills.shift();
      await server.kill();
      await server.start();
    }
  }
  await watched;
  const { length } = await batch.getOutput('records');

  expect(kills).toEqual([]);
  expect(length).toBe(total);
  expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, at) => at));
  expect(states.at(-1)).toMatchObject({ status: 'completed', counts: { succeeded: total } });
});
