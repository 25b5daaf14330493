/** Forms of POST /files and of uploadFile: JSON stands in their fields. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busyRetries, startVictim, type Victim } from './harness.ts';

const list = (count: number, entry: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => entry(at)).join();
const names = (count: number) => `{${list(count, (at) => `"k${at}": 1`)}}`;

function upload(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new File(['a\n'], 'a.txt'));
  return form;
}

const operations = JSON.stringify({
  query: 'mutation($file: Upload!) { uploadFile(file: $file) { file { id } } }',
  variables: { file: null },
});
const mapped = (map: string) => {
  const form = new FormData();
  form.set('operations', operations);
  form.set('map', map);
  form.set('0', new File(['a\n'], 'a.txt'));
  return form;
};

const cases: [what: string, path: string, form: () => FormData, says: string][] = [
  [
    'options of 300,000 names',
    'files',
    () => upload({ operation: 'extract', options: names(300_000) }),
    'different names',
  ],
  [
    'options of 49,000 names',
    'files',
    () => upload({ operation: 'extract', options: names(49_000) }),
    'at most 200 members',
  ],
  [
    'a schema of 300,000 names',
    'files',
    () => upload({ operation: 'extract', schema: names(300_000) }),
    'different names',
  ],
  [
    'a schema of 1.3 million lists',
    'files',
    () => upload({ operation: 'extract', schema: `{"a": [${list(1_300_000, () => '[]')}]}` }),
    '100,000 values',
  ],
  [
    'a schema of 49,000 long names',
    'files',
    () =>
      upload({
        operation: 'extract',
        schema: `{${list(49_000, (at) => `"${String(at).padStart(70, 'k')}": 1`)}}`,
      }),
    '100000 characters',
  ],
  [
    'the same metadata and examples of 49,000 names',
    'files',
    () =>
      upload({
        operation: 'enrich',
        examples: names(49_000),
        fields: names(49_000),
        metadata: names(49_000),
        runtimeCategories: names(49_000),
      }),
    'BAD_USER_INPUT',
  ],
  [
    'a map of 3 million lists',
    'graphql',
    () => mapped(`{"0": [${list(3_000_000, () => '[]')}]}`),
    '1,000 values',
  ],
];

describe('forms', { retry: busyRetries }, () => {
  let victim: Victim;

  beforeAll(async () => {
    victim = await startVictim({ withKeys: true });
  });
  afterAll(() => victim.stop());

  test.each(cases)('%s', async (_what, path, make, says) => {
    const body = make();
    let text = '';

    const report = await victim.attack(
      async ({ url, headers, signal }) => {
        const response = await fetch(`${url}/${path}`, {
          method: 'POST',
          headers: { ...headers, 'graphql-preflight': '1' },
          body,
          signal,
        });
        text = await response.text();
      },
      { fresh: true },
    );

    expect(report.breaches).toEqual([]);
    expect(text).toContain(says);
  });
});
