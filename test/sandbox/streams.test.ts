/** Answers word by word, as the packages of both providers join them again. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';

let sandbox: Sandbox;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  sandbox = await startFaultySandbox();
  openai = new OpenAI({ baseURL: sandbox.url, apiKey: 'none', maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: sandbox.anthropicUrl, apiKey: 'none', maxRetries: 0 });
});
afterAll(() => sandbox.close());
afterEach(() => sandbox.faults.clear());

const text = 'The parcel came late, and the box was wet.  It is fine though.';
const messages: [{ role: 'user'; content: string }] = [{ role: 'user', content: text }];
const parameters = {
  type: 'object' as const,
  properties: { name: { type: 'string' }, mood: { enum: ['good', 'bad'] } },
  required: ['name', 'mood'],
};

const chats = {
  words: { model: 'rules', messages },
  'a limit': { model: 'rules', messages, max_tokens: 3 },
  'log-probabilities': { model: 'rules', messages, logprobs: true, top_logprobs: 1 },
  'a tool call': {
    model: 'rules',
    messages,
    tools: [{ type: 'function', function: { name: 'save', parameters } }],
    tool_choice: 'required',
  },
} satisfies Record<string, OpenAI.ChatCompletionCreateParamsNonStreaming>;

describe('a chat completion', () => {
  it.each(Object.entries(chats))('joins to the whole one: %s', async (_name, asked) => {
    const whole = await openai.chat.completions.create(asked);
    const joined = await openai.chat.completions
      .stream({ ...asked, stream_options: { include_usage: true } })
      .finalChatCompletion();

    const said = ({ choices: [choice], usage }: OpenAI.ChatCompletion) => ({
      content: choice?.message.content,
      calls: choice?.message.tool_calls?.map((call) => 'function' in call && call.function),
      logprobs: choice?.logprobs?.content?.map(({ token, logprob }) => [token, logprob]),
      finish: choice?.finish_reason,
      usage,
    });
    expect(said(joined)).toMatchObject(said(whole));
  });

  it('comes word by word', async () => {
    const stream = await openai.chat.completions.create({ ...chats.words, stream: true });
    const pieces: string[] = [];
    for await (const { choices } of stream) pieces.push(choices[0]?.delta.content ?? '');

    expect(pieces.filter((piece) => piece !== '').length).toBeGreaterThan(3);
    expect(pieces.every((piece) => /^\s*\S*$/.test(piece))).toBe(true);
  });

  it('tells of usage only where it is asked to', async () => {
    const stream = await openai.chat.completions.create({ ...chats.words, stream: true });
    for await (const chunk of stream) expect(chunk).not.toHaveProperty('usage');
  });
});

describe('a message', () => {
  const asked = { model: 'rules', max_tokens: 1_000, messages };

  it.each(
    Object.entries({
      words: asked,
      'a limit': { ...asked, max_tokens: 3 },
      'a tool call': {
        ...asked,
        tools: [{ name: 'save', input_schema: parameters }],
        tool_choice: { type: 'any' as const },
      },
    }),
  )('joins to the whole one: %s', async (_name, params) => {
    const whole = await anthropic.messages.create(params);
    const joined = await anthropic.messages.stream(params).finalMessage();

    const { content, stop_reason, usage } = joined;
    const withoutId = (block: object) => ({ ...block, id: null });
    expect(content.map(withoutId)).toEqual(whole.content.map(withoutId));
    expect({ stop_reason, usage }).toEqual({ stop_reason: whole.stop_reason, usage: whole.usage });
  });
});

describe('a stream that is made to fail', () => {
  it('ends in the middle', async () => {
    sandbox.faults.add({ fault: { kind: 'drop', at: 'body' } });
    const stream = await openai.chat.completions.create({ ...chats.words, stream: true });
    const read: unknown[] = [];

    await expect(
      (async () => {
        for await (const chunk of stream) read.push(chunk);
      })(),
    ).rejects.toThrow();
    expect(read.length).toBeGreaterThan(1);
  });

  it('tells of an error in the middle, in the words of either provider', async () => {
    sandbox.faults.add({ fault: { kind: 'status', status: 529, message: 'Busy.', at: 'body' } });
    const chunks = await openai.chat.completions.create({ ...chats.words, stream: true });
    const message = anthropic.messages.stream({ model: 'rules', max_tokens: 1_000, messages });

    await expect(
      (async () => {
        for await (const _chunk of chunks);
      })(),
    ).rejects.toThrow('Busy.');
    await expect(message.finalMessage()).rejects.toThrow('overloaded_error');
  });
});
