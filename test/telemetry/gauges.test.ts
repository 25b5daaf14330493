/** Nothing is asked of the database for figures that nobody can be shown. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startGauges } from '../../src/service/gauges.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('looks at the whole database every 5 s while somebody can be shown the figures', async () => {
  let isShown = false;
  const looks: number[] = [];
  const closes: (() => Promise<unknown>)[] = [];
  startGauges(
    { gauges: () => undefined } as never,
    {
      config: readConfig({}),
      db: { sql: async () => [] } as never,
      pools: [],
      models: {} as never,
      engine: {
        processId() {
          looks.push(Date.now());
          return null;
        },
      } as never,
      isShown: () => isShown,
    },
    { add: (close: () => Promise<unknown>) => void closes.push(close) } as never,
  );

  await vi.advanceTimersByTimeAsync(20_000);
  expect(looks).toHaveLength(0);
  isShown = true;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(looks).toHaveLength(4);
  for (const close of closes) await close();
});
