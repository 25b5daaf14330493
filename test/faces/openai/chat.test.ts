/** OpenAI's package and its live calls, answered by a provider of either dialect. */
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { type StubApp, startStubApp } from '../../support/stub-app.ts';

let app: App;
let sandbox: Sandbox;
let client: OpenAI;
beforeAll(async () => {
  sandbox = await startFaultySandbox({ journal: 50 });
  app = await startApp(
    {
      PROVIDERS: JSON.stringify({
        test: { baseURL: sandbox.url, headers: { 'x-of': 'test' }, limits: { concurrency: 2 } },
      }),
      OPENAI_API_KEY: 'none',
      OPENAI_BASE_URL: sandbox.url,
      ANTHROPIC_API_KEY: 'none',
      ANTHROPIC_BASE_URL: sandbox.anthropicUrl,
      MODEL_TIMEOUT_MS: '1500',
    },
    { sandbox },
  );
  client = clientOf(app);
});
afterAll(async () => {
  await app.stop();
  await sandbox.close();
});
afterEach(() => {
  sandbox.faults.clear();
  sandbox.requests.clear();
});

function clientOf({ url }: App): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 });
}

async function all<T>(stream: PromiseLike<AsyncIterable<T>>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of await stream) items.push(item);
  return items;
}

async function failureOf(promise: PromiseLike<unknown>) {
  const error: unknown = await promise.then(
    () => 'no failure',
    (thrown: unknown) => thrown,
  );
  return error as InstanceType<typeof OpenAI.APIError>;
}

const messages: [{ role: 'user'; content: string }] = [
  { role: 'user', content: 'Ada is 36 years old, and lives in Paris.' },
];
const parameters = {
  type: 'object',
  properties: { name: { type: 'string' } },
  required: ['name'],
};
const mustCall = {
  tools: [{ type: 'function' as const, function: { name: 'save', parameters } }],
  tool_choice: { type: 'function' as const, function: { name: 'save' } },
};

