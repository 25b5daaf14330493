/**
 * A finished batch, as the engine leaves one behind, over a CSV file; and the statements that psql
 * takes it out with.
 */
import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Database } from '../../src/db/driver/client.ts';
import { copyLine, makeRows, shapes, writeLines } from './data.ts';

const run = promisify(execFile);

export const batchId = `batch_${'0'.repeat(25)}`;

/** One item in fifty has failed. */
export async function fillBatch(
  db: Database,
  { url, directory, rowCount }: { url: string; directory: string; rowCount: number },
): Promise<void> {
  const { fields, words } = shapes.csv;
  const path = join(directory, 'rows.copy');
  await writeLines(
    path,
    (function* () {
      let index = 0;
      for (const row of makeRows(rowCount, words)) yield copyLine(1, index++, row, fields(row));
    })(),
  );
  await chmod(path, 0o644);
  await run('psql', [
    url,
    '-qXc',
    `\\copy rows (file_key, index, content, fields, custom_id) from '${path}'`,
  ]);
  await db.sql`
    insert into files (key, id, owner, listed, name, format, size_bytes, item_count, columns, content_field, custom_id_field)
    values (1, ${`file_${'0'.repeat(25)}`}, 'local', true, 'data.csv', 'CSV', 1, ${rowCount}, '["id","text","source"]', 'text', 'id')`;
  await db.sql`
    insert into results (batch_key, seq, index, status, attempts, requests, input_tokens, cached_input_tokens, output_tokens,
                         cost_usd, output, error_code, error_message)
    select 1, g / 500 + 1, g, (case when failed then 'FAILED' else 'SUCCEEDED' end)::final_status, 1, 1, 80 + g % 50, 64, 12,
           0.001 * (g % 17), case when not failed then answer end, case when failed then 'REFUSED' end,
           case when failed then 'The model refused: "no", it said' end
    from generate_series(0, ${rowCount - 1}::int) as g
    cross join lateral (
      select g % 50 = 49 as failed,
             '{"label":"' || (array['praise','complaint'])[1 + g % 2] || '","confidence":' || (g % 99 + 1) / 100.0
             || ',"confidenceMethod":"LOGPROBS"}' as answer
    ) as made`;
  await db.sql`
    insert into batches (key, file_key, id, owner, operation, options, model, status, input_hash, expires_at, expires_in_seconds,
                         total, succeeded, failed, started_at, completed_at)
    select 1, 1, ${batchId}, 'local', 'label', '{"categories":["praise","complaint"]}', 'sandbox/rules', 'COMPLETED', '', now(), 1,
           ${rowCount}::int, count(*) filter (where status = 'SUCCEEDED'), count(*) filter (where status = 'FAILED'), now(), now()
    from results where batch_key = 1`;
  await db.sql`analyze rows, results, batches, files`;
  await db.sql`checkpoint`;
}

const answers = `from rows i left join results r on r.batch_key = 1 and r.index = i.index where i.file_key = 1 order by i.index`;

/** What makes each file in SQL, as somebody would who has nothing but psql. */
export const sameFile = {
  jsonl: `\\copy (select '{"index":' || i.index || ',"custom_id":' || to_json(i.custom_id) || ',"status":"' || lower(r.status::text) || '","output":' || coalesce(replace(r.output, '"confidenceMethod":', '"confidence_method":'), 'null') || ',"error":' || case when r.error_code is null then 'null' else '{"code":"' || r.error_code || '","message":' || to_json(r.error_message) || '}' end || ',"usage":{"requests":' || r.requests || ',"input_tokens":' || r.input_tokens || ',"cached_input_tokens":' || r.cached_input_tokens || ',"output_tokens":' || r.output_tokens || ',"cost_usd":' || r.cost_usd || '}}' ${answers}) to 'PATH' with (format csv, quote e'\\x01', delimiter e'\\x02')`,
  csv: `\\copy (select i.fields::json->>0 as id, i.fields::json->>1 as text, i.fields::json->>2 as source, r.output::json->>'label' as label, r.output::json->>'confidence' as confidence, r.output::json->>'confidenceMethod' as confidence_method, lower(r.status::text) as status, r.error_code, r.error_message ${answers}) to 'PATH' with (format csv, header)`,
} as const;

/**
 * What takes the same columns out as they are stored: no file that anybody asked for, but the least
 * that the data costs.
 */
export const bareColumns = {
  jsonl: `\\copy (select i.index, i.custom_id, r.status, r.output, r.error_code, r.error_message, r.requests, r.input_tokens, r.cached_input_tokens, r.output_tokens, r.cost_usd ${answers}) to 'PATH' with (format csv)`,
  csv: `\\copy (select i.fields, r.output, r.status, r.error_code, r.error_message ${answers}) to 'PATH' with (format csv)`,
} as const;
