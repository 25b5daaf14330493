/**
 * What a batch costs where the provider costs nothing: no latency, 128 calls at once, against the
 * loop that a user would write and the two queues that keep their jobs in Postgres too, which run
 * the same call with the same client. A loop over a bare HTTP client shows the limit of one core.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contestant, measure, type Run, startPeer, startWinnow } from './contestants.ts';
import { makeRows, shapes, writeLines } from './data.ts';
import { type Goal, median, medianRatio, report, rounded } from './figures.ts';
import { openBenchPostgres } from './postgres.ts';
import { startStub } from './stub.ts';

const concurrency = 128;
const rounds = 5;
const warmUps = 2;
const latency = { mode: 'none' } as const;
const goals = {
  loop: 3.6,
  queue: 1.4,
  /** Of the CPU of pg-boss and its Postgres. */
  bossShare: 0.6,
  /** Of the CPU of Postgres. */
  postgresShare: { 'graphile-worker': 0.15, 'pg-boss': 0.25 },
};
const queues = ['graphile-worker', 'pg-boss'] as const;

export async function benchThroughput(items = 20_000): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const contestants: Contestant[] = [];
  const runs = new Map<string, Run[]>();
  try {
    const file = join(directory, 'items.jsonl');
    await writeLines(file, itemLines(items));
    const settings = { stubUrl: stub.url, concurrency, bossBatchSize: 32 };
    contestants.push(
      await startWinnow({ ...settings, databaseUrl: await postgres.database('winnow') }, file),
    );
    for (const kind of ['loop', 'undici-loop', ...queues] as const) {
      const databaseUrl = await postgres.database(kind.replaceAll('-', '_'));
      contestants.push(await startPeer(kind, { ...settings, databaseUrl }, file));
    }
    for (let round = -warmUps; round < rounds; round += 1) {
      for (const contestant of contestants) {
        const run = await measure(contestant, { postgres, stub, items, latency });
        if (round >= 0) runs.set(contestant.name, [...(runs.get(contestant.name) ?? []), run]);
      }
    }
  } finally {
    for (const contestant of contestants) await contestant.stop();
    await stub.stop();
    await postgres.stop();
    await rm(directory, { recursive: true });
  }

  const of = (name: string, pick: (run: Run) => number) => (runs.get(name) ?? []).map(pick);
  const rate = (name: string) => of(name, ({ seconds }) => items / seconds);
  const postgresMicros = (name: string) =>
    of(name, ({ postgresMicros: micros }) => (micros ?? Number.NaN) / items);
  const allMicros = (name: string) =>
    of(
      name,
      ({ cpuMicros, postgresMicros: micros }) => (cpuMicros + (micros ?? Number.NaN)) / items,
    );
  report(
    'throughput',
    [...runs.keys()].map((name) => ({
      contestant: name,
      itemsPerSecond: rounded(median(rate(name))),
      slowest: rounded(Math.min(...rate(name))),
      fastest: rounded(Math.max(...rate(name))),
      ownCpuMicrosPerItem: rounded(median(of(name, ({ cpuMicros }) => cpuMicros / items))),
      postgresCpuMicrosPerItem: rounded(median(postgresMicros(name)), 1),
      mostAtOnce: Math.max(...of(name, ({ stub: { atOnce } }) => atOnce)),
    })),
    [
      speedGoal('loop', goals.loop),
      ...queues.map((name) => speedGoal(name, goals.queue)),
      {
        name: 'CPU an item, own and of Postgres, of that of pg-boss',
        value: medianRatio(allMicros('winnow'), allMicros('pg-boss')),
        bound: ['<=', goals.bossShare],
      },
      ...queues.map(
        (name): Goal => ({
          name: `CPU of Postgres an item, of that of ${name}`,
          value: medianRatio(postgresMicros('winnow'), postgresMicros(name)),
          bound: ['<=', goals.postgresShare[name]],
        }),
      ),
    ],
  );

  function speedGoal(name: string, bound: number): Goal {
    return {
      name: `items a second, times ${name}`,
      value: medianRatio(rate('winnow'), rate(name)),
      bound: ['>=', bound],
    };
  }
}

export function* itemLines(count: number): Generator<string> {
  for (const row of makeRows(count, shapes.jsonl.words)) yield shapes.jsonl.row(row);
}