describe.each(['test/rules', 'anthropic/rules'])('a chat completion by %s', (model) => {
  const asked = { model, messages };

  it('is whole, in OpenAI’s shape', async () => {
    const { data, request_id: requestId } = await client.chat.completions
      .create(asked)
      .withResponse();

    expect(data).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      created: expect.any(Number),
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: expect.stringMatching(/./) },
          finish_reason: 'stop',
        },
      ],
    });
    const { prompt_tokens, completion_tokens, total_tokens } = data.usage ?? {};
    expect(total_tokens).toBe(Number(prompt_tokens) + Number(completion_tokens));
    expect(requestId).toMatch(/^req_/);
  });

  it('comes in pieces that join to the whole one', async () => {
    const whole = await client.chat.completions.create(asked);
    const joined = await client.chat.completions
      .stream({ ...asked, stream_options: { include_usage: true } })
      .finalChatCompletion();

    const [choice] = whole.choices;
    expect(joined.choices[0]).toMatchObject({
      message: { role: 'assistant', content: choice?.message.content },
      finish_reason: choice?.finish_reason,
    });
    expect(joined.usage).toMatchObject(whole.usage ?? {});
    expect(joined.id).toMatch(/^chatcmpl-/);
  });

  it('tells of usage in the last chunk, where that is asked for, and nowhere else', async () => {
    const told = await all(
      client.chat.completions.create({
        ...asked,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    const silent = await all(client.chat.completions.create({ ...asked, stream: true }));

    expect(told.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
    expect(told.at(-1)?.choices).toEqual([]);
    expect(silent.filter(({ usage }) => usage != null)).toEqual([]);
    expect(silent.filter(({ choices }) => choices.length === 0)).toEqual([]);
  });

  it('is sent on while the provider still writes', async () => {
    sandbox.faults.add({ fault: { kind: 'stall', at: 'body' } });
    const stream = await client.chat.completions.create({ ...asked, stream: true });

    let text = '';
    for await (const { choices } of stream) {
      text += choices[0]?.delta.content ?? '';
      if (text !== '') break;
    }
    expect(text).not.toBe('');
  });

  it('follows a schema', async () => {
    const person = z.object({ name: z.string(), age: z.number().int() });
    const parsed = await client.chat.completions.parse({
      ...asked,
      response_format: zodResponseFormat(person, 'person'),
    });

    expect(person.safeParse(parsed.choices[0]?.message.parsed).success).toBe(true);
  });

  it('calls a tool, at once and in pieces', async () => {
    const whole = await client.chat.completions.create({ ...asked, ...mustCall });
    const chunks = await all(
      client.chat.completions.create({ ...asked, ...mustCall, stream: true }),
    );

    const pieces = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
    expect(pieces[0]).toMatchObject({ index: 0, type: 'function', function: { name: 'save' } });
    expect(pieces[0]?.id).toMatch(/./);
    const argued = pieces.map((piece) => piece.function?.arguments ?? '').join('');
    const [call] = whole.choices[0]?.message.tool_calls ?? [];
    expect(call && 'function' in call && JSON.parse(call.function.arguments)).toEqual(
      JSON.parse(argued),
    );
    expect(JSON.parse(argued)).toHaveProperty('name');
  });

  it.each([false, true])('is a plain 400 where it is refused (stream: %s)', async (stream) => {
    const body = { model, stream, temperature: -3, messages };
    const response = await post(body);

    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    expect(Object.keys((await response.json()).error)).toEqual([
      'message',
      'type',
      'param',
      'code',
    ]);
  });

  it('ends with an error where the provider fails in the middle', async () => {
    sandbox.faults.add({ fault: { kind: 'status', status: 500, at: 'body' }, times: 1 });
    const told = await failureOf(all(client.chat.completions.create({ ...asked, stream: true })));
    sandbox.faults.add({ fault: { kind: 'drop', at: 'body' }, times: 1 });
    const cut = await failureOf(all(client.chat.completions.create({ ...asked, stream: true })));

    for (const error of [told, cut]) {
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(error).toMatchObject({ type: 'server_error', status: undefined });
    }
    expect(told.message).toMatch(/told to answer 500/);
    expect(cut.message).toMatch(/connection/);
  });
});

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

it('writes events as OpenAI does', async () => {
  const response = await post({ model: 'test/rules', messages, stream: true });
  const text = await response.text();

  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-request-id': expect.stringMatching(/^req_/),
  });
  expect(text).toMatch(/^(data: \{.*\}\n\n)+data: \[DONE\]\n\n$/);
});

it('asks a provider that refuses to count for a stream without that', async () => {
  const older = await startFaultySandbox({ refuse: ['stream_options'], journal: 9 });
  const own = await startApp(
    { PROVIDERS: JSON.stringify({ test: { baseURL: older.url } }) },
    { sandbox: older },
  );

  const chunks = await all(
    clientOf(own).chat.completions.create({ model: 'test/rules', messages, stream: true }),
  );
  expect(chunks.length).toBeGreaterThan(2);
  expect(older.requests.journal.map(({ answered }) => answered)).toEqual([400, 200]);
  await own.stop();
  await older.close();
});

