/** What reaches the gate of what a provider says and counts, over real HTTP. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startItem } from '../../../src/engine/run/execute.ts';
import { createPlanner } from '../../../src/engine/run/plan.ts';
import type { Model } from '../../../src/model/model.ts';
import { createProviders, type Providers } from '../../../src/model/providers.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { logEvents } from '../../../src/telemetry/log-events.ts';
import {
  completion,
  refusal,
  type StubProvider,
  startStubProvider,
} from '../../support/stub-provider.ts';
import { providerConfig, text } from '../support.ts';
import { createVirtualClock } from '../virtual.ts';

let stub: StubProvider;
beforeEach(async () => {
  stub = await startStubProvider();
});
afterEach(() => stub.close());

const never = new AbortController().signal;

/** A model whose gate lives in virtual time, while its calls are real. */
function modelOf(
  limits: { requestsPerMinute?: number; tokensPerMinute?: number } = {},
  log: unknown[] = [],
) {
  const clock = createVirtualClock();
  const write = (fields: object, message: string) => void log.push({ ...fields, message });
  const lines = { debug: write, info: write, warn: write, error: write };
  const events = createEvents(lines);
  logEvents(events, lines);
  const providers = createProviders({
    configs: [providerConfig(stub.url, { limits })],
    timeoutMs: 5_000,
    concurrency: 8,
    clock,
    log: lines,
    events,
  });
  return { model: providers.resolve('stub/m'), providers, clock };
}

/** One call as a batch makes it. */
async function call(model: Model, request = text): Promise<void> {
  const permit = model.gate.tryEnter();
  if (!permit) throw new Error('the gate is closed');
  await model.send(request, { signal: never, permit });
  permit.release('ok');
}

const limitHeaders = (name: 'requests' | 'tokens', remaining: string, reset: string) => ({
  [`x-ratelimit-limit-${name}`]: '1000',
  [`x-ratelimit-remaining-${name}`]: remaining,
  [`x-ratelimit-reset-${name}`]: reset,
});

describe('the headers of an answer', () => {
  test.each(['requests', 'tokens'] as const)('close the gate while no %s remain', async (name) => {
    // 1,000 in 60 s, all used: one is there again after 60 ms, and the tokens of a call after a
    // second.
    stub.reply({ headers: limitHeaders(name, '0', '1m0s') });
    const { model, clock } = modelOf();

    await call(model);

    expect(model.gate.tryEnter()).toBeNull();
    clock.advance(50);
    expect(model.gate.tryEnter()).toBeNull();
    clock.advance(1_000);
    expect(model.gate.tryEnter()).not.toBeNull();
  });

  test('are read on a 429 too, and its Retry-After is obeyed', async () => {
    stub.reply(
      refusal(429, {}, { ...limitHeaders('requests', '0', '1m0s'), 'retry-after-ms': '10' }),
    );
    const { model, clock } = modelOf();
    const permit = model.gate.tryEnter();

    const sent = permit && model.send(text, { signal: never, permit });
    await expect(sent).rejects.toMatchObject({ failure: { retryAfterMs: 10 } });
    permit?.release('rate_limited', { retryAfterMs: 10 });

    clock.advance(50);
    expect(model.gate.tryEnter()).toBeNull();
    clock.advance(50);
    expect(model.gate.tryEnter()).not.toBeNull();
  });

  test.each([
    ['garbage', 'many', 'soon'],
    ['not a number', 'NaN', 'NaN'],
    ['beyond all numbers', '9'.repeat(40), '1s'],
    ['hexadecimal', '0x0', '1s'],
  ])('that are %s change nothing', async (_, remaining, reset) => {
    stub.reply({ headers: limitHeaders('requests', remaining, reset) });
    const { model } = modelOf();

    await call(model);

    expect(model.gate.tryEnter()).not.toBeNull();
  });
});

describe('tokens', () => {
  test('are counted as the prompt and the limit on the answer, then as the provider counted them', async () => {
    stub.reply({
      body: completion('ok', { usage: { prompt_tokens: 50, completion_tokens: 50 } }),
    });
    const { model, clock } = modelOf({ tokensPerMinute: 60_000 });
    const request = { ...text, maxOutputTokens: 6_000 };
    const permit = model.gate.tryEnter();

    const sending = permit && model.send(request, { signal: never, permit });
    // Half a second's worth was there, and 6,000 are six seconds' worth.
    clock.advance(3_000);
    const during = model.gate.tryEnter();
    await sending;
    permit?.release('ok');

    expect(during).toBeNull();
    expect(model.gate.tryEnter()).not.toBeNull();
  });
});

