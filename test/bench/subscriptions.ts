/**
 * What it takes to tell everybody: one change of a batch to 1,000 and 5,000 subscribers of
 * batchProgress, against a `ws` server that sends the same text to as many. Both from the first
 * that hears of it to the last, seen by one client process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { answerOf, graphql, startWinnow } from './contestants.ts';
import { writeLines } from './data.ts';
import { type Goal, median, nodeArguments, report, rounded } from './figures.ts';
import { openBenchPostgres } from './postgres.ts';
import { operationInput } from './request.ts';
import { startStub } from './stub.ts';
import { itemLines } from './throughput.ts';

const rounds = 15;
/**
 * An item is answered, and so the batch changes, once in so long: everybody has heard of it by
 * then.
 */
const betweenMs = 1_000;
const memoryGoalKb = 60;
const sizes = [
  { subscribers: 1_000, goal: 2.5 },
  { subscribers: 5_000, goal: 3.5 },
] as const;
/** Handshakes at once. */
const connectingAtOnce = 100;

const query =
  'subscription($id: ID!) { batchProgress(id: $id) { id status progress counts { total succeeded failed } usage { requests } } }';

export async function benchSubscriptions(): Promise<void> {
  const rows: object[] = [];
  const goals: Goal[] = [];
  for (const { subscribers, goal } of sizes) {
    const ours = await pushByWinnow(subscribers);
    const plain = await pushPlainly(subscribers);
    const row = { subscribers, winnowMs: median(ours.ms), plainMs: median(plain) };
    rows.push({
      subscribers,
      winnowMs: rounded(row.winnowMs, 1),
      plainMs: rounded(row.plainMs, 1),
      cpuMicrosPerPush: rounded(ours.cpuMicros / ours.pushes),
      kbPerSubscriber: rounded(ours.bytes / 1_000, 1),
    });
    goals.push(
      {
        name: `${subscribers} subscribers: time to the last, times plain ws`,
        value: row.winnowMs / row.plainMs,
        bound: ['<=', goal],
      },
      {
        name: `${subscribers} subscribers: kB each`,
        value: ours.bytes / 1_000,
        bound: ['<=', memoryGoalKb],
      },
    );
  }
  report('subscriptions', rows, goals);
}

async function pushByWinnow(subscribers: number) {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const file = join(directory, 'items.jsonl');
  await writeLines(file, itemLines(1));
  const winnow = await startWinnow(
    { stubUrl: stub.url, concurrency: 1, databaseUrl: await postgres.database('winnow') },
    file,
  );
  try {
    await stub.reset({ mode: 'fixed', ms: betweenMs });
    const { submitBatch } = await graphql<{ submitBatch: { batch: { id: string } } }>(
      winnow.url,
      'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      {
        input: {
          operation: operationInput,
          source: { texts: Array.from({ length: 10_000 }, (_, at) => `text ${at}`) },
          autoStart: false,
        },
      },
    );
    const { id } = submitBatch.batch;
    const subscribe = JSON.stringify({
      id: '1',
      type: 'subscribe',
      payload: { query, variables: { id } },
    });
    const before = await winnow.ask('cpu');
    const heard = await connectAll(`${winnow.url.replace('http', 'ws')}/graphql`, {
      subscribers,
      protocol: 'graphql-transport-ws',
      hello: (socket) => {
        socket.once('message', () => socket.send(subscribe)); // the acknowledgement
        socket.send('{"type":"connection_init"}');
      },
      readKey: (text) => /"succeeded":\d+/.exec(text)?.[0] ?? null,
    });
    const { rss } = await winnow.ask('cpu');
    await graphql(winnow.url, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', {
      id,
    });
    const startedCpu = await winnow.ask('cpu');
    await delay(2 * betweenMs);
    heard.clear();
    await delay((rounds + 1) * betweenMs);
    const { cpuMicros } = await winnow.ask('cpu');
    const spans = heard.spans();
    heard.close();
    return {
      ms: spans,
      pushes: spans.length * subscribers,
      cpuMicros: cpuMicros - startedCpu.cpuMicros,
      bytes: (rss - before.rss) / subscribers,
    };
  } finally {
    await winnow.stop();
    await stub.stop();
    await postgres.stop();
    await rm(directory, { recursive: true });
  }
}

async function pushPlainly(subscribers: number): Promise<number[]> {
  const child: ChildProcess = fork(fileURLToPath(new URL('plain-broadcast.ts', import.meta.url)), {
    execArgv: [...nodeArguments],
  });
  const { url } = (await answerOf(child)) as { url: string };
  const heard = await connectAll(url, {
    subscribers,
    protocol: null,
    hello: (socket) => socket.send('hello'),
    readKey: (text) =>
      /"succeeded":\d+/.exec(text)?.[0] ?? (text.includes('round') ? 'hello' : null),
  });
  heard.clear();
  for (let round = 0; round < rounds + 2; round += 1) {
    const batch = {
      id: `batch_${'x'.repeat(25)}`,
      status: 'PROCESSING',
      progress: 0.0001,
      counts: { total: 10_000, succeeded: round, failed: 0 },
      usage: { requests: round },
    };
    child.send(
      JSON.stringify({ id: '1', type: 'next', payload: { data: { batchProgress: batch } } }),
    );
    await delay(betweenMs);
    if (round === 1) heard.clear();
  }
  const spans = heard.spans();
  heard.close();
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.send('stop');
  await exited;
  return spans;
}

/** Connects everybody and waits until each has heard its first event. */
async function connectAll(
  url: string,
  {
    subscribers,
    protocol,
    hello,
    readKey,
  }: {
    subscribers: number;
    protocol: string | null;
    hello: (socket: WebSocket) => void;
    /** What names the event that a text tells of; null for other texts. */
    readKey: (text: string) => string | null;
  },
) {
  const events = new Map<string, { count: number; first: number; last: number }>();
  const sockets: WebSocket[] = [];
  const open = () =>
    new Promise<void>((resolve, reject) => {
      const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
      sockets.push(socket);
      socket.on('open', () => hello(socket));
      socket.on('error', reject);
      socket.on('close', (code) => reject(new Error(`a subscriber was cut off with ${code}`)));
      socket.on('message', (data) => {
        const key = readKey(String(data));
        if (key === null) return;
        const now = performance.now();
        const event = events.get(key) ?? { count: 0, first: now, last: now };
        event.count += 1;
        event.last = now;
        events.set(key, event);
        resolve();
      });
    });
  for (let made = 0; made < subscribers; made += connectingAtOnce) {
    const some = Math.min(connectingAtOnce, subscribers - made);
    await Promise.all(Array.from({ length: some }, open));
  }
  return {
    clear: () => events.clear(),
    /** Milliseconds from the first to the last that heard, for each event that all have heard. */
    spans() {
      const all = [...events.values()].filter(({ count }) => count === subscribers);
      if (all.length < rounds / 2) throw new Error(`only ${all.length} events reached everybody`);
      return all.map(({ first, last }) => last - first);
    },
    close() {
      for (const socket of sockets) socket.terminate();
    },
  };
}
