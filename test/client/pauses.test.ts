/** What the end of a batch is waited for with, where the server pauses the batch. */
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Aborted, BatchPaused, BudgetExceeded, Winnow } from '../../src/client/index.ts';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../support/app.ts';

/** Has a price, so that a limit holds it. */
const model = 'openai/gpt-4.1-mini';

let sandbox: Sandbox;
let app: App;
let winnow: Winnow;
let sql: postgres.Sql;
beforeAll(async () => {
  sandbox = await startFaultySandbox({ models: ['gpt-4.1-mini'] });
  const BUDGETS = '{"*": {"monthlyUsd": 1}}';
  app = await startApp({ OPENAI_BASE_URL: sandbox.url, BUDGETS }, { sandbox });
  sql = postgres(app.databaseUrl, { max: 1 });
  winnow = new Winnow({ url: app.url });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
  await sandbox.close();
});

function textsOf(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${at}: ${'A long story. '.repeat(50)}`);
}

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('a batch at its own limit', () => {
  it('throws BatchPaused with the sums, and completes under a higher limit', async () => {
    const before = sandbox.requests.count;
    const summarize = { model };
    const batch = await winnow.batches.submit({ summarize, source: textsOf(3), maxCostUsd: 1e-6 });

    const failure = await thrownBy(batch.done());
    const { status, pauseReason, resumesAt, pauseMessage } = batch;
    const sent = sandbox.requests.count - before;
    await (failure as BatchPaused).batch.resume({ maxCostUsd: 0.5 });
    const done = await batch.done();

    expect(failure).toBeInstanceOf(BatchPaused);
    expect(failure).toMatchObject({ code: 'PAUSED', batch: { id: batch.id } });
    expect({ status, pauseReason, resumesAt }).toEqual({
      status: 'paused',
      pauseReason: 'budget',
      resumesAt: null,
    });
    expect((failure as Error).message).toBe(`Batch ${batch.id} is paused: ${pauseMessage}`);
    expect(pauseMessage).toContain('0.000001');
    expect(sent).toBe(0);
    expect(done).toMatchObject({ status: 'completed', pauseReason: null, pauseMessage: null });
  });

  it('throws BatchPaused again where the higher limit is spent too', async () => {
    const summarize = { model };
    const source = textsOf(40);
    const batch = await winnow.batches.submit({ summarize, source, maxCostUsd: 1e-6 });
    await thrownBy(batch.done());

    const one = (batch.quote?.liveUsd?.expected ?? 0) / source.length;
    await batch.resume({ maxCostUsd: 5 * one });
    const failure = await thrownBy(batch.done());

    expect(one).toBeGreaterThan(0);
    expect(failure).toBeInstanceOf(BatchPaused);
    expect(batch.pauseReason).toBe('budget');
    expect(batch.counts.succeeded).toBeGreaterThan(0);
    expect(batch.counts.succeeded).toBeLessThan(source.length);
    await batch.cancel();
  });
});

it('throws BatchPaused when every row of a preview has its answer', async () => {
  const source = textsOf(14);
  const batch = await winnow.batches.submit({ summarize: { model }, source, preview: 10 });

  const failure = await thrownBy(batch.done());
  const { pauseReason, resumesAt, counts } = batch;
  await batch.resume();
  await batch.done();

  expect(failure).toBeInstanceOf(BatchPaused);
  expect(failure).toMatchObject({ code: 'PAUSED' });
  expect({ pauseReason, resumesAt, counts }).toMatchObject({
    pauseReason: 'preview',
    resumesAt: null,
    counts: { succeeded: 10, pending: 4 },
  });
  expect(batch.counts.succeeded).toBe(14);
});

describe('while the month of the owner is spent', () => {
  beforeEach(async () => {
    await sql`
      insert into spending (batch_key, month, owner, model, execution, requests, cost_usd)
      values (-7, to_char(now() at time zone 'utc', 'YYYY-MM'), 'local', ${model}, 'LIVE', 1, 2)`;
  });
  afterEach(() => giveRoom());

  async function giveRoom(): Promise<void> {
    await sql`delete from spending where batch_key = -7`;
  }

  it('tells the budget, and that nothing is left of it', async () => {
    const { month, budgetUsd, remainingUsd } = await winnow.spending();
    const before = await winnow.spending('2001-01');

    expect({ budgetUsd, remainingUsd }).toEqual({ budgetUsd: 1, remainingUsd: 0 });
    expect(before).toMatchObject({ budgetUsd: 1, remainingUsd: null });
    expect(month).not.toBe(before.month);
  });

  /** A batch that the month has paused, and what `done` of it will have come to. */
  async function openPaused(signal?: AbortSignal) {
    const batch = await winnow.batches.submit({ summarize: { model }, source: textsOf(2) });
    for await (const { status } of batch.watch()) if (status === 'paused') break;
    return { batch, ended: thrownBy(batch.done({ signal })) };
  }

  it('waits on, and resolves once there is room', async () => {
    const { batch, ended } = await openPaused();
    const { pauseReason, resumesAt } = batch;
    await giveRoom();

    expect(await ended).toBeNull();
    expect(batch).toMatchObject({ status: 'completed', resumesAt: null });
    expect(pauseReason).toBe('owner_budget');
    const [row] = await sql<{ next: Date }[]>`
      select (date_trunc('month', now() at time zone 'utc') + interval '1 month')
        at time zone 'utc' as next`;
    expect(resumesAt).toEqual(row?.next);
  });

  it('ends by its signal with Aborted, and the batch tells when it goes on', async () => {
    const controller = new AbortController();
    const { batch, ended } = await openPaused(controller.signal);
    controller.abort();

    expect(await ended).toBeInstanceOf(Aborted);
    expect(batch.resumesAt?.getTime()).toBeGreaterThan(batch.createdAt.getTime());
    await batch.cancel();
  });

  it('throws BatchPaused as soon as somebody pauses the batch for good', async () => {
    const { batch, ended } = await openPaused();
    await winnow.batches.get(batch.id).then((same) => same.pause());

    expect(await ended).toBeInstanceOf(BatchPaused);
    expect(batch).toMatchObject({ pauseReason: 'requested', resumesAt: null });
    await batch.cancel();
  });

  it('throws BudgetExceeded from a synchronous call, and sends nothing', async () => {
    const sent = sandbox.requests.count;
    const failure = await thrownBy(winnow.summarize(['One text'], { model }));

    expect(failure).toBeInstanceOf(BudgetExceeded);
    expect(failure).toMatchObject({ code: 'BUDGET_EXCEEDED' });
    expect(sandbox.requests.count).toBe(sent);
  });
});
