/** What the answers of a batch look like together, at every instant. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { shareProviderJobApp } from '../../engine/provider-jobs/support.ts';
import { textOf } from '../../engine/worker/support.ts';
import { type App, startApp } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import {
  completion,
  refusal,
  type StubProvider,
  type StubReply,
} from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import { type Data, submitTexts, untilEnded } from './support.ts';

const sums = `labels(first: 500) { label count share } confidence(bins: 10) { from to count } medianConfidence
  timeline(points: 500) { at seconds succeeded failed costUsd }`;

async function read(api: Pick<App, 'graphql'>, id: string, fields = sums): Promise<Data> {
  const { data, errors } = await api.graphql(
    `query($id: ID!) { batch(id: $id) { status counts { succeeded failed } ${fields} } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return (data as Data).batch;
}

const sumOf = (entries: Data[], name: string) =>
  entries.reduce((sum, entry) => sum + entry[name], 0);

/** Holds the sums of a label batch without multiLabel to its counts. */
function expectToAddUp({ counts, labels, timeline }: Data): void {
  expect(sumOf(labels, 'count')).toBe(counts.succeeded);
  expect(sumOf(timeline, 'succeeded')).toBe(counts.succeeded);
  expect(sumOf(timeline, 'failed')).toBe(counts.failed);
}

const byLabel = (labels: Data[]) => Object.fromEntries(labels.map((one) => [one.label, one.count]));

/** What waits for `opened` goes on once it is open. */
function createGate() {
  let open = () => undefined as unknown;
  const opened = new Promise<void>((resolve) => {
    open = () => resolve();
  });
  return { opened, open: () => void open() };
}

