import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const key = 'anna-key-0123456789abcdefgh';

/** The lines of the one error that an environment is refused with. */
function problems(env: Record<string, string>): string[] {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    const [head, ...lines] = (error as ConfigError).message.split('\n').map((line) => line.trim());
    expect(head).toBe(`The environment has ${lines.length} bad variable(s):`);
    return lines;
  }
  return [];
}

it('an empty environment is a whole configuration: this machine only, embedded database, sandbox', () => {
  expect(readConfig({})).toEqual({
    port: 4_000,
    host: '127.0.0.1',
    metricsPort: null,
    shutdownDelayMs: 0,
    metrics: true,
    metricsToken: null,
    metricsByOwner: false,
    genAiConventions: '',
    databaseUrl: null,
    databaseUrlDirect: null,
    listens: true,
    databaseConnections: 24,
    databaseWaitSeconds: 60,
    databaseAdopt: false,
    migrate: 'auto',
    dataDirectory: resolve('.data'),
    providers: [],
    prices: {},
    defaultModel: 'sandbox/rules',
    webhookAllowPrivate: false,
    webhookSecrets: null,
    workerConcurrency: 64,
    workerLeaseMs: 30_000,
    providerBatchPollMs: null,
    modelTimeoutMs: 120_000,
    role: 'all',
    apiKeys: new Map(),
    trustedProxies: null,
    budgets: { owners: new Map(), others: null },
    secretsKeys: [],
    extraBody: null,
    retention: { batchSeconds: null, contentSeconds: null, fileSeconds: null, hours: null },
    limits: { owners: new Map(), others: null },
    console: true,
    graphiql: true,
    introspection: true,
    publicUrl: null,
    logLevel: 'info',
    logFormat: null,
    accessLog: false,
    traces: null,
  });
});

it.each([
  [{ ANTHROPIC_API_KEY: 'sk-ant-x' }, 'https://api.anthropic.com', 'sk-ant-x'],
  [
    { ANTHROPIC_BASE_URL: 'http://gateway.example/anthropic/' },
    'http://gateway.example/anthropic',
    null,
  ],
])('with %o anthropic is a provider, and asked by default', (env, baseUrl, apiKey) => {
  const { providers, defaultModel } = readConfig(env);

  expect(providers).toEqual([
    {
      name: 'anthropic',
      protocol: 'anthropic',
      baseUrl,
      apiKey,
      headers: {},
      query: {},
      models: [],
      closed: false,
    },
  ]);
  expect(defaultModel).toBe('anthropic/claude-haiku-4-5');
});

it('of OpenAI and Anthropic, OpenAI is asked by default', () => {
  const config = readConfig({ OPENAI_API_KEY: 'sk-x', ANTHROPIC_API_KEY: 'sk-ant-x' });

  expect(config.providers.map(({ name }) => name)).toEqual(['openai', 'anthropic']);
  expect(config.defaultModel).toBe('openai/gpt-4.1-mini');
  expect(
    readConfig({ ANTHROPIC_API_KEY: 'x', DEFAULT_MODEL: 'anthropic/claude-opus-5' }).defaultModel,
  ).toBe('anthropic/claude-opus-5');
});

