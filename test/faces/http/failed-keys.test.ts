import { beforeEach, expect, test, vi } from 'vitest';
import {
  createFailedKeys,
  type FailedKeys,
  maxFailures,
  maxWarnings,
  warnAfterMs,
} from '../../../src/faces/http/failed-keys.ts';

let nowMs: number;
let warnings: { address: string; failures: number; routes: string[] }[];
let sums: object[];
let failed: FailedKeys;
beforeEach(() => {
  nowMs = 0;
  warnings = [];
  sums = [];
  failed = createFailedKeys({
    log: {
      warn: (fields: object) => void warnings.push(fields as never),
      info: (fields: object) => void sums.push(fields),
    } as never,
    now: () => nowMs,
  });
});

function fail(address: string, times: number, route = 'POST /graphql'): void {
  for (let time = 0; time < times; time += 1) failed.note(address, route);
}

test('an address is judged until the twentieth failure, then not for the rest of the minute', () => {
  fail('1.1.1.1', maxFailures - 1);
  expect(failed.waitSeconds('1.1.1.1')).toBeNull();

  nowMs = 15_000;
  fail('1.1.1.1', 1);

  expect(failed.waitSeconds('1.1.1.1')).toBe(45);
  expect(failed.waitSeconds('2.2.2.2')).toBeNull();
  nowMs = 60_000;
  expect(failed.waitSeconds('1.1.1.1')).toBeNull();
});

test('each address is warned of once in a minute, with its routes', () => {
  fail('1.1.1.1', maxFailures - 1);
  fail('1.1.1.1', 50, 'GET /files');
  fail('2.2.2.2', 3);
  expect(warnings).toEqual([
    { address: '1.1.1.1', failures: 20, routes: ['POST /graphql', 'GET /files'] },
  ]);

  nowMs = 60_000;
  fail('1.1.1.1', 1);
  expect(warnings.slice(1)).toEqual([
    { address: '2.2.2.2', failures: 3, routes: ['POST /graphql'] },
  ]);
  failed.stop();
  expect(warnings).toHaveLength(3);
});

test('an address with few failures is warned of within seconds, and of the rest in one line', () => {
  vi.useFakeTimers();
  fail('1.1.1.1', 3);
  vi.advanceTimersByTime(warnAfterMs);
  expect(warnings).toEqual([{ address: '1.1.1.1', failures: 3, routes: ['POST /graphql'] }]);

  fail('1.1.1.1', maxFailures);
  vi.advanceTimersByTime(warnAfterMs);
  nowMs = 60_000;
  fail('2.2.2.2', 1);
  vi.useRealTimers();

  expect(warnings).toHaveLength(1);
  expect(sums).toEqual([
    { address: '1.1.1.1', failures: 3 + maxFailures, routes: ['POST /graphql'] },
  ]);
});

test('an address that goes on after its warning is told of with all its failures', () => {
  fail('1.1.1.1', 16_300, 'GET /files');
  fail('2.2.2.2', maxFailures);
  expect([warnings.map(({ failures }) => failures), sums]).toEqual([[20, 20], []]);

  nowMs = 60_000;
  fail('3.3.3.3', 1);

  expect(sums).toEqual([{ address: '1.1.1.1', failures: 16_300, routes: ['GET /files'] }]);
});

test('look-ups that could fail too often wait for those under way', async () => {
  const first = await Promise.all(
    Array.from({ length: maxFailures }, () => failed.enter('1.1.1.1')),
  );
  const entered: number[] = [];
  const others = [1, 2].map(async (at) => {
    const leave = await failed.enter('1.1.1.1');
    if (leave) entered.push(at);
    return leave;
  });
  expect(await failed.enter('2.2.2.2')).not.toBeNull();
  expect(entered).toEqual([]);

  // The look-up found a right key: there is room for another one.
  first[0]?.();
  expect(await others[0]).not.toBeNull();
  expect(entered).toEqual([1]);

  fail('1.1.1.1', maxFailures);
  for (const leave of first.slice(1)) leave?.();
  expect(await others[1]).toBeNull();
  expect(await failed.enter('1.1.1.1')).toBeNull();
});

test('many addresses give no more than a hundred warnings a minute', () => {
  for (let at = 0; at < 300; at += 1) fail(`10.0.${at}.1`, maxFailures);

  expect(warnings).toHaveLength(maxWarnings);
});

test('more addresses than are kept push out the oldest', () => {
  for (let at = 0; at < 10_001; at += 1) fail(`10.${at >> 8}.${at & 255}.1`, maxFailures);

  expect(failed.waitSeconds('10.0.0.1')).toBeNull();
  expect(failed.waitSeconds('10.0.1.1')).toBe(60);
});