describe('of a scripted provider', () => {
  let app: App;
  let stub: StubProvider;
  beforeAll(async () => {
    ({ app, stub } = await startStubApp(() => ({
      PRICES: JSON.stringify({ 'stub/base': { input: 1_000, output: 2_000 } }),
    })));
  });
  afterAll(() => app.stop());

  const rowOf = (body: unknown) => Number(/row (\d+)/.exec(textOf(body))?.[1]);
  const rows = (count: number) => Array.from({ length: count }, (_, index) => `row ${index}`);
  const replyByRow = (reply: (row: number) => StubReply) =>
    stub.reply(({ body }) => reply(rowOf(body)));
  const answer = (content: object) => ({ body: completion(JSON.stringify(content)) });
  const labelled = (row: number) =>
    answer({ label: row % 4 === 0 ? 'complaint' : 'praise', confidence: (row % 10) / 10 });
  const refused = refusal(400, { type: 'invalid_request_error', message: 'not this row' });

  async function ended(texts: readonly string[], input: object = {}): Promise<string> {
    const id = await submitTexts(app, texts, { ...input });
    await untilEnded(app, id);
    return id;
  }

  beforeEach(() => replyByRow(labelled));

  it('counts labels and confidences, the most frequent label first', async () => {
    const id = await ended(rows(40));

    const batch = await read(app, id);

    expect(batch.labels).toEqual([
      { label: 'praise', count: 30, share: 0.75 },
      { label: 'complaint', count: 10, share: 0.25 },
    ]);
    expect(batch.confidence).toEqual(
      Array.from({ length: 10 }, (_, bin) => ({
        from: bin / 10,
        to: (bin + 1) / 10,
        count: 4,
      })),
    );
    expect(batch.medianConfidence).toBe(0.5);
    expectToAddUp(batch);
    expect(sumOf(batch.timeline, 'costUsd')).toBeCloseTo(40 * 0.02);
    expect((await read(app, id, 'labels(first: 1) { label }')).labels).toEqual([
      { label: 'praise' },
    ]);
  });

  it('adds up to the counts at every instant while the batch runs', async () => {
    const gates = Array.from({ length: 5 }, createGate);
    replyByRow((row) => {
      const reply = row % 7 === 3 ? refused : labelled(row);
      const gate = gates[Math.floor(row / 20)];
      return gate ? { ...reply, after: gate.opened } : reply;
    });
    const id = await submitTexts(app, rows(100));
    expect(await read(app, id)).toMatchObject({
      labels: [],
      confidence: [],
      medianConfidence: null,
      timeline: [],
    });

    const seen = new Set<number>();
    for (const [at, gate] of gates.entries()) {
      gate.open();
      await until(
        async () => {
          const both = await Promise.all([read(app, id), read(app, id)]);
          for (const batch of both) {
            expectToAddUp(batch);
            seen.add(batch.counts.succeeded);
          }
          const { succeeded, failed } = both[0].counts;
          return succeeded + failed === (at + 1) * 20;
        },
        { deadlineMs: 10_000, what: `the answers of ${(at + 1) * 20} rows` },
      );
    }

    expect(seen.size).toBeGreaterThanOrEqual(5);
    await untilEnded(app, id);
    const batch = await read(app, id);
    expectToAddUp(batch);
    expect(batch.counts).toEqual({ succeeded: 86, failed: 14 });
  });

  it('adds up after a retry, and counts an answer where the latest one was recorded', async () => {
    replyByRow((row) => (row < 10 ? refused : labelled(row)));
    const id = await ended(rows(40));
    const before = await read(app, id);
    expectToAddUp(before);
    expect(before.counts).toEqual({ succeeded: 30, failed: 10 });
    replyByRow((row) => (row < 5 ? refused : labelled(row)));

    await app.graphql('mutation($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });
    expectToAddUp(await read(app, id));
    await untilEnded(app, id);

    const after = await read(app, id);
    expectToAddUp(after);
    expect(after.counts).toEqual({ succeeded: 35, failed: 5 });
  });

  it('counts answers that name no label under null', async () => {
    replyByRow((row) => (row < 3 ? answer({ label: null, confidence: 0.9 }) : labelled(row)));
    const operation = { label: { categories: ['praise', 'complaint'], allowNone: true } };

    const { labels } = await read(app, await ended(rows(10), { operation }));

    expect(byLabel(labels)).toEqual({ praise: 5, complaint: 2, null: 3 });
  });

  it('counts an item for each of its labels with multiLabel', async () => {
    replyByRow((row) => {
      const labels = row < 2 ? [] : row < 5 ? ['complaint', 'praise'] : ['praise'];
      return answer({ labels, confidence: 0.7 });
    });
    const operation = { label: { categories: ['praise', 'complaint'], multiLabel: true } };

    const batch = await read(app, await ended(rows(10), { operation }));

    expect(batch.labels).toEqual([
      { label: 'praise', count: 8, share: 0.8 },
      { label: 'complaint', count: 3, share: 0.3 },
      { label: null, count: 2, share: 0.2 },
    ]);
    expect(batch.medianConfidence).toBe(0.7);
  });

  it('counts the fields of enrich whose values are a closed list', async () => {
    replyByRow((row) =>
      answer({
        mood: row < 2 ? null : row < 5 ? 'bad' : 'good',
        urgent: row < 4,
        size: row < 9 ? 'small' : 'large',
        tags: ['a'],
        note: 'a\0b',
        confidence: 0.3,
      }),
    );
    const operation = {
      enrich: {
        fields: [
          { name: 'mood', type: 'CATEGORICAL', validValues: ['good', 'bad'] },
          { name: 'urgent', type: 'BOOLEAN' },
          { name: 'size', type: 'TEXT', validValues: ['small', 'large'] },
          { name: 'tags', type: 'LIST', validValues: ['a', 'b'] },
          { name: 'note' },
          { name: 'confidence', type: 'NUMERIC' },
        ],
      },
    };
    const id = await ended(rows(10), { operation });

    const batch = await read(
      app,
      id,
      `${sums} mood: labels(field: "mood") { label count } urgent: labels(field: "urgent") { label count }
        size: labels(field: "size") { label count }`,
    );

    expect(byLabel(batch.mood)).toEqual({ good: 5, bad: 3, null: 2 });
    expect(byLabel(batch.urgent)).toEqual({ true: 4, false: 6 });
    expect(byLabel(batch.size)).toEqual({ small: 9, large: 1 });
    expect(batch).toMatchObject({ labels: [], confidence: [], medianConfidence: null });
    expect(sumOf(batch.timeline, 'succeeded')).toBe(10);
    for (const field of ['tags', 'note', 'confidence', 'unknown']) {
      const { errors } = await app.graphql(
        'query($id: ID!, $field: String) { batch(id: $id) { labels(field: $field) { label } } }',
        { id, field },
      );
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
      expect(errors?.[0]?.message).toContain('"mood", "urgent", "size"');
      expect(errors?.[0]?.extensions.issues[0].path).toBe('field');
    }
  });

  it('counts the fields of extract that the schema gives an enum', async () => {
    replyByRow((row) => answer({ kind: row < 3 ? 'a' : 'b', year: 2_000 + row, name: 'x' }));
    const operation = {
      extract: { schema: { kind: ['a', 'b'], year: 'integer', name: 'string' } },
    };
    const id = await ended(rows(10), { operation });

    const { kind } = await read(app, id, 'kind: labels(field: "kind") { label count }');

    expect(byLabel(kind)).toEqual({ a: 3, b: 7 });
  });

  it('refuses a field of an operation whose answers have none, and sizes out of bounds', async () => {
    const id = await ended(rows(2));
    const refusalOf = async (fields: string) => {
      const { errors } = await app.graphql(`query($id: ID!) { batch(id: $id) { ${fields} } }`, {
        id,
      });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
      return errors?.[0]?.extensions.issues;
    };

    expect(await refusalOf('labels(field: "label") { label }')).toEqual([
      {
        path: 'field',
        message:
          'must be absent: the answers of this batch have no field whose values are a closed list',
      },
    ]);
    for (const [fields, path] of [
      ['labels(first: 0) { label }', 'first'],
      ['labels(first: 501) { label }', 'first'],
      ['confidence(bins: 0) { to }', 'bins'],
      ['confidence(bins: 101) { to }', 'bins'],
      ['timeline(points: 0) { at }', 'points'],
      ['timeline(points: 501) { at }', 'points'],
    ] as const) {
      expect((await refusalOf(fields)).map((issue: Data) => issue.path)).toEqual([path]);
    }
  });

  it('answers for a batch whose answers are older than the column of confidences', async () => {
    const id = await ended(rows(40));
    const asStored = await read(app, id, 'confidence { from to count } medianConfidence');
    const older = await ended(rows(40));
    const db = openDatabase(app.databaseUrl, { maxConnections: 1 });
    await db.sql`
      update results set confidence = null where batch_key = (select key from batches where id = ${older})`;
    await db.close();

    const asRead = await read(app, older, 'confidence { from to count } medianConfidence');

    expect(asRead).toEqual(asStored);
  });

  it('answers alike in another process, and in one that is started later', async () => {
    const id = await ended(rows(40));
    const before = await read(app, id);
    const env = { PROVIDERS: JSON.stringify({ stub: { baseURL: stub.url } }) };
    const other = await startApp(
      { ...env, DEFAULT_MODEL: 'stub/base' },
      { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
    );

    const after = await read(other, id).finally(() => other.stop());

    expect(after).toEqual(before);
  });

  it('costs a request more than a field, so that a page of batches cannot ask for all', async () => {
    const { errors } = await app.graphql(
      `{ batches(first: 1000) { edges { node { labels(first: 500) { label count share } } } } }`,
    );

    expect(errors?.[0]?.message).toContain('must cost at most');
  });
});

describe('of identical rows and provider jobs', () => {
  let app: App;
  shareProviderJobApp((shared) => {
    app = shared;
  });

  it.each(['LIVE', 'PROVIDER_BATCH'])('%s', async (execution) => {
    const texts = Array.from({ length: 120 }, (_, index) => `text ${(index * 7) % 50}`);
    const id = await submitTexts(app, texts, { execution });
    await untilEnded(app, id);

    const batch = await read(app, id);

    expect(batch.counts.succeeded).toBe(120);
    expectToAddUp(batch);
    const db = openDatabase(app.databaseUrl, { maxConnections: 1 });
    const stored = await db.sql<{ stored: number | null; said: number | null }[]>`
      select confidence as stored, (output::json ->> 'confidence')::real as said
      from results where batch_key = (select key from batches where id = ${id})`;
    await db.close();
    expect(stored).toHaveLength(120);
    expect(stored.some(({ said }) => said !== null)).toBe(true);
    for (const one of stored) expect(one.stored).toBe(one.said);
    expect(sumOf(batch.confidence, 'count')).toBe(
      stored.filter(({ said }) => said !== null).length,
    );
  });
});
