/**
 * The queue by itself: a worker whose model answers at once, in its own process, over a million
 * items of 1,500 bytes: as it is; with an old snapshot held open, as an export, a backup or a
 * forgotten session holds one; and without named prepared statements, as through a pooler.
 */
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { createLog } from '../../src/core/log.ts';
import { noTokens } from '../../src/core/usage.ts';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { createLease } from '../../src/engine/process/lease.ts';
import { createNudges, type Nudges } from '../../src/engine/process/nudges.ts';
import { createPlanner } from '../../src/engine/run/plan.ts';
import { createWorker } from '../../src/engine/worker/worker.ts';
import { createGate } from '../../src/model/limits/gate.ts';
import type { Model } from '../../src/model/model.ts';
import { createPrices } from '../../src/model/prices.ts';
import { createEvents } from '../../src/telemetry/events.ts';
import { median, percentile, report, rounded } from './figures.ts';
import { insertBatchOf } from './file-batch.ts';
import { type BenchPostgres, openBenchPostgres } from './postgres.ts';
import { categories } from './request.ts';
import { answerText } from './stub.ts';

/**
 * Calls at once; and how many may be sent or not yet recorded, so that calls go on while answers
 * are written.
 */
const callsAtOnce = 1_000;
const concurrency = 4 * callsAtOnce;
const inputBytes = 1_500;
const goals = { itemsPerSecond: 50_000, claimGrowth: 1.2, walBytes: 360 };
const warmUpItems = 50_000;

export async function benchEngine(items = 1_000_000): Promise<void> {
  const server = await openBenchPostgres();
  try {
    await runEngine(server, { items: warmUpItems });
    const plain = await runEngine(server, { items });
    const held = await runEngine(server, { items, snapshot: true });
    const pooled = await runEngine(server, { items, pooled: true });
    report(
      'engine',
      [
        { how: 'as it is', ...plain },
        { how: 'old snapshot', ...held },
        { how: 'as through a pooler', ...pooled },
      ],
      [
        {
          name: 'items a second',
          value: plain.itemsPerSecond,
          bound: ['>=', goals.itemsPerSecond],
        },
        {
          name: 'claim p50 under an old snapshot, last tenth over first',
          value: held.claimP50LastTenthMs / held.claimP50FirstTenthMs,
          bound: ['<=', goals.claimGrowth],
        },
        { name: 'WAL bytes an item', value: plain.walBytesPerItem, bound: ['<=', goals.walBytes] },
      ],
    );
  } finally {
    await server.stop();
  }
}

