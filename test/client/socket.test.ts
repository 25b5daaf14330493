/** Subscriptions over a client of graphql-ws. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Aborted,
  NotFound,
  type Subscribe,
  Unauthenticated,
  Winnow,
} from '../../src/client/index.ts';
import { type App, startApp } from '../support/app.ts';

const key = 'the-right-key-of-ada-0123';
const authorization = `Bearer ${key}`;

let app: App;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `ada:${key}` });
});
afterAll(() => app.stop());

/** Both forms, over a socket that the app disposes of. */
const forms: [string, (params?: Record<string, unknown>) => Subscribe][] = [
  [
    'iterate',
    (params = { authorization }) => {
      const client = app.socket(params);
      return (payload) => client.iterate(payload);
    },
  ],
  [
    'subscribe',
    (params = { authorization }) => {
      const client = app.socket(params);
      return (payload, sink) => client.subscribe(payload, sink);
    },
  ],
];

describe.each(forms)('%s', (_name, subscribeBy) => {
  const winnowBy = (subscribe: Subscribe) =>
    new Winnow({ url: app.url, apiKey: key, subscribe, maxRetries: 0 });
  const submit = async (winnow: Winnow, autoStart = true) =>
    await winnow.batches.submit({ summarize: {}, source: ['One.', 'Two.'], autoStart });

  it('gives states and results', async () => {
    const batch = await submit(winnowBy(subscribeBy()));
    const indexes: number[] = [];
    for await (const { index } of batch.results()) indexes.push(index);
    await batch.done();

    expect(indexes.sort()).toEqual([0, 1]);
    expect(batch.status).toBe('completed');
  });

  it('tells of errors of GraphQL, and of a key that is refused', async () => {
    const winnow = winnowBy(subscribeBy());
    const batch = await submit(winnow);
    await batch.delete();
    await expect(batch.done()).rejects.toBeInstanceOf(NotFound);

    const other = await submit(winnowBy(subscribeBy({ authorization: 'Bearer wrong' })));
    await expect(other.done()).rejects.toBeInstanceOf(Unauthenticated);
  });

  it('ends with the signal', async () => {
    const batch = await submit(winnowBy(subscribeBy()), false);
    const controller = new AbortController();
    const states = batch.watch({ signal: controller.signal });
    await states.next();
    const ended = expect(states.next()).rejects.toBeInstanceOf(Aborted);
    controller.abort();

    await ended;
  });
});
