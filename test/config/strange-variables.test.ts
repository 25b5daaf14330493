/**
 * Bad values in plain words, and variables that are misspelt: warned of by name, never with their
 * value.
 */
import { expect, it } from 'vitest';
import { findStrangeVariables, readConfig } from '../../src/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

it.each([
  [{ PORT: '70000' }, 'PORT must be at most 65535'],
  [{ PORT: '-1' }, 'PORT must be at least 0'],
  [{ PORT: 'http' }, 'PORT must be a whole number'],
  [{ WORKER_CONCURRENCY: '1.5' }, 'WORKER_CONCURRENCY must be a whole number'],
  [{ ROLE: 'server' }, 'ROLE must be one of all, api, worker'],
  [{ GRAPHIQL: 'yes' }, 'GRAPHIQL must be on or off'],
  [{ WEBHOOK_ALLOW_PRIVATE: 'on' }, 'WEBHOOK_ALLOW_PRIVATE must be true or false'],
  [
    { LOG_LEVEL: 'loud' },
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent',
  ],
  [
    { PUBLIC_URL: 'winnow.example' },
    'PUBLIC_URL must be an address that begins with http:// or https://',
  ],
  [
    { DATABASE_URL: 'localhost/winnow' },
    'DATABASE_URL must be an address such as postgres://user:password@host:5432/database',
  ],
  [{ DEFAULT_MODEL: 'gpt' }, 'DEFAULT_MODEL is not provider/name, such as openai/gpt-4.1-mini'],
])('%o is refused in plain words', (env, expected) => {
  expect(() => readConfig(env)).toThrow(`The environment has 1 bad variable(s):\n  ${expected}`);
});

it.each([
  ['API_KEY', 'API_KEYS'],
  ['APIKEYS', 'API_KEYS'],
  ['OPENAI_KEY', 'OPENAI_API_KEY'],
  ['OPENAI_APIKEY', 'OPENAI_API_KEY'],
  ['ANTHROPIC_KEY', 'ANTHROPIC_API_KEY'],
  ['DATABASE_CONNECTION', 'DATABASE_CONNECTIONS'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['WORKER_CONCURENCY', 'WORKER_CONCURRENCY'],
  ['MODEL_TIMEOUT', 'MODEL_TIMEOUT_MS'],
  ['PROVIDER', 'PROVIDERS'],
  ['WEBHOOK_SECRETS', 'WEBHOOK_SECRET'],
  ['INTROSPECT', 'INTROSPECTION'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['PROT', 'PORT'],
  ['port', 'PORT'],
  ['WINNOW_PORT', 'PORT'],
])('%s is warned of: did you mean %s?', (name, meant) => {
  expect(findStrangeVariables({ [name]: 'the-secret-value' })).toEqual([
    `${name} is not a variable of Winnow and does nothing; did you mean ${meant}?`,
  ]);
});

it.each([
  ['WEBHOOK_TOKEN', 'WEBHOOK_SECRET, WEBHOOK_ALLOW_PRIVATE'],
  [
    'DATABASE',
    'DATABASE_URL, DATABASE_URL_DIRECT, DATABASE_CONNECTIONS, DATABASE_WAIT_SECONDS, DATABASE_ADOPT',
  ],
])('%s, which begins like some, is told which there are', (name, known) => {
  const [sentence, ...more] = findStrangeVariables({ [name]: 'the-secret-value' });

  expect(more).toEqual([]);
  expect(sentence).toMatch(new RegExp(`it must be one of ${known}$`));
});

it('what every machine has, what is empty, and what PROVIDERS names, is left alone', () => {
  const names =
    'PATH HOME HOSTNAME HOSTTYPE PWD OLDPWD SHELL SHLVL TERM USER LOGNAME MAIL LANG LC_ALL TZ CI DEBUG EDITOR PAGER NODE_ENV NODE_OPTIONS npm_config_cache POSTGRES_USER PGHOST XDG_DATA_HOME TMPDIR GROQ_API_KEY http_proxy _';
  const env = {
    ...Object.fromEntries(names.split(' ').map((name) => [name, 'x'])),
    API_KEY: '',
    OPENAI_AZURE_KEY: 'x',
    PROVIDERS: '{"azure": {"baseURL": "http://x", "apiKeyEnv": "OPENAI_AZURE_KEY"}}',
    // As Kubernetes tells of a service called worker.
    WORKER_SERVICE_HOST: '10.0.0.1',
    WORKER_SERVICE_PORT_HTTP: '80',
    WORKER_PORT: 'tcp://10.0.0.1:80',
    WORKER_PORT_80_TCP_ADDR: '10.0.0.1',
    PORT: '4000',
    ROLE: 'all',
  };

  expect(findStrangeVariables(env)).toEqual([]);
});

it('the program warns at its start, without the value', async () => {
  const database = await createTestDatabase();
  const program = startProgram({ DATABASE_URL: database.url, API_KEY: 'the-secret-value' });
  try {
    await until(() => program.out.includes('is up'), { deadlineMs: 60_000, what: 'the start' });

    const [line] = program.errors.split('\n').map((text) => (text ? JSON.parse(text) : null));
    expect(line).toMatchObject({
      level: 40,
      msg: expect.stringContaining('did you mean API_KEYS?'),
    });
    expect(program.errors + program.out).not.toContain('the-secret-value');
  } finally {
    program.process.kill('SIGTERM');
    await program.ended;
    await database.drop();
  }
});
