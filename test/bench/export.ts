/**
 * How long GET /batches/{id}/output takes for a million finished items, against `psql \copy` to a
 * file: of a statement that makes the same file, and of one that takes out the bare columns. How
 * much memory the server takes for it, slow readers included; and how fast it answers a small query
 * meanwhile.
 */
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDatabase } from '../../src/db/driver/client.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { bareColumns, batchId, fillBatch, sameFile } from './export-data.ts';
import { type Measured, median, percentile, queryUntil, round1, startServer } from './ingest.ts';

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const rounds = 5;
/** Bytes a second of readers that are there all at once. */
const slowReaders = [10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000_000];
const slowMs = 15_000;
const warmMs = 10_000;
const goals = { jsonl: 1.2, csv: 1.4, memoryMb: 100, queryMs: 50 } as const;
type Shape = 'jsonl' | 'csv';

/** Runs the whole comparison over `rowCount` items and prints it: a table, and one line of JSON. */
export async function benchExport(rowCount = 1_000_000): Promise<Record<string, unknown> | null> {
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
    await fillBatch(db, { url: postgres.url, directory, rowCount });
    const started = await startServer(postgres.url);
    server = started;
    const path = join(directory, 'output');
    const urlOf = (shape: Shape) =>
      `${started.graphql.replace(/graphql$/, '')}batches/${batchId}/output?format=${shape}`;
    const download = async (shape: Shape) => {
      await started.ask();
      const queries = queryUntil(started.graphql);
      const { stdout } = await run(process.execPath, [
        '--import',
        'tsx',
        here('downloader.ts'),
        urlOf(shape),
        path,
      ]);
      const [ms = 0, bytes = 0] = stdout.split(' ').map(Number);
      const queryMs = await queries.stop();
      const { peak, loopP99Ms } = await started.ask();
      return { ms, bytes, overIdle: peak - idle, loopP99Ms, queryMs };
    };
    const psql = async (command: string) => {
      const queries = queryUntil(started.graphql);
      const startedAt = performance.now();
      await run('psql', [postgres.url, '-qXc', command.replace('PATH', path)]);
      const ms = performance.now() - startedAt;
      return { ms, queryMs: await queries.stop() };
    };

    // A heap takes what questions alone make it take before it is called idle.
    const warming = queryUntil(started.graphql);
    await delay(warmMs);
    await warming.stop();
    const idle = (await started.ask()).rss;
    const report: Record<string, unknown> = { rows: rowCount };
    for (const shape of ['jsonl', 'csv'] as const) {
      // Once unmeasured, so that code is compiled and pages are read; and looked at, whether it is
      // all there.
      await download(shape);
      await checkRecords(path, { shape, rowCount });
      const own: Awaited<ReturnType<typeof download>>[] = [];
      const same: Awaited<ReturnType<typeof psql>>[] = [];
      const bare: Awaited<ReturnType<typeof psql>>[] = [];
      for (let round = 0; round < rounds; round += 1) {
        same.push(await psql(sameFile[shape]));
        own.push(await download(shape));
        bare.push(await psql(bareColumns[shape]));
      }
      const msOf = (runs: { ms: number }[]) => median(runs.map(({ ms }) => ms));
      report[shape] = {
        megabytes: round1((own[0]?.bytes ?? 0) / 1e6),
        seconds: round1(msOf(own) / 1_000),
        psqlSeconds: round1(msOf(same) / 1_000),
        psqlBareSeconds: round1(msOf(bare) / 1_000),
        ratio: round2(msOf(own) / msOf(same)),
        goal: goals[shape],
        ratioToBare: round2(msOf(own) / msOf(bare)),
        memoryOverIdleMb: Math.round(Math.max(...own.map(({ overIdle }) => overIdle)) / 1e6),
        queryP95Ms: p95(own),
        // The same question while psql is at it: what the machine takes for it anyway.
        queryP95MsBesidePsql: p95([...same, ...bare]),
        loopP99Ms: round1(Math.max(...own.map(({ loopP99Ms }) => loopP99Ms))),
      };
    }
    const readers = slowReaders.map((rate) => readSlowly(urlOf('jsonl'), rate));
    const beside = await download('jsonl');
    await delay(Math.max(0, slowMs - beside.ms));
    const { peak } = await started.ask();
    for (const stop of readers) stop();
    report.slowReaders = {
      readers: slowReaders.length,
      seconds: round1(beside.ms / 1_000),
      memoryOverIdleMb: Math.round(Math.max(beside.overIdle, peak - idle) / 1e6),
      queryP95Ms: p95([beside]),
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

/** Reads so many bytes a second, until it is stopped. */
function readSlowly(url: string, bytesPerSecond: number): () => void {
  const request = get(url, { agent: false }, (response) => {
    response.on('error', () => undefined); // cut off in the middle, as meant
    response.on('data', (piece: Buffer) => {
      response.pause();
      setTimeout(() => response.resume(), (piece.length / bytesPerSecond) * 1_000);
    });
  });
  request.on('error', () => undefined);
  return () => request.destroy();
}

/** A CSV has line breaks in its cells, and more lines than records. */
async function checkRecords(
  path: string,
  { shape, rowCount }: { shape: Shape; rowCount: number },
): Promise<void> {
  let lines = 0;
  for await (const piece of createReadStream(path)) {
    for (const byte of piece as Buffer) if (byte === 0x0a) lines += 1;
  }
  if (shape === 'jsonl' ? lines !== rowCount : lines <= rowCount) {
    throw new Error(`${lines} lines of ${shape} for ${rowCount} items`);
  }
}

function print(report: Record<string, unknown>): void {
  console.table(
    (['jsonl', 'csv', 'slowReaders'] as const).map((output) => ({
      output: output === 'slowReaders' ? `jsonl beside ${slowReaders.length} slow ones` : output,
      ...(report[output] as object),
    })),
  );
  process.stdout.write(
    `Goals: memory over idle ${goals.memoryMb} MB, slow readers included; queries p95 ${goals.queryMs} ms\n`,
  );
  process.stdout.write(`${JSON.stringify({ bench: 'export', ...report })}\n`);
}

function p95(runs: { queryMs: number[] }[]): number {
  return round1(
    percentile(
      runs.flatMap(({ queryMs }) => queryMs),
      0.95,
    ),
  );
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}

if (process.argv[1] === here('export.ts')) await benchExport(Number(process.argv[2] ?? 1_000_000));
