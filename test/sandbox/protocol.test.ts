import { APIError } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { clientOf, type ErrorAnswer, labelRequest, openSandbox, post } from './requests.ts';

test('a completion has every field that OpenAI answers with', async () => {
  const sandbox = await openSandbox(onTestFinished);

  const { data, response } = await clientOf(sandbox)
    .chat.completions.create(labelRequest('I love it'))
    .withResponse();

  expect(data).toMatchObject({
    id: expect.stringMatching(/^chatcmpl-\w{24}$/),
    object: 'chat.completion',
    model: 'rules',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens_details: { cached_tokens: 0 } },
    system_fingerprint: expect.stringMatching(/^fp_/),
  });
  expect(JSON.parse(data.choices[0]?.message.content ?? '')).toEqual({
    label: 'positive',
    confidence: expect.any(Number),
  });
  expect(data.usage?.total_tokens).toBe(
    (data.usage?.prompt_tokens ?? 0) + (data.usage?.completion_tokens ?? 0),
  );
  expect(Math.abs(data.created - Date.now() / 1_000)).toBeLessThan(60);
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
});

test('the same request gets the same answer, in every sandbox', async () => {
  const first = await openSandbox(onTestFinished);
  const second = await openSandbox(onTestFinished);
  const request = labelRequest('It broke, but support was kind');

  const answers = [];
  for (const sandbox of [first, first, second]) {
    const { choices, usage } = await clientOf(sandbox).chat.completions.create(request);
    answers.push({ choices, usage });
  }

  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
});

test('models are listed and looked up', async () => {
  const client = clientOf(await openSandbox(onTestFinished));

  const { data } = await client.models.list();

  expect(data).toEqual([
    { id: 'rules', object: 'model', created: expect.any(Number), owned_by: 'winnow' },
  ]);
  expect(await client.models.retrieve('rules')).toMatchObject({ id: 'rules' });
  await expect(client.models.retrieve('gpt-5')).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});

const user = { role: 'user', content: 'hi' };
const base = { model: 'rules', messages: [user] };
test.each([
  ['malformed JSON', '{"model":', 400, null, null],
  ['no model', { messages: [user] }, 400, null, null],
  ['an unknown model', { ...base, model: 'gpt-9' }, 404, 'model_not_found', null],
  ['no messages', { model: 'rules' }, 400, 'missing_required_parameter', 'messages'],
  ['empty messages', { ...base, messages: [] }, 400, 'empty_array', 'messages'],
  [
    'a role that is none',
    { ...base, messages: [{ role: 'bot', content: '' }] },
    400,
    'invalid_value',
    'messages[0].role',
  ],
  [
    'a message without content',
    { ...base, messages: [{ role: 'user' }] },
    400,
    'missing_required_parameter',
    'messages[0].content',
  ],
  [
    'an image',
    { ...base, messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
    400,
    'invalid_value',
    'messages[0].content[0]',
  ],
  ['an unknown parameter', { ...base, temprature: 1 }, 400, 'unknown_parameter', 'temprature'],
  ['temperature 3', { ...base, temperature: 3 }, 400, 'decimal_above_max_value', 'temperature'],
  ['temperature as text', { ...base, temperature: '1' }, 400, 'invalid_type', 'temperature'],
  ['negative top_p', { ...base, top_p: -1 }, 400, 'decimal_below_min_value', 'top_p'],
  ['max_tokens 0', { ...base, max_tokens: 0 }, 400, 'integer_below_min_value', 'max_tokens'],
  [
    'both limits',
    { ...base, max_tokens: 5, max_completion_tokens: 5 },
    400,
    'invalid_parameter_combination',
    'max_tokens',
  ],
  ['several choices', { ...base, n: 2 }, 400, 'unsupported_value', 'n'],
  [
    'an unknown effort',
    { ...base, reasoning_effort: 'huge' },
    400,
    'invalid_value',
    'reasoning_effort',
  ],
  ['top_logprobs alone', { ...base, top_logprobs: 2 }, 400, 'invalid_value', 'top_logprobs'],
  [
    'json_object without the word',
    { ...base, response_format: { type: 'json_object' } },
    400,
    null,
    'messages',
  ],
  [
    'a format that is none',
    { ...base, response_format: { type: 'xml' } },
    400,
    'invalid_value',
    'response_format.type',
  ],
  [
    'a schema without a name',
    { ...base, response_format: { type: 'json_schema', json_schema: { schema: {} } } },
    400,
    'missing_required_parameter',
    'response_format.json_schema.name',
  ],
  [
    'a schema name with spaces',
    { ...base, response_format: { type: 'json_schema', json_schema: { name: 'a b', schema: {} } } },
    400,
    'invalid_value',
    'response_format.json_schema.name',
  ],
] as const)('%s is refused in the shape of OpenAI', async (_, body, status, code, param) => {
  const sandbox = await openSandbox(onTestFinished);

  const response = await post(sandbox, body);
  const { error } = (await response.json()) as ErrorAnswer;

  expect(response.status).toBe(status);
  expect(error).toEqual({
    message: expect.any(String),
    type: 'invalid_request_error',
    param,
    code,
  });
});

test('an unknown route and a wrong method are 404', async () => {
  const sandbox = await openSandbox(onTestFinished);

  expect((await fetch(`${sandbox.url}/embeddings`, { method: 'POST' })).status).toBe(404);
  expect((await fetch(`${sandbox.url}/chat/completions`)).status).toBe(404);
  expect((await fetch(sandbox.url.replace('/v1', '//'))).status).toBe(404);
});

test('a key is demanded where one is set, and never kept', async () => {
  const sandbox = await openSandbox(onTestFinished, { apiKey: 'right' });

  await expect(
    clientOf(sandbox, 'wrong').chat.completions.create(labelRequest('hi')),
  ).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
  await clientOf(sandbox, 'right').chat.completions.create(labelRequest('hi'));

  expect((await post(sandbox, labelRequest('hi'))).status).toBe(401);
  expect(sandbox.requests.journal).toHaveLength(1);
  expect(JSON.stringify(sandbox.requests.journal)).not.toContain('right');
});

test('a sandbox refuses the parameters that it is told to refuse', async () => {
  const refuse = ['temperature', 'logprobs', 'max_tokens', 'json_schema'];
  const client = clientOf(await openSandbox(onTestFinished, { refuse }));
  const plain = { model: 'rules', messages: [{ role: 'user' as const, content: 'hi' }] };

  for (const [param, given] of [
    ['temperature', { temperature: 0 }],
    ['logprobs', { logprobs: true }],
    ['max_tokens', { max_tokens: 9 }],
    ['response_format', { response_format: labelRequest('').response_format }],
  ] as const) {
    const refused = client.chat.completions.create({ ...plain, ...given });
    await expect(refused).rejects.toBeInstanceOf(APIError);
    await expect(refused).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      param,
    });
  }
  await client.chat.completions.create({ ...plain, max_completion_tokens: 9 });
});

