/**
 * The end of the server, and of batches, for those who watch: nothing looks like an end that is
 * none.
 */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { until } from '../support/until.ts';

const streams: [string, string][] = [
  ['batchProgress', 'subscription($id: ID!) { batchProgress(id: $id) { status } }'],
  ['batchResults', 'subscription($id: ID!) { batchResults(id: $id) { cursor } }'],
  ['batchesChanged', 'subscription { batchesChanged(snapshot: 1) { status } }'],
  ['batchDeleted', 'subscription { batchDeleted { deletedId } }'],
];

/** A stream of server-sent events as the bytes that came, and how it ended. */
interface Stream {
  text: string;
  end: 'open' | 'whole' | 'cut';
}

async function openStream(app: App, query: string, id: string): Promise<Stream> {
  const stream: Stream = { text: '', end: 'open' };
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query, variables: { id } }),
  });
  const read = async () => {
    const pieces = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream());
    for await (const piece of pieces) stream.text += piece;
  };
  read().then(
    () => {
      stream.end = 'whole';
    },
    () => {
      stream.end = 'cut';
    },
  );
  await until(() => stream.text !== '', { deadlineMs: 5_000, what: 'the beginning of a stream' });
  return stream;
}

/** The events of a stream, by their names and what they hold. */
function eventsOf({ text }: Stream): [string, unknown][] {
  return [...text.matchAll(/^event: (.*)\ndata: ?(.*)$/gm)].map(([, event, data]) => [
    event ?? '',
    data ? JSON.parse(data) : null,
  ]);
}

describe('an orderly end of the server', () => {
  it('cuts server-sent streams off without a completion, so that their clients come back', async () => {
    const app = await startApp();
    const id = await submitTexts(app, ['good'], { autoStart: false });
    const open = await Promise.all(streams.map(([, query]) => openStream(app, query, id)));
    const [progress, , changed] = open;
    await until(() => [progress, changed].every((one) => one?.text.includes('DRAFT')), {
      deadlineMs: 5_000,
      what: 'first events',
    });

    await app.stop();
    await until(() => open.every(({ end }) => end !== 'open'), {
      deadlineMs: 5_000,
      what: 'the ends of the streams',
    });

    expect(open.map(({ end }) => end)).toEqual(streams.map(() => 'cut'));
    for (const { text } of open) expect(text).not.toContain('event: complete');
  });

  it('closes WebSockets with 1001, without a completion, and waits for nobody who has stopped listening', async () => {
    const app = await startApp();
    const id = await submitTexts(app, ['good'], { autoStart: false });
    const [, query] = streams[0] ?? [];
    const socket = await openSocket(app);
    const messages: string[] = [];
    socket.on('message', (message) => messages.push(String(message)));
    socket.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { id } } }),
    );
    await until(() => messages.some((message) => message.includes('DRAFT')), {
      deadlineMs: 5_000,
      what: 'a first event',
    });
    const deaf = await openSocket(app);
    deaf.pause();

    const closed = once(socket, 'close');
    await app.stop();

    expect((await closed)[0]).toBe(1001);
    expect(messages.join()).not.toContain('complete');
    deaf.terminate();
  });
});

describe('a batch that is deleted', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());
  const remove = (id: string) =>
    app.graphql('mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id });

  it.each(streams.slice(0, 2))(
    'ends %s over server-sent events with NOT_FOUND',
    async (_n, query) => {
      const id = await submitTexts(app, ['good'], { autoStart: false });
      const stream = await openStream(app, query, id);

      await remove(id);
      await until(() => stream.end !== 'open', { deadlineMs: 5_000, what: 'the end' });

      const payloads = eventsOf(stream).filter(([event]) => event === 'next');
      expect(payloads.at(-1)?.[1]).toMatchObject({
        errors: [{ extensions: { code: 'NOT_FOUND' } }],
      });
    },
  );

  it.each(streams.slice(0, 2))('ends %s over a WebSocket with NOT_FOUND', async (_n, query) => {
    const id = await submitTexts(app, ['good'], { autoStart: false });
    const socket = await openSocket(app);
    const messages: Record<string, any>[] = [];
    socket.on('message', (message) => messages.push(JSON.parse(String(message))));
    socket.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { id } } }),
    );
    socket.send(
      JSON.stringify({
        id: '2',
        type: 'subscribe',
        payload: { query: streams[0]?.[1], variables: { id } },
      }),
    );
    await until(() => messages.some(({ id: of, type }) => of === '2' && type === 'next'), {
      deadlineMs: 5_000,
      what: 'a first event',
    });

    await remove(id);
    await until(() => messages.filter(({ type }) => type === 'error').length === 2, {
      deadlineMs: 5_000,
      what: 'the end',
    });

    const mine = messages.filter((message) => message.id === '1');
    expect(mine.at(-1)).toMatchObject({
      type: 'error',
      payload: [{ message: 'The batch was deleted', extensions: { code: 'NOT_FOUND' } }],
    });
    socket.close();
  });

  it('completes batchResults only where all results were there to be read', async () => {
    const id = await submitTexts(
      app,
      Array.from({ length: 1_200 }, (_, at) => `good ${at}`),
    );
    await untilEnded(app, id);
    const whole = await openStream(app, streams[1]?.[1] ?? '', id);
    await until(() => whole.end === 'whole', { deadlineMs: 5_000, what: 'the end' });

    expect(eventsOf(whole).map(([event]) => event)).toEqual(['next', 'next', 'next', 'complete']);
  });
});

async function openSocket(app: App): Promise<WebSocket> {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const acknowledged = once(socket, 'message');
  socket.send('{"type": "connection_init"}');
  await acknowledged;
  return socket;
}
