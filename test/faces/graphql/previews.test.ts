/** A preview asks some rows spread over the input, live in both lanes, and waits for a word. */
import { describe, expect, it } from 'vitest';
import { shareProviderJobApp } from '../../engine/provider-jobs/support.ts';
import { textOf, untilBatch } from '../../engine/worker/support.ts';
import type { App } from '../../support/app.ts';
import { type Data, submitTexts, untilEnded } from './support.ts';

let app: App;
shareProviderJobApp((shared) => {
  app = shared;
});

const texts = (rows: number) => Array.from({ length: rows }, (_, index) => `text ${index}`);

async function read(id: string): Promise<Data> {
  const { data, errors } = await app.graphql(
    `query($id: ID!) { batch(id: $id) {
      status previewItems pause { reason message resumesAt } usage { requests }
      counts { total pending processing succeeded failed cancelled } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return (data as Data).batch;
}

async function call(mutation: string, id: string): Promise<void> {
  const query = `mutation($id: ID!) { ${mutation}(id: $id) { batch { id } } }`;
  expect((await app.graphql(query, { id })).errors).toBeUndefined();
}

async function untilPaused(id: string): Promise<Data> {
  await untilBatch(app, id, ({ status }) => status === 'PAUSED');
  return await read(id);
}

/** The texts of a batch that were asked for live. */
const askedLive = (given: readonly string[]) => {
  const own = new Set(given);
  return app.sandbox.requests.journal
    .map(({ body }) => textOf(body))
    .filter((text) => own.has(text));
};

describe.each(['LIVE', 'PROVIDER_BATCH'])('%s', (execution) => {
  it('asks exactly so many rows, one of each part, and then none', async () => {
    const given = texts(1_000);
    const id = await submitTexts(app, given, { execution, preview: 20 });

    const batch = await untilPaused(id);
    await untilEnded(app, await submitTexts(app, ['another batch'], {}));

    expect(batch).toMatchObject({
      previewItems: 20,
      pause: { reason: 'PREVIEW', resumesAt: null },
      usage: { requests: 20 },
      counts: { total: 1_000, pending: 980, processing: 0, succeeded: 20 },
    });
    const places = askedLive(given).map((text) => given.indexOf(text));
    places.sort((a, b) => a - b);
    expect(places.map((place) => Math.floor(place / 50))).toEqual(texts(20).map((_, part) => part));
    expect(app.sandbox.batches.created).toEqual([]);
  });

  it('asks exactly the rest when it is resumed', async () => {
    const given = texts(300);
    const id = await submitTexts(app, given, { execution, preview: 30 });
    await untilPaused(id);

    await call('resumeBatch', id);
    await untilEnded(app, id);

    expect(await read(id)).toMatchObject({
      status: 'COMPLETED',
      pause: null,
      usage: { requests: 300 },
      counts: { succeeded: 300 },
    });
    const live = askedLive(given);
    expect(live).toHaveLength(execution === 'LIVE' ? 300 : 30);
    expect(new Set(live).size).toBe(live.length);
  });

  it('gives identical rows the answers of its rows at once', async () => {
    const given = texts(200).map((_, index) => `kind ${index % 50}`);
    const id = await submitTexts(app, given, { execution, preview: 20 });

    const batch = await untilPaused(id);

    expect(batch).toMatchObject({
      usage: { requests: 20 },
      counts: { succeeded: 80, pending: 120 },
    });
    await call('resumeBatch', id);
    await untilEnded(app, id);
    expect(await read(id)).toMatchObject({ usage: { requests: 50 }, counts: { succeeded: 200 } });
  });

  it('runs through where no row is left behind it', async () => {
    const given = texts(100).map((_, index) => `kind ${index % 8}`);
    const id = await submitTexts(app, given, { execution, preview: 20 });

    await untilEnded(app, id);

    expect(await read(id)).toMatchObject({ status: 'COMPLETED', usage: { requests: 8 } });
  });
});

it('begins when a draft is started', async () => {
  const id = await submitTexts(app, texts(100), { preview: 10, autoStart: false });
  await call('resumeBatch', id);
  expect(await read(id)).toMatchObject({ status: 'DRAFT', usage: { requests: 0 } });

  await call('startBatch', id);

  expect(await untilPaused(id)).toMatchObject({ usage: { requests: 10 } });
});

it('is joined by the rest when it is resumed before its end', async () => {
  const id = await submitTexts(app, texts(400), { preview: 100 });

  await call('resumeBatch', id);
  await untilEnded(app, id);

  expect(await read(id)).toMatchObject({ status: 'COMPLETED', usage: { requests: 400 } });
});

it('stays in its preview when pauseBatch was called in it, until it is resumed', async () => {
  const id = await submitTexts(app, texts(200), { preview: 50 });
  await call('pauseBatch', id);
  expect((await read(id)).status).toBe('PAUSED');

  await call('resumeBatch', id);
  await untilEnded(app, id);

  expect(await read(id)).toMatchObject({ status: 'COMPLETED', usage: { requests: 200 } });
});

it('puts failed rows back, stays paused, and asks them with the rest', async () => {
  app.sandbox.faults.add({ fault: { kind: 'refusal' }, times: 1 });
  const id = await submitTexts(app, texts(100), { preview: 10 });
  const before = await untilPaused(id);
  app.sandbox.faults.clear();

  await call('retryBatch', id);
  const after = await read(id);
  await call('resumeBatch', id);
  await untilEnded(app, id);

  expect(before.counts.failed).toBe(1);
  expect(after).toMatchObject({ status: 'PAUSED', counts: { failed: 0, pending: 91 } });
  expect((await read(id)).counts).toMatchObject({ succeeded: 100 });
});

it('is cancelled, and deleted, with all behind it', async () => {
  const cancelled = await submitTexts(app, texts(500), { preview: 10 });
  const deleted = await submitTexts(app, texts(60), { preview: 10 });
  for (const id of [cancelled, deleted]) await untilPaused(id);

  await call('cancelBatch', cancelled);
  await app.graphql('mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id: deleted });
  await untilEnded(app, cancelled);

  expect((await read(cancelled)).counts).toMatchObject({ succeeded: 10, cancelled: 490 });
  expect(await read(deleted)).toBeNull();
});

it.each([
  [9, 'must be 10 to 1,000, not 9'],
  [1_001, 'must be 10 to 1,000, not 1001'],
  [30, 'must be less than the number of items, which is 30; 30 items were asked for'],
])('is refused where it is %d of 30 rows', async (preview, message) => {
  const { errors } = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories: ['a', 'b'] } },
        source: { texts: texts(30) },
        preview,
      },
    },
  );

  expect(errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    issues: [{ path: 'input.preview', message }],
  });
});

it('is a field of an upload', async () => {
  const upload = async (preview: string) => {
    const form = new FormData();
    const fields = { operation: 'label', categories: 'praise,complaint', preview };
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new File([texts(40).join('\n')], 'rows.txt'));
    const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
    return (await response.json()) as Data;
  };

  const { batchId } = await upload('12');
  const refused = await upload('40');

  expect(await untilPaused(batchId)).toMatchObject({ usage: { requests: 12 } });
  expect(JSON.stringify(refused)).toContain('must be less than the number of items, which is 40');
});
