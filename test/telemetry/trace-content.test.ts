/** Prompts and answers on a span are bounded, however long they are. */
import { expect, it } from 'vitest';
import { contentOf } from '../../src/telemetry/traces/content.ts';

type Messages = { role: string; parts: { content: string }[] }[];
const read = (value: unknown) => JSON.parse(String(value)) as Messages;
const lengthsOf = (messages: Messages) => messages.map(({ parts }) => parts[0]?.content.length);

it('a span has at most 65,536 characters: the answer, then the last messages', () => {
  const messages = Array.from({ length: 40 }, (_, at) => ({
    role: 'x'.repeat(100_000),
    content: `${at}`.padEnd(20_000, '.'),
  }));

  const content = contentOf({ body: { messages } }, { text: 'y'.repeat(10_000) });

  const asked = read(content['gen_ai.input.messages']);
  expect(lengthsOf(asked)).toEqual([6_384, 16_384, 16_384, 16_384]);
  expect(asked.map(({ parts }) => parts[0]?.content.slice(0, 2))).toEqual(['36', '37', '38', '39']);
  expect(asked.every(({ role }) => role.length === 40)).toBe(true);
  expect(lengthsOf(read(content['gen_ai.output.messages']))).toEqual([10_000]);
});
