import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { BadUserInput } from '../../src/core/errors.ts';
import { anthropicModels, openAiModels } from '../../src/model/known-models.ts';
import { createProviders } from '../../src/model/providers.ts';
import { type StubProvider, startStubProvider } from '../support/stub-provider.ts';
import { ask, providerConfig } from './support.ts';

const openai = providerConfig('https://api.openai.com/v1', { name: 'openai' });
const anthropic = providerConfig('https://api.anthropic.com', {
  name: 'anthropic',
  protocol: 'anthropic',
});
const sandbox = providerConfig('http://127.0.0.1:9', {
  name: 'sandbox',
  models: ['rules'],
  closed: true,
});
const providersOf = (...configs: Parameters<typeof createProviders>[0]['configs']) =>
  createProviders({ configs, timeoutMs: 5_000, concurrency: 3 });

function issuesOf(resolve: () => unknown) {
  try {
    resolve();
  } catch (error) {
    if (error instanceof BadUserInput) return error.issues;
    throw error;
  }
  throw new Error('The id was resolved.');
}

describe('an id', () => {
  test('is resolved to one model for all callers', () => {
    const providers = providersOf(openai, sandbox);

    const model = providers.resolve('openai/gpt-4.1-mini');

    expect(providers.resolve('openai/gpt-4.1-mini')).toBe(model);
    expect(model).toMatchObject({
      id: 'openai/gpt-4.1-mini',
      provider: 'openai',
      name: 'gpt-4.1-mini',
    });
    expect(providers.resolve('openai/org/any-name').name).toBe('org/any-name');
  });

  test.each([
    'gpt-4.1',
    '',
    '/',
    'openai/',
    '/gpt',
    'mistral/small',
    '__proto__/x',
    'sandbox/gpt',
    'openai/a b',
    'openai/a\u0000',
    `openai/${'x'.repeat(300)}`,
  ])('%j is refused with what is configured', (id) => {
    const issues = issuesOf(() => providersOf(openai, sandbox).resolve(id, 'input.model'));

    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toBe('input.model');
    expect(issues[0]?.message).toContain('openai/gpt-4.1-mini');
    expect(issues[0]?.message).toContain('sandbox/rules');
    expect(issues[0]?.message.length).toBeLessThan(700);
  });

  test('used all the time outlives a thousand invented ones', () => {
    const providers = providersOf(openai);
    const model = providers.resolve('openai/gpt-4.1');

    for (let n = 0; n < 2_500; n += 1) {
      providers.resolve(`openai/invented-${n}`);
      providers.resolve('openai/gpt-4.1');
    }

    expect(providers.resolve('openai/gpt-4.1')).toBe(model);
  });

  test('names the model argument when no path is given', () => {
    expect(issuesOf(() => providersOf().resolve('a/b'))[0]).toEqual({
      path: 'model',
      message: '"a" is not a configured provider. No provider is configured.',
    });
  });

  test('keeps its gate apart from that of other ids', () => {
    const providers = providersOf({ ...sandbox, limits: { concurrency: 1 } }, openai);

    const sandboxGate = providers.resolve('sandbox/rules').gate;
    const openaiGate = providers.resolve('openai/gpt-4.1').gate;

    expect([sandboxGate.tryEnter(), sandboxGate.tryEnter()].filter(Boolean)).toHaveLength(1);
    expect(Array.from({ length: 5 }, () => openaiGate.tryEnter()).filter(Boolean)).toHaveLength(3);
  });
});

