import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findStrangeVariables, readConfig } from '../../src/config.ts';

const key = 'anna-key-0123456789abcdefgh';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'winnow-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test('a secret may stand in a file, whose last line break is none of it', () => {
  const config = readConfig({
    API_KEYS_FILE: file('keys', `anna:${key}\n`),
    DATABASE_URL_FILE: file('url', 'postgres://user:word@db/winnow\r\n'),
    OPENAI_API_KEY_FILE: file('openai', 'sk-one'),
    WEBHOOK_SECRET_FILE: '',
    PROVIDERS_FILE: file('providers', '{"groq": {"baseURL": "http://x", "apiKeyEnv": "GROQ"}}'),
    GROQ_FILE: file('groq', 'gsk-two\n'),
  });

  expect([...config.apiKeys.keys()]).toEqual([key]);
  expect(config.databaseUrl).toBe('postgres://user:word@db/winnow');
  expect(config.providers.map(({ name, apiKey }) => [name, apiKey])).toEqual([
    ['openai', 'sk-one'],
    ['groq', 'gsk-two'],
  ]);
  expect(config.webhookSecrets).toBeNull();
});

test('a file beside the variable, one that is not there, an empty one and a bad value are named', () => {
  const wrong = {
    OPENAI_API_KEY: 'sk-secret',
    OPENAI_API_KEY_FILE: file('both', 'sk-secret'),
    WEBHOOK_SECRET_FILE: join(folder, 'nothing'),
    DATABASE_URL_FILE: file('empty', '\n'),
    API_KEYS_FILE: file('bad', 'secret'),
  };

  expect(() => readConfig(wrong)).toThrow(
    new RegExp(
      [
        'has 4 bad variable',
        'API_KEYS: entry 1 must be owner:key',
        'DATABASE_URL_FILE must be the path of a file that is not empty',
        'OPENAI_API_KEY_FILE must not be set beside OPENAI_API_KEY',
        'WEBHOOK_SECRET_FILE must be the path of a file that can be read \\(ENOENT\\)',
      ]
        .map((line) => `(?=[^]*${line})`)
        .join(''),
    ),
  );
  expect(() => readConfig(wrong)).not.toThrow(/secret(?!-|_)/);
});

test('a file of a secret is no strange variable, one of anything else is', () => {
  const sentences = findStrangeVariables({
    API_KEYS_FILE: file('known', `anna:${key}`),
    LOG_LEVEL_FILE: '/x',
  });

  expect(sentences).toEqual([expect.stringMatching(/^LOG_LEVEL_FILE is not a variable/)]);
});
