import { describe, expect, test } from 'vitest';
import { paramsToChatBody } from '../../../src/model/dialects/chat-body.ts';
import { toOutputSchema } from '../../../src/model/dialects/output-schema.ts';
import { chatBodyToParams } from '../../../src/model/dialects/params.ts';
import { outputSchemaFault } from '../../../src/sandbox/wire/anthropic/schema.ts';

const toParams = (body: object) => chatBodyToParams(body as never, { maxTokens: 100 });
const toBody = (params: object) => paramsToChatBody(params as never, { limitName: 'max_tokens' });
const parameters = { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] };

/** A conversation with tools, in both shapes. */
const chat = {
  model: 'm',
  max_tokens: 50,
  temperature: 0.5,
  top_p: 0.9,
  stop: ['END'],
  user: 'u-1',
  messages: [
    { role: 'system', content: 'Be kind.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'image_url', image_url: { url: 'https://example.org/a.png' } },
      ],
    },
    {
      role: 'assistant',
      content: 'I look it up.',
      tool_calls: [
        { id: 'c1', type: 'function', function: { name: 'find', arguments: '{"q":"a"}' } },
        { id: 'c2', type: 'function', function: { name: 'find', arguments: '{"q":"b"}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'one' },
    { role: 'tool', tool_call_id: 'c2', content: 'two' },
    { role: 'user', content: 'And?' },
  ],
  tools: [{ type: 'function', function: { name: 'find', description: 'Finds.', parameters } }],
  tool_choice: { type: 'function', function: { name: 'find' } },
  parallel_tool_calls: false,
};
const params = {
  model: 'm',
  max_tokens: 50,
  temperature: 0.5,
  top_p: 0.9,
  stop_sequences: ['END'],
  metadata: { user_id: 'u-1' },
  system: 'Be kind.',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is it?' },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look it up.' },
        { type: 'tool_use', id: 'c1', name: 'find', input: { q: 'a' } },
        { type: 'tool_use', id: 'c2', name: 'find', input: { q: 'b' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'c1', content: 'one' },
        { type: 'tool_result', tool_use_id: 'c2', content: 'two' },
      ],
    },
    { role: 'user', content: 'And?' },
  ],
  tools: [{ name: 'find', description: 'Finds.', input_schema: parameters }],
  tool_choice: { type: 'tool', name: 'find', disable_parallel_tool_use: true },
};

describe('a chat body as params', () => {
  test('keeps the whole conversation, its tools and its limits', () => {
    expect(toParams(chat)).toEqual(params);
  });

  test('has a limit in any case', () => {
    expect(toParams({ messages: [] }).max_tokens).toBe(100);
    expect(toParams({ messages: [], max_completion_tokens: 7 }).max_tokens).toBe(7);
  });

  test('leaves out what Anthropic has not, and keeps what is its own', () => {
    const body = {
      messages: [{ role: 'user', content: 'x' }],
      n: 2,
      seed: 1,
      // OpenAI's default: some models refuse it beside a temperature.
      top_p: 1,
      logprobs: true,
      top_logprobs: 2,
      presence_penalty: 1,
      stream: true,
      store: true,
      service_tier: 'flex',
      top_k: 5,
      thinking: { type: 'adaptive' },
    };

    expect(toParams(body)).toEqual({
      max_tokens: 100,
      messages: [{ role: 'user', content: 'x' }],
      top_k: 5,
      thinking: { type: 'adaptive' },
    });
  });

  test.each([
    ['auto', { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'any' }],
    [undefined, undefined],
  ])('has for the tool choice %s %o', (tool_choice, expected) => {
    const { parallel_tool_calls: _, ...body } = chat;

    expect(toParams({ ...body, tool_choice }).tool_choice).toEqual(expected);
  });

  test('asks for JSON by the output format, in a schema that it takes', () => {
    const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 1 } } };
    const response_format = { type: 'json_schema', json_schema: { name: 'a', schema } };

    const { output_config } = toParams({
      messages: [],
      response_format,
      reasoning_effort: 'minimal',
    });

    expect(output_config).toEqual({
      effort: 'low',
      format: {
        type: 'json_schema',
        schema: {
          type: 'object',
          properties: { n: { type: 'integer', description: '{"minimum":1}' } },
          additionalProperties: false,
        },
      },
    });
    expect(toParams({ messages: [], response_format: { type: 'json_object' } })).toMatchObject({
      system: expect.stringContaining('JSON'),
    });
  });

  test('joins all system and developer messages, wherever they stand', () => {
    const messages = [
      { role: 'developer', content: [{ type: 'text', text: 'a' }] },
      { role: 'user', content: 'x' },
      { role: 'system', content: 'b' },
    ];

    expect(toParams({ messages })).toMatchObject({
      system: 'a\n\nb',
      messages: [{ role: 'user', content: 'x' }],
    });
  });

  test('takes old function calls for tool calls', () => {
    const messages = [
      { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
      { role: 'function', name: 'f', content: 'done' },
    ];

    expect(toParams({ messages }).messages).toEqual([
      { role: 'assistant', content: [{ type: 'tool_use', id: 'f', name: 'f', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'f', content: 'done' }] },
    ]);
  });

  test.each([{}, { messages: null }, { messages: 'x' }, { messages: [null, 1, {}] }, { tools: 5 }])(
    'is made of anything, and left to the provider to refuse (%o)',
    (body) => {
      expect(toParams(body)).toMatchObject({ messages: expect.any(Array) });
    },
  );
});

