import { expect, onTestFinished, test } from 'vitest';
import { outputSchemaFault } from '../../src/sandbox/wire/anthropic/schema.ts';
import {
  answer,
  call,
  headers,
  labelFormat,
  labelMessage,
  type Message,
  plainLabel,
  post,
} from './message-requests.ts';
import { clientOf, labelRequest, openSandbox } from './requests.ts';

const MESSAGES = '/v1/messages';

test('a message has every field that Anthropic answers with', async () => {
  const sandbox = await openSandbox(onTestFinished);

  const response = await post(sandbox, MESSAGES, labelMessage('I love it'));
  const message = await answer<Message>(response);

  expect(response.headers.get('request-id')).toMatch(/^req_/);
  expect(message).toEqual({
    id: expect.stringMatching(/^msg_\w{24}$/),
    type: 'message',
    role: 'assistant',
    model: 'rules',
    content: [{ type: 'text', text: expect.stringContaining('"label":"positive"') }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    container: null,
    usage: expect.objectContaining({
      input_tokens: expect.any(Number),
      output_tokens: expect.any(Number),
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      service_tier: 'standard',
    }),
  });
});

test('the answer is that of a chat completion, and counts as a live request', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const text = 'It broke, but support was kind';

  const message = await answer<Message>(post(sandbox, MESSAGES, labelMessage(text)));
  const { choices, usage } = await clientOf(sandbox).chat.completions.create(labelRequest(text));

  expect(message.content[0]?.text).toBe(choices[0]?.message.content);
  expect(message.usage).toMatchObject({
    input_tokens: usage?.prompt_tokens,
    output_tokens: usage?.completion_tokens,
  });
  expect(sandbox.requests).toMatchObject({ count: 2, answered: 2 });
});

test('system and content may be blocks of text', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const block = (text: string) => ({ type: 'text', text });

  const message = await answer<Message>(
    post(sandbox, MESSAGES, {
      ...labelMessage(''),
      system: [{ ...block('Label the text.'), cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: [block('I hate it.'), block('Terrible.')] }],
    }),
  );

  expect(message.content[0]?.text).toContain('"negative"');
});

test.each([[{ type: 'tool', name: 'save' }], [{ type: 'any' }]])(
  'tool_choice %j is answered with input',
  async (tool_choice) => {
    const sandbox = await openSandbox(onTestFinished);
    const input_schema = { type: 'object', properties: { email: { type: 'string' } } };

    const message = await answer<Message>(
      post(sandbox, MESSAGES, {
        ...plainLabel('Mail jane@acme.com please'),
        tools: [{ name: 'save', description: 'Saves', input_schema }],
        tool_choice,
      }),
    );

    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toEqual([
      {
        type: 'tool_use',
        id: expect.stringMatching(/^toolu_/),
        name: 'save',
        input: { email: 'jane@acme.com' },
        caller: { type: 'direct' },
      },
    ]);
  },
);

test('the older output_format is read where its beta is asked for', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const body = { ...plainLabel('I love it'), output_format: labelFormat };
  const beta = { 'anthropic-beta': 'other-2024,structured-outputs-2025-11-13' };

  const refused = await post(sandbox, MESSAGES, body);
  const taken = await call(sandbox, MESSAGES, { method: 'POST', body, headers: beta });

  expect(refused.status).toBe(400);
  expect((await answer<Message>(taken)).content[0]?.text).toContain('"positive"');
});

test('an answer longer than max_tokens ends with stop_reason max_tokens', async () => {
  const sandbox = await openSandbox(onTestFinished);

  const message = await answer<Message>(
    post(sandbox, MESSAGES, { ...labelMessage('I love it'), max_tokens: 3 }),
  );

  expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 3 } });
  expect(() => JSON.parse(message.content[0]?.text ?? '')).toThrow();
});

