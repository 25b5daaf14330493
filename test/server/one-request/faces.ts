/** Bodies and forms as the packages of OpenAI and Anthropic send them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busyRetries, startVictim, type Victim } from './harness.ts';

const megabyte = 1024 * 1024;

/** A chat request with a value that nobody looks at. */
const chat = (seed: string) =>
  `{"model": "test/rules", "messages": [{"role": "user", "content": "hi"}], "seed": ${seed}}`;
const messageBatch = (params: string) =>
  `{"requests": [{"custom_id": "a", "params": {"max_tokens": 1, ${params}}}]}`;

function form(file: string, fields: Record<string, string> = {}): FormData {
  const made = new FormData();
  made.set('purpose', 'batch');
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  made.set('file', new File([file], 'requests.jsonl'));
  return made;
}

const cases: [what: string, path: string, body: () => string | FormData, status: number][] = [
  [
    '25 MB of text with one character beyond Latin-1',
    'chat/completions',
    () => chat(JSON.stringify(`€${'x'.repeat(24.9 * megabyte)}`)),
    413,
  ],
  [
    '16 MB of characters beyond Latin-1',
    'chat/completions',
    () => chat(JSON.stringify('€'.repeat(5_300_000))),
    200,
  ],
  [
    '900,000 names that are all different',
    'chat/completions',
    () => chat(`{${Array.from({ length: 900_000 }, (_, at) => `"k${at}": 1`).join()}}`),
    413,
  ],
  [
    '900,000 numbers that JavaScript cannot keep',
    'chat/completions',
    () => chat(`[${'1e999,'.repeat(900_000)}1]`),
    413,
  ],
  [
    '6 million numbers without commas',
    'chat/completions',
    () => chat('1e1 '.repeat(6 * megabyte)),
    413,
  ],
  [
    'a number with a million zeros inside',
    'chat/completions',
    () => chat(`0.1${'0'.repeat(megabyte)}1`),
    413,
  ],
  ['a number of 25 million digits', 'messages', () => chat('1'.repeat(24.9 * megabyte)), 413],
  [
    '98,000 numbers of 250 digits',
    'chat/completions',
    () => chat(`[${`${'1'.repeat(250)},`.repeat(98_000)}1]`),
    413,
  ],
  [
    '98,000 numbers of 40 digits, about all that a body may have',
    'chat/completions',
    () => chat(`[${`${'1'.repeat(40)},`.repeat(98_000)}1]`),
    200,
  ],
  [
    'a message of 300,000 blocks',
    'messages',
    () => {
      const block = '{"type": "text", "text": "a"}';
      const content = Array.from({ length: 300_000 }, () => block).join();
      return `{"model": "test/rules", "max_tokens": 1, "messages": [{"role": "user", "content": [${content}]}]}`;
    },
    413,
  ],
  [
    '48 fields of 4 MB beside a file',
    'files',
    () => {
      const long = 'x'.repeat(4 * megabyte);
      return form(
        '{}',
        Object.fromEntries(Array.from({ length: 48 }, (_, at) => [`f${at}`, long])),
      );
    },
    200,
  ],
  [
    'a line of 1.7 million members',
    'files',
    () => form(`{"custom_id": "a", ${'"a":1,'.repeat(1_700_000)}"method": "POST"}`),
    200,
  ],
  [
    'a request of 3.4 million lists in a message batch',
    'messages/batches',
    () => messageBatch(`"messages": [${'[],'.repeat(3_400_000)}1]`),
    400,
  ],
];

describe('bodies for the packages of OpenAI and Anthropic', { retry: busyRetries }, () => {
  let victim: Victim;

  beforeAll(async () => {
    victim = await startVictim({ withKeys: true });
  });
  afterAll(() => victim.stop());

  test.each(cases)('%s', async (_what, path, make, expected) => {
    const body = make();
    let status = 0;

    const report = await victim.attack(
      async ({ url, headers, signal }) => {
        const isJson = typeof body === 'string';
        const response = await fetch(`${url}/v1/${path}`, {
          method: 'POST',
          headers: { ...headers, ...(isJson ? { 'content-type': 'application/json' } : {}) },
          body,
          signal,
        });
        await response.text();
        status = response.status;
      },
      { fresh: true },
    );

    expect(report.breaches).toEqual([]);
    expect(status).toBe(expected);
  });
});