describe('the list', () => {
  test("has OpenAI's models with prices, and the sandbox's without", () => {
    const list = providersOf(openai, sandbox).list();

    expect(list.map(({ id }) => id)).toEqual([
      ...openAiModels.map((name) => `openai/${name}`),
      'sandbox/rules',
    ]);
    expect(list.every(({ inputPrice }) => inputPrice !== 0)).toBe(true);
    expect(list.slice(0, -1).every(({ outputPrice }) => outputPrice !== null)).toBe(true);
    expect(list[0]).toMatchObject({ provider: 'openai', inputPrice: 0.4, outputPrice: 1.6 });
    expect(list.at(-1)).toMatchObject({ provider: 'sandbox', inputPrice: null, outputPrice: null });
  });

  test("has Anthropic's models with prices and a batch API", () => {
    const list = providersOf(anthropic).list();

    expect(list.map(({ id }) => id)).toEqual(anthropicModels.map((name) => `anthropic/${name}`));
    expect(list.every(({ inputPrice, outputPrice }) => inputPrice && outputPrice)).toBe(true);
    expect(list.every(({ providerBatch }) => providerBatch)).toBe(true);
    expect(providersOf(anthropic).resolve('anthropic/claude-haiku-4-5').batches).not.toBeNull();
  });

  test('guesses nothing for a server behind OPENAI_BASE_URL or ANTHROPIC_BASE_URL', () => {
    expect(providersOf({ ...openai, baseUrl: 'http://localhost:11434/v1' }).list()).toEqual([]);
    expect(providersOf({ ...anthropic, baseUrl: 'http://localhost:4000' }).list()).toEqual([]);
  });

  test('tells of a batch API where one is known to be there', () => {
    const other = { ...sandbox, name: 'other' };
    const list = providersOf(
      openai,
      other,
      { ...sandbox, name: 'with', batches: true },
      { ...sandbox, name: 'without', batches: false },
      { ...openai, name: 'own', baseUrl: 'http://127.0.0.1:9', models: ['m'] },
    ).list();

    const known = list.filter(({ providerBatch }) => providerBatch).map(({ provider }) => provider);
    expect([...new Set(known)]).toEqual(['openai', 'with']);
  });
});

describe('a batch API', () => {
  test('is tried wherever the configuration does not say that there is none', () => {
    const providers = providersOf(openai, sandbox, {
      ...sandbox,
      name: 'without',
      batches: false,
    });

    expect(providers.resolve('openai/gpt-4.1').batches).not.toBeNull();
    expect(providers.resolve('sandbox/rules').batches).not.toBeNull();
    expect(providers.resolve('without/rules').batches).toBeNull();
  });
});

describe('a configuration', () => {
  test.each([
    [[{ ...openai, baseUrl: 'no url' }]],
    [[{ ...openai, baseUrl: 'ftp://x/y' }]],
    [[{ ...openai, apiKey: 'line\nbreak' }]],
    [[openai, openai]],
  ])('that cannot be used is refused at once (%#)', (configs) => {
    expect(() => providersOf(...configs)).toThrow(Error);
  });

  test('that cannot be used does not show its key', () => {
    expect(() => providersOf({ ...openai, apiKey: 'secret\nkey' })).toThrow(/^(?!.*secret)/s);
  });
});

describe('the environment', () => {
  let stub: StubProvider;
  const before = { ...process.env };
  beforeEach(async () => {
    stub = await startStubProvider();
  });
  afterEach(async () => {
    process.env = before;
    await stub.close();
  });

  test('that the Anthropic package reads by itself reaches no provider', async () => {
    process.env = {
      ...before,
      ANTHROPIC_API_KEY: 'sk-ant-env-key',
      ANTHROPIC_AUTH_TOKEN: 'env-token',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/env',
      ANTHROPIC_PROFILE: 'env-profile',
      ANTHROPIC_WORKSPACE_ID: 'env-workspace',
      ANTHROPIC_LOG: 'debug',
      ANTHROPIC_CUSTOM_HEADERS: 'x-env: env-header',
    };
    const content = [{ type: 'text', text: 'ok' }];
    stub.reply({ body: { type: 'message', content, stop_reason: 'end_turn' } });
    const logged: unknown[] = [];
    const methods = ['log', 'info', 'debug', 'warn', 'error'] as const;
    for (const method of methods) {
      vi.spyOn(console, method).mockImplementation((...words) => logged.push(words));
    }
    onTestFinished(() => {
      vi.restoreAllMocks();
    });

    const config = providerConfig(stub.origin, {
      name: 'anthropic',
      protocol: 'anthropic',
      apiKey: null,
    });
    await ask(providersOf(config).resolve('anthropic/m'));

    expect(JSON.stringify(stub.requests[0]?.headers)).not.toMatch(/env/);
    expect(logged).toEqual([]);
  });

  test('that the openai package reads by itself reaches no provider', async () => {
    process.env = {
      ...before,
      OPENAI_API_KEY: 'sk-env-key-of-someone',
      OPENAI_ADMIN_KEY: 'sk-env-admin',
      OPENAI_ORG_ID: 'org-env',
      OPENAI_PROJECT_ID: 'proj-env',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/env',
      OPENAI_CUSTOM_HEADERS: 'x-env: env-header',
    };

    await ask(providersOf(providerConfig(stub.url, { apiKey: null })).resolve('stub/m'));

    expect(JSON.stringify(stub.requests[0]?.headers)).not.toMatch(/env/);
  });
});