const user = { role: 'user', content: 'hi' };
const base = { model: 'rules', max_tokens: 9, messages: [user] };
const schema = (more: object) => ({
  ...base,
  output_config: { format: { type: 'json_schema', schema: more } },
});
test.each([
  ['no object', [], 'body: Input should be an object'],
  ['no model', { ...base, model: undefined }, 'model: Field required'],
  ['no max_tokens', { ...base, max_tokens: undefined }, 'max_tokens: Field required'],
  ['no messages', { ...base, messages: undefined }, 'messages: Field required'],
  ['empty messages', { ...base, messages: [] }, 'messages: at least one'],
  [
    'a system message among the others',
    { ...base, messages: [{ role: 'system', content: 'x' }] },
    'messages.0.role: Input',
  ],
  ['empty content', { ...base, messages: [{ role: 'user', content: '' }] }, 'messages.0: '],
  [
    'an image',
    { ...base, messages: [{ role: 'user', content: [{ type: 'image' }] }] },
    'messages.0.content.0: ',
  ],
  ['max_tokens 0', { ...base, max_tokens: 0 }, 'max_tokens: Input should be greater'],
  ['temperature 2', { ...base, temperature: 2 }, 'temperature: Input should be less'],
  ['a parameter of OpenAI', { ...base, response_format: {} }, 'response_format: Extra inputs'],
  [
    'a tool that is not there',
    { ...base, tools: [], tool_choice: { type: 'tool', name: 'x' } },
    'tool_choice: ',
  ],
  ['a tool without a schema', { ...base, tools: [{ name: 'x' }] }, 'tools.0.custom.input_schema: '],
  [
    'a format that is none',
    { ...base, output_config: { format: { type: 'xml' } } },
    'output_config.format.type: ',
  ],
  [
    'an open object',
    schema({ type: 'object', properties: {} }),
    "output_config.format.schema: For 'object' type, 'additionalProperties'",
  ],
])('%s is refused in the shape of Anthropic', async (_, body, message) => {
  const sandbox = await openSandbox(onTestFinished);

  const response = await post(sandbox, MESSAGES, body);

  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({
    type: 'error',
    error: { type: 'invalid_request_error', message: expect.stringContaining(message) },
    request_id: response.headers.get('request-id'),
  });
});

test.each([
  [{ type: 'integer', minimum: 0, maximum: 9 }, 'properties maximum, minimum are not supported'],
  [{ type: 'string', maxLength: 9 }, "property 'maxLength' is not supported"],
  [{ type: ['string', 'null'], minLength: 1 }, "property 'minLength' is not supported"],
  [{ type: 'array', items: {}, minItems: 2 }, "'minItems' values other than 0 or 1"],
  [{ type: 'array', items: { type: 'array', maxItems: 2 } }, "property 'maxItems'"],
  [{ anyOf: [{ type: 'number', multipleOf: 2 }] }, "property 'multipleOf'"],
  [{ $ref: 'https://example.com/x' }, 'External $ref'],
  [{ oneOf: [{ type: 'string' }] }, 'oneOf'],
  [{ type: 'string', enum: ['a'], format: 'date' }, null],
])('the schema %j: %s', (inner, fault) => {
  const found = outputSchemaFault({
    type: 'object',
    properties: { x: inner },
    required: ['x'],
    additionalProperties: false,
  });

  if (fault === null) expect(found).toBeNull();
  else expect(found).toContain(fault);
});

test('malformed JSON is a 400, an unknown model and path a 404', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const typeOf = async (response: Response) =>
    (await answer<{ error: { type: string } }>(response)).error.type;

  expect(await typeOf(await post(sandbox, MESSAGES, '{"model":'))).toBe('invalid_request_error');
  const unknown = await post(sandbox, MESSAGES, { ...base, model: 'claude-9' });
  expect([unknown.status, await typeOf(unknown)]).toEqual([404, 'not_found_error']);
  const nowhere = await post(sandbox, '/v1/messages/nowhere', {});
  expect([nowhere.status, await typeOf(nowhere)]).toEqual([404, 'not_found_error']);
});

