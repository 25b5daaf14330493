/**
 * How full a batch keeps a provider that takes its time: lognormal around 200 ms with 256 calls at
 * once, against the loop and the queues, and a fixed second with 1,024 at once. Ideal is the sum of
 * the delays that were drawn, over the calls at once.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Contestant, measure, type Run, startPeer, startWinnow } from './contestants.ts';
import { writeLines } from './data.ts';
import { median, medianRatio, report, rounded } from './figures.ts';
import type { PeerKind } from './peers/peer.ts';
import { openBenchPostgres } from './postgres.ts';
import { type Latency, startStub } from './stub.ts';
import { itemLines } from './throughput.ts';

const rounds = 5;
const warmUps = 1;
const goals = { middle: 1.02, ofBoss: 0.65, fixed: 1.12 };

interface Setting {
  latency: Latency;
  concurrency: number;
  items: number;
  peers: readonly PeerKind[];
}

const varied: Setting = {
  latency: { mode: 'lognormal', ms: 200, sigma: 0.5 },
  concurrency: 256,
  items: 10_240,
  peers: ['loop', 'graphile-worker', 'pg-boss'],
};
const second: Setting = {
  latency: { mode: 'fixed', ms: 1_000 },
  concurrency: 1_024,
  items: 10_240,
  peers: ['loop'],
};
/**
 * A batch of pg-boss waits for its slowest job: of 1, 4, 8, 16, 32 and 256 jobs at once, four did
 * best here.
 */
const bossBatchSize = 4;

export async function benchLatency(): Promise<void> {
  const variedRuns = await runAll(varied);
  const secondRuns = await runAll(second);
  const seconds = (name: string) => (variedRuns.get(name) ?? []).map((run) => run.seconds);
  report(
    'latency',
    [...rowsOf(varied, variedRuns), ...rowsOf(second, secondRuns)],
    [
      {
        name: 'lognormal: middle 80 %, of ideal',
        value: median((variedRuns.get('winnow') ?? []).map((run) => middle(run, varied))),
        bound: ['<=', goals.middle],
      },
      {
        name: 'lognormal: whole run, of that of pg-boss',
        value: medianRatio(seconds('winnow'), seconds('pg-boss')),
        bound: ['<=', goals.ofBoss],
      },
      {
        name: 'fixed second: whole run, of ideal',
        value: median((secondRuns.get('winnow') ?? []).map((run) => whole(run, second))),
        bound: ['<=', goals.fixed],
      },
    ],
  );
}

async function runAll({
  latency,
  concurrency,
  items,
  peers,
}: Setting): Promise<Map<string, Run[]>> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const contestants: Contestant[] = [];
  const runs = new Map<string, Run[]>();
  try {
    const file = join(directory, 'items.jsonl');
    await writeLines(file, itemLines(items));
    const settings = { stubUrl: stub.url, concurrency, bossBatchSize };
    contestants.push(
      await startWinnow({ ...settings, databaseUrl: await postgres.database('winnow') }, file),
    );
    for (const kind of peers) {
      const databaseUrl = await postgres.database(kind.replace('-', '_'));
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
  return runs;
}

const idealMs = ({ stub }: Run, { concurrency }: Setting) => stub.delayMs / concurrency;

const whole = (run: Run, setting: Setting) => (run.seconds * 1_000) / idealMs(run, setting);

/**
 * From the first tenth of the answers to the last: without the start, and without the last calls,
 * which no worker can shorten.
 */
function middle(run: Run, setting: Setting): number {
  const { answeredMs } = run.stub;
  return ((answeredMs[90] ?? 0) - (answeredMs[10] ?? 0)) / (0.8 * idealMs(run, setting));
}

function rowsOf(setting: Setting, runs: Map<string, Run[]>): object[] {
  const { latency, concurrency, items } = setting;
  return [...runs].map(([contestant, all]) => ({
    latency: latency.mode === 'none' ? 'none' : `${latency.mode} ${latency.ms} ms`,
    concurrency,
    contestant,
    wholeOfIdeal: rounded(median(all.map((run) => whole(run, setting))), 3),
    middleOfIdeal: rounded(median(all.map((run) => middle(run, setting))), 3),
    ownCpuMicrosPerItem: rounded(median(all.map(({ cpuMicros }) => cpuMicros / items))),
    postgresCpuMicrosPerItem: rounded(
      median(all.map(({ postgresMicros }) => (postgresMicros ?? Number.NaN) / items)),
      1,
    ),
    mostAtOnce: Math.max(...all.map(({ stub: { atOnce } }) => atOnce)),
  }));
}
