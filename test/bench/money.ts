/**
 * What the price of a batch costs its start, of a million rows of CSV, two fifths of them repeats:
 * how long they wait until their identical rows are known, how long a quote takes and what it holds
 * up meanwhile, and how long the cut of a preview takes.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '../../src/core/ids.ts';
import { openDatabase, type Sql } from '../../src/db/driver/client.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { choosePreview } from '../../src/db/previews.ts';
import { findTwins } from '../../src/db/twins.ts';
import { median } from './figures.ts';
import { insertBatchOf } from './file-batch.ts';
import { idleBytes, startServer } from './ingest.ts';

const rounds = 3;
/** Of a hundred rows, so many repeat an earlier one. */
const repeats = 40;
const quotes = 9;
const previewItems = 200;
const goals = {
  twinsSeconds: 6,
  quoteSeconds: 2,
  quoteLoopP99Ms: 20,
  quoteMb: 100,
  previewMs: 100,
} as const;
const megabyte = 1_048_576;
const batch = { categories: ['praise', 'complaint'], status: 'DRAFT', deduplicate: true } as const;

export async function benchMoney(rows = 1_000_000): Promise<Record<string, unknown>> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  const db = openDatabase(postgres.url);
  try {
    await migrateDatabase(postgres.url);
    const fileId = await insertFile(db.sql, rows);
    const seconds: number[] = [];
    let twins = 0;
    for (let round = 0; round < rounds; round += 1) {
      const key = await insertBatchOf(db.sql, fileId, batch);
      const startedAt = performance.now();
      twins = (await findTwins(db.sql, key, [{ kind: 'cell', column: 1 }])) ?? 0;
      seconds.push((performance.now() - startedAt) / 1_000);
    }
    const previewMs: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const preview = { ...batch, deduplicate: false, previewItems };
      const key = await insertBatchOf(db.sql, fileId, preview);
      const startedAt = performance.now();
      await choosePreview(db.sql, key);
      previewMs.push(performance.now() - startedAt);
    }
    // The server has no such model, and would say so of each batch.
    await db.sql`update batches set quote = 'null'`;
    const report = {
      rows,
      twins,
      previewMs: median(previewMs),
      ...(await measureQuotes(postgres.url, fileId)),
      twinsSeconds: median(seconds),
      goals,
    };
    process.stdout.write(
      `${rows} rows, ${twins} twins: ${seconds.map((one) => one.toFixed(1)).join(', ')} s\n`,
    );
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return report;
  } finally {
    await db.close();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The first quote starts the thread that counts tokens, and is among them. */
async function measureQuotes(databaseUrl: string, fileId: string) {
  const server = await startServer(databaseUrl);
  try {
    const idle = await idleBytes(server);
    await server.ask();
    const input = {
      operation: { label: { categories: batch.categories } },
      source: { fileId },
      models: ['sandbox/rules'],
    };
    const seconds: number[] = [];
    for (let round = 0; round < quotes; round += 1) {
      const startedAt = performance.now();
      const response = await fetch(server.graphql, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query: 'query ($input: QuoteInput!) { quote(input: $input) { items sampledItems } }',
          variables: { input },
        }),
      });
      const { errors } = (await response.json()) as { errors?: unknown };
      if (errors) throw new Error(JSON.stringify(errors));
      seconds.push((performance.now() - startedAt) / 1_000);
    }
    const { peak, loopP99Ms } = await server.ask();
    return {
      quoteSeconds: Math.max(...seconds),
      quoteMedianSeconds: median(seconds),
      quoteLoopP99Ms: loopP99Ms,
      quoteMb: (peak - idle) / megabyte,
    };
  } finally {
    await server.stop();
  }
}

async function insertFile(sql: Sql, rows: number): Promise<string> {
  const id = newId('file');
  const kinds = Math.round((rows * (100 - repeats)) / 100);
  await sql`
    with file as (
      insert into files (id, owner, listed, name, format, size_bytes, item_count, columns, content_field)
      values (${id}, 'local', true, 'bench', 'CSV', ${rows * 80}, ${rows}, '["id","text"]', 'text')
      returning key
    )
    insert into rows (file_key, index, fields)
    select file.key, n, json_build_array(n::text, 'A question of a customer: ' || md5((n::bigint * 7919 % ${kinds})::text))::text
    from file, generate_series(0, ${rows - 1}) as n`;
  await sql`analyze rows`;
  return id;
}
