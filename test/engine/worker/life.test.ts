import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterEach(() => app.sandbox.faults.clear());
afterAll(() => app.stop());

const state = `id status completedAt counts { total pending processing succeeded failed cancelled expired }
  usage { requests } errorSummary { code count }
  items { edges { node { customId status attempts output usage { requests } } } }`;

async function submit(texts: string[], more = ''): Promise<string> {
  const { data } = await app.graphql(
    `mutation ($texts: [String!]!) { submitBatch(input: {
       operation: { label: { categories: ["positive", "negative"] } }, source: { texts: $texts } ${more}
     }) { batch { id } } }`,
    { texts },
  );
  return data?.submitBatch.batch.id;
}

async function read(id: string) {
  const { data } = await app.graphql(`query ($id: ID!) { batch(id: $id) { ${state} } }`, { id });
  return data?.batch;
}

async function ended(id: string, status: string) {
  return await app.lookAfter('batch.ended', async () => {
    const batch = await read(id);
    return batch.status === status ? batch : null;
  });
}

const retry = (id: string, args = '') =>
  app.graphql(
    `mutation ($id: ID!) { retryBatch(id: $id ${args}) { retriedItems batch { ${state} } } }`,
    { id },
  );

/** Requests about this text are refused by the model. */
function refuse(text: string): void {
  app.sandbox.faults.add({
    fault: { kind: 'refusal' },
    when: (request) => request.text.includes(text),
  });
}

it('a retry asks again what failed and nothing else; its counts add up, and what was paid stays', async () => {
  refuse('odd');
  const id = await submit(['good', 'odd one', 'bad', 'odd two']);
  const before = await ended(id, 'COMPLETED');
  expect(before.counts).toMatchObject({ succeeded: 2, failed: 2 });
  app.sandbox.faults.clear();
  const sentBefore = app.sandbox.requests.count;

  const { data } = await retry(id);
  const after = await ended(id, 'COMPLETED');

  const counts = data?.retryBatch.batch.counts;
  expect(data?.retryBatch.retriedItems).toBe(2);
  expect(counts.pending + counts.processing + counts.succeeded + counts.failed).toBe(counts.total);
  expect(app.sandbox.requests.count - sentBefore).toBe(2);
  expect(after.counts).toMatchObject({ total: 4, succeeded: 4, failed: 0 });
  expect(after.errorSummary).toEqual([]);
  expect(after.usage.requests).toBe(6);
  expect(after.items.edges.map(({ node }: any) => node.usage.requests)).toEqual([1, 2, 1, 2]);
});

it('a retry by custom id or by error code takes those alone; one of nothing changes nothing', async () => {
  refuse('odd');
  const id = await submit(['odd one', 'good', 'odd two']);
  await ended(id, 'COMPLETED');
  app.sandbox.faults.clear();

  const byCode = await retry(id, ', errorCodes: [TIMEOUT]');
  const byId = await retry(id, ', customIds: ["2", "1", "nobody"]');
  const after = await ended(id, 'COMPLETED');

  expect(byCode.data?.retryBatch).toMatchObject({
    retriedItems: 0,
    batch: { status: 'COMPLETED' },
  });
  expect(byId.data?.retryBatch.retriedItems).toBe(1);
  expect(after.items.edges.map(({ node }: any) => node.status)).toEqual([
    'FAILED',
    'SUCCEEDED',
    'SUCCEEDED',
  ]);
  expect(after.errorSummary).toEqual([{ code: 'REFUSED', count: 1 }]);
});

it('cancelled and expired items, and those of a stopped batch, are asked again', async () => {
  const cancelled = await submit(['good', 'bad'], ', autoStart: false');
  await app.graphql('mutation ($id: ID!) { cancelBatch(id: $id) { batch { id } } }', {
    id: cancelled,
  });
  await ended(cancelled, 'CANCELLED');
  app.sandbox.faults.add({ fault: { kind: 'status', status: 401, code: 'invalid_api_key' } });
  const stopped = await submit(['good', 'bad']);
  const failed = await ended(stopped, 'FAILED');
  expect(failed.counts).toMatchObject({ pending: 2 });
  app.sandbox.faults.clear();

  const first = await retry(cancelled);
  const second = await retry(stopped);

  expect(first.data?.retryBatch.retriedItems).toBe(2);
  expect(second.data?.retryBatch.retriedItems).toBe(2);
  expect((await ended(cancelled, 'COMPLETED')).counts.succeeded).toBe(2);
  expect((await ended(stopped, 'COMPLETED')).counts.succeeded).toBe(2);
});

it('a batch of which some items were left cancelled is CANCELLED again, whatever else was answered', async () => {
  const id = await submit(['good', 'bad', 'fine'], ', autoStart: false');
  await app.graphql('mutation ($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
  await ended(id, 'CANCELLED');

  const { data } = await retry(id, ', customIds: ["1"]');

  expect(data?.retryBatch.retriedItems).toBe(1);
  expect((await ended(id, 'CANCELLED')).counts).toMatchObject({ succeeded: 1, cancelled: 2 });
});

it('a deleted batch is unknown at once, its calls are aborted, and its rows go', async () => {
  app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const id = await submit(['good', 'bad'], ', idempotencyKey: "once"');
  await app.sandbox.until(({ inFlight }) => inFlight === 2);

  const deleted = await app.graphql('mutation ($id: ID!) { deleteBatch(id: $id) { deletedId } }', {
    id,
  });
  await app.sandbox.until(({ inFlight }) => inFlight === 0);

  expect(deleted.data?.deleteBatch).toEqual({ deletedId: id });
  expect(await read(id)).toBeNull();
  expect((await fetch(`${app.url}/batches/${id}/output`)).status).toBe(404);
  const again = await app.graphql('mutation ($id: ID!) { deleteBatch(id: $id) { deletedId } }', {
    id,
  });
  expect(again.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  app.sandbox.faults.clear();
  const db = openDatabase(app.databaseUrl, { maxConnections: 1 });
  try {
    await until(
      async () => {
        const [left] = await db.sql<{ batches: number; rows: number }[]>`
          select (select count(*)::int from batches where id = ${id}) as batches,
                 (select count(*)::int from rows r left join files f on f.key = r.file_key where f.key is null
                    or f.deleted_at is not null) as rows`;
        return left?.batches === 0 && left.rows === 0;
      },
      { deadlineMs: 15_000, what: 'the purge' },
    );
  } finally {
    await db.close();
  }
  expect(await submit(['good'], ', idempotencyKey: "once"')).not.toBe(id);
});
