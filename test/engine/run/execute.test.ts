/** What an item's answers make of it, one request at a time, without waiting between them. */
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { startItem } from '../../../src/engine/run/execute.ts';
import type { ItemRun, ItemStep } from '../../../src/engine/run/item-run.ts';
import { createPlanner, type Plan, requestBody } from '../../../src/engine/run/plan.ts';
import { createProviders, type Providers } from '../../../src/model/providers.ts';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';

let sandbox: Sandbox;
let providers: Providers;

beforeAll(async () => {
  sandbox = await startFaultySandbox({ journal: 1_000 });
});
afterAll(() => sandbox.close());
beforeEach(() => {
  sandbox.faults.clear();
  sandbox.requests.clear();
  // Of its own for each test: the gate of a model remembers.
  providers = createProviders({
    configs: [
      {
        name: 'test',
        baseUrl: sandbox.url,
        apiKey: null,
        headers: {},
        query: {},
        models: ['rules'],
        closed: false,
      },
    ],
    timeoutMs: 2_000,
    concurrency: 8,
  });
});
afterEach(() => providers.close());

function planLabel(options: Record<string, unknown> = {}): Plan {
  const prepare = createPlanner({ providers, defaultModel: 'test/rules' });
  return prepare('label', { categories: ['praise', 'complaint'], multiLabel: false, ...options });
}

async function send(
  plan: Plan,
  run: ItemRun,
  signal = new AbortController().signal,
): Promise<ItemStep> {
  return await run.send(await plan.model.gate.enter(signal), signal);
}

/** Sends until the step is final, or `most` times. */
async function drive(plan: Plan, run: ItemRun, most: number): Promise<ItemStep[]> {
  const steps: ItemStep[] = [];
  while (steps.length < most && steps.at(-1)?.kind !== 'final') steps.push(await send(plan, run));
  return steps;
}

const item = (content: string) => ({ content, metadata: null });
const about =
  (wanted: string) =>
  ({ text }: { text: string }) =>
    text === wanted;

test('an item that fails eight times while others are answered is given up with the provider’s error', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'status', status: 500 }, when: about('bad') });
  const run = startItem(plan, item('bad'));

  const [first] = await drive(plan, run, 1);
  await drive(plan, startItem(plan, item('good')), 1);
  const steps = await drive(plan, run, 20);

  expect(first?.kind).toBe('later');
  expect(steps.map(({ kind }) => kind)).toEqual([...Array(6).fill('later'), 'final']);
  expect(steps.at(-1)).toMatchObject({
    answer: {
      attempts: 8,
      usage: { requests: 8 },
      outcome: { status: 'FAILED', error: { code: 'PROVIDER_ERROR' } },
    },
  });
});

test('an item that fails alone is tried for five minutes more, because it may be an outage', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'status', status: 500 }, when: about('bad') });
  const run = startItem(plan, item('bad'));
  await drive(plan, startItem(plan, item('good')), 1);
  const clock = vi.spyOn(performance, 'now');
  onTestFinished(() => clock.mockRestore());
  // Whole, so that sums and differences are exact.
  const start = Math.ceil(performance.now());

  clock.mockImplementation(() => start);
  const early = await drive(plan, run, 9);
  clock.mockImplementation(() => start + 299_000);
  const [late] = await drive(plan, run, 1);
  clock.mockImplementation(() => start + 300_000);
  const [last] = await drive(plan, run, 1);

  expect(new Set(early.map(({ kind }) => kind))).toEqual(new Set(['later']));
  expect(late?.kind).toBe('later');
  expect(last).toMatchObject({
    kind: 'final',
    answer: { attempts: 11, outcome: { error: { code: 'PROVIDER_ERROR' } } },
  });
});

test('an item is not given up while the provider answers nobody', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'status', status: 503 }, times: 12 });
  const run = startItem(plan, item('bad'));

  const steps = await drive(plan, run, 12);
  const last = await send(plan, run);

  expect(new Set(steps.map(({ kind }) => kind))).toEqual(new Set(['later']));
  expect(last).toMatchObject({
    kind: 'final',
    answer: { attempts: 13, outcome: { status: 'SUCCEEDED' } },
  });
});

test('rate limits are no attempts, however many', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'rate_limited', retryAfterMs: 1 }, times: 10 });
  const run = startItem(plan, item('text'));

  const steps = await drive(plan, run, 20);

  expect(steps).toHaveLength(11);
  expect(steps.at(-1)).toMatchObject({ answer: { attempts: 1, usage: { requests: 11 } } });
});

