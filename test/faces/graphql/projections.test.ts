/** What a whole batch will have cost is told from some of its answers. */
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startOwnProviderJobApp } from '../../engine/provider-jobs/support.ts';
import { textOf, untilBatch } from '../../engine/worker/support.ts';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { type Data, submitTexts, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(() => ({
    PRICES: JSON.stringify({ 'stub/base': { input: 1_000, output: 2_000 } }),
  })));
  // The row says what it takes: `row 7` has 107 prompt tokens.
  stub.reply(({ body }) => ({
    body: completion('{"label":"praise","confidence":0.9}', {
      usage: {
        prompt_tokens: 100 + Number(/row (\d+)/.exec(textOf(body))?.[1]),
        completion_tokens: 5,
      },
    }),
  }));
});
afterAll(() => app.stop());

const rows = (count: number) => Array.from({ length: count }, (_, index) => `row ${index}`);
const costOf = (index: number) => (100 + index) / 1_000 + 0.01;
const sumOf = (count: number) => rows(count).reduce((sum, _, index) => sum + costOf(index), 0);

async function read(api: App, id: string): Promise<Data> {
  const range = '{ expected low high }';
  const { data, errors } = await api.graphql(
    `query($id: ID!) { batch(id: $id) { status usage { costUsd inputTokens outputTokens } projection {
      answers succeeded costUsd ${range} liveUsd ${range} providerBatchUsd ${range} liveSeconds ${range} } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  return (data as Data).batch;
}

const isPaused = ({ status }: { status: string }) => status === 'PAUSED';

async function resume(api: App, id: string): Promise<void> {
  await api.graphql('mutation($id: ID!) { resumeBatch(id: $id) { batch { id } } }', { id });
}

it('is right within a tenth for a preview of a sorted input, and its range holds the truth', async () => {
  const id = await submitTexts(app, rows(1_000), { preview: 50 });
  await untilBatch(app, id, isPaused);

  const { projection, usage } = await read(app, id);

  const truth = sumOf(1_000);
  const { costUsd, liveUsd, providerBatchUsd, liveSeconds } = projection;
  expect(projection).toMatchObject({ answers: 50, succeeded: 1 });
  expect(costUsd.expected / truth).toBeGreaterThan(0.9);
  expect(costUsd.expected / truth).toBeLessThan(1.1);
  expect(costUsd.low).toBeLessThan(truth);
  expect(costUsd.high).toBeGreaterThan(truth);
  expect(liveUsd).toEqual(costUsd);
  expect(providerBatchUsd.expected).toBeCloseTo((usage.costUsd + costUsd.expected) / 2);
  expect(liveSeconds.low).toBeGreaterThan(0);
  expect(liveSeconds.high).toBeGreaterThan(liveSeconds.expected);

  await resume(app, id);
  await untilEnded(app, id);
  const ended = await read(app, id);
  expect(ended.usage.costUsd).toBeCloseTo(truth);
  const exact = {
    expected: ended.usage.costUsd,
    low: ended.usage.costUsd,
    high: ended.usage.costUsd,
  };
  expect(ended.projection.costUsd).toEqual(exact);
  expect(ended.projection.liveSeconds).toEqual({ expected: 0, low: 0, high: 0 });
});

it('is told of a batch without a preview once 10 answers have succeeded', async () => {
  const draft = await submitTexts(app, rows(20), { autoStart: false });
  const few = await submitTexts(app, rows(9), {});
  const many = await submitTexts(app, rows(600), {});
  for (const id of [few, many]) await untilEnded(app, id);

  expect((await read(app, draft)).projection).toBeNull();
  expect((await read(app, few)).projection).toBeNull();
  const { projection } = await read(app, many);
  expect(projection.answers).toBe(600);
  expect(projection.costUsd.expected).toBeCloseTo(sumOf(600));
});

it('has identical rows for nothing', async () => {
  const given = rows(400).map((_, index) => `row ${index % 100}`);
  const id = await submitTexts(app, given, { preview: 20 });
  await untilBatch(app, id, isPaused);

  const { projection } = await read(app, id);

  expect(projection.answers).toBe(20);
  expect(projection.costUsd.expected / sumOf(100)).toBeGreaterThan(0.9);
  expect(projection.costUsd.expected / sumOf(100)).toBeLessThan(1.1);
});

it('tells what identical rows saved, and nothing for those that are blank', async () => {
  const id = await submitTexts(app, ['row 1', ' ', 'row 1', 'row 3', ' ', ' ', ' '], {});
  await untilEnded(app, id);

  const { data } = await app.graphql(
    'query($id: ID!) { batch(id: $id) { reused { identicalRows savedUsd } } }',
    { id },
  );

  expect(data?.batch.reused.identicalRows).toBe(4);
  expect(data?.batch.reused.savedUsd).toBeCloseTo((costOf(1) + costOf(3)) / 2);
});

it('reckons the rest of a batch for the batch API by its price', async () => {
  const own = await startOwnProviderJobApp({
    PRICES: JSON.stringify({ 'test/rules': { input: 1_000, output: 2_000, batch: 0.25 } }),
  });
  const id = await submitTexts(own, rows(300), { execution: 'PROVIDER_BATCH', preview: 30 });
  await untilBatch(own, id, isPaused);

  const { projection, usage } = await read(own, id);

  const { costUsd, liveUsd, providerBatchUsd } = projection;
  expect(costUsd).toEqual(providerBatchUsd);
  expect(costUsd.expected - usage.costUsd).toBeCloseTo((liveUsd.expected - usage.costUsd) / 4);
  await resume(own, id);
  await untilEnded(own, id);
  const ended = await read(own, id);
  expect(ended.usage.costUsd / costUsd.expected).toBeGreaterThan(0.9);
  expect(ended.usage.costUsd / costUsd.expected).toBeLessThan(1.1);
});

it('reckons the time by the limits per minute, which a few rows do not meet', async () => {
  const baseURL = stub.url;
  const tokensPerMinute = 240_000;
  const { app: own } = await startStubApp(() => ({
    PROVIDERS: JSON.stringify({ mine: { baseURL, limits: { tokensPerMinute } } }),
    DEFAULT_MODEL: 'mine/base',
  }));
  onTestFinished(() => own.stop());
  const id = await submitTexts(own, rows(1_000), { preview: 10 });
  await untilBatch(own, id, isPaused);

  const { projection, usage } = await read(own, id);

  const leastSeconds =
    (990 * (usage.inputTokens + usage.outputTokens)) / 10 / (tokensPerMinute / 60);
  expect(projection.liveSeconds.expected).toBeGreaterThanOrEqual(leastSeconds * 0.999);
});

it('tells no cost without a price', async () => {
  const own = await startOwnProviderJobApp();
  const id = await submitTexts(own, rows(60), { preview: 12 });
  await untilBatch(own, id, isPaused);

  const { projection } = await read(own, id);

  expect(projection).toMatchObject({
    answers: 12,
    costUsd: null,
    liveUsd: null,
    providerBatchUsd: null,
  });
});
