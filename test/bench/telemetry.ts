/**
 * What metrics, the access log and traces cost: batches over a provider without latency, as in
 * throughput.ts, by processes that differ in these alone.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure, type Run, startWinnow, type WinnowProcess } from './contestants.ts';
import { writeLines } from './data.ts';
import { median, medianRatio, report, rounded } from './figures.ts';
import { openBenchPostgres } from './postgres.ts';
import { startStub } from './stub.ts';
import { itemLines } from './throughput.ts';

const concurrency = 128;
const rounds = 7;
const warmUps = 2;
const latency = { mode: 'none' } as const;
/** Of the items a second with everything off. */
const goals = { metrics: 0.98, traces: 0.97, all: 0.97 };

export async function benchTelemetry(items = 40_000): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const collector = await startCollector();
  const off = { METRICS: 'off', ACCESS_LOG: 'off', OTEL_SDK_DISABLED: 'true' };
  const tracesOf = (side: string) => ({
    OTEL_SDK_DISABLED: 'false',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/${side}`,
  });
  const sides: Readonly<Record<string, Record<string, string>>> = {
    off,
    metrics: { ...off, METRICS: 'on' },
    traces: { ...off, ...tracesOf('traces') },
    all: { METRICS: 'on', ACCESS_LOG: 'on', LOG_LEVEL: 'info', ...tracesOf('all') },
  };
  const winnows = new Map<string, WinnowProcess>();
  const runs = new Map<string, Run[]>();
  try {
    const file = join(directory, 'items.jsonl');
    await writeLines(file, itemLines(items));
    for (const [name, env] of Object.entries(sides)) {
      const databaseUrl = await postgres.database(`telemetry_${name}`);
      const settings = { stubUrl: stub.url, concurrency, databaseUrl };
      winnows.set(name, await startWinnow(settings, file, env));
    }
    for (let round = -warmUps; round < rounds; round += 1) {
      for (const [name, winnow] of winnows) {
        const run = await measure(winnow, { postgres, stub, items, latency });
        if (round >= 0) runs.set(name, [...(runs.get(name) ?? []), run]);
      }
    }
  } finally {
    for (const winnow of winnows.values()) await winnow.stop();
    await collector.close();
    await stub.stop();
    await postgres.stop();
    await rm(directory, { recursive: true });
  }

  const rate = (name: string) => (runs.get(name) ?? []).map(({ seconds }) => items / seconds);
  const ownMicros = (name: string) =>
    (runs.get(name) ?? []).map(({ cpuMicros }) => cpuMicros / items);
  report(
    'telemetry',
    [...runs.keys()].map((name) => ({
      on: name,
      itemsPerSecond: rounded(median(rate(name))),
      slowest: rounded(Math.min(...rate(name))),
      fastest: rounded(Math.max(...rate(name))),
      ownCpuMicrosPerItem: rounded(median(ownMicros(name)), 1),
      spans: collector.spans.get(`/${name}/v1/traces`) ?? 0,
    })),
    Object.entries(goals).map(([name, bound]) => ({
      name: `items a second with ${name}, times off`,
      value: medianRatio(rate(name), rate('off')),
      bound: ['>=', bound],
    })),
  );
}

/** Takes what it is sent, and counts the spans by path. */
async function startCollector() {
  const spans = new Map<string, number>();
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const path = request.url ?? '';
      const sent = Buffer.concat(pieces).toString().split('"startTimeUnixNano":').length - 1;
      spans.set(path, (spans.get(path) ?? 0) + sent);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