test('an invalid answer is asked again twice with what was wrong, and the prompt does not grow', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'wrong_category', value: 'other' } });

  const steps = await drive(plan, startItem(plan, item('text')), 10);

  expect(steps.map(({ kind }) => kind)).toEqual(['again', 'again', 'final']);
  expect(steps.at(-1)).toMatchObject({
    answer: { attempts: 3, outcome: { error: { code: 'INVALID_OUTPUT' } } },
  });
  const lengths = sandbox.requests.journal.map(
    ({ body }) => (body as { messages: unknown[] }).messages.length,
  );
  expect(lengths[1]).toBe((lengths[0] ?? 0) + 2);
  expect(lengths[2]).toBe(lengths[1]);
});

test('usage counts every answer that was paid for, the useless ones too', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'wrong_category' }, times: 1 });

  const [, last] = await drive(plan, startItem(plan, item('text')), 10);
  const [single] = await drive(plan, startItem(plan, item('text')), 10);

  const costs = [last, single].map((step) => (step?.kind === 'final' ? step.answer.usage : null));
  expect(costs[0]?.requests).toBe(2);
  expect(costs[0]?.inputTokens).toBeGreaterThan(2 * (costs[1]?.inputTokens ?? Infinity) - 1);
});

test('an abort rejects, gives the place back, and the item can be sent again', async () => {
  const plan = planLabel();
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, times: 1 });
  const run = startItem(plan, item('text'));
  const abort = new AbortController();

  const sent = send(plan, run, abort.signal);
  await sandbox.until(({ inFlight }) => inFlight === 1);
  abort.abort(new Error('enough'));

  await expect(sent).rejects.toThrow('enough');
  expect(await drive(plan, run, 5)).toMatchObject([
    { kind: 'final', answer: { attempts: 1, usage: { requests: 2 } } },
  ]);
  const places = Array.from({ length: 8 }, () => plan.model.gate.tryEnter());
  expect(places.every((permit) => permit !== null)).toBe(true);
  for (const permit of places) permit?.release('aborted');
});

for (const [status, code, expected] of [
  [401, 'invalid_api_key', 'INVALID_KEY'],
  [429, 'insufficient_quota', 'QUOTA_EXHAUSTED'],
  [404, 'model_not_found', 'UNKNOWN_MODEL'],
] as const) {
  test(`${code} stops everything`, async () => {
    const plan = planLabel();
    sandbox.faults.add({ fault: { kind: 'status', status, code } });

    const [step] = await drive(plan, startItem(plan, item('text')), 1);

    expect(step).toMatchObject({ kind: 'stop', code: expected });
  });
}

test('a complete request is sent in the shape of the provider, whichever it is written in', async () => {
  const configs = [
    ['openai', sandbox.url, 'openai'],
    ['anthropic', sandbox.anthropicUrl, 'anthropic'],
  ] as const;
  const both = createProviders({
    configs: configs.map(([name, baseUrl, protocol]) => ({
      ...{ name, baseUrl, protocol, apiKey: null, headers: {}, query: {}, models: ['rules'] },
      closed: false,
    })),
    timeoutMs: 2_000,
    concurrency: 8,
  });
  onTestFinished(() => both.close());
  const planOf = (model: string) =>
    createPlanner({ providers: both, defaultModel: model })('chat', {});
  const base = { content: '', metadata: null };
  const messages = [{ role: 'user', content: 'Hi' }];
  const chat = {
    ...base,
    request: { messages: [{ role: 'system', content: 'Be kind.' }, ...messages], max_tokens: 9 },
  };
  const params = {
    ...base,
    request: { system: 'Be kind.', messages, max_tokens: 9 },
    dialect: 'anthropic' as const,
  };

  for (const item of [chat, params]) {
    expect(requestBody(planOf('openai/rules'), item)).toEqual({
      model: 'rules',
      messages: chat.request.messages,
      [item === chat ? 'max_tokens' : 'max_completion_tokens']: 9,
    });
    expect(requestBody(planOf('anthropic/rules'), item)).toEqual({
      model: 'rules',
      ...params.request,
    });
    const plan = planOf('anthropic/rules');
    const [step] = await drive(plan, startItem(plan, item), 1);
    expect(step).toMatchObject({
      kind: 'final',
      answer: { outcome: { status: 'SUCCEEDED', output: { response: { type: 'message' } } } },
    });
  }
});