describe('params as a chat body', () => {
  test('keep the whole conversation, its tools and its limits', () => {
    expect(toBody(params)).toEqual(chat);
  });

  test('name the limit as the server does', () => {
    expect(paramsToChatBody(params, { limitName: 'max_completion_tokens' })).toMatchObject({
      max_completion_tokens: 50,
    });
  });

  test('leave out what OpenAI has not', () => {
    const body = toBody({
      max_tokens: 5,
      top_k: 1,
      thinking: { type: 'adaptive' },
      cache_control: { type: 'ephemeral' },
      system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }],
      messages: [
        { role: 'user', content: 'x' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 's' },
            { type: 'text', text: 'y' },
          ],
        },
      ],
    });

    expect(body).toEqual({
      max_tokens: 5,
      messages: [
        { role: 'system', content: 'a' },
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'y' },
      ],
    });
  });

  test('ask for JSON by a schema that need not be strict', () => {
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const output_config = { effort: 'high', format: { type: 'json_schema', schema } };

    expect(toBody({ messages: [], output_config })).toMatchObject({
      reasoning_effort: 'high',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', strict: false, schema },
      },
    });
  });

  test.each([
    [{ type: 'auto' }, 'auto'],
    [{ type: 'any' }, 'required'],
    [{ type: 'none' }, 'none'],
  ])('have for the tool choice %o %s', (tool_choice, expected) => {
    expect(toBody({ ...params, tool_choice }).tool_choice).toBe(expected);
  });

  test('send documents as files', () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: 'AAAA' };
    const document = { type: 'document', source, title: 'a.pdf' };
    const given = { messages: [{ role: 'user', content: [document] }] };

    const body = toBody(given);

    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          {
            type: 'file',
            file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
          },
        ],
      },
    ]);
    expect(toParams(body).messages).toEqual(given.messages);
  });
});

describe('an output schema', () => {
  test.each([
    [{ type: 'object', properties: { a: { type: ['integer', 'null'], minimum: 1, maximum: 5 } } }],
    [{ type: 'object', properties: { a: { type: 'string', minLength: 1, format: 'color' } } }],
    [{ type: 'array', items: { type: 'object', properties: {} }, minItems: 2, maxItems: 3 }],
    [{ oneOf: [{ type: 'object', properties: {}, minProperties: 1 }, { type: 'null' }] }],
    [{ $ref: '#/$defs/a', $defs: { a: { type: 'object', additionalProperties: true } } }],
    [{ type: ['object', 'null'], properties: { a: { type: 'array', uniqueItems: true } } }],
  ])('of %j is one that Anthropic takes, and says what it lost', (schema) => {
    const made = toOutputSchema(schema);

    expect(outputSchemaFault(made)).toBeNull();
    expect(outputSchemaFault(schema)).not.toBeNull();
  });

  test('keeps the schema that it was made from as it was', () => {
    const schema = { type: 'object', properties: { a: { type: 'integer', minimum: 1 } } };
    const before = JSON.stringify(schema);

    const made = toOutputSchema(schema);

    expect(JSON.stringify(schema)).toBe(before);
    expect(made).toMatchObject({ properties: { a: { description: '{"minimum":1}' } } });
  });
});