test('the version and, where one is set, the key are demanded; the key is never kept', async () => {
  const sandbox = await openSandbox(onTestFinished, { apiKey: 'right' });
  const send = (given: Record<string, string>) =>
    fetch(`${sandbox.anthropicUrl}/v1/messages`, {
      method: 'POST',
      headers: given,
      body: JSON.stringify(labelMessage('hi')),
    });

  const versionless = await send({ 'x-api-key': 'right' });
  expect(versionless.status).toBe(400);
  for (const given of [headers, { ...headers, 'x-api-key': 'wrong' }]) {
    const response = await send(given);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: { type: 'authentication_error' } });
  }
  expect((await send({ ...headers, 'x-api-key': 'right' })).status).toBe(200);
  expect(JSON.stringify(sandbox.requests.journal)).not.toContain('right');
});

test('a prompt beyond the context is told with both numbers', async () => {
  const sandbox = await openSandbox(onTestFinished, { contextTokens: 100 });

  const response = await post(sandbox, MESSAGES, labelMessage('word '.repeat(200)));

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringMatching(/^prompt is too long: \d{3} tokens > 100 maximum$/) },
  });
});

test('parameters that are to be refused are, but never max_tokens', async () => {
  const refuse = ['temperature', 'json_schema', 'max_tokens'];
  const sandbox = await openSandbox(onTestFinished, { refuse });

  expect((await post(sandbox, MESSAGES, base)).status).toBe(200);
  for (const body of [{ ...base, temperature: 0 }, labelMessage('hi')])
    expect((await post(sandbox, MESSAGES, body)).status).toBe(400);
});

test('limits answer 429 with retry-after and headers of Anthropic', async () => {
  const sandbox = await openSandbox(onTestFinished, { limits: { requestsPerMinute: 1 } });

  const first = await post(sandbox, MESSAGES, base);
  const second = await post(sandbox, MESSAGES, base);

  expect(first.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0');
  expect(first.headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-.*Z$/);
  expect(second.status).toBe(429);
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await second.json()).toMatchObject({ error: { type: 'rate_limit_error' } });
});

test.each([
  [{ kind: 'status', status: 529, message: 'Overloaded' } as const, 529, 'overloaded_error'],
  [{ kind: 'status', status: 500 } as const, 500, 'api_error'],
  [{ kind: 'status', status: 403 } as const, 403, 'permission_error'],
  [{ kind: 'status', status: 402, type: 'other_error' } as const, 402, 'other_error'],
  [{ kind: 'rate_limited', retryAfter: 3 } as const, 429, 'rate_limit_error'],
])('the fault %j is answered as Anthropic would', async (fault, status, type) => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault });

  const response = await post(sandbox, MESSAGES, base);

  expect(response.status).toBe(status);
  expect(response.headers.get('retry-after')).toBe(status === 429 ? '3' : null);
  expect(await response.json()).toMatchObject({ type: 'error', error: { type } });
});

test('a refusal has its own stop_reason, and no content', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'refusal', message: 'No.' }, times: 1 });
  sandbox.faults.add({ fault: { kind: 'content_filter' } });

  const refused = await answer<Message>(post(sandbox, MESSAGES, labelMessage('hi')));
  const filtered = await answer<Message>(post(sandbox, MESSAGES, labelMessage('hi')));

  expect(refused).toMatchObject({
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', explanation: 'No.' },
    content: [],
  });
  expect(filtered).toMatchObject({ stop_reason: 'refusal', content: [] });
});

test('truncated and invalid_json are the same faults as of chat completions', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'truncated' }, times: 1 });
  sandbox.faults.add({ fault: { kind: 'invalid_json' }, when: ({ text }) => text === 'blocks' });

  const truncated = await answer<Message>(post(sandbox, MESSAGES, labelMessage('hi')));
  const broken = await answer<Message>(
    post(sandbox, MESSAGES, {
      ...labelMessage(''),
      messages: [{ role: 'user', content: [{ type: 'text', text: 'blocks' }] }],
    }),
  );

  expect(truncated.stop_reason).toBe('max_tokens');
  expect(broken.stop_reason).toBe('end_turn');
  expect(() => JSON.parse(broken.content[0]?.text ?? '')).toThrow();
});
