/**
 * Which events a subscriber gets: none twice, deletions too, and the latest batches first where it
 * asks for them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { type Events, post, submitTexts, subscribe, subscribeSse, untilEnded } from './support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const benKey = 'ben-key-0123456789abcdefghij';
const anna = { authorization: `Bearer ${annaKey}` };
const ben = { authorization: `Bearer ${benKey}` };
const state = 'id status counts { pending processing succeeded }';

let app: App;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `anna:${annaKey},ben:${benKey}` });
});
afterAll(() => app.stop());

const roads: [string, (query: string, variables?: Record<string, unknown>) => Events][] = [
  [
    'WebSocket',
    (query, variables) =>
      subscribe(app.socket({ Authorization: `Bearer ${annaKey}` }), query, variables),
  ],
  ['server-sent events', (query, variables) => subscribeSse(app, query, variables, anna)],
];
const submit = (input: Record<string, unknown> = {}) =>
  submitTexts(app, ['good'], { headers: anna, ...input });
const start = (id: string) =>
  app.graphql('mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id }, anna);
const remove = (id: string, headers = anna) =>
  app.graphql('mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id }, headers);

function expectNoneTwice(states: readonly object[]): void {
  const texts = states.map((one) => JSON.stringify(one));
  expect(new Set(texts).size).toBe(texts.length);
}

describe.each(roads)('over %s', (_road, watch) => {
  it('batchProgress tells each state once, the first too, whoever else begins to watch', async () => {
    const id = await submit({ autoStart: false });
    const query = `subscription($id: ID!) { batchProgress(id: $id) { ${state} } }`;
    const one = watch(query, { id });
    await until(() => one.all.length > 0, { deadlineMs: 5_000, what: 'the first event' });
    const another = watch(query, { id });
    await until(() => another.all.length > 0, { deadlineMs: 5_000, what: 'the first event' });
    // Another batch, told later: by then what would be told twice has been.
    const marker = watch('subscription { batchesChanged { id } }');
    await untilTold(marker);

    await start(id);

    for (const events of [one, another]) {
      const states = (await events.ended()).map(({ batchProgress }) => batchProgress);
      expectNoneTwice(states);
      expect(states[0]).toMatchObject({ status: 'DRAFT' });
      expect(states.at(-1)).toMatchObject({ status: 'COMPLETED' });
    }
    marker.stop();
  });

  it('batchesChanged tells each state once, and nothing because somebody looks at a batch', async () => {
    const changed = watch(`subscription { batchesChanged { ${state} } }`);
    await untilTold(changed);
    const draft = await submit({ autoStart: false });
    await until(() => changed.all.some(({ batchesChanged }) => batchesChanged.id === draft), {
      deadlineMs: 5_000,
      what: 'the draft',
    });
    const told = () => changed.all.filter(({ batchesChanged }) => batchesChanged.id === draft);

    for (let looks = 0; looks < 3; looks += 1) {
      const look = watch('subscription($id: ID!) { batchProgress(id: $id) { id } }', { id: draft });
      await until(() => look.all.length > 0, { deadlineMs: 5_000, what: 'a look' });
      await untilTold(changed);
      look.stop();
    }

    expect(told()).toHaveLength(1);
    expectNoneTwice(changed.all);
    changed.stop();
  });

  it('batchDeleted tells the owner which batches go', async () => {
    const ids = [await submit(), await submit({ autoStart: false })];
    await untilEnded(app, ids[0] ?? '', anna);
    const ofBen = await submitTexts(app, ['x'], { headers: ben });
    const deleted = watch('subscription { batchDeleted { deletedId } }');
    await until(
      async () => {
        await remove(await submit({ autoStart: false }));
        return deleted.all.length > 0;
      },
      { deadlineMs: 5_000, what: 'the subscription to stand' },
    );

    await remove(ofBen, ben);
    for (const id of ids) await remove(id);
    await until(() => deleted.all.at(-1)?.batchDeleted.deletedId === ids[1], {
      deadlineMs: 5_000,
      what: 'the last one',
    });

    const told = deleted.all.map(({ batchDeleted }) => batchDeleted.deletedId);
    expect(told.slice(-2)).toEqual(ids);
    expect(told).not.toContain(ofBen);
    expect(deleted.done).toBe(false);
    deleted.stop();
  });

  it('batchesChanged begins with the latest batches where it is asked to, newest first, and each once', async () => {
    const name = `first ${Math.random()}`;
    const ids: string[] = [];
    for (let at = 0; at < 4; at += 1) ids.push(await submit({ autoStart: false, name }));
    await submit({ autoStart: false, name: 'not wanted' });

    const changed = watch(
      `subscription($name: String!) { batchesChanged(snapshot: 3, filter: { name: $name }) { ${state} } }`,
      { name },
    );
    await until(() => changed.all.length === 3, { deadlineMs: 5_000, what: 'the snapshot' });
    await start(ids[3] ?? '');
    await until(() => changed.all.at(-1)?.batchesChanged.status === 'COMPLETED', {
      deadlineMs: 5_000,
      what: 'a change',
    });

    const told = changed.all.map(({ batchesChanged }) => batchesChanged);
    expect(told.slice(0, 3).map(({ id }) => id)).toEqual([ids[3], ids[2], ids[1]]);
    expect(told.slice(3).map(({ id }) => id)).not.toContain(ids[2]);
    expectNoneTwice(told);
    changed.stop();
  });
});

it('batchProgress tells when a batch begins to wait for its provider', async () => {
  const undo = app.sandbox.faults.add({ fault: { kind: 'status', status: 503 } });
  const texts = Array.from({ length: 100 }, (_, at) => `good ${at}`);
  const id = await submitTexts(app, texts, { headers: anna });
  const events = subscribeSse(
    app,
    'subscription($id: ID!) { batchProgress(id: $id) { status waiting { reason } } }',
    { id },
    anna,
  );

  await until(() => events.all.some(({ batchProgress }) => batchProgress.waiting), {
    deadlineMs: 15_000,
    what: 'a word on why',
  });
  undo();

  expect(events.all.at(-1)?.batchProgress.waiting.reason).toContain('503');
  events.stop();
});

it('a snapshot is 0 to 100 batches', async () => {
  for (const snapshot of [-1, 101]) {
    const events = subscribeSse(
      app,
      'subscription($snapshot: Int) { batchesChanged(snapshot: $snapshot) { id } }',
      { snapshot },
      anna,
    );
    await events.ended();
    expect(events.errors[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: 'snapshot' }],
    });
  }
});

it('a deletion is told by every process of the database', async () => {
  const other = await startApp(
    { API_KEYS: `anna:${annaKey}`, ROLE: 'api' },
    { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
  );
  try {
    const deleted = subscribeSse(other, 'subscription { batchDeleted { deletedId } }', {}, anna);
    const ids: string[] = [];
    await until(
      async () => {
        ids.push(await submit({ autoStart: false }));
        await post(
          app,
          { query: `mutation { deleteBatch(id: "${ids.at(-1)}") { deletedId } }` },
          anna,
        );
        return deleted.all.length > 0;
      },
      { deadlineMs: 10_000, what: 'a deletion' },
    );

    expect(ids).toContain(deleted.all[0]?.batchDeleted.deletedId);
    deleted.stop();
  } finally {
    await other.stop();
  }
});

/** Submits drafts until one of them is told: what was to be told before has been. */
async function untilTold(events: Events): Promise<void> {
  const ids: unknown[] = [];
  await until(
    async () => {
      ids.push(await submit({ autoStart: false, name: 'probe' }));
      return events.all.some(({ batchesChanged }) => ids.includes(batchesChanged.id));
    },
    { deadlineMs: 5_000, what: 'a first event' },
  );
}
