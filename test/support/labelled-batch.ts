import { newId } from '../../src/core/ids.ts';
import type { Sql } from '../../src/db/driver/client.ts';

const labels = 77;

/** A batch of label that has ended, made by the database itself. */
export interface LabelledBatch {
  id: string;
  batchKey: bigint;
  fileKey: bigint;
}

/**
 * Items of 190 bytes from a CSV file, all answered but one in fifty, which failed. The label of the
 * item at an index is `label N`, N being the index modulo 77; confidences have six digits.
 */
export async function insertLabelled(sql: Sql, items: number): Promise<LabelledBatch> {
  const id = newId('batch');
  const categories = Array.from({ length: labels }, (_, n) => `label ${n}`);
  const [inserted] = await sql<{ batchKey: bigint; fileKey: bigint }[]>`
    with file as (
      insert into files (id, owner, listed, name, format, size_bytes, item_count, columns, content_field)
      values (${newId('file')}, 'local', true, 'questions.csv', 'CSV', 1, ${items}, '["id","text"]', 'text')
      returning key
    ),
    batch as (
      insert into batches (file_key, id, owner, operation, options, model, status, input_hash, expires_at,
        expires_in_seconds, total, succeeded, failed, seq, started_at, completed_at)
      select key, ${id}, 'local', 'label', ${JSON.stringify({ categories })}, 'test/rules', 'COMPLETED', '', now(),
             1, ${items}, ${items - Math.floor(items / 50)}, ${Math.floor(items / 50)}, ${Math.ceil(items / 500)}, now(), now()
      from file
      returning key, file_key
    ),
    asked as (
      insert into rows (file_key, index, fields)
      select file_key, n, json_build_array(n::text, 'A question of a customer ' || repeat(md5(n::text), 5))::text
      from batch, generate_series(0, ${items - 1}::int) as n
    ),
    answered as (
      insert into results (batch_key, seq, completed_at, index, status, attempts, requests, input_tokens,
        output_tokens, cost_usd, output, confidence, error_code, error_message)
      select key, n / 500 + 1, now() + n / 500 * interval '0.5 s', n,
             (case when failed then 'FAILED' else 'SUCCEEDED' end)::final_status, 1, 1, 80, 12, 0.001,
             case when not failed then '{"label":"label ' || n % ${labels} || '","confidence":' || confidence
               || ',"confidenceMethod":"LOGPROBS"}' end,
             case when not failed then confidence end, case when failed then 'REFUSED' end,
             case when failed then 'The model refused' end
      from batch, generate_series(0, ${items - 1}::int) as n,
        lateral (select n % 50 = 49 as failed, (n::bigint * 7919 % 1000003) / 1000003.0 as exact) as made,
        lateral (select round(exact, 6) as confidence) as rounded
    )
    select key as "batchKey", file_key as "fileKey" from batch`;
  if (!inserted) throw new Error('the batch was not inserted');
  await sql`analyze rows`;
  await sql`analyze results`;
  await sql`analyze batches`;
  return { id, ...inserted };
}
