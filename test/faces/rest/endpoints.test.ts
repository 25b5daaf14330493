/** Lines of batch files for endpoints that are not run: refused one by one when they come. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { submitMutation, untilEnded } from '../graphql/support.ts';
import { asBody, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const handed = readFileSync(
  new URL('../../cases/endpoints.jsonl', import.meta.url),
  'utf8',
).replaceAll('gpt-4o-mini', 'rules');
const refused = [
  { row: 1, reason: 'has the url "/v1/responses"; only /v1/chat/completions is run' },
  { row: 2, reason: 'has the url "/v1/embeddings"; only /v1/chat/completions is run' },
];

describe.each(waysIn)('$name', ({ send }) => {
  it.each([
    ['lines', 'x.jsonl', handed],
    ['an array', 'x.json', `[${handed.trim().split('\n').join(',')}]`],
    ['the member of an object', 'x.json', `{"requests":[${handed.trim().split('\n').join(',')}]}`],
  ])('refuses other endpoints in %s by their url', async (_form, name, text) => {
    const { file, error } = await send(app, text, { name });
    const { data } = await app.graphql(submitMutation, {
      input: { operation: { chat: {} }, source: { fileId: file.id } },
    });

    expect(error).toBe('');
    expect(file).toMatchObject({ itemCount: 2, rejections: refused });
    expect(await untilEnded(app, data?.submitBatch.batch.id)).toMatchObject({
      counts: { total: 2, succeeded: 2 },
    });
  });
});

const line = (url: string, method = '"POST"') =>
  `{"custom_id":"a","method":${method},"url":${url},"body":{"messages":[{"role":"user","content":"hi"}]}}`;

it.each([
  ['"/v1/chat/completions"'],
  ['"/chat/completions"'],
  ['"/openai/deployments/gpt/chat/completions?api-version=2024-10-21"'],
  ['"https://api.example.com/v1/chat/completions"'],
  ['"\\/v1\\/chat\\/completions"'],
  ['null'],
])('the url %s is one for chat', async (url) => {
  const { file, error } = await asBody.send(app, `${line(url)}\n`, { name: 'x.jsonl' });

  expect(error).toBe('');
  expect(file).toMatchObject({ format: 'OPENAI_JSONL', itemCount: 1 });
});

it.each([
  ['"/v1/completions"', '"POST"', /has the url "\/v1\/completions"; only/],
  ['"/v1/chat/completions/x"', '"POST"', /has the url/],
  ['"/v1/xchat/completions"', '"POST"', /has the url/],
  ['""', '"POST"', /has the url ""/],
  ['7', '"POST"', /has the url "7"/],
  ['"/v1/chat/completions"', '"GET"', /has the method "GET"; only POST is run/],
  ['"/v1/chat/completions"', 'false', /has the method "false"; only POST is run/],
])('the url %s with the method %s is refused', async (url, method, message) => {
  const { status, error } = await asBody.send(app, `${line(url, method)}\n`, { name: 'x.jsonl' });

  expect(status).toBe(400);
  expect(error).toMatch(message);
});

it('rows of data with a url and a body stay what they are', async () => {
  const text =
    '{"custom_id":"a","url":"https://example.com/x","body":"Some text","method":"GET"}\n';
  const { file } = await asBody.send(app, text, { name: 'x.jsonl' });

  expect(file).toMatchObject({ format: 'JSONL', itemCount: 1 });
});

it('inline requests for other endpoints are refused by their url and method', async () => {
  const requests = handed
    .trim()
    .split('\n')
    .map((one) => JSON.parse(one));
  const { errors } = await app.graphql(submitMutation, {
    input: {
      operation: { chat: {} },
      source: { requests: [...requests, JSON.parse(line('"/chat/completions"', '"PUT"'))] },
    },
  });

  const issues = errors?.[0]?.extensions.issues;
  for (const [path, reason] of [
    ['input.source.requests.0.url', refused[0]?.reason],
    ['input.source.requests.1.url', refused[1]?.reason],
    ['input.source.requests.4.method', 'has the method "PUT"; only POST is run'],
  ]) {
    expect(issues).toContainEqual({ path, message: reason });
  }
});
