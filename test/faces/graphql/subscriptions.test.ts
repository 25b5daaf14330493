import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import {
  type Data,
  type Events,
  finalStatuses,
  submitTexts,
  subscribe,
  subscribeSse,
  untilEnded,
} from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());
afterEach(() => app.sandbox.faults.clear());

const counts = 'counts { total pending processing succeeded failed cancelled expired }';
const progressQuery = `subscription($id: ID!) { batchProgress(id: $id) { id status progress ${counts} } }`;
const resultsQuery =
  'subscription($id: ID!, $after: String) { batchResults(id: $id, after: $after) { cursor items { index status output error { code } } } }';
const changedQuery = `subscription($filter: BatchFilter) { batchesChanged(filter: $filter) { id status progress ${counts} } }`;

const texts = (size: number) => Array.from({ length: size }, (_, index) => `good thing ${index}`);

const roads: [string, (query: string, variables?: Record<string, unknown>) => Events][] = [
  ['WebSocket', (query, variables) => subscribe(app.socket(), query, variables)],
  ['server-sent events', (query, variables) => subscribeSse(app, query, variables)],
];

function expectAddsUp({ counts: { total, ...parts } }: Data): void {
  expect(Object.values(parts).reduce((sum: number, part) => sum + (part as number), 0)).toBe(total);
}

function expectRising(values: number[]): void {
  expect(values).toEqual([...values].sort((a, b) => a - b));
}

describe.each(roads)('over %s', (_road, watch) => {
  it('batchProgress tells the state now, every change, and the final state last; then it completes', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 40 } });
    const id = await submitTexts(app, texts(200), { autoStart: false });
    const events = watch(progressQuery, { id });
    await until(() => events.all.length > 0, { deadlineMs: 5_000, what: 'the first event' });

    await app.graphql('mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
    const states = (await events.ended()).map(({ batchProgress }) => batchProgress);

    expect(events.errors).toEqual([]);
    expect(states[0]).toMatchObject({ id, status: 'DRAFT', progress: 0 });
    expect(states.length).toBeGreaterThan(2);
    for (const state of states) expectAddsUp(state);
    expectRising(states.map(({ progress }) => progress));
    expect(states.at(-1)).toMatchObject({
      status: 'COMPLETED',
      progress: 1,
      counts: { total: 200, succeeded: 200 },
    });
    expect(states.filter(({ status }) => finalStatuses.includes(status))).toHaveLength(1);
  });

  it('a batch that has ended is told once', async () => {
    const id = await submitTexts(app, texts(3));
    await untilEnded(app, id);

    const events = watch(progressQuery, { id });

    expect(await events.ended()).toMatchObject([{ batchProgress: { status: 'COMPLETED' } }]);
  });

  it('whoever comes late starts with the state as it is', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 60 } });
    const id = await submitTexts(app, texts(250));
    const first = watch(progressQuery, { id });
    await until(() => first.all.some(({ batchProgress }) => batchProgress.progress > 0.2), {
      deadlineMs: 10_000,
      what: 'a fifth of the batch',
    });

    const late = watch(progressQuery, { id });
    const states = (await late.ended()).map(({ batchProgress }) => batchProgress);

    expect(states[0].progress).toBeGreaterThan(0.2);
    expect(states.at(-1)).toMatchObject({ status: 'COMPLETED', progress: 1 });
    await first.ended();
  });

  it('batchResults gives every item exactly once, whenever one subscribes', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 10 } });
    app.sandbox.faults.add({ fault: { kind: 'refusal' }, every: 50 });
    const id = await submitTexts(app, texts(550));

    const early = watch(resultsQuery, { id });
    const pages = (await early.ended()).map(({ batchResults }) => batchResults);
    const late = (await watch(resultsQuery, { id }).ended()).map(
      ({ batchResults }) => batchResults,
    );

    for (const items of [pages, late].map((all) => all.flatMap((page) => page.items))) {
      expect(items.map(({ index }) => index).sort((a, b) => a - b)).toEqual([...Array(550).keys()]);
      expect(items.filter(({ status }) => status === 'FAILED')).toHaveLength(11);
      expect(items.find(({ status }) => status === 'FAILED').error).toEqual({ code: 'REFUSED' });
    }
    expect(late.length).toBeGreaterThan(1);
    expect(early.errors).toEqual([]);
  });

  it('batchResults goes on behind a cursor without loss or repeat, also after the end', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 60 } });
    const id = await submitTexts(app, texts(300));
    const seen: number[] = [];
    let after: string | undefined;
    let rounds = 0;

    for (let ended = false; !ended; rounds += 1) {
      const events = watch(resultsQuery, { id, after });
      await until(() => events.all.length > 0 || events.done, {
        deadlineMs: 10_000,
        what: 'results',
      });
      events.stop();
      const [page] = events.all;
      seen.push(...(page?.batchResults.items.map(({ index }: Data) => index) ?? []));
      after = page?.batchResults.cursor ?? after;
      ended = events.done && events.all.length === 0;
    }

    expect(rounds).toBeGreaterThan(3);
    expect(seen.toSorted((a, b) => a - b)).toEqual([...Array(300).keys()]);
  });

  it('batchesChanged tells of every batch until each has ended, and of those the filter leaves', async () => {
    const everything = watch(changedQuery);
    const named = watch(changedQuery, { filter: { name: 'WANTED', status: ['COMPLETED'] } });
    // Nothing says that a subscription stands; a batch that is told does.
    await untilTold(everything);
    await untilTold(named, { name: 'wanted probe' });

    const ids = await Promise.all([
      submitTexts(app, texts(50), { name: 'the wanted one' }),
      submitTexts(app, texts(50), { name: 'another' }),
    ]);
    const told = (events: Events, id: string) =>
      events.all.map(({ batchesChanged }) => batchesChanged).filter((batch) => batch.id === id);
    for (const id of ids) {
      await until(() => told(everything, id).at(-1)?.status === 'COMPLETED', {
        deadlineMs: 10_000,
        what: 'the end of a batch',
      });
    }
    await until(() => told(named, ids[0]).length > 0, { deadlineMs: 5_000, what: 'the named one' });

    for (const { batchesChanged } of everything.all) expectAddsUp(batchesChanged);
    for (const id of ids) expectRising(told(everything, id).map(({ progress }) => progress));
    expect(told(named, ids[0])).toMatchObject([{ status: 'COMPLETED', progress: 1 }]);
    expect(told(named, ids[1])).toEqual([]);
    expect(everything.done).toBe(false);
    everything.stop();
    named.stop();
  });

  it('unknown ids are NOT_FOUND, wrong cursors BAD_USER_INPUT, and both complete', async () => {
    for (const id of ['x', `batch_${'0'.repeat(25)}`]) {
      for (const query of [progressQuery, resultsQuery]) {
        const events = watch(query, { id });
        expect(await events.ended()).toEqual([]);
        expect(events.errors.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
      }
    }
    const events = watch(resultsQuery, { id: 'x', after: 'yesterday' });
    await events.ended();
    expect(events.errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: 'after' }],
    });
  });
});

