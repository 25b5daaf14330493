import { describe, expect, test } from 'vitest';
import {
  completionToMessage,
  messageToCompletion,
} from '../../../src/model/dialects/completion.ts';

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5',
  content: [{ type: 'text', text: 'Bonjour' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 10,
    cache_creation_input_tokens: 3,
    cache_read_input_tokens: 7,
    output_tokens: 5,
  },
};

describe('a message as a completion', () => {
  test('has its id, model, text and usage, all input tokens counted', () => {
    expect(messageToCompletion(message, { created: 12 })).toEqual({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 12,
      model: 'claude-haiku-4-5',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Bonjour', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 20,
        completion_tokens: 5,
        total_tokens: 25,
        prompt_tokens_details: { cached_tokens: 7, cache_write_tokens: 3 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    });
  });

  test('has its tool calls, and no thinking', () => {
    const called = {
      ...message,
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'x' },
        { type: 'text', text: 'I look ' },
        { type: 'text', text: 'it up.' },
        { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'ä', deep: { n: 1 } } },
        { type: 'tool_use', id: 'toolu_2', name: 'now', input: {} },
      ],
    };

    const [choice] = messageToCompletion(called).choices as any[];

    expect(choice.finish_reason).toBe('tool_calls');
    expect(choice.message).toEqual({
      role: 'assistant',
      content: 'I look it up.',
      refusal: null,
      tool_calls: [
        {
          id: 'toolu_1',
          type: 'function',
          function: { name: 'find', arguments: '{"q":"ä","deep":{"n":1}}' },
        },
        { id: 'toolu_2', type: 'function', function: { name: 'now', arguments: '{}' } },
      ],
    });
  });

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'stop'],
  ])('that stopped for %s has the finish reason %s', (stop_reason, finish_reason) => {
    expect(messageToCompletion({ ...message, stop_reason })).toMatchObject({
      choices: [{ finish_reason }],
    });
  });

  test.each([
    [[{ type: 'text', text: 'No.' }], undefined, 'No.'],
    [[], { type: 'refusal', category: 'bio', explanation: 'Too dangerous.' }, 'Too dangerous.'],
    [[], { type: 'refusal', category: 'bio', explanation: null }, expect.stringContaining('bio')],
    [[], null, expect.stringContaining('no reason')],
  ])('that refused says why, and has no content', (content, stop_details, refusal) => {
    const refused = { ...message, content, stop_details, stop_reason: 'refusal' };

    expect(messageToCompletion(refused)).toMatchObject({
      choices: [{ message: { content: null, refusal } }],
    });
  });

  test('takes what is missing or of another kind for absent', () => {
    expect(messageToCompletion({ content: 'x', usage: null })).toMatchObject({
      id: '',
      model: '',
      choices: [{ message: { content: null }, finish_reason: 'stop' }],
    });
    expect(
      messageToCompletion({ content: [], usage: { input_tokens: -1, output_tokens: 'x' } }).usage,
    ).toMatchObject({ total_tokens: 0 });
  });
});

describe('a completion as a message', () => {
  test('is the message again that it was made from', () => {
    const called = {
      ...message,
      stop_reason: 'tool_use',
      content: [
        { type: 'text', text: 'I look it up.' },
        { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'ä' } },
      ],
    };

    const again = completionToMessage(messageToCompletion(called));

    expect(again).toEqual({
      ...called,
      usage: {
        ...called.usage,
        // A completion does not tell for how long.
        cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 0 },
        output_tokens_details: { thinking_tokens: 0 },
      },
    });
  });

  test.each([
    ['stop', {}, 'end_turn'],
    ['length', {}, 'max_tokens'],
    ['content_filter', {}, 'refusal'],
    ['stop', { refusal: 'No.' }, 'refusal'],
    ['stop', { tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] }, 'tool_use'],
  ])('that finished with %s and %o stopped for %s', (finish_reason, more, stop_reason) => {
    const completion = {
      choices: [{ finish_reason, message: { role: 'assistant', content: 'x', ...more } }],
    };

    expect(completionToMessage(completion)).toMatchObject({ stop_reason });
  });

  test('keeps arguments that are no object', () => {
    const tool_calls = [{ id: 'a', function: { name: 'f', arguments: '{"half' } }];

    expect(
      completionToMessage({ choices: [{ message: { content: null, tool_calls } }] }).content,
    ).toEqual([{ type: 'tool_use', id: 'a', name: 'f', input: { arguments: '{"half' } }]);
  });

  test.each([
    [
      { content: null, function_call: { name: 'f', arguments: '{"a":1}' } },
      [{ type: 'tool_use', id: 'f', name: 'f', input: { a: 1 } }],
      'tool_use',
    ],
    [
      {
        content: '',
        tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'run', input: 'ls' } }],
      },
      [{ type: 'tool_use', id: 'c', name: 'run', input: { input: 'ls' } }],
      'tool_use',
    ],
    [
      { content: null, audio: { id: 'audio_1', transcript: 'Hello.' } },
      [{ type: 'text', text: 'Hello.' }],
      'end_turn',
    ],
    [
      {
        content: [
          { type: 'text', text: 'Hm.' },
          { type: 'refusal', refusal: 'No.' },
        ],
      },
      [
        { type: 'text', text: 'Hm.' },
        { type: 'text', text: 'No.' },
      ],
      'end_turn',
    ],
  ])('keeps of %j all that can be said', (said, content, stop_reason) => {
    const completion = { choices: [{ finish_reason: 'stop', message: said }] };

    expect(completionToMessage(completion)).toMatchObject({ content, stop_reason });
  });

  test('takes what is missing for absent', () => {
    expect(completionToMessage({})).toMatchObject({
      content: [],
      stop_reason: 'end_turn',
      usage: { input_tokens: 0, output_tokens: 0 },
    });
  });
});
