/** Batches: every source, their life, and what is read of them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BadUserInput,
  BatchFailed,
  BatchPaused,
  Conflict,
  type ItemsOptions,
  NotFound,
  Winnow,
} from '../../src/client/index.ts';
import { type App, startApp } from '../support/app.ts';

const categories = ['praise', 'complaint'] as const;
const texts = ['I love it', 'Worst service ever', ' '];

let app: App;
let winnow: Winnow;
beforeAll(async () => {
  app = await startApp({ OPENAI_API_KEY: 'not-used-by-drafts' });
  winnow = new Winnow({ url: app.url });
});
afterAll(() => app.stop());

async function collect<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const all: Value[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('a submit', () => {
  it.each([
    ['an array of texts', texts],
    ['an array of items', texts.map((content) => ({ content }))],
    ['texts', { texts }],
    ['items', { items: texts.map((content) => ({ content })) }],
  ])('takes %s', async (_what, source) => {
    const batch = await winnow.batches.submit({ label: { categories }, source });

    expect(batch.id).toMatch(/^batch_/);
    expect(batch.counts.total).toBe(3);
    expect(batch.operation).toBe('label');
    expect(batch.execution).toBe('live');
    expect(batch.createdAt).toBeInstanceOf(Date);
  });

  it('takes a file, as it is and by its id', async () => {
    const file = await winnow.files.upload(new Blob(['id,text\na,I love it\n']), {
      name: 'reviews.csv',
      contentField: 'text',
    });

    const first = await winnow.batches.submit({ label: { categories }, source: file, name: 'own' });
    const second = await winnow.batches.submit({
      label: { categories },
      source: { fileId: file.id },
    });

    expect([first.name, second.name]).toEqual(['own', 'reviews.csv']);
    expect(second.counts.total).toBe(1);
  });

  it('takes chat requests', async () => {
    const batch = await winnow.batches.submit({
      chat: {},
      source: { requests: [{ messages: [{ role: 'user', content: 'Hello' }] }] },
    });
    await batch.done();

    expect(batch.counts.succeeded).toBe(1);
  });

  it.each([
    ['no operation', { source: texts }, /^must have exactly one of label, .*, not 0$/],
    ['two operations', { label: { categories }, summarize: {}, source: texts }, /, not 2$/],
    ['no source', { label: { categories } }, /^source: must be a file/],
  ])('is refused with %s', async (_what, input, message) => {
    const failure = await winnow.batches.submit(input as never).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(BadUserInput);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
  });

  it('gives the same batch for the same key, and Conflict for another input', async () => {
    const idempotencyKey = 'the-key';
    const first = await winnow.batches.submit({
      label: { categories },
      source: texts,
      idempotencyKey,
    });
    const second = await winnow.batches.submit({
      label: { categories },
      source: texts,
      idempotencyKey,
    });
    const third = winnow.batches.submit({ label: { categories }, source: ['x'], idempotencyKey });

    expect(second.id).toBe(first.id);
    await expect(third).rejects.toBeInstanceOf(Conflict);
  });

  it('uploads more than 10,000 items by itself, as they are', async () => {
    const items = Array.from({ length: 10_001 }, (_, at) => ({
      content: at === 5 ? '' : `text ${at}`,
      metadata: { content: 'mine', custom_id: at },
    }));
    const batch = await winnow.batches.submit({
      summarize: {},
      source: items,
      autoStart: false,
      idempotencyKey: 'large',
    });
    const again = await winnow.batches.submit({
      summarize: {},
      source: items,
      idempotencyKey: 'large',
    });

    expect(batch.counts.total).toBe(10_001);
    expect(again.id).toBe(batch.id);
    expect(await collect(winnow.files.list())).toHaveLength(2);
    let seen = 0;
    for await (const item of batch.items({ include: ['content', 'metadata'] })) {
      expect(item.customId).toBe(String(seen));
      expect(item.content).toBe(items[seen]?.content);
      expect(item.metadata).toEqual(items[seen]?.metadata);
      seen += 1;
      if (seen === 1_200) break;
    }
  });

  it('names what is wrong in a large array, and leaves no file', async () => {
    const before = (await collect(winnow.files.list())).length;
    const source = Array.from({ length: 10_001 }, (_, at) => `text ${at}`);
    source[7] = 'with a \0';
    await expect(winnow.batches.submit({ summarize: {}, source })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: 'source.7', message: expect.any(String) }],
    });
    source[7] = 'a text';
    await expect(
      winnow.batches.submit({ label: { categories: ['one'] }, source }),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(await collect(winnow.files.list())).toHaveLength(before);
  });
});

describe('a batch', () => {
  it('is watched to its end', async () => {
    const batch = await winnow.batches.submit({ label: { categories }, source: texts });
    const states = await collect(batch.watch());

    expect(states.at(-1)).toMatchObject({ status: 'completed', progress: 1 });
    expect(batch.status).toBe('completed');
    expect(batch.completedAt).toBeInstanceOf(Date);
    expect(batch.counts).toMatchObject({ succeeded: 2, failed: 1 });
    expect(batch.errorSummary[0]?.code).toBe('EMPTY_CONTENT');
    expect(await batch.done()).toBe(batch);
  });

  it('is JSON with its state and nothing else', async () => {
    const [batch] = await collect(winnow.batches.list());
    const json = JSON.parse(JSON.stringify(batch));

    expect(json).toMatchObject({ id: batch?.id, createdAt: batch?.createdAt.toISOString() });
    expect(Object.keys(json)).not.toContain('transport');
  });

  it('is cancelled, which done tells of', async () => {
    const batch = await winnow.batches.submit({
      label: { categories },
      source: texts,
      autoStart: false,
    });
    expect(batch.status).toBe('draft');

    await batch.cancel();
    const failure = await batch.done().catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(BatchFailed);
    expect(failure).toMatchObject({ code: 'CANCELLED', batch: { id: batch.id } });
  });

  it('is paused, which done tells of, and goes on when it is resumed', async () => {
    app.sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, times: 1 });
    const batch = await winnow.batches.submit({ summarize: {}, source: ['One text'] });

    await batch.pause();
    const paused = { ...batch };
    const failure = await batch.done().catch((error: unknown) => error);
    await batch.resume();

    expect(paused).toMatchObject({ status: 'paused', pauseReason: 'requested', resumesAt: null });
    expect(paused.pausedSince).toBeInstanceOf(Date);
    expect(failure).toBeInstanceOf(BatchPaused);
    expect(failure).toMatchObject({ code: 'PAUSED', batch: { id: batch.id } });
    expect((failure as Error).message).toContain(String(paused.pauseMessage));
    expect(batch).toMatchObject({ pauseReason: null, pauseMessage: null });
    await batch.cancel();
  });

  it('runs a preview, tells what the whole will take, and then runs the rest', async () => {
    const source = Array.from({ length: 30 }, (_, at) => `text ${at}`);
    const batch = await winnow.batches.submit({ summarize: {}, source, preview: 12 });

    await expect(batch.done()).rejects.toBeInstanceOf(BatchPaused);
    const { pauseReason, previewItems, counts } = batch;
    const projection = await batch.projection();
    await batch.resume();
    await batch.done();

    expect({ pauseReason, previewItems, counts }).toMatchObject({
      pauseReason: 'preview',
      previewItems: 12,
      counts: { succeeded: 12 },
    });
    expect(projection).toMatchObject({ answers: 12, succeeded: 1, costUsd: null });
    expect(batch.usage.requests).toBe(30);
  });

  it('asks identical rows once, unless it is told not to', async () => {
    const source = ['I love it', 'I love it', 'Worst service ever'];
    const [once, each] = await Promise.all([
      winnow.batches.submit({ label: { categories }, source }),
      winnow.batches.submit({ label: { categories }, source, deduplicate: false }),
    ]);
    await Promise.all([once.done(), each.done()]);

    expect(once.reused).toMatchObject({ identicalRows: 1 });
    expect(once.usage.requests).toBe(2);
    expect(await collect(once.items())).toMatchObject([
      { cached: false },
      { cached: true },
      { cached: false },
    ]);
    expect(each).toMatchObject({ reused: null, usage: { requests: 3 } });
  });

  it('is in the spending of its month, also when it is deleted', async () => {
    const before = await winnow.spending();
    const batch = await winnow.batches.submit({ summarize: {}, source: ['One text'] });
    await batch.done();
    await batch.delete();
    const after = await winnow.spending(before.month);

    expect(after.usage.requests).toBe(before.usage.requests + 1);
    expect(after.byModel).toMatchObject([{ model: 'test/rules', execution: 'live' }]);
    await expect(winnow.spending('2026-13')).rejects.toBeInstanceOf(BadUserInput);
  });

  it('has a limit on its cost, which resume changes', async () => {
    const batch = await winnow.batches.submit({
      summarize: { model: 'openai/gpt-4.1-mini' },
      source: ['One text'],
      maxCostUsd: 2,
      autoStart: false,
    });
    const { maxCostUsd } = batch;
    await batch.resume({ maxCostUsd: 3.5 });

    expect([maxCostUsd, batch.maxCostUsd, batch.status]).toEqual([2, 3.5, 'draft']);
  });

  it('is started, retried and deleted', async () => {
    const batch = await winnow.batches.submit({
      label: { categories },
      source: texts,
      autoStart: false,
    });
    await batch.start();
    await batch.done();
    const none = await batch.retry({ errorCodes: ['INVALID_OUTPUT'] });
    const one = await batch.retry({ errorCodes: ['empty_content'], customIds: ['2'] });
    await batch.done();
    await batch.delete();

    expect([none.retriedItems, one.retriedItems]).toEqual([0, 1]);
    expect(one.batch).toBe(batch);
    await expect(batch.refresh()).rejects.toBeInstanceOf(NotFound);
    await expect(collect(batch.watch())).rejects.toBeInstanceOf(NotFound);
    await expect(winnow.batches.get(batch.id)).rejects.toMatchObject({ status: 404 });
  });

  it('is found by its id, and listed by what it is', async () => {
    const batch = await winnow.batches.submit({
      extract: { schema: { name: 'string' } },
      source: texts,
      name: 'To be found',
      idempotencyKey: 'found',
      autoStart: false,
    });

    const got = await winnow.batches.get(batch.id);
    // Both come when they come.
    expect({ ...got, quote: null, reused: null }).toEqual({ ...batch, quote: null, reused: null });
    for (const filter of [
      { name: 'be FOUND' },
      { idempotencyKey: 'found' },
      { operation: 'extract', status: 'draft' },
      { status: ['draft'], name: 'found', createdAfter: batch.createdAt },
    ] as const) {
      expect((await collect(winnow.batches.list(filter))).map(({ id }) => id)).toEqual([batch.id]);
    }
    expect(await collect(winnow.batches.list({ createdBefore: new Date(0) }))).toEqual([]);
  });
});

describe('answers of a batch', () => {
  let id: string;
  beforeAll(async () => {
    const batch = await winnow.batches.submit({ label: { categories }, source: texts });
    await batch.done();
    id = batch.id;
  });

  it('are items in input order, with what is asked for', async () => {
    const batch = await winnow.batches.get(id);
    const items = await collect(batch.items({ include: ['content'] }));

    expect(items.map(({ index, status, content }) => [index, status, content])).toEqual([
      [0, 'succeeded', 'I love it'],
      [1, 'succeeded', 'Worst service ever'],
      [2, 'failed', ' '],
    ]);
    expect(items[0]).toMatchObject({
      row: null,
      customId: '0',
      output: { label: 'praise', confidenceMethod: 'logprobs' },
      error: null,
      rejectedAnswer: null,
      usage: { requests: 1 },
      attempts: 1,
    });
    expect(items[0]).not.toHaveProperty('metadata');
    expect(await collect(batch.items({ status: 'failed' }))).toMatchObject([{ index: 2 }]);
    expect(await collect(batch.items({ customIds: ['1'] }))).toMatchObject([{ index: 1 }]);
    expect(await collect(batch.items({ errorCodes: ['TIMEOUT'] }))).toEqual([]);
  });

  it('are found by what they say and by how sure they are', async () => {
    const batch = await winnow.batches.get(id);
    const indexes = async (options: ItemsOptions) =>
      (await collect(batch.items(options))).map(({ index }) => index);
    const [, answer] = await collect(batch.items({ status: 'succeeded' }));
    const confidence = (answer?.output as { confidence: number } | undefined)?.confidence ?? 0;

    expect(await indexes({ labels: ['complaint', 'nothing'] })).toEqual([1]);
    expect(await indexes({ labels: [] })).toEqual([]);
    expect(await indexes({ confidenceFrom: 0, confidenceBelow: confidence })).not.toContain(1);
    expect(await indexes({ confidenceFrom: confidence })).toContain(1);
    expect(await indexes({ confidenceFrom: 1 })).toEqual([]);
    expect(await indexes({ search: 'worst SERVICE' })).toEqual([1]);
    expect((await indexes({ orderBy: 'confidence' })).toSorted()).toEqual([0, 1]);
    await expect(indexes({ search: '' })).rejects.toBeInstanceOf(BadUserInput);
  });

  it('come as they finish, from a cursor too', async () => {
    const batch = await winnow.batches.get(id);
    const results = batch.results({ include: ['metadata'] });
    const seen = await collect(results);

    expect(seen.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(seen[0]).toHaveProperty('metadata');
    expect(results.cursor).toEqual(expect.any(String));
    expect(await collect(batch.results({ after: results.cursor }))).toEqual([]);
  });

  it.each(['csv', 'json', 'jsonl', 'openai_jsonl'] as const)(
    'are %s as the route gives it, as text and as a stream',
    async (format) => {
      const batch = await winnow.batches.get(id);
      const route = await fetch(`${app.url}/batches/${id}/output?format=${format}`);
      const expected = await route.text();

      expect(await batch.getOutput(format)).toBe(expected);
      expect(await new Response(batch.output(format)).text()).toBe(expected);
    },
  );

  it.each<ItemsOptions>([
    {},
    { include: ['content'] },
    { include: ['metadata', 'request'] },
    { status: 'failed' },
    { status: ['succeeded', 'failed'], include: ['content', 'metadata', 'request'] },
    { customIds: ['1'] },
    { errorCodes: ['timeout'] },
    { labels: ['complaint'] },
    { labels: [] },
    { confidenceFrom: 0.5, include: ['content'] },
    { confidenceBelow: 0 },
    { search: 'WORST' },
    { orderBy: 'confidence' },
    { orderBy: 'index' },
  ])('are records, in the shape of items, with %j', async (options) => {
    const batch = await winnow.batches.get(id);
    const items = await collect(batch.items(options));

    expect(await batch.getOutput('records', options)).toEqual(items);
  });

  it('are records that count what a retry put aside', async () => {
    const batch = await winnow.batches.submit({
      extract: { schema: { email: 'string?' } },
      source: [
        { content: 'Größe?', metadata: { 'größe "': ',\n' } },
        { content: 'ada@example.org' },
      ],
    });
    app.sandbox.faults.add({ fault: { kind: 'refusal' }, times: 1 });
    await batch.done();
    await batch.retry();
    await batch.done();
    const include = ['metadata'] as const;
    const records = await batch.getOutput('records', { include });

    expect(records.map(({ attempts }) => attempts).toSorted()).toEqual([1, 2]);
    expect(records).toEqual(await collect(batch.items({ include })));
  });

  it('are filtered by the route as by items', async () => {
    const batch = await winnow.batches.get(id);
    const csv = await batch.getOutput('csv', { status: ['failed'], delimiter: ';', bom: true });

    expect(csv).toMatch(/^\uFEFFcustom_id;content;/);
    expect(csv.trimEnd().split('\n')).toHaveLength(2);
    for (const answers of [
      { labels: ['praise', 'other'] },
      { labels: [] },
      { confidenceFrom: 0.01, confidenceBelow: 1 },
    ]) {
      const ids = (await collect(batch.items(answers))).map(({ customId }) => customId);
      const [, ...lines] = (await batch.getOutput('csv', answers)).trimEnd().split('\n');
      expect(lines.map((line) => line.split(',')[0])).toEqual(ids);
    }
  });

  it('are typed by the operation', async () => {
    const batch = await winnow.batches.submit({ label: { categories }, source: texts });
    await batch.done();
    for await (const { output } of batch.items({ status: 'succeeded' })) {
      const label: 'praise' | 'complaint' | null | undefined = output?.label;
      expect(categories).toContain(label);
    }
  });
});
