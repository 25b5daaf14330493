/**
 * Streams from one dialect to the other: the pieces join to what the whole answer is translated to.
 */
import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { ChunksToEvents } from '../../../src/model/dialects/chunks-to-events.ts';
import {
  completionToMessage,
  messageToCompletion,
} from '../../../src/model/dialects/completion.ts';
import { EventsToChunks } from '../../../src/model/dialects/events-to-chunks.ts';
import type { StreamEvent } from '../../../src/model/model.ts';
import { runsOf } from '../../support/random.ts';

type Data = Record<string, any>;

const parsed = ({ data }: StreamEvent): Data => JSON.parse(data);

/** Cuts a text into pieces of one to four characters, surrogates and all. */
function pieces(text: string, size: number): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
}

function sseOf(events: readonly StreamEvent[], last = ''): Response {
  const text = events.map(({ type, data }) => `${type ? `event: ${type}\n` : ''}data: ${data}\n\n`);
  return new Response(text.join('') + last, { headers: { 'content-type': 'text/event-stream' } });
}

/** As Anthropic's package joins them. */
async function joinEvents(events: readonly StreamEvent[]): Promise<Data> {
  const client = new Anthropic({ apiKey: 'none', maxRetries: 0, fetch: async () => sseOf(events) });
  const asked = { model: 'm', max_tokens: 1, messages: [] };
  return await client.messages.stream(asked).finalMessage();
}

/** As OpenAI's package joins them. */
async function joinChunks(events: readonly StreamEvent[]): Promise<Data> {
  const fetch = async () => sseOf(events, 'data: [DONE]\n\n');
  const client = new OpenAI({ apiKey: 'none', maxRetries: 0, fetch });
  const asked = { model: 'm', messages: [], stream_options: { include_usage: true } };
  return await client.chat.completions.stream(asked).finalChatCompletion();
}

const words = fc.string({ unit: 'grapheme', maxLength: 12 });
const calls = fc.array(
  fc.record({ name: fc.constantFrom('find', 'save'), input: fc.dictionary(words, words) }),
  { maxLength: 3 },
);
const answers = fc.record({
  text: words,
  calls,
  size: fc.integer({ min: 1, max: 4 }),
  stop: fc.constantFrom('stop', 'length', 'content_filter'),
  prompt: fc.nat(1_000),
  cached: fc.nat(1_000),
  said: fc.nat(1_000),
});

describe('chunks as events', () => {
  test('join to the message that the joined chunks are translated to', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async ({ text, calls, size, stop, prompt, cached, said }) => {
        const usage = {
          prompt_tokens: prompt,
          completion_tokens: said,
          prompt_tokens_details: { cached_tokens: cached },
        };
        const tool_calls = calls.map(({ name, input }, index) => ({
          id: `call_${index}`,
          type: 'function',
          function: { name, arguments: JSON.stringify(input) },
        }));
        const finish_reason = stop === 'stop' && calls.length > 0 ? 'tool_calls' : stop;
        const frame = { id: 'chatcmpl-7', model: 'some-model' };
        const delta = (made: object) => ({ ...frame, choices: [{ index: 0, delta: made }] });
        const chunks = [
          delta({ role: 'assistant', content: '' }),
          ...pieces(text, size).map((content) => delta({ content })),
          ...tool_calls.flatMap(({ function: called, ...call }, index) => [
            delta({ tool_calls: [{ index, ...call, function: { ...called, arguments: '' } }] }),
            ...pieces(called.arguments, size).map((piece) =>
              delta({ tool_calls: [{ index, function: { arguments: piece } }] }),
            ),
          ]),
          { ...frame, choices: [{ index: 0, delta: {}, finish_reason }] },
          { ...frame, choices: [], usage },
        ];
        const whole = completionToMessage({
          ...frame,
          choices: [
            { index: 0, message: { role: 'assistant', content: text, tool_calls }, finish_reason },
          ],
          usage,
        });

        const translator = new ChunksToEvents();
        const events = chunks.flatMap((chunk) => translator.read(chunk));

        const joined = await joinEvents([...events, ...translator.end()]);
        expect(joined).toMatchObject(whole);
      }),
      runsOf(100),
    );
  });

  test('come with the first chunk, and a refusal is a text of its own', () => {
    const translator = new ChunksToEvents();
    const chunk = (delta: object) => ({ id: 'x', choices: [{ index: 0, delta }] });

    expect(translator.read(chunk({ content: 'No' })).map(({ type }) => type)).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
    ]);
    expect(translator.read(chunk({ refusal: 'I will not.' })).map(({ type }) => type)).toEqual([
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
    ]);
    expect(translator.end().map(parsed)).toMatchObject([
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'refusal' } },
      { type: 'message_stop' },
    ]);
  });

  test('of the first choice alone, whatever else comes', () => {
    const translator = new ChunksToEvents();
    translator.read({ id: 'x', choices: [{ index: 0, delta: { content: 'a' } }] });

    expect(translator.read({ choices: [{ index: 1, delta: { content: 'b' } }] })).toEqual([]);
    expect(translator.read({ choices: 'none', usage: 'much' })).toEqual([]);
  });

  test('go to the block of their call, also where calls come by turns', () => {
    const translator = new ChunksToEvents();
    const chunk = (index: number, id: string | undefined, piece: string) => ({
      choices: [
        { index: 0, delta: { tool_calls: [{ index, id, function: { arguments: piece } }] } },
      ],
    });
    translator.read(chunk(0, 'a', '{'));
    translator.read(chunk(1, 'b', '{'));

    const [event] = translator.read(chunk(0, undefined, '}'));
    expect(event && parsed(event)).toMatchObject({ type: 'content_block_delta', index: 0 });
  });
});

