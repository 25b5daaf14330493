import { expect, onTestFinished, test } from 'vitest';
import { createRateLimiter } from '../../src/sandbox/faults/rate-limit.ts';
import { labelRequest, openSandbox, post } from './requests.ts';

test('requests a minute are counted, told in headers, and given back steadily', () => {
  let now = 0;
  const limiter = createRateLimiter({ requestsPerMinute: 2 }, () => now);

  expect(limiter.take(1)).toEqual({
    'x-ratelimit-limit-requests': '2',
    'x-ratelimit-remaining-requests': '1',
    'x-ratelimit-reset-requests': '30s',
  });
  limiter.take(1);
  expect(() => limiter.take(1)).toThrowError(
    expect.objectContaining({
      status: 429,
      headers: expect.objectContaining({ 'retry-after': '30', 'retry-after-ms': '30000' }),
    }),
  );
  now = 30_000;
  expect(limiter.take(1)).toMatchObject({ 'x-ratelimit-remaining-requests': '0' });
});

test('tokens a minute are counted, and a request larger than all of them waits for a full bucket only', () => {
  let now = 0;
  const limiter = createRateLimiter({ tokensPerMinute: 1_000 }, () => now);

  limiter.take(700);
  expect(() => limiter.take(700)).toThrowError(
    expect.objectContaining({
      body: { error: expect.objectContaining({ type: 'tokens', code: 'rate_limit_exceeded' }) },
    }),
  );
  now = 60_000;
  expect(limiter.take(5_000)).toMatchObject({ 'x-ratelimit-remaining-tokens': '0' });
});

test('a limited sandbox answers 429 over HTTP until the limit is lifted', async () => {
  const sandbox = await openSandbox(onTestFinished, { limits: { requestsPerMinute: 1 } });

  const statuses = [];
  for (let i = 0; i < 2; i++) statuses.push((await post(sandbox, labelRequest('hi'))).status);
  sandbox.limit(null);
  statuses.push((await post(sandbox, labelRequest('hi'))).status);

  expect(statuses).toEqual([200, 429, 200]);
});
