/**
 * What the price of a batch costs its start: how long a million rows of CSV, two fifths of them
 * repeats, wait until their identical rows are known.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type Sql } from '../../src/db/driver/client.ts';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { findTwins } from '../../src/db/twins.ts';
import { insertBatchOf } from './file-batch.ts';

const rounds = 3;
/** Of a hundred rows, so many repeat an earlier one. */
const repeats = 40;
const goals = { twinsSeconds: 6 } as const;
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
    const report = {
      rows,
      twins,
      twinsSeconds: seconds.toSorted((a, b) => a - b)[Math.floor(rounds / 2)],
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

async function insertFile(sql: Sql, rows: number): Promise<string> {
  const id = `file_${randomUUID()}`;
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
