/**
 * Every block of Anthropic's messages and every part of OpenAI's, as what the other one is sent:
 * nothing is left out in silence.
 */
import { describe, expect, test } from 'vitest';
import { paramsToChatBody } from '../../../src/model/dialects/chat-body.ts';
import { chatBodyToParams } from '../../../src/model/dialects/params.ts';

type Message = Record<string, unknown>;

const toParams = (body: object) => chatBodyToParams(body as never, { maxTokens: 100 });
const toBody = (params: object) => paramsToChatBody(params as never, { limitName: 'max_tokens' });
const asChat = (...messages: Message[]) => toBody({ messages }).messages;
const asTurns = (...messages: Message[]) => toParams({ messages }).messages;

const png = { type: 'base64', media_type: 'image/png', data: 'AAAA' };
const image = { type: 'image', source: png };
const imagePart = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
const pdf = { type: 'base64', media_type: 'application/pdf', data: 'AAAA' };
const filePart = {
  type: 'file',
  file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,AAAA' },
};
const plain = { type: 'text', media_type: 'text/plain', data: 'All of it.' };
const text = (said: string) => ({ type: 'text', text: said });
const searched = {
  type: 'search_result',
  source: 'https://example.org',
  title: 'A',
  content: [text('b')],
};
const stored = { type: 'image', source: { type: 'file', file_id: 'file_1' } };
const storedDocument = { type: 'document', source: { type: 'file', file_id: 'file_1' } };
const linkedDocument = { type: 'document', source: { type: 'url', url: 'https://example.org/a' } };

/** Blocks that OpenAI has nothing for. */
const foreign = [
  stored,
  storedDocument,
  linkedDocument,
  searched,
  { type: 'container_upload', file_id: 'file_1' },
  { type: 'tool_reference', tool_name: 'find' },
  { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'a' } },
  { type: 'web_search_tool_result', tool_use_id: 's1', content: [] },
  { type: 'web_fetch_tool_result', tool_use_id: 's1', content: {} },
  { type: 'code_execution_tool_result', tool_use_id: 's1', content: {} },
  { type: 'bash_code_execution_tool_result', tool_use_id: 's1', content: {} },
  { type: 'text_editor_code_execution_tool_result', tool_use_id: 's1', content: {} },
  { type: 'tool_search_tool_result', tool_use_id: 's1', content: {} },
  { type: 'mcp_tool_use', id: 'm1', name: 'find', server_name: 'a', input: {} },
  { type: 'mcp_tool_result', tool_use_id: 'm1', is_error: false, content: [text('b')] },
  { type: 'compaction', content: 'Before that.' },
  { type: 'unheard_of', of: 1 },
  { type: 'text', text: 5 },
  7,
  null,
];

describe('a block of the user’s', () => {
  test.each([
    [text('Hi'), 'Hi'],
    ['Hi', 'Hi'],
    [{ ...text('Hi'), cache_control: { type: 'ephemeral' } }, 'Hi'],
    [image, [imagePart]],
    [
      { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
      [{ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }],
    ],
    [{ type: 'document', source: pdf }, [filePart]],
    [{ type: 'document', source: pdf, context: 'A bill.' }, [text('A bill.'), filePart]],
    [{ type: 'document', source: plain }, 'All of it.'],
    [
      { type: 'document', source: plain, title: 'Report', context: 'Of May.' },
      'Report\n\nOf May.\n\nAll of it.',
    ],
    [{ type: 'document', source: { type: 'content', content: 'All of it.' } }, 'All of it.'],
    [
      { type: 'document', title: 'A', source: { type: 'content', content: [text('b'), image] } },
      [text('A'), text('b'), imagePart],
    ],
  ])('%j goes to OpenAI as %j', (block, content) => {
    expect(asChat({ role: 'user', content: [block] })).toEqual([{ role: 'user', content }]);
  });

  test.each(foreign)('%j, which OpenAI has not, goes on as it is', (block) => {
    expect(asChat({ role: 'user', content: [text('Hi'), block] })).toEqual([
      { role: 'user', content: [text('Hi'), block] },
    ]);
  });

  test.each(foreign)('%j goes on as it is in a system prompt and from the model', (block) => {
    const body = toBody({
      system: [text('Be kind.'), block],
      messages: [{ role: 'assistant', content: [text('Hm.'), block] }],
    });

    expect(body.messages).toEqual([
      { role: 'system', content: [text('Be kind.'), block] },
      { role: 'assistant', content: [text('Hm.'), block] },
    ]);
  });
});

test('what a model thought is left out, and what it called is kept', () => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 's' },
    { type: 'redacted_thinking', data: 'x' },
    text('I look '),
    text('it up.'),
    { type: 'tool_use', id: 't1', name: 'find', input: { q: 'a' } },
  ];
  const call = { id: 't1', type: 'function', function: { name: 'find', arguments: '{"q":"a"}' } };

  expect(asChat({ role: 'assistant', content })).toEqual([
    { role: 'assistant', content: 'I look it up.', tool_calls: [call] },
  ]);
});