/** What is there beside the batch, and goes on while it runs. */
export interface BesideEngine {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * One batch over a database of its own, from the worker's first claim to the last result. `beside`
 * is made before the batch.
 */
export async function runEngine(
  server: BenchPostgres,
  {
    items,
    snapshot = false,
    pooled = false,
    beside = null,
  }: {
    items: number;
    snapshot?: boolean;
    pooled?: boolean;
    beside?: ((db: Database, nudges: Nudges) => Promise<BesideEngine>) | null;
  },
) {
  const url = await server.database('engine');
  await migrateDatabase(url);
  const db = openDatabase(url, { pooled });
  const log = createLog('warn', { role: 'all' });
  const events = createEvents(log);
  const nudges = createNudges({ db, log });
  const old = postgres(url, { max: 1 });
  const claims: { items: number; ms: number }[] = [];
  const watched = { ...db, sql: timeClaims(db.sql, claims) };
  const model = instantModel();
  const preparePlan = createPlanner({
    providers: {
      resolve: () => model,
      resolveNamed: () => model,
      resolveAt: () => null,
      prices: () => createPrices('bench', 'model'),
      limits: () => null,
      list: () => [],
      learn: async () => undefined,
      activity: () => ({}),
      gates: () => [],
      configured: () => [],
      share: () => undefined,
      close: async () => undefined,
    },
    defaultModel: model.id,
  });
  const lease = createLease({ db, leaseMs: 30_000, log, events });
  const worker = createWorker({
    limits: { owners: new Map(), others: null },
    db: watched,
    nudges,
    preparePlan: ({ operation, options }) =>
      preparePlan(operation, JSON.parse(options) as Record<string, unknown>),
    concurrency,
    lease,
    log,
    events,
    tracing: null,
  });
  let other: BesideEngine | null = null;
  try {
    other = (await beside?.(db, nudges)) ?? null;
    const key = await insertBatch(db.sql, items);
    await db.sql`vacuum analyze rows`;
    await db.sql`analyze chunks`;
    await server.settle();
    await nudges.start();
    let end = () => undefined as unknown;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const holding = snapshot
      ? old.begin('isolation level repeatable read', async (tx) => {
          await tx`select count(*) from workers`;
          await ended;
        })
      : null;
    const walBefore = await server.walBytes();
    const cpu = server.startCpu();
    const ownBefore = process.cpuUsage();
    const startedAt = performance.now();
    await lease.start();
    await other?.start();
    worker.start();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      const [batch] = await db.sql<{ status: string; seconds: number }[]>`
        select status, extract(epoch from completed_at - started_at)::float8 as seconds
        from batches where key = ${key}`;
      if (batch?.status !== 'COMPLETED') continue;
      const wallSeconds = (performance.now() - startedAt) / 1_000;
      const { user, system } = process.cpuUsage(ownBefore);
      const postgresMicros = cpu();
      const wal = (await server.walBytes()) - walBefore;
      end();
      await holding;
      const times = claims.map(({ ms }) => ms);
      const tenth = Math.ceil(times.length / 10);
      return {
        items,
        itemsPerSecond: rounded(items / Math.min(batch.seconds, wallSeconds)),
        ownCpuMicrosPerItem: rounded((user + system) / items, 1),
        postgresCpuMicrosPerItem: rounded((postgresMicros ?? Number.NaN) / items, 1),
        walBytesPerItem: rounded(wal / items),
        claimP50FirstTenthMs: rounded(median(times.slice(0, tenth)), 2),
        claimP50LastTenthMs: rounded(median(times.slice(-tenth)), 2),
        claimP99Ms: rounded(percentile(times, 0.99), 1),
      };
    }
  } finally {
    await worker.stop(0);
    await other?.stop();
    await lease.stop();
    await nudges.stop();
    await db.close();
    await old.end();
  }
}

/** A model that answers within the same turn. */
function instantModel(): Model {
  const answer = {
    text: answerText,
    completion: {},
    tokens: { ...noTokens, inputTokens: 120, outputTokens: 12 },
    costUsd: null,
    logprobs: null,
  };
  return {
    id: 'instant/model',
    provider: 'instant',
    name: 'model',
    dialect: 'openai',
    gate: createGate({ maxConcurrency: callsAtOnce }),
    batches: null,
    stream: () => Promise.reject(new Error('nobody asks for it')),
    send: () => Promise.resolve(answer),
    bodyOf: () => ({}),
  };
}

/**
 * The same client, that notes how long each claim took. A claim is the one statement that sets an
 * owner by turn.
 */
function timeClaims<Sql extends (strings: TemplateStringsArray, ...values: never[]) => unknown>(
  sql: Sql,
  claims: { items: number; ms: number }[],
): Sql {
  return new Proxy(sql, {
    apply(target, self, given: [TemplateStringsArray, ...never[]]) {
      const query = Reflect.apply(target, self, given) as Promise<unknown[]>;
      const [strings] = given;
      if (!('raw' in strings) || !strings[0]?.includes('with turn as materialized')) return query;
      const startedAt = performance.now();
      return query.then((chunks) => {
        if (chunks.length > 0)
          claims.push({ items: chunks.length, ms: performance.now() - startedAt });
        return chunks;
      });
    },
  });
}

/** A batch over an uploaded file, as ingest and submit leave them. Returns its key. */
async function insertBatch(
  sql: ReturnType<typeof openDatabase>['sql'],
  items: number,
): Promise<bigint> {
  const fileId = `file_${randomUUID()}`;
  const [file] = await sql<{ key: bigint }[]>`
    insert into files (id, owner, listed, name, format, size_bytes, item_count, columns)
    values (${fileId}, 'local', true, 'bench', 'TEXT', ${items * inputBytes}, ${items}, '[]')
    returning key`;
  const fileKey = file?.key ?? 0n;
  await sql`
    insert into rows (file_key, index, content)
    select ${fileKey}, n, rpad(n || ' ', ${inputBytes}, md5(n::text)) from generate_series(0, ${items - 1}) as n`;
  return await insertBatchOf(sql, fileId, { categories, status: 'QUEUED', deduplicate: false });
}
