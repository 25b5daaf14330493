/**
 * Winnow and its peers side by side: each in a process of its own, over one stub and one Postgres,
 * run in turn.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { openAsBlob } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from './figures.ts';
import type { PeerKind, PeerMessage, PeerSettings } from './peers/peer.ts';
import type { BenchPostgres } from './postgres.ts';
import { modelName, operationInput } from './request.ts';
import type { Latency, Stub, StubStats } from './stub.ts';

export interface Run {
  seconds: number;
  /** Microseconds of CPU of the contestant's own process. */
  cpuMicros: number;
  /** Of all processes of Postgres; null where they cannot be seen. */
  postgresMicros: number | null;
  stub: StubStats;
}

export interface Contestant {
  name: string;
  /** Not measured. */
  prepare(): Promise<void>;
  run(): Promise<Omit<Run, 'postgresMicros' | 'stub'>>;
  stop(): Promise<void>;
}

export interface WinnowProcess extends Contestant {
  url: string;
  /** CPU so far in microseconds and memory in bytes; `stop` ends it. */
  ask(message: 'cpu' | 'stop'): Promise<{ cpuMicros: number; rss: number }>;
}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/**
 * The provider's limit is the number of calls at once; a worker may hold more that are sent and not
 * yet recorded, so that no call waits for the answers before it to be written.
 */
const headroom = Number(process.env.HEADROOM ?? 2);
/** How often a batch is looked at from outside; its own times are those of the database. */
const pollMs = 100;

/** Runs one contestant over `items` items. Throws where a request was missing or sent twice. */
export async function measure(
  contestant: Contestant,
  {
    postgres,
    stub,
    items,
    latency,
  }: { postgres: BenchPostgres; stub: Stub; items: number; latency: Latency },
): Promise<Run> {
  await contestant.prepare();
  await postgres.settle();
  await delay(300);
  await stub.reset(latency);
  const postgresMicros = postgres.startCpu();
  const run = await contestant.run();
  const measured = { ...run, postgresMicros: postgresMicros() };
  const stats = await stub.stats();
  if (stats.requests !== items) {
    throw new Error(`${contestant.name} sent ${stats.requests} requests for ${items} items`);
  }
  return { ...measured, stub: stats };
}

export async function startPeer(
  kind: PeerKind,
  settings: PeerSettings,
  file: string,
): Promise<Contestant> {
  const child = fork(here('peers/peer.ts'), [kind, JSON.stringify(settings)], {
    execArgv: [...nodeArguments],
  });
  await answerOf(child);
  const tell = async (message: PeerMessage) => {
    const answered = answerOf(child);
    child.send(message);
    return (await answered) as { seconds: number; cpuMicros: number };
  };
  return {
    name: kind,
    prepare: async () => void (await tell({ do: 'prepare', file })),
    run: () => tell({ do: 'run' }),
    stop: async () => void (await tell({ do: 'stop' })),
  };
}

/** Winnow as it is deployed; everything goes through its public API. */
export async function startWinnow(
  { stubUrl, databaseUrl, concurrency }: Omit<PeerSettings, 'bossBatchSize'>,
  file: string,
  env: Record<string, string> = {},
): Promise<WinnowProcess> {
  const child = fork(here('winnow.ts'), [], {
    execArgv: [...nodeArguments, ...(process.env.WINNOW_NODE_FLAGS?.split(' ') ?? [])],
    env: {
      ...process.env,
      LOG_LEVEL: 'warn',
      ...env,
      DATABASE_URL: databaseUrl,
      WORKER_CONCURRENCY: String(concurrency * headroom),
      PROVIDERS: JSON.stringify({
        stub: { baseURL: stubUrl, models: [modelName], limits: { concurrency } },
      }),
      DEFAULT_MODEL: `stub/${modelName}`,
    },
  });
  const { url } = (await answerOf(child)) as { url: string };
  const ask = async (message: 'cpu' | 'stop') => {
    const answered = answerOf(child);
    child.send(message);
    return (await answered) as { cpuMicros: number; rss: number };
  };
  const form = new FormData();
  form.set('file', await openAsBlob(file), 'items.jsonl');
  const uploaded = await fetch(`${url}/files`, { method: 'POST', body: form });
  const { id: fileId } = (await uploaded.json()) as { id: string };
  // The others call for every row, so that identical ones are called for here too.
  const input = { operation: operationInput, source: { fileId }, deduplicate: false };

  return {
    name: 'winnow',
    url,
    ask,
    async prepare() {},
    async run() {
      const before = await ask('cpu');
      const startedAt = performance.now();
      const { submitBatch } = await graphql<{
        submitBatch: { batch: { id: string; createdAt: string } };
      }>(
        url,
        'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id createdAt } } }',
        { input },
      );
      const submitMs = performance.now() - startedAt;
      const { id, createdAt } = submitBatch.batch;
      for (;;) {
        await delay(pollMs);
        const { batch } = await graphql<{ batch: BatchState }>(
          url,
          'query($id: ID!) { batch(id: $id) { status completedAt counts { total succeeded } } }',
          { id },
        );
        if (batch.completedAt === null) continue;
        if (batch.counts.succeeded !== batch.counts.total) {
          throw new Error(`the batch ended as ${JSON.stringify(batch)}`);
        }
        const { cpuMicros } = await ask('cpu');
        // Both by the clock of the database. What the submit took is added whole, though it
        // overlaps.
        const seconds = (submitMs + Date.parse(batch.completedAt) - Date.parse(createdAt)) / 1_000;
        return { seconds, cpuMicros: cpuMicros - before.cpuMicros };
      }
    },
    stop: async () => void (await ask('stop')),
  };
}

interface BatchState {
  completedAt: string | null;
  counts: { total: number; succeeded: number };
}

/** Asks the GraphQL endpoint of a server. Throws an Error with whatever was refused. */
export async function graphql<Data>(url: string, query: string, variables: object): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors) throw new Error(`refused: ${JSON.stringify(errors)}`);
  return data;
}

/** The next message of a child. Rejects when it ends instead. */
export function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a contestant ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });
}