it('every variable arrives', () => {
  const config = readConfig({
    PORT: '0',
    HOST: '0.0.0.0',
    DATABASE_URL: 'postgres://user:password@db.example:5432/winnow',
    DATABASE_CONNECTIONS: '8',
    DATA_DIR: '/var/lib/winnow',
    DEFAULT_MODEL: 'local/llama/3',
    PROVIDERS: JSON.stringify({
      local: {
        baseURL: 'http://gpu.example:8000/v1/',
        apiKeyEnv: 'LOCAL_KEY',
        headers: { 'x-team': 'data' },
        query: { 'api-version': '2026-01-01' },
        limits: {
          requestsPerMinute: 500,
          concurrency: 8,
          models: { 'llama/3': { tokensPerMinute: 9_000 } },
        },
        models: ['llama/3'],
        batches: false,
      },
    }),
    LOCAL_KEY: 'the-key',
    WORKER_CONCURRENCY: '5',
    WORKER_LEASE_MS: '2000',
    MODEL_TIMEOUT_MS: '500',
    ROLE: 'worker',
    API_KEYS: ` anna:${key} , ben.b@example.org:ben-key-0123456789_~.-abcdef:admin,`,
    GRAPHIQL: 'off',
    INTROSPECTION: '0',
    PUBLIC_URL: 'https://winnow.example/',
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'pretty',
    ACCESS_LOG: 'on',
  });

  expect(config).toMatchObject({
    port: 0,
    host: '0.0.0.0',
    databaseUrl: 'postgres://user:password@db.example:5432/winnow',
    databaseConnections: 8,
    dataDirectory: '/var/lib/winnow',
    defaultModel: 'local/llama/3',
    providers: [
      {
        name: 'local',
        baseUrl: 'http://gpu.example:8000/v1',
        apiKey: 'the-key',
        headers: { 'x-team': 'data' },
        query: { 'api-version': '2026-01-01' },
        limits: { requestsPerMinute: 500, concurrency: 8 },
        modelLimits: { 'llama/3': { tokensPerMinute: 9_000 } },
        models: ['llama/3'],
        batches: false,
      },
    ],
    workerConcurrency: 5,
    workerLeaseMs: 2_000,
    modelTimeoutMs: 500,
    role: 'worker',
    graphiql: false,
    introspection: false,
    publicUrl: 'https://winnow.example',
    logLevel: 'debug',
    logFormat: 'pretty',
    accessLog: true,
  });
  expect([...config.apiKeys]).toEqual([
    [key, { owner: 'anna', scopes: ['READ', 'SUBMIT'] }],
    [
      'ben-key-0123456789_~.-abcdef',
      { owner: 'ben.b@example.org', scopes: ['READ', 'SUBMIT', 'ADMIN'] },
    ],
  ]);
});

it.each([
  ['GRAPHIQL', 'graphiql'],
  ['INTROSPECTION', 'introspection'],
] as const)('%s is on or off, true or false, 1 or 0', (name, field) => {
  for (const value of ['on', 'true', '1']) expect(readConfig({ [name]: value })[field]).toBe(true);
  for (const value of ['off', 'false', '0'])
    expect(readConfig({ [name]: value })[field]).toBe(false);
});