test('a Retry-After of an hour or more is capped, and the log says so', async () => {
  stub.reply(refusal(429, {}, { 'retry-after': '999999' }));
  const log: unknown[] = [];
  const { model } = modelOf({}, log);
  const permit = model.gate.tryEnter();

  const sent = permit && model.send(text, { signal: never, permit });

  await expect(sent).rejects.toMatchObject({ failure: { retryAfterMs: 3_600_000 } });
  expect(log).toMatchObject([{ model: 'stub/m', retryAfterMs: 3_600_000 }]);
});

test('an outage and its end are logged, once each', async () => {
  const log: { message: string }[] = [];
  const { model, clock } = modelOf({}, log);
  for (let n = 0; n < 10; n += 1) model.gate.tryEnter()?.release('failed', { message: 'down' });

  clock.advance(10_000);
  model.gate.tryEnter()?.release('ok');

  expect(log).toMatchObject([
    { model: 'stub/m', reason: 'down', message: expect.stringContaining('every call fails') },
    { model: 'stub/m', message: 'the provider answers again' },
  ]);
});

test('a model has its own limits, or those of its provider', async () => {
  const config = providerConfig(stub.url, {
    limits: { requestsPerMinute: 1, concurrency: 3 },
    modelLimits: { free: { requestsPerMinute: 100_000 } },
  });
  const providers = createProviders({ configs: [config], timeoutMs: 1_000, concurrency: 8 });
  const permits = (id: string) =>
    Array.from({ length: 9 }, () => providers.resolve(id).gate.tryEnter()).filter(Boolean);

  expect(permits('stub/free')).toHaveLength(3);
  expect(permits('stub/other')).toHaveLength(1);
});

describe('usage.requests', () => {
  let providers: Providers;
  const item = { content: 'text', metadata: null };
  const startRun = (options: Record<string, unknown> = {}) => {
    const started = modelOf();
    providers = started.providers;
    const prepare = createPlanner({ providers, defaultModel: 'stub/m' });
    const plan = prepare('run', { instructions: 'Say it', ...options });
    return { gate: plan.model.gate, run: startItem(plan, item) };
  };

  test('counts a request that was refused for a parameter, and the one sent again without', async () => {
    stub.reply(refusal(400, { param: 'seed', code: 'unsupported_parameter' }), {
      body: completion('fine'),
    });
    const { gate, run } = startRun({ seed: 1 });

    const step = await run.send(await gate.enter(never), never);

    expect(stub.requests).toHaveLength(2);
    expect(step).toMatchObject({ kind: 'final', answer: { attempts: 1, usage: { requests: 2 } } });
  });

  test('counts both where the second is refused too', async () => {
    stub.reply(
      refusal(400, { param: 'seed', code: 'unsupported_parameter' }),
      refusal(400, { message: 'odd' }),
    );
    const { gate, run } = startRun({ seed: 1 });

    const step = await run.send(await gate.enter(never), never);

    expect(step).toMatchObject({
      kind: 'final',
      answer: { usage: { requests: 2 }, outcome: { error: { code: 'INVALID_REQUEST' } } },
    });
  });
});

test('a provider that answers badly in every way leaves no connection behind', async () => {
  const faults = ['reset', 'reset-body', 'headers', 'body', 'trickle'] as const;
  const bodies = ['<html>', '{"choices":[{"mess', '', '{}', { error: 'x' }, completion(null)];
  const providers = createProviders({
    configs: [providerConfig(stub.url)],
    timeoutMs: 300,
    concurrency: 64,
  });
  const model = providers.resolve('stub/m');
  const scripts = [...faults.map((fault) => ({ fault })), ...bodies.map((body) => ({ body }))];

  for (const script of scripts) {
    stub.reply({ body: completion('x'.repeat(2_000)), ...script });
    const permits = Array.from({ length: 8 }, () => model.gate.tryEnter());
    await Promise.allSettled(
      permits.map((permit) => permit && model.send(text, { signal: never, permit })),
    );
    for (const permit of permits) permit?.release('aborted');
  }
  stub.reply({ body: completion('ok') });
  await call(model);
  await providers.close();
  await Promise.all(stub.requests.map(({ closed }) => closed));

  expect(stub.requests).toHaveLength(8 * scripts.length + 1);
  expect(stub.openSockets).toBe(0);
});
