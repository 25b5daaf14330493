import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/model.ts';
import { readServerEvents } from '../../src/model/server-events.ts';
import { maxBodyBytes } from '../../src/model/thin-fetch.ts';
import { runsOf } from '../support/random.ts';

async function read(chunks: readonly Uint8Array[]): Promise<StreamEvent[]> {
  async function* body() {
    yield* chunks;
  }
  const events: StreamEvent[] = [];
  for await (const event of readServerEvents(body())) events.push(event);
  return events;
}

const text = (...lines: string[]) => [Buffer.from(lines.join('\n'))];

test('an event ends with an empty line, and its data may have several', async () => {
  expect(await read(text('event: a', 'data: {"x":', 'data: 1}', '', 'data:2', '', ''))).toEqual([
    { type: 'a', data: '{"x": 1}' },
    { type: null, data: '2' },
  ]);
});

test('comments, other fields and events without data are left out', async () => {
  expect(
    await read(text(': hello', '', 'id: 7', 'retry: 1', 'data: 1', '', 'event: b', '')),
  ).toEqual([{ type: null, data: '1' }]);
});

test('the last event may lack its empty line, and its line break', async () => {
  expect(await read(text('data: 1', '', 'data: [DONE]'))).toEqual([
    { type: null, data: '1' },
    { type: null, data: '[DONE]' },
  ]);
});

test('it does not matter how lines end and where the body is cut', async () => {
  const sent = ['event: x', 'data: {"a":"ü 😀"}', '', ': c', 'data: 2', '', ''];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.nat(60), { maxLength: 8 }),
      async (end, cuts) => {
        const bytes = Buffer.from(sent.join(end));
        const places = [0, ...cuts.map((cut) => cut % bytes.length), bytes.length].sort(
          (a, b) => a - b,
        );
        const chunks = places.slice(1).map((place, at) => bytes.subarray(places[at], place));
        expect(await read(chunks)).toEqual([
          { type: 'x', data: '{"a":"ü 😀"}' },
          { type: null, data: '2' },
        ]);
      },
    ),
    runsOf(100),
  );
});

test('an event without an end is given up', async () => {
  const chunk = Buffer.alloc(maxBodyBytes / 2, 'x');
  const body = [Buffer.from('data: '), chunk, chunk, chunk];

  await expect(read(body)).rejects.toThrow(/longer than/);
});
