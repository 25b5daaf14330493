/** Answers in pieces, of providers that keep to their protocol and of others. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createGate } from '../../src/model/limits/gate.ts';
import type { Permit } from '../../src/model/limits/permit.ts';
import type { Model, StreamEvent } from '../../src/model/model.ts';
import { ModelError } from '../../src/model/model-error.ts';
import type { BodyRequest } from '../../src/model/request.ts';
import { type StubProvider, type StubReply, startStubProvider } from '../support/stub-provider.ts';
import { modelOf } from './support.ts';

let stub: StubProvider;
beforeAll(async () => {
  stub = await startStubProvider();
});
afterAll(() => stub.close());

const request: BodyRequest = { body: { messages: [{ role: 'user', content: 'Hi' }] } };

const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`;
const usage = { prompt_tokens: 7, completion_tokens: 3 };

function streamed(...events: string[]): StubReply {
  return { headers: { 'content-type': 'text/event-stream' }, body: events.join('') };
}

function permitOf(): Permit {
  const permit = createGate({ maxConcurrency: 1 }).tryEnter();
  if (!permit) throw new Error('a new gate is open');
  return permit;
}

async function read(
  model: Model,
  { permit = permitOf(), signal = new AbortController().signal } = {},
): Promise<StreamEvent[]> {
  const { events } = await model.stream(request, { signal, permit });
  const all: StreamEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (error instanceof ModelError) return error;
  throw new Error('not a ModelError', { cause: error });
}

test('events are passed on as they came, and usage is counted and hidden', async () => {
  const { model } = modelOf(stub.url);
  const permit = permitOf();
  const settle = vi.spyOn(permit, 'settle');
  stub.reply(
    streamed(
      chunk({ content: 'Hi' }, null, { odd: 1.5e3 }),
      chunk({}, 'stop'),
      `data: ${JSON.stringify({ choices: [], usage })}\n\n`,
      'data: [DONE]\n\n',
    ),
  );

  const events = await read(model, { permit });
  expect(events.map(({ data }) => `data: ${data}\n\n`)).toEqual([
    chunk({ content: 'Hi' }, null, { odd: 1.5e3 }),
    chunk({}, 'stop'),
  ]);
  expect(settle).toHaveBeenCalledWith(10);
  expect(stub.requests.at(-1)?.body).toMatchObject({
    stream: true,
    stream_options: { include_usage: true },
  });
});

test('a stream that ends behind its last chunk is whole, without a word', async () => {
  const { model } = modelOf(stub.url);
  stub.reply(streamed(chunk({ content: 'Hi' }), chunk({}, 'stop')));

  expect(await read(model)).toHaveLength(2);
});

test.each([
  ['ends too early', streamed(chunk({ content: 'Hi' })), /broke off/],
  ['is empty', streamed(), /broke off/],
  ['is HTML', { headers: { 'content-type': 'text/html' }, body: '<html>' }, /broke off/],
  ['is not JSON', streamed('data: {"a\n\n'), /not JSON/],
  ['came whole', {}, /without a stream/],
  ['holds an error', streamed('data: {"error": {"message": "Busy."}}\n\n'), /Busy/],
  ['is an error with status 200', { body: { error: { message: 'Busy.' } } }, /Busy/],
])('an answer that %s is the provider’s failure', async (_name, reply: StubReply, message) => {
  const { model } = modelOf(stub.url);
  stub.reply(reply);

  const error = await failureOf(read(model));
  expect(error.failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR' });
  expect(error.message).toMatch(message);
});

test('an error behind the beginning of an answer may be billed, one in its place is not', async () => {
  const { model } = modelOf(stub.url);
  const error = 'data: {"error": {"message": "Busy."}}\n\n';

  stub.reply(streamed(chunk({ content: 'Hi' }), error));
  const behind = await failureOf(read(model));
  stub.reply(streamed(error));
  const before = await failureOf(read(model));

  expect([behind.isFree, before.isFree]).toEqual([false, true]);
  expect(behind.failure).toEqual(before.failure);
  expect(behind.message).toBe(before.message);
});

test.each(['headers', 'body'] as const)(
  'a provider that says nothing more is given up (in the %s)',
  async (fault) => {
    const { model } = modelOf(stub.url, { timeoutMs: 150 });
    stub.reply({ ...streamed(chunk({ content: 'Hi' }), chunk({}, 'stop')), fault });

    expect((await failureOf(read(model))).failure.code).toBe('TIMEOUT');
  },
);

test('a caller that leaves ends the call', async () => {
  const { model } = modelOf(stub.url);
  const caller = new AbortController();
  stub.reply({ ...streamed(chunk({ content: 'Hi' }), chunk({}, 'stop')), fault: 'body' });
  const before = stub.requests.length;
  const left = read(model, { signal: caller.signal });
  await stub.received(before + 1);

  caller.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  await stub.requests.at(-1)?.closed;
});

test('connections are used again', async () => {
  const { model } = modelOf(stub.url);
  stub.reply(streamed(chunk({}, 'stop'), 'data: [DONE]\n\n'));
  const before = stub.acceptedSockets;

  for (let call = 0; call < 8; call += 1) await read(model);
  expect(stub.acceptedSockets - before).toBeLessThan(8);
});