describe('a provider', () => {
  it('openai has its limits from variables of its own', () => {
    const config = readConfig({
      OPENAI_API_KEY: 'sk-1',
      OPENAI_REQUESTS_PER_MINUTE: '500',
      OPENAI_TOKENS_PER_MINUTE: '200000',
    });

    expect(config.providers[0]?.limits).toEqual({
      requestsPerMinute: 500,
      tokensPerMinute: 200_000,
    });
    expect(problems({ OPENAI_REQUESTS_PER_MINUTE: '0', OPENAI_TOKENS_PER_MINUTE: 'many' })).toEqual(
      [
        expect.stringMatching(/^OPENAI_REQUESTS_PER_MINUTE must be at least 1$/),
        expect.stringMatching(/^OPENAI_TOKENS_PER_MINUTE must be a whole number$/),
      ],
    );
  });

  it('openai is there with a key or an address, and gives the default model', () => {
    const withKey = readConfig({ OPENAI_API_KEY: 'sk-1' });
    const withUrl = readConfig({ OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1/' });

    expect(withKey.providers).toMatchObject([
      { name: 'openai', baseUrl: 'https://api.openai.com/v1', apiKey: 'sk-1' },
    ]);
    expect(withUrl.providers).toMatchObject([
      { name: 'openai', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: null },
    ]);
    expect([withKey.defaultModel, withUrl.defaultModel]).toEqual([
      'openai/gpt-4.1-mini',
      'openai/gpt-4.1-mini',
    ]);
    expect(
      readConfig({ OPENAI_API_KEY: 'sk-1', DEFAULT_MODEL: 'sandbox/rules' }).defaultModel,
    ).toBe('sandbox/rules');
  });

  it.each([
    ['no JSON', '{"a":', /^PROVIDERS must be JSON/],
    ['a list', '[]', /^PROVIDERS must be an object/],
    [
      'a name of its own that is taken',
      '{"openai": {"baseURL": "http://x"}}',
      /^PROVIDERS\.openai is taken/,
    ],
    [
      'a name with capitals',
      '{"Local": {"baseURL": "http://x"}}',
      /^PROVIDERS\.Local: .*lower-case/,
    ],
    ['no address', '{"a": {}}', /^PROVIDERS\.a\.baseURL is required/],
    [
      'another protocol',
      '{"a": {"baseURL": "ftp://x"}}',
      /^PROVIDERS\.a\.baseURL must be an address that begins with http/,
    ],
    [
      'an unknown field',
      '{"a": {"baseURL": "http://x", "apiKey": "sk-secret"}}',
      /^PROVIDERS\.a must not have the setting apiKey; did you mean apiKeyEnv\?$/,
    ],
    [
      'an address spelt in another way',
      '{"a": {"baseURL": "http://x", "limits": {"requestPerMinute": 5}}}',
      /^PROVIDERS\.a\.limits must not have the setting requestPerMinute; did you mean requestsPerMinute\?$/,
    ],
    [
      'a key in the wrong place',
      '{"a": {"baseURL": "http://x", "sk-secret and more": "x"}}',
      /^PROVIDERS\.a must only have the settings baseURL, apiKeyEnv, /,
    ],
    [
      'a key variable that is not set',
      '{"a": {"baseURL": "http://x", "apiKeyEnv": "NOT_SET"}}',
      /^PROVIDERS\.a\.apiKeyEnv: the variable NOT_SET is not set/,
    ],
    [
      'no room',
      '{"a": {"baseURL": "http://x", "limits": {"concurrency": 0}}}',
      /^PROVIDERS\.a\.limits\.concurrency must be at least 1$/,
    ],
    [
      'half a request a minute',
      '{"a": {"baseURL": "http://x", "limits": {"models": {"b": {"requestsPerMinute": 0.5}}}}}',
      /^PROVIDERS\.a\.limits\.models\.b\.requestsPerMinute must be a whole number$/,
    ],
  ])('with %s is refused by its place', (_what, PROVIDERS, expected) => {
    const lines = problems({ PROVIDERS });

    expect(lines).toEqual([expect.stringMatching(expected)]);
    expect(lines.join()).not.toContain('sk-secret');
  });
});

it('every bad variable is named in one error, and no value is quoted', () => {
  const bad = {
    PORT: '70000',
    HOST: 'secret-host',
    DATABASE_URL: 'mysql://secret-user:secret-password@db/x',
    DATABASE_CONNECTIONS: '7',
    OPENAI_BASE_URL: 'secret-url',
    PROVIDERS: '{secret-json',
    DEFAULT_MODEL: 'secret-model',
    WORKER_CONCURRENCY: 'secret-number',
    WORKER_LEASE_MS: '10',
    MODEL_TIMEOUT_MS: '-1',
    ROLE: 'secret-role',
    API_KEYS: 'anna:secret',
    GRAPHIQL: 'secret-yes',
    INTROSPECTION: 'secret-no',
    PUBLIC_URL: 'ftp://secret',
    LOG_LEVEL: 'secret-level',
    LOG_FORMAT: 'secret-format',
    ACCESS_LOG: 'secret-switch',
  };

  const lines = problems(bad);

  // HOST is judged at the start, by the keys that there are.
  expect(lines.map((line) => line.split(/[:. ]/)[0]).sort()).toEqual(
    Object.keys(bad)
      .filter((name) => name !== 'HOST')
      .sort(),
  );
  expect(lines.join('\n')).not.toMatch(/secret/);
});

it('an empty variable is one that was not set', () => {
  const names = [
    'PORT',
    'HOST',
    'DATABASE_URL',
    'DATABASE_CONNECTIONS',
    'DATA_DIR',
    'OPENAI_API_KEY',
    'OPENAI_BASE_URL',
    'PROVIDERS',
    'DEFAULT_MODEL',
    'WORKER_CONCURRENCY',
    'WORKER_LEASE_MS',
    'MODEL_TIMEOUT_MS',
    'ROLE',
    'API_KEYS',
    'GRAPHIQL',
    'INTROSPECTION',
    'PUBLIC_URL',
    'LOG_LEVEL',
    'LOG_FORMAT',
    'ACCESS_LOG',
  ];

  expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}));
});

