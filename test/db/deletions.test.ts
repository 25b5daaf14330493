/** The steps in which a deleted batch is removed. */
import { expect, test } from 'vitest';
import { purgeBatchStep } from '../../src/db/deletions.ts';
import { openTestDatabase } from '../support/database.ts';

const { db } = await openTestDatabase();

test('a step takes 20,000 rows at most, of one table after the other', async () => {
  const { sql } = db;
  const key = 1n;
  await sql`
    insert into results (batch_key, seq, index, status)
    select ${key}, at, at, 'SUCCEEDED' from generate_series(0, 20000) at`;
  await sql`
    insert into custom_ids (batch_key, custom_id, index)
    select ${key}, md5(at::text), at from generate_series(0, 20000) at`;
  await sql`insert into twins (batch_key, index, leader) values (${key}, 1, 0)`;
  const left = async () => {
    const [row] = await sql<{ counts: string }[]>`
      select concat_ws(' ', (select count(*) from results), (select count(*) from custom_ids),
                       (select count(*) from twins)) as counts`;
    return row?.counts;
  };

  const steps: unknown[] = [];
  for (let hasMore = true; hasMore; ) {
    hasMore = await purgeBatchStep(sql, key);
    steps.push(await left());
  }

  expect(steps).toEqual(['1 20001 1', '0 20001 1', '0 1 1', '0 0 1', '0 0 0', '0 0 0']);
});