test('an answer longer than its limit ends with finish_reason length', async () => {
  const client = clientOf(await openSandbox(onTestFinished));

  const { choices, usage } = await client.chat.completions.create({
    ...labelRequest('I love it'),
    max_completion_tokens: 3,
  });

  expect(choices[0]?.finish_reason).toBe('length');
  expect(usage?.completion_tokens).toBe(3);
  expect(() => JSON.parse(choices[0]?.message.content ?? '')).toThrow();
});

test('log-probabilities spell the answer, and those of the label are its score', async () => {
  const client = clientOf(await openSandbox(onTestFinished));

  const { choices } = await client.chat.completions.create({
    ...labelRequest('I love it'),
    logprobs: true,
    top_logprobs: 1,
  });
  const content = choices[0]?.message.content ?? '';
  const tokens = choices[0]?.logprobs?.content ?? [];
  const sum = tokens.reduce((total, { logprob }) => total + logprob, 0);

  expect(tokens.map(({ token }) => token).join('')).toBe(content);
  expect(Math.exp(sum)).toBeCloseTo((JSON.parse(content) as { confidence: number }).confidence, 3);
  expect(tokens[0]).toMatchObject({
    bytes: expect.any(Array),
    top_logprobs: [{ token: tokens[0]?.token }],
  });
});

test('a forced tool call is answered with arguments', async () => {
  const client = clientOf(await openSandbox(onTestFinished));

  const { choices } = await client.chat.completions.create({
    model: 'rules',
    messages: [{ role: 'user', content: 'Mail jane@acme.com please' }],
    tools: [
      {
        type: 'function',
        function: {
          name: 'save',
          parameters: { type: 'object', properties: { email: { type: 'string' } } },
        },
      },
    ],
    tool_choice: { type: 'function', function: { name: 'save' } },
  });

  expect(choices[0]?.message).toMatchObject({
    content: null,
    tool_calls: [
      { type: 'function', function: { name: 'save', arguments: '{"email":"jane@acme.com"}' } },
    ],
  });
});

test('a prompt beyond the context is context_length_exceeded', async () => {
  const client = clientOf(await openSandbox(onTestFinished, { contextTokens: 100 }));

  await expect(
    client.chat.completions.create(labelRequest('word '.repeat(200))),
  ).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' });
});

test('a repeated prefix counts as cached where that is switched on', async () => {
  const client = clientOf(await openSandbox(onTestFinished, { promptCache: true }));
  const request = labelRequest('I love it');
  const system = { role: 'system' as const, content: 'Label the text. '.repeat(500) };
  const long = { ...request, messages: [system, ...request.messages.slice(1)] };

  const first = await client.chat.completions.create(long);
  const second = await client.chat.completions.create(long);

  expect(first.usage?.prompt_tokens_details?.cached_tokens).toBe(0);
  expect(second.usage?.prompt_tokens_details?.cached_tokens).toBe(1_920);
});