/** Submits batches of one item until the subscription tells of one of them: then it stands. */
async function untilTold(events: Events, input: Record<string, unknown> = {}): Promise<void> {
  const ids: unknown[] = [];
  await until(
    async () => {
      ids.push(await submitTexts(app, ['probe'], input));
      return events.all.some(({ batchesChanged }) => ids.includes(batchesChanged.id));
    },
    { deadlineMs: 5_000, what: 'a first event' },
  );
}

it('a subscription that stands is cut short by a cancel: the final state comes, and the end', async () => {
  app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const id = await submitTexts(app, texts(200));
  const progress = subscribe(app.socket(), progressQuery, { id });
  const results = subscribe(app.socket(), resultsQuery, { id });
  await until(() => progress.all.some(({ batchProgress }) => batchProgress.counts.processing > 0), {
    deadlineMs: 10_000,
    what: 'items being processed',
  });

  await app.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { status } } }', { id });
  const states = (await progress.ended()).map(({ batchProgress }) => batchProgress);

  expect(states.at(-1)).toMatchObject({ status: 'CANCELLED', counts: { cancelled: 200 } });
  for (const state of states) expectAddsUp(state);
  expect(await results.ended()).toEqual([]);
});

it('a client that stops reading holds nobody up', async () => {
  const socket = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await new Promise((resolve) => socket.once('open', resolve));
  const acknowledged = new Promise((resolve) => socket.once('message', resolve));
  socket.send('{"type": "connection_init"}');
  await acknowledged;
  const id = await submitTexts(app, texts(1_500), { autoStart: false });
  for (const query of [resultsQuery, progressQuery, changedQuery]) {
    socket.send(
      JSON.stringify({ id: query, type: 'subscribe', payload: { query, variables: { id } } }),
    );
  }
  socket.pause();

  const reader = subscribe(app.socket(), resultsQuery, { id });
  await app.graphql('mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  const items = (await reader.ended()).flatMap(({ batchResults }) => batchResults.items);

  expect(items).toHaveLength(1_500);
  socket.terminate();
});

it('a broken document on a socket is its own error, and leaves the other subscriptions alone', async () => {
  const client = app.socket();
  const id = await submitTexts(app, texts(2), { autoStart: false });
  const standing = subscribe(client, progressQuery, { id });
  await until(() => standing.all.length > 0, { deadlineMs: 5_000, what: 'the first event' });

  const codes: unknown[] = [];
  for (const query of [
    '{',
    '{ nope }',
    `${'{a'.repeat(20_000)}`,
    'query A { __typename } query B { __typename }',
  ]) {
    const broken = subscribe(client, query);
    await broken.ended();
    codes.push(...broken.errors.map(({ extensions }) => extensions.code));
  }
  await app.graphql('mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });

  expect(codes).toEqual([
    'GRAPHQL_PARSE_FAILED',
    'GRAPHQL_VALIDATION_FAILED',
    'BAD_USER_INPUT',
    'BAD_REQUEST',
  ]);
  expect((await standing.ended()).at(-1)).toMatchObject({ batchProgress: { status: 'COMPLETED' } });
});

it('queries and mutations work over the socket too', async () => {
  const { data } = await new Promise<{ data?: Data | null | undefined }>((resolve, reject) => {
    app.socket().subscribe<Data>(
      {
        query:
          'mutation { label(items: [{content: "good"}], options: {categories: ["good", "bad"]}) { results { label } } }',
      },
      { next: resolve, error: reject, complete: () => undefined },
    );
  });

  expect(data).toEqual({ label: { results: [{ label: 'good' }] } });
});