describe('the result of a tool', () => {
  const result = (content: unknown, more: object = {}) => ({
    type: 'tool_result',
    tool_use_id: 't1',
    content,
    ...more,
  });
  const told = (content: unknown) => ({ role: 'tool', tool_call_id: 't1', content });

  test.each([
    [result('done'), told('done')],
    [result(undefined), told('')],
    [result([]), told('')],
    [result([text('a'), text('b')]), told('a\n\nb')],
    [result([{ type: 'document', source: plain, title: 'R' }]), told('R\n\nAll of it.')],
    [result('no such file', { is_error: true }), told('Error: no such file')],
    [result([text('a'), text('b')], { is_error: true }), told('Error: a\n\nb')],
    [result([], { is_error: true }), told('Error: ')],
    [result('fine', { is_error: false }), told('fine')],
    ...foreign.map((block) => [result([text('a'), block]), told([text('a'), block])]),
    [result([searched], { is_error: true }), told([text('Error: '), searched])],
  ])('%j is told as %j', (block, message) => {
    expect(asChat({ role: 'user', content: [block] })).toEqual([message]);
  });

  test('has its pictures and files in a user message behind the last result', () => {
    const second = { type: 'tool_result', tool_use_id: 't2', content: [text('two'), image] };
    const file = { type: 'document', source: pdf };
    const shot = result([text('one'), image, file], { is_error: true });

    expect(asChat({ role: 'user', content: [shot, second, text('And?')] })).toEqual([
      { role: 'tool', tool_call_id: 't1', content: 'Error: one' },
      { role: 'tool', tool_call_id: 't2', content: 'two' },
      { role: 'user', content: [imagePart, filePart, imagePart, text('And?')] },
    ]);
    // Results in messages of their own still follow each other, as OpenAI demands.
    expect(
      asChat(
        { role: 'user', content: [shot] },
        { role: 'user', content: [second] },
        { role: 'assistant', content: 'I see.' },
      ),
    ).toEqual([
      { role: 'tool', tool_call_id: 't1', content: 'Error: one' },
      { role: 'tool', tool_call_id: 't2', content: 'two' },
      { role: 'user', content: [imagePart, filePart, imagePart] },
      { role: 'assistant', content: 'I see.' },
    ]);
  });
});

describe('what a request of Anthropic’s has beside its messages', () => {
  test.each([
    { mcp_servers: [{ type: 'url', url: 'https://example.org', name: 'a' }] },
    { container: { skills: [] } },
    { unheard_of: 1 },
  ])('%j goes on as it is, for the refusal to name it', (more) => {
    expect(toBody({ messages: [], ...more })).toEqual({ messages: [], ...more });
  });

  test('keeps messages that are none, and what a message has that is OpenAI’s already', () => {
    const messages = [7, { role: 'user', content: [] }, { role: 'user', name: 'A', content: 'x' }];
    const tool = { role: 'tool', tool_call_id: 'c1', content: [text('one')] };

    expect(toBody({ messages: [...messages, tool] }).messages).toEqual([
      ...messages,
      { ...tool, content: 'one' },
    ]);
  });
});

