/** Anthropic's package and its live calls, answered by a provider of either dialect. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';

let app: App;
let sandbox: Sandbox;
let client: Anthropic;
beforeAll(async () => {
  sandbox = await startFaultySandbox({ journal: 50 });
  app = await startApp(
    {
      PROVIDERS: JSON.stringify({ test: { baseURL: sandbox.url, limits: { concurrency: 1 } } }),
      ANTHROPIC_API_KEY: 'none',
      ANTHROPIC_BASE_URL: sandbox.anthropicUrl,
      MODEL_TIMEOUT_MS: '1500',
    },
    { sandbox },
  );
  client = new Anthropic({ baseURL: app.url, apiKey: 'any', maxRetries: 0 });
});
afterAll(async () => {
  await app.stop();
  await sandbox.close();
});
afterEach(() => {
  sandbox.faults.clear();
  sandbox.requests.clear();
});

async function failureOf(promise: PromiseLike<unknown>) {
  const error: unknown = await promise.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  return error as InstanceType<typeof Anthropic.APIError>;
}

async function post(body: object): Promise<Response> {
  return await fetch(`${app.url}/v1/messages`, { method: 'POST', body: JSON.stringify(body) });
}

const messages: [{ role: 'user'; content: string }] = [
  { role: 'user', content: 'Ada is 36 years old, and lives in Paris.' },
];
const mustCall = {
  tools: [
    {
      name: 'save',
      input_schema: {
        type: 'object' as const,
        properties: { name: { type: 'string' } },
        required: ['name'],
      },
    },
  ],
  tool_choice: { type: 'tool' as const, name: 'save' },
};

describe.each(['anthropic/rules', 'test/rules'])('a message by %s', (model) => {
  const asked = { model, max_tokens: 1_000, messages };

  it('is whole, in Anthropic’s shape', async () => {
    const { data, request_id: requestId } = await client.messages.create(asked).withResponse();

    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: expect.stringMatching(/./) }],
      stop_reason: 'end_turn',
    });
    expect(data.usage.input_tokens).toBeGreaterThan(0);
    expect(data.usage.output_tokens).toBeGreaterThan(0);
    expect(requestId).toMatch(/^req_/);
  });

  it('comes in events that join to the whole one', async () => {
    const whole = await client.messages.create(asked);
    const joined = await client.messages.stream(asked).finalMessage();

    const { content, stop_reason, usage } = joined;
    expect(joined.id).toMatch(/^msg_/);
    expect({ content, stop_reason }).toMatchObject({
      content: whole.content,
      stop_reason: whole.stop_reason,
    });
    expect(usage).toMatchObject({
      input_tokens: whole.usage.input_tokens,
      output_tokens: whole.usage.output_tokens,
    });
  });

  it('is sent on while the provider still writes', async () => {
    sandbox.faults.add({ fault: { kind: 'stall', at: 'body' } });
    const stream = await client.messages.create({ ...asked, stream: true });

    let text = '';
    for await (const event of stream) {
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
        text += event.delta.text;
        break;
      }
    }
    expect(text).not.toBe('');
  });

  it('calls a tool, at once and in events', async () => {
    const whole = await client.messages.create({ ...asked, ...mustCall });
    const joined = await client.messages.stream({ ...asked, ...mustCall }).finalMessage();

    for (const message of [whole, joined]) {
      expect(message).toMatchObject({
        content: [{ type: 'tool_use', name: 'save', input: { name: expect.any(String) } }],
        stop_reason: 'tool_use',
      });
    }
  });

  it.each([false, true])('is a plain 400 where it is refused (stream: %s)', async (stream) => {
    const response = await post({ ...asked, stream, temperature: -3 });

    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringMatching(/temperature/) },
      request_id: response.headers.get('request-id'),
    });
  });

  it('ends with an error event where the provider fails in the middle', async () => {
    sandbox.faults.add({ fault: { kind: 'status', status: 500, at: 'body' }, times: 1 });
    const told = await failureOf(client.messages.stream(asked).finalMessage());
    sandbox.faults.add({ fault: { kind: 'drop', at: 'body' }, times: 1 });
    const cut = await failureOf(client.messages.stream(asked).finalMessage());

    for (const error of [told, cut]) {
      expect(error).toBeInstanceOf(Anthropic.APIError);
      expect(error).toMatchObject({ type: 'overloaded_error', status: undefined });
    }
    expect(told.message).toMatch(/told to answer 500/);
    expect(cut.message).toMatch(/connection/);
  });

  it('ends at the provider when the client goes, and leaves its place in the gate', async () => {
    const removeFault = sandbox.faults.add({ fault: { kind: 'stall', at: 'body' } });
    const stream = client.messages.stream(asked);
    const left = failureOf(stream.finalMessage());
    await sandbox.until(({ inFlight }) => inFlight === 1);
    removeFault();
    const next = client.messages.create(asked);

    stream.abort();
    await left;
    await sandbox.until(({ requests }) => requests.aborted === 1);
    expect((await next).stop_reason).toBe('end_turn');
  });
});

it('writes events as Anthropic does', async () => {
  const response = await post({ model: 'rules', max_tokens: 99, messages, stream: true });
  const text = await response.text();

  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'request-id': expect.stringMatching(/^req_/),
  });
  const events = text.trimEnd().split('\n\n');
  for (const event of events) {
    const [, name, data] = /^event: (\w+)\ndata: (\{.*\})$/.exec(event) ?? [];
    expect(JSON.parse(data ?? '{}').type).toBe(name);
  }
  expect(events.at(0)).toMatch(/^event: message_start\n/);
  expect(events.at(-1)).toMatch(/^event: message_stop\n/);
});

it.each([
  ['no model', { max_tokens: 1, messages }, 'model: '],
  ['no messages', { model: 'rules', max_tokens: 1 }, 'messages: '],
  ['no limit', { model: 'rules', messages }, 'max_tokens: '],
  ['another stream', { model: 'rules', max_tokens: 1, messages, stream: 1 }, 'stream: '],
])('refuses a request with %s by the name of the field', async (_name, body, message) => {
  const response = await post(body);

  expect(response.status).toBe(400);
  expect((await response.json()).error).toEqual({
    type: 'invalid_request_error',
    message: expect.stringContaining(message),
  });
  expect(sandbox.requests.count).toBe(0);
});

it('takes a bare name for one of Anthropic’s models', async () => {
  await client.messages.create({ model: 'rules', max_tokens: 99, messages });

  const [asked] = sandbox.requests.journal;
  expect(asked?.headers['anthropic-version']).toBeDefined();
});

it('answers under any name with the sandbox alone', async () => {
  const own = await startApp({ PROVIDERS: '{}', DEFAULT_MODEL: 'sandbox/rules' });
  const alone = new Anthropic({ baseURL: own.url, apiKey: 'any', maxRetries: 0 });

  const message = await alone.messages.create({
    model: 'claude-haiku-4-5',
    max_tokens: 99,
    messages,
  });
  expect(message.stop_reason).toBe('end_turn');
  await own.stop();
});

it.each([
  ['no money', { status: 429, code: 'insufficient_quota' }, 402, 'billing_error'],
  ['an outage', { status: 500 }, 529, 'overloaded_error'],
  ['no such model', { status: 404 }, 404, 'not_found_error'],
  ['its time', { kind: 'stall' as const, at: 'headers' as const }, 504, 'timeout_error'],
  // The last one: the gate holds the next one back.
  ['a limit', { kind: 'rate_limited' as const, retryAfter: 3 }, 429, 'rate_limit_error'],
])('tells of a failure of the provider: %s', async (_name, given, status, type) => {
  sandbox.faults.add({
    fault: 'kind' in given ? given : { kind: 'status', ...given },
  });
  const asked = { model: 'test/rules', max_tokens: 9, messages };

  const error = await failureOf(client.messages.create(asked));
  expect(error).toMatchObject({ status, error: { type: 'error', error: { type } } });
});
