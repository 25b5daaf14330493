/**
 * What is overridden of the packages, and what they read of what they are given
 * (docs/decisions/010). An upgrade that moves one of these seams fails here.
 */
import Anthropic from '@anthropic-ai/sdk';
import { expect, test, vi } from 'vitest';
import { packageOptions } from '../../src/model/http.ts';
import { createOpenAiClient } from '../../src/model/openai/connection.ts';
import { ThinHeaders } from '../../src/model/thin-fetch.ts';
import { providerConfig } from './support.ts';

const baseURL = 'http://127.0.0.1:1/v1';

/** The value, and the names that are read of it. */
function watched<T extends object>(value: T): { value: T; read: Set<string> } {
  const read = new Set<string>();
  const get = (target: T, name: string | symbol) => {
    if (typeof name === 'string') read.add(name);
    return Reflect.get(target, name) as unknown;
  };
  return { value: new Proxy(value, { get }), read };
}

/** As ThinHeaders: methods, and no keys. */
class NoHeaders {
  get(): null {
    return null;
  }

  entries(): [] {
    return [];
  }
}

function answer(status: number) {
  const headers = watched(new NoHeaders());
  const response = watched({
    ok: status < 400,
    status,
    url: '',
    headers: headers.value,
    body: null,
    text: async () => '{"error":{"message":"no","code":"odd"}}',
  });
  return { response, headers };
}

const signalOf = () =>
  watched({
    aborted: false,
    reason: undefined,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
  });

test('the openai package asks our methods alone, and makes no timer', async () => {
  const { response, headers } = answer(200);
  const fetch = vi.fn(async () => response.value as never);
  const client = createOpenAiClient(providerConfig(baseURL), { baseURL, fetch });
  const build = vi.spyOn(client, 'buildRequest');
  const timed = vi.spyOn(client, 'fetchWithTimeout');
  const timer = vi.spyOn(globalThis, 'setTimeout');
  const signal = signalOf();

  const given = await client.postJson('/chat/completions', '{"a":1}', signal.value);

  expect(given).toBe(response.value);
  expect([build, timed, fetch].map((method) => method.mock.calls.length)).toEqual([1, 1, 1]);
  expect(timer).not.toHaveBeenCalled();
  expect(fetch.mock.lastCall).toEqual([
    `${baseURL}/chat/completions`,
    expect.objectContaining({ method: 'POST', body: '{"a":1}', signal: signal.value }),
  ]);
  expect([...signal.read]).toEqual(['aborted']);
  expect([...response.read].sort()).toEqual(['headers', 'ok', 'status', 'then', 'url']);
  // The package looks through the keys of headers too, for what it would log.
  expect([...headers.read]).toEqual(['entries']);
  expect(Object.keys(new ThinHeaders({ 'x-a': '1' }))).toEqual([]);
  timer.mockRestore();
});

test('the openai package throws one error for a refusal, with what is read of it', async () => {
  const { response, headers } = answer(429);
  const fetch = vi.fn(async () => response.value as never);
  const client = createOpenAiClient(providerConfig(baseURL), { baseURL, fetch });

  const error: unknown = await client
    .postJson('/x', '{}', signalOf().value)
    .catch((thrown) => thrown);

  expect(error).toMatchObject({ status: 429, error: { message: 'no', code: 'odd' } });
  expect((error as { headers: unknown }).headers).toBe(headers.value);
  expect(fetch).toHaveBeenCalledOnce();
});

test('Anthropic’s package listens to a call’s signal and reads no more of an answer', async () => {
  const { response, headers } = answer(200);
  const fetch = vi.fn(async () => response.value as never);
  const options = packageOptions(providerConfig(baseURL), { baseURL, fetch });
  const client = new Anthropic({ ...options, webhookKey: null, openTelemetry: false });
  const signal = signalOf();

  const json = { 'content-type': 'application/json' };
  await client
    .post('/v1/messages', { body: '{}', headers: json, signal: signal.value as never })
    .asResponse();

  const allowed = ['aborted', 'addEventListener', 'reason', 'removeEventListener'];
  expect([...signal.read].filter((name) => !allowed.includes(name))).toEqual([]);
  expect(signal.value.addEventListener).toHaveBeenCalledOnce();
  const read = ['body', 'headers', 'ok', 'status', 'then', 'url'];
  expect([...response.read].filter((name) => !read.includes(name))).toEqual([]);
  expect([...headers.read].filter((name) => !['entries', 'get'].includes(name))).toEqual([]);
});
