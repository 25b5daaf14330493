/** What a request is expected to take of the limit on tokens, as the answers of its plan teach. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startItem } from '../../../src/engine/run/execute.ts';
import { createPlanner, type Plan } from '../../../src/engine/run/plan.ts';
import type { Permit } from '../../../src/model/limits/permit.ts';
import { createProviders, type Providers } from '../../../src/model/providers.ts';
import { completion, type StubProvider, startStubProvider } from '../../support/stub-provider.ts';

let stub: StubProvider;
let providers: Providers;
beforeEach(async () => {
  stub = await startStubProvider();
  providers = createProviders({
    configs: [
      {
        name: 'stub',
        baseUrl: stub.url,
        apiKey: null,
        headers: {},
        query: {},
        models: [],
        closed: false,
      },
    ],
    timeoutMs: 2_000,
    concurrency: 8,
  });
});
afterEach(async () => {
  await providers.close();
  await stub.close();
});

const prepare = (): Plan =>
  createPlanner({ providers, defaultModel: 'stub/model' })('run', { systemPrompt: 'Answer.' });

/** Answers one item, billed so. The tokens that its request was expected to take. */
async function expectedFor(plan: Plan, billed: { prompt: number; answer: number }) {
  stub.reply({
    body: completion('ok', {
      usage: { prompt_tokens: billed.prompt, completion_tokens: billed.answer },
    }),
  });
  const expected: number[] = [];
  const permit: Permit = {
    requests: 1,
    begin: (tokens) => expected.push(tokens()),
    observe: () => undefined,
    settle: () => undefined,
    release: () => undefined,
  };
  const item = { content: '问'.repeat(4_000), metadata: null };
  await startItem(plan, item).send(permit, new AbortController().signal);
  return expected[0] as number;
}

test('a request is expected to take what those before it were billed, from five answers on', async () => {
  const plan = prepare();
  const billed = { prompt: 3_600, answer: 100 };

  const first = await expectedFor(plan, billed);
  for (let answers = 1; answers < 4; answers += 1) await expectedFor(plan, billed);
  const fifth = await expectedFor(plan, billed);
  const sixth = await expectedFor(plan, billed);

  expect(fifth).toBe(first);
  expect(Math.abs(sixth - 3_700)).toBeLessThanOrEqual(1);
});

test('a hundred answers later nothing is left of what was billed before', async () => {
  const plan = prepare();
  for (let answers = 0; answers < 20; answers += 1) {
    await expectedFor(plan, { prompt: 9_000, answer: 0 });
  }
  for (let answers = 0; answers < 100; answers += 1) {
    await expectedFor(plan, { prompt: 1_000, answer: 0 });
  }

  expect(Math.abs((await expectedFor(plan, { prompt: 1, answer: 1 })) - 1_000)).toBeLessThan(2);
});

test('plans learn apart, and an answer without usage teaches nothing', async () => {
  const plan = prepare();
  const first = await expectedFor(plan, { prompt: 0, answer: 0 });
  for (let answers = 0; answers < 10; answers += 1) {
    await expectedFor(plan, { prompt: 0, answer: 0 });
  }
  const other = prepare();
  for (let answers = 0; answers < 10; answers += 1) {
    await expectedFor(other, { prompt: 4_000, answer: 0 });
  }

  expect(await expectedFor(plan, { prompt: 1, answer: 1 })).toBe(first);
});