describe('a request', () => {
  it.each([
    ['no model', { messages }, 'model', 'missing_required_parameter'],
    ['a model that is no text', { model: 1, messages }, 'model', 'invalid_type'],
    ['no messages', { model: 'rules' }, 'messages', 'missing_required_parameter'],
    ['messages that are no list', { model: 'rules', messages: 'hi' }, 'messages', 'invalid_type'],
    ['empty messages', { model: 'rules', messages: [] }, 'messages', 'invalid_value'],
    ['another stream', { model: 'rules', messages, stream: 'yes' }, 'stream', 'invalid_type'],
    [
      'two answers of Anthropic',
      { model: 'anthropic/rules', messages, n: 2 },
      'n',
      'invalid_value',
    ],
    ['what the provider refuses', { model: 'rules', messages, top_p: 7 }, 'top_p', 'invalid_value'],
  ])('with %s is refused by the name of the field', async (_name, body, param, code) => {
    const response = await post(body);

    expect(response.status).toBe(400);
    expect((await response.json()).error).toMatchObject({
      type: 'invalid_request_error',
      param,
      code,
    });
  });

  it.each([
    ['no JSON', '{"model": ', 400, {}],
    ['a list', '[]', 400, {}],
    ['101 levels', `${'['.repeat(101)}${']'.repeat(101)}`, 413, {}],
    ['26 MB', ' '.repeat(26_214_401), 413, {}],
    ['a compressed body', '{}', 415, { 'content-encoding': 'gzip' }],
  ])('of %s is refused', async (_name, body, status, headers) => {
    const response = await post(body, headers);

    expect(response.status).toBe(status);
    expect((await response.json()).error.type).toBe('invalid_request_error');
    expect(sandbox.requests.count).toBe(0);
  });

  it('goes to the provider with the numbers that it came with, and so does the answer', async () => {
    const { app: own, stub }: StubApp = await startStubApp();
    stub.reply({ body: '{"choices":[{"message":{"content":"x"}}],"big":9007199254740993}' });

    const response = await fetch(`${own.url}/v1/chat/completions`, {
      method: 'POST',
      body: '{"model":"stub/base","messages":[{"role":"user","content":"x"}],"seed":9007199254740993}',
    });
    expect(await response.text()).toContain('9007199254740993');
    expect(stub.requests[0]?.text).toContain('"seed":9007199254740993');
    await own.stop();
  });
});

describe('the model', () => {
  const providerOf = async (model: string) => {
    await client.chat.completions.create({ model, messages });
    const [asked] = sandbox.requests.journal.slice(-1);
    if (asked?.headers['x-of'] !== undefined) return asked.headers['x-of'];
    return asked?.headers['anthropic-version'] === undefined ? 'openai' : 'anthropic';
  };

  it('is one of OpenAI’s where its name is bare, else the one of the provider before the slash', async () => {
    expect(await providerOf('rules')).toBe('openai');
    expect(await providerOf('openai/rules')).toBe('openai');
    expect(await providerOf('anthropic/rules')).toBe('anthropic');
    expect(await providerOf('test/rules')).toBe('test');
  });

  it.each(['another', 'anthropic/another', 'sandbox/another', 'nobody/rules'])(
    'is a 404 model_not_found where there is none: %s',
    async (model) => {
      const error = await failureOf(client.chat.completions.create({ model, messages }));

      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
    },
  );

  it('may have any name with the sandbox alone', async () => {
    const own = await startApp({ PROVIDERS: '{}', DEFAULT_MODEL: 'sandbox/rules' });

    for (const model of ['gpt-4o-mini', 'openai/gpt-4o', 'meta-llama/llama-3-8b']) {
      const { choices } = await clientOf(own).chat.completions.create({ model, messages });
      expect(choices[0]?.message.content).toMatch(/./);
    }
    await own.stop();
  });
});

