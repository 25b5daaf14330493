/** What one request may take counts for each event of a subscription, not for all that come. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { type Events, post, subscribe, subscribeSse, untilEnded } from './support.ts';

const rowBytes = 3_000_000;
const rows = 3;
/** So often is each text asked for: with that they are more than one request is sent. */
const texts = ['a', 'b', 'c', 'd'];

let app: App;
/** A batch over large texts that has ended. */
let batch: string;

beforeAll(async () => {
  app = await startApp();
  const response = await fetch(`${app.url}/files?name=large.jsonl`, {
    method: 'POST',
    body: Array.from({ length: rows }, (_, index) =>
      JSON.stringify({ content: `good ${index} ${'x'.repeat(rowBytes)}` }),
    ).join('\n'),
  });
  const { id } = (await response.json()) as { id: string };
  const { data } = await app.graphql(
    `mutation($fileId: ID!) { submitBatch(input: {
       operation: {label: {categories: ["good", "bad"]}}, source: {fileId: $fileId}
     }) { batch { id } } }`,
    { fileId: id },
  );
  batch = data?.submitBatch.batch.id;
  await untilEnded(app, batch);
});
afterAll(() => app.stop());

const roads: [string, (query: string, variables?: Record<string, unknown>) => Events][] = [
  ['WebSocket', (query, variables) => subscribe(app.socket(), query, variables)],
  ['server-sent events', (query, variables) => subscribeSse(app, query, variables)],
];

describe.each(roads)('over %s', (_road, watch) => {
  it('batchResults gives all texts, however many bytes they have together', async () => {
    const contents = texts.map((name) => `${name}: content`).join(' ');
    const events = watch(
      `subscription($id: ID!) { batchResults(id: $id) { items { index ${contents} } } }`,
      { id: batch },
    );

    const items = (await events.ended()).flatMap(({ batchResults }) => batchResults.items);

    expect(events.errors).toEqual([]);
    expect(items.map(({ index }) => index).sort()).toEqual([...Array(rows).keys()]);
    for (const item of items) {
      for (const name of texts) expect(item[name].length).toBeGreaterThan(rowBytes);
    }
  });

  it('an event that read much keeps no other request waiting', async () => {
    const page = 'items(first: 1) { edges { node { content } } }';
    const events = watch(`subscription { batchesChanged(snapshot: 1) { ${page} } }`);
    await until(() => events.all.length > 0, { deadlineMs: 30_000, what: 'the first event' });

    const { body } = await post(app, { query: `{ batch(id: "${batch}") { ${page} } }` });

    expect(body.data?.batch.items.edges).toHaveLength(1);
    events.stop();
  });
});
