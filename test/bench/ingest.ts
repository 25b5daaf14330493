/**
 * How long POST /files takes for a million rows, against `psql \copy` of the same rows in the shape
 * of the table, into a table with the same indexes; how much memory the server takes for it; and
 * how fast it answers a small query meanwhile.
 */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatabase } from '../../src/db/driver/client.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { copyLine, makeRows, shapes, writeLines } from './data.ts';
import { nodeArguments } from './figures.ts';

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const rounds = 3;
const uploadsAtOnce = 5;
const goals = { csv: 1.4, jsonl: 1.1, memoryMb: 150, memoryOfFiveMb: 400, queryMs: 50 } as const;
type Shape = keyof typeof shapes;

/** Runs the whole comparison over `rowCount` rows and prints it: a table, and one line of JSON. */
export async function benchIngest(rowCount = 1_000_000): Promise<Record<string, unknown> | null> {
  if (!(await run('psql', ['--version']).catch(() => null))) {
    process.stdout.write(
      'psql is not on the PATH, so there is nothing to compare with; install the PostgreSQL client\n',
    );
    return null;
  }
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  await chmod(directory, 0o755);
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const db = openDatabase(postgres.url);
  let server: Measured | null = null;
  try {
    await migrateDatabase(postgres.url);
    await db.sql`create table bench_rows (like rows including all)`;
    const sizes = await writeFiles(directory, rowCount);
    server = await startServer(postgres.url);
    const { files, graphql } = server;
    const empty = async () => {
      await db.sql`truncate rows, files, ingests, bench_rows, batches cascade`;
      await db.sql`checkpoint`;
      await delay(500);
    };
    const upload = async (shape: Shape, times: number) => {
      await empty();
      await server?.ask();
      const queries = queryUntil(graphql);
      const { stdout } = await run(
        process.execPath,
        [
          '--import',
          'tsx',
          here('uploader.ts'),
          files,
          join(directory, `data.${shape}`),
          String(times),
        ],
        {
          env: { ...process.env, ROWS: String(rowCount) },
        },
      );
      const queryMs = await queries.stop();
      const { peak = 0, loopP99Ms = 0 } = (await server?.ask()) ?? {};
      return { ms: Number(stdout), overIdle: peak - idle, loopP99Ms, queryMs };
    };
    const psql = async (shape: Shape) => {
      await empty();
      const queries = queryUntil(graphql);
      const startedAt = performance.now();
      await run('psql', [
        postgres.url,
        '-qXc',
        `\\copy bench_rows (file_key, index, content, fields, custom_id) from '${join(directory, `data.${shape}.copy`)}'`,
      ]);
      const ms = performance.now() - startedAt;
      return { ms, queryMs: await queries.stop() };
    };

    const idle = await idleBytes(server);
    // Once unmeasured, so that code is compiled and files are grown.
    await upload('csv', 1);
    const report: Record<string, unknown> = { rows: rowCount };
    for (const shape of ['csv', 'jsonl'] as const) {
      const own: Awaited<ReturnType<typeof upload>>[] = [];
      const theirs: Awaited<ReturnType<typeof psql>>[] = [];
      for (let round = 0; round < rounds; round += 1) {
        theirs.push(await psql(shape));
        own.push(await upload(shape, 1));
      }
      report[shape] = {
        megabytes: round1(sizes[shape] / 1e6),
        seconds: round1(median(own.map(({ ms }) => ms)) / 1_000),
        psqlSeconds: round1(median(theirs.map(({ ms }) => ms)) / 1_000),
        ratio:
          Math.round((median(own.map(({ ms }) => ms)) / median(theirs.map(({ ms }) => ms))) * 100) /
          100,
        goal: goals[shape],
        memoryOverIdleMb: Math.round(Math.max(...own.map(({ overIdle }) => overIdle)) / 1e6),
        queryP95Ms: round1(
          percentile(
            own.flatMap(({ queryMs }) => queryMs),
            0.95,
          ),
        ),
        // The same question while psql is at it: what the machine takes for it anyway.
        queryP95MsBesidePsql: round1(
          percentile(
            theirs.flatMap(({ queryMs }) => queryMs),
            0.95,
          ),
        ),
        loopP99Ms: round1(Math.max(...own.map(({ loopP99Ms }) => loopP99Ms))),
      };
    }
    const five = await upload('csv', uploadsAtOnce);
    report.fiveAtOnce = {
      seconds: round1(five.ms / 1_000),
      memoryOverIdleMb: Math.round(five.overIdle / 1e6),
      queryP95Ms: round1(percentile(five.queryMs, 0.95)),
    };
    print(report);
    return report;
  } finally {
    await server?.stop();
    await db.close();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What a server takes that has answered some questions and seen no file. */
export async function idleBytes({ graphql, ask }: Measured): Promise<number> {
  const queries = queryUntil(graphql);
  await delay(2_000);
  await queries.stop();
  return (await ask()).rss;
}

async function writeFiles(directory: string, rowCount: number): Promise<Record<Shape, number>> {
  const sizes = { csv: 0, jsonl: 0 };
  for (const shape of ['csv', 'jsonl'] as const) {
    const { head, row: line, fields, words } = shapes[shape];
    const lines = function* () {
      if (head) yield head;
      for (const row of makeRows(rowCount, words)) yield line(row);
    };
    const copyLines = function* () {
      let index = 0;
      for (const row of makeRows(rowCount, words)) yield copyLine(1, index++, row, fields(row));
    };
    sizes[shape] = await writeLines(join(directory, `data.${shape}`), lines());
    await writeLines(join(directory, `data.${shape}.copy`), copyLines());
    await chmod(join(directory, `data.${shape}.copy`), 0o644);
  }
  return sizes;
}

interface Measure {
  /** Bytes, now and at most. */
  rss: number;
  peak: number;
  /** What the event loop was late by, in one of a hundred looks. */
  loopP99Ms: number;
  /** Since its start. */
  cpuMs: number;
}

export interface Measured {
  files: string;
  graphql: string;
  /** Since the last time it was asked. */
  ask(): Promise<Measure>;
  stop(): Promise<void>;
}

export async function startServer(databaseUrl: string): Promise<Measured> {
  const child: ChildProcess = fork(here('server.ts'), {
    execArgv: [...nodeArguments],
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });
  const [urls] = (await once(child, 'message')) as [{ files: string; graphql: string }];
  return {
    ...urls,
    async ask() {
      const answered = once(child, 'message');
      child.send('measure');
      const [memory] = (await answered) as [Measure];
      return memory;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.send('stop');
      await exited;
    },
  };
}

/** Asks a small question over and over, a moment after each answer. */
export function queryUntil(url: string): { stop(): Promise<number[]> } {
  const times: number[] = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) {
      const startedAt = performance.now();
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"query":"{ batches(first: 5) { totalCount } }"}',
      });
      await response.text();
      times.push(performance.now() - startedAt);
      await delay(10);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await asking;
      return times;
    },
  };
}

function print(report: Record<string, unknown>): void {
  const rows = (['csv', 'jsonl'] as const).map((shape) => ({
    upload: shape,
    ...(report[shape] as object),
  }));
  console.table([
    ...rows,
    { upload: `csv, ${uploadsAtOnce} at once`, ...(report.fiveAtOnce as object) },
  ]);
  process.stdout.write(
    `Goals: memory over idle ${goals.memoryMb} MB, of ${uploadsAtOnce} at once ${goals.memoryOfFiveMb} MB; queries p95 ${goals.queryMs} ms\n`,
  );
  process.stdout.write(`${JSON.stringify({ bench: 'ingest', ...report })}\n`);
}

export const median = (values: number[]) => percentile(values, 0.5);

export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

if (process.argv[1] === here('ingest.ts')) await benchIngest(Number(process.argv[2] ?? 1_000_000));