/** Parts that Anthropic has nothing for. */
const foreignParts = [
  { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
  { type: 'file', file: { file_id: 'file-1' } },
  { type: 'video_url', video_url: { url: 'https://example.org/a.mp4' } },
  { type: 'unheard_of', of: 1 },
  7,
  null,
];

describe('a part of a chat message', () => {
  test.each([
    [text('Hi'), text('Hi')],
    ['Hi', text('Hi')],
    [imagePart, image],
    [{ type: 'image_url', image_url: 'data:image/png;base64,AAAA' }, image],
    [
      { type: 'image_url', image_url: { url: 'https://example.org/a.png', detail: 'low' } },
      { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } },
    ],
    [filePart, { type: 'document', source: pdf, title: 'document.pdf' }],
    [
      {
        type: 'file',
        file: {
          filename: 'a.txt',
          file_data: `data:text/plain;charset=utf-8;base64,${Buffer.from('Größe').toString('base64')}`,
        },
      },
      {
        type: 'document',
        source: { type: 'text', media_type: 'text/plain', data: 'Größe' },
        title: 'a.txt',
      },
    ],
    [{ type: 'refusal', refusal: 'No.' }, text('No.')],
  ])('%j goes to Anthropic as %j', (part, block) => {
    const tool = { role: 'tool', tool_call_id: 'c1', content: [part] };

    expect(
      asTurns({ role: 'user', content: [part] }, { role: 'assistant', content: [part] }, tool),
    ).toEqual([
      { role: 'user', content: [block] },
      { role: 'assistant', content: [block] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: [block] }] },
    ]);
  });

  test.each(foreignParts)('%j, which Anthropic has not, goes on as it is', (part) => {
    const content = [text('Hi'), part];

    expect(
      toParams({
        messages: [
          { role: 'system', content },
          { role: 'user', content },
          { role: 'assistant', content },
          { role: 'tool', tool_call_id: 'c1', content },
        ],
      }),
    ).toEqual({
      max_tokens: 100,
      system: content,
      messages: [
        { role: 'user', content },
        { role: 'assistant', content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content }] },
      ],
    });
  });
});

describe('what a model said through OpenAI', () => {
  test.each([
    [{ content: 'Hm.', refusal: 'No.' }, [text('Hm.'), text('No.')]],
    [{ content: '', refusal: 'No.' }, [text('No.')]],
    [{ content: null, audio: { id: 'audio_1' } }, [{ type: 'audio', audio: { id: 'audio_1' } }]],
    [
      {
        content: [text('Hm.')],
        tool_calls: [{ id: 'c1', type: 'custom', custom: { name: 'run', input: 'ls' } }],
      },
      [text('Hm.'), { id: 'c1', type: 'custom', custom: { name: 'run', input: 'ls' } }],
    ],
    [
      {
        content: 'Hm.',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }],
      },
      [text('Hm.'), { type: 'tool_use', id: 'c1', name: 'f', input: {} }],
    ],
  ])('%j is told as %j', (said, content) => {
    expect(asTurns({ role: 'assistant', ...said })).toEqual([{ role: 'assistant', content }]);
  });
});

describe('what a chat body has beside its messages', () => {
  test.each([
    { web_search_options: {} },
    { audio: { voice: 'alloy', format: 'wav' }, modalities: ['text', 'audio'] },
    { unheard_of: 1 },
  ])('%j goes on as it is, for the refusal to name it', (more) => {
    expect(toParams({ messages: [], ...more })).toMatchObject(more);
  });

  test('has the tools and the choice of an old request with functions', () => {
    const parameters = { type: 'object', properties: {} };
    const functions = [{ name: 'find', description: 'Finds.', parameters }];

    expect(toParams({ messages: [], functions, function_call: { name: 'find' } })).toMatchObject({
      tools: [{ name: 'find', description: 'Finds.', input_schema: parameters }],
      tool_choice: { type: 'tool', name: 'find' },
    });
    expect(toParams({ messages: [], functions, function_call: 'none' })).toMatchObject({
      tool_choice: { type: 'none' },
    });
  });

  test('describes the answer as the response format does', () => {
    const json_schema = { name: 'a', description: 'The mood.', schema: { type: 'object' } };

    expect(
      toParams({ messages: [], response_format: { type: 'json_schema', json_schema } }),
    ).toMatchObject({ output_config: { format: { schema: { description: 'The mood.' } } } });
  });
});