describe('a failure of the provider', () => {
  const asked = { model: 'test/rules', messages };
  const status = (of: number, more: object = {}) => ({
    kind: 'status' as const,
    status: of,
    ...more,
  });

  it.each([
    [
      'a limit',
      { kind: 'rate_limited' as const, retryAfter: 3 },
      { status: 429, type: 'requests', code: 'rate_limit_exceeded' },
      { 'retry-after': '3' },
    ],
    [
      'no money',
      status(429, { code: 'insufficient_quota' }),
      { status: 429, type: 'insufficient_quota', code: 'insufficient_quota' },
      { 'x-should-retry': 'false' },
    ],
    ['an outage', status(500), { status: 503, type: 'server_error' }, { 'retry-after': '5' }],
    ['our key', status(401), { status: 503, type: 'server_error' }, { 'x-should-retry': 'false' }],
    [
      'the length',
      status(400, { code: 'context_length_exceeded' }),
      { status: 400, code: 'context_length_exceeded' },
      {},
    ],
    ['its time', { kind: 'stall' as const, at: 'headers' as const }, { status: 504 }, {}],
  ])('is told: %s', async (_name, fault, told, headers) => {
    sandbox.faults.add({ fault });
    const own = await startApp(
      { PROVIDERS: JSON.stringify({ test: { baseURL: sandbox.url } }), MODEL_TIMEOUT_MS: '300' },
      { sandbox },
    );

    for (const stream of [false, true]) {
      const error = await failureOf(
        clientOf(own).chat.completions.create(
          { ...asked, stream },
          { headers: { 'x-stainless-retry-count': '1' } },
        ),
      );
      expect(error).toMatchObject(told);
      expect(Object.fromEntries(error.headers ?? [])).toMatchObject(headers);
      if (told.status === 429) break; // The gate holds the next one back.
    }
    await own.stop();
  });

  it('of ten calls in a row keeps the next ones off, with the time when it is tried again', async () => {
    const own = await startApp(
      { PROVIDERS: JSON.stringify({ test: { baseURL: sandbox.url } }) },
      { sandbox },
    );
    sandbox.faults.add({ fault: status(500) });
    const fail = () => failureOf(clientOf(own).chat.completions.create(asked));
    for (let call = 0; call < 10; call += 1) await fail();

    const error = await fail();
    expect(sandbox.requests.count).toBe(10);
    expect(error).toMatchObject({
      status: 503,
      message: expect.stringMatching(/Nothing was sent/),
    });
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0);
    await own.stop();
  });
});

describe('the gate', () => {
  const asked = { model: 'test/rules', messages };

  it('lets through as many calls at once as the provider’s limit says', async () => {
    const most: number[] = [];
    sandbox.faults.add({
      fault: { kind: 'latency', ms: 20 },
      when: () => most.push(sandbox.inFlight) > 0,
    });

    await Promise.all(
      [true, false, true, false, true, false].map((stream) =>
        stream
          ? all(client.chat.completions.create({ ...asked, stream }))
          : client.chat.completions.create({ ...asked, stream }),
      ),
    );
    expect(Math.max(...most)).toBe(2);
    expect(most).toHaveLength(6);
  });

  it.each([
    ['waits for an answer', 'headers' as const],
    ['reads a stream', 'body' as const],
  ])('has a place again when a client goes that %s', async (_name, at) => {
    const removeFault = sandbox.faults.add({ fault: { kind: 'stall', at } });
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(async ({ signal }) => {
      const stream = await client.chat.completions.create({ ...asked, stream: true }, { signal });
      for await (const _chunk of stream);
    });
    const left = Promise.allSettled(calls);
    await sandbox.until(({ inFlight }) => inFlight === 2);
    removeFault();
    const next = client.chat.completions.create(asked);

    for (const controller of controllers) controller.abort();
    await left;
    await sandbox.until(({ requests }) => requests.aborted === 2);
    expect((await next).choices[0]?.finish_reason).toBe('stop');
  });

  it('answers 429 to a call that finds no place in time', async () => {
    sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
    const held = [1, 2].map(() => failureOf(client.chat.completions.create(asked)));
    await sandbox.until(({ inFlight }) => inFlight === 2);
    const errors = await Promise.all([
      failureOf(client.chat.completions.create(asked)),
      failureOf(client.chat.completions.create(asked)),
      failureOf(client.chat.completions.create(asked)),
      ...held,
    ]);

    const statuses = errors.map(({ status }) => status);
    expect(statuses).toContain(504);
    expect(statuses).toContain(429);
  });
});