it('the port of probes and metrics is another one than that of the API, where there is one', () => {
  const both = { PORT: '4000', METRICS_PORT: '4000' };

  expect(problems(both)).toEqual(['METRICS_PORT must be another port than PORT']);
  expect(problems({ METRICS_PORT: '4000' })).toHaveLength(1);
  for (const other of [
    { ...both, ROLE: 'worker' },
    { PORT: '0', METRICS_PORT: '0' },
  ])
    expect(problems(other)).toEqual([]);
});

it('a default model of a provider that is not configured is refused', () => {
  expect(problems({ DEFAULT_MODEL: 'openai/gpt-4.1' })).toEqual([
    expect.stringMatching(/^DEFAULT_MODEL: provider openai is not configured/),
  ]);
});

describe('API_KEYS', () => {
  it.each([
    ['a short key', 'anna:0123456789abcdefghijklm'],
    ['no owner', `:${key}`],
    ['no colon', key],
    ['a key with a space', 'anna:0123456789 abcdefghijklm'],
    ['an owner with a space', `an na:${key}`],
    ['another word behind the key', `anna:${key}:root`],
    ['one key for two owners', `anna:${key},ben:${key}`],
  ])('with %s are refused by the entry’s number', (_what, API_KEYS) => {
    const lines = problems({ API_KEYS });

    expect(lines).toEqual([expect.stringMatching(/^API_KEYS: entry [12] /)]);
    expect(lines.join()).not.toContain('0123456789');
  });

  it('one owner may have several', () => {
    const { apiKeys } = readConfig({ API_KEYS: `anna:${key},anna:${key}2` });

    expect([...apiKeys.values()].map(({ owner }) => owner)).toEqual(['anna', 'anna']);
  });
});

describe('PRICES', () => {
  it('are read by provider/name', () => {
    const PRICES =
      '{"openai/gpt-6": {"input": 2, "cachedInput": 0.2, "cacheWrite": 2.5, "cacheWriteLong": 4, "output": 12, "batch": 0.5, "tiers": {"priority": 2}, "contextTokens": 400000, "maxOutputTokens": 128000}}';

    expect(readConfig({ PRICES }).prices).toEqual(JSON.parse(PRICES));
    expect(readConfig({}).prices).toEqual({});
  });

  it.each([
    ['no JSON', '{"a":', /^PRICES must be JSON/],
    ['a list', '[]', /^PRICES must be an object/],
    ['a bare name', '{"gpt-6": {"input": 1, "output": 1}}', /^PRICES\.gpt-6: .*provider\/name/],
    [
      'an unknown key',
      '{"openai/gpt-6": {"input": 1, "outptu": 7.125}}',
      /^PRICES\.openai\/gpt-6\.outptu must be absent; did you mean output\?$/,
    ],
    [
      'a negative number',
      '{"openai/gpt-6": {"input": -7.125, "output": 1}}',
      /^PRICES\.openai\/gpt-6\.input must be at least 0$/,
    ],
    [
      'a text',
      '{"openai/gpt-6": {"input": "7.125", "output": 1}}',
      /^PRICES\.openai\/gpt-6\.input must be a number$/,
    ],
    [
      'an input without an output',
      '{"openai/gpt-6": {"input": 7.125}}',
      /^PRICES\.openai\/gpt-6\.output must stand beside input/,
    ],
    [
      'an endless number',
      '{"openai/gpt-6": {"input": 1e999, "output": 1}}',
      /^PRICES\.openai\/gpt-6\.input must be a number$/,
    ],
    [
      'a negative factor',
      '{"openai/gpt-6": {"tiers": {"priority": -7.125}}}',
      /^PRICES\.openai\/gpt-6\.tiers\.priority must be at least 0$/,
    ],
    [
      'no whole number of tokens',
      '{"openai/gpt-6": {"contextTokens": 0.5}}',
      /^PRICES\.openai\/gpt-6\.contextTokens must be a whole number$/,
    ],
  ])('with %s are refused by their place, without the value', (_what, PRICES, expected) => {
    const lines = problems({ PRICES });

    expect(lines).toEqual([expect.stringMatching(expected)]);
    expect(lines.join()).not.toContain('7.125');
  });
});