describe('events as chunks', () => {
  test('join to the completion that the joined events are translated to', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async ({ text, calls, size, stop, prompt, cached, said }) => {
        const usage = {
          input_tokens: prompt,
          cache_read_input_tokens: cached,
          cache_creation_input_tokens: 0,
          output_tokens: said,
        };
        const blocks: Data[] = [
          ...(text === '' ? [] : [{ type: 'text', text }]),
          ...calls.map((call, index) => ({ type: 'tool_use', id: `toolu_${index}`, ...call })),
        ];
        const stop_reason =
          stop === 'length' ? 'max_tokens' : calls.length > 0 ? 'tool_use' : 'end_turn';
        const frame = { id: 'msg_7', type: 'message', role: 'assistant', model: 'some-model' };
        const events = [
          { type: 'message_start', message: { ...frame, content: [], usage } },
          ...blocks.flatMap((block, index) => {
            const isText = block.type === 'text';
            const whole = isText ? block.text : JSON.stringify(block.input);
            const told = !isText && whole === '{}' ? '' : whole;
            return [
              {
                type: 'content_block_start',
                index,
                content_block: isText ? { ...block, text: '' } : { ...block, input: {} },
              },
              ...['', ...pieces(told, size)].map((piece) => ({
                type: 'content_block_delta',
                index,
                delta: isText
                  ? { type: 'text_delta', text: piece }
                  : { type: 'input_json_delta', partial_json: piece },
              })),
              { type: 'content_block_stop', index },
            ];
          }),
          { type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: said } },
          { type: 'message_stop' },
        ];
        const created = 12;
        const whole = messageToCompletion(
          { ...frame, content: blocks, stop_reason, usage },
          { created },
        ) as Data;

        const translator = new EventsToChunks({ created, withUsage: true });
        const chunks = events.flatMap((event) => translator.read(event));

        const joined = await joinChunks([...chunks, ...translator.end(usage)]);
        const [choice] = whole.choices;
        // The package makes this of a message without a text.
        const content = choice.message.content ?? null;
        expect(joined).toMatchObject({
          ...whole,
          choices: [{ ...choice, message: { ...choice.message, content } }],
        });
      }),
      runsOf(100),
    );
  });

  test('leave out what OpenAI has no place for: thinking, tools of the server, pings', () => {
    const translator = new EventsToChunks({ created: 0, withUsage: false });
    const events = [
      { type: 'ping' },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'x' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'server_tool_use' } },
      {
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'input_json_delta', partial_json: '{}' },
      },
      { type: 'content_block_stop', index: 1 },
    ];

    expect(events.flatMap((event) => translator.read(event))).toEqual([]);
    expect(translator.end({})).toEqual([]);
  });

  test('tell of a refusal without a word by its reason', () => {
    const translator = new EventsToChunks({ created: 0, withUsage: false });
    const stop_details = { explanation: 'It is dangerous.' };

    const chunks = translator.read({
      type: 'message_delta',
      delta: { stop_reason: 'refusal', stop_details },
    });
    expect(chunks.map(parsed)).toMatchObject([
      { choices: [{ delta: { refusal: 'It is dangerous.' } }] },
      { choices: [{ delta: {}, finish_reason: 'stop' }] },
    ]);
  });
});
