/**
 * docs/guides/coming-from.md: every command in its tables does what it says, or at least is
 * understood.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Data, submitMutation, subscribeSse, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { completion, type StubProvider, startStubProvider } from '../support/stub-provider.ts';

const page = readFileSync(new URL('../../docs/guides/coming-from.md', import.meta.url), 'utf8');
/** What stands in the right columns as code, a pipe in a table without its backslash. */
const commands = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .flatMap((line) => line.split(' | ').slice(1))
  .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code))
  .map((code) => code.replaceAll('\\|', '|'));
const unique = [...new Set(commands)];
const documents = unique.flatMap((code) => toDocument(code) ?? []);
const base = 'curl -sS localhost:4000/files -F operation=chat -F file=@requests.jsonl';
const uploads = unique
  .map((code) => (code.startsWith('-F ') ? `${base} ${code}` : code.replace(/^… \| /, '')))
  .filter((code) => code.startsWith('curl') && code.includes('/files'));
const downloads = unique.filter((code) => code.startsWith('curl') && code.includes('/output'));

/** A GraphQL document out of what may be the part of one that matters; null for other code. */
function toDocument(code: string): string | null {
  const whole = code.replaceAll('[…]', '[{role: "user", content: "Hi"}]').replaceAll('{…}', '{}');
  if (/^(query|mutation|subscription)? ?\{ /.test(whole)) return whole;
  if (whole.startsWith('submitBatch(')) return `mutation { ${whole} { batch { id } } }`;
  return whole.startsWith('operation: ')
    ? `mutation { submitBatch(input: {${whole}}) { batch { id } } }`
    : null;
}

const chatLine = {
  custom_id: 'a',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { messages: [{ role: 'user', content: 'Hi' }] },
};
const lines: Record<string, object> = {
  'requests.jsonl': chatLine,
  'data.jsonl': chatLine,
  'messages.jsonl': { custom_id: 'a', params: { max_tokens: 9, messages: chatLine.body.messages } },
  'again.jsonl': { index: 0, custom_id: 'a', status: 'failed', request: chatLine.body },
};

let app: App;
let stub: StubProvider;
let batchId: string;
let resultsId: string;
beforeAll(async () => {
  stub = await startStubProvider();
  stub.reply({ body: completion('{"name":"Alice","age":28}') });
  app = await startApp({ OPENAI_BASE_URL: stub.url, DEFAULT_MODEL: 'openai/gpt-4.1-mini' });
  batchId = await submit();
  const results = await (
    await fetch(`${app.url}/batches/${batchId}/output?format=openai_jsonl`)
  ).text();
  resultsId = (await upload('results.jsonl', results)).id;
});
afterAll(async () => {
  await app.stop();
  await stub.close();
});

async function submit(): Promise<string> {
  const { data } = await app.graphql(submitMutation, {
    input: {
      operation: { chat: {} },
      source: {
        requests: ['a', 'b', 'request-0'].map((custom_id) => ({ ...chatLine, custom_id })),
      },
    },
  });
  await untilEnded(app, data?.submitBatch.batch.id);
  return data?.submitBatch.batch.id;
}

async function upload(name: string, body: string): Promise<Data> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  return (await response.json()) as Data;
}

describe('docs/guides/coming-from.md', () => {
  it('has commands of each kind', () => {
    expect(documents.length).toBeGreaterThanOrEqual(20);
    expect(uploads.length).toBeGreaterThanOrEqual(10);
    expect(downloads.length).toBeGreaterThanOrEqual(7);
  });

  it.each(documents)('%s', async (document) => {
    const isParse = document.includes('parseResults');
    const batch = document.includes('deleteBatch') ? await submit() : batchId;
    const fileId = isParse ? resultsId : (await upload('x.jsonl', JSON.stringify(chatLine))).id;
    const query = document.replaceAll('"B"', `"${batch}"`).replaceAll('"F"', `"${fileId}"`);

    if (document.startsWith('subscription')) {
      const events = subscribeSse(app, query);
      expect(await events.ended()).not.toEqual([]);
      expect(events.errors).toEqual([]);
    } else {
      const { data, errors } = await app.graphql(query);
      expect(errors).toBeUndefined();
      // Nothing that is asked for is missing.
      expect(Object.values(data ?? {})).not.toContain(null);
    }
  });

  it.each(uploads)('%s', async (command) => {
    const url = /'?localhost:4000(\/files[^ ']*)/.exec(command)?.[1] ?? '';
    const name = /@([a-z]+\.jsonl)/.exec(command)?.[1] ?? 'requests.jsonl';
    const form = new FormData();
    for (const [, field = '', value = ''] of command.matchAll(/-F (\w+)=('[^']+'|[^ ]+)/g)) {
      if (field === 'file') continue;
      form.append(field, value.replaceAll("'", ''));
    }
    form.append('file', new Blob([JSON.stringify(lines[name])]), name);

    const body = command.includes('--data-binary') ? JSON.stringify(lines[name]) : form;
    const response = await fetch(app.url + url, { method: 'POST', body });
    const file = (await response.json()) as Data;

    expect(file.error).toBeUndefined();
    expect([response.status, file.itemCount]).toEqual([201, 1]);
    if (command.includes('operation=chat')) expect(file.batchId).toMatch(/^batch_/);
  });

  it.each(downloads)('%s', async (command) => {
    const [, path = ''] = /localhost:4000(\/batches\/B\/output[^ ']*)/.exec(command) ?? [];

    const response = await fetch(app.url + path.replace('/B/', `/${batchId}/`));

    expect(response.status).toBe(200);
    if (!path.includes('failed'))
      expect(await response.text()).toContain('"custom_id":"request-0"');
  });
});
