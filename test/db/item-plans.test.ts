/** A page in the middle of a long batch reads what it shows, by the index of its rows. */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sql } from '../../src/db/driver/client.ts';
import type { ItemFilter } from '../../src/db/item-filter.ts';
import { listItems } from '../../src/db/items.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { insertLabelled, type LabelledBatch } from '../support/labelled-batch.ts';

const items = 60_000;
const middle = items / 2;
const limit = 201;

let database: TestDatabase;
let sql: Sql;
/** The last statement that was sent. */
let sent = { text: '', values: [] as unknown[] };
let batch: LabelledBatch;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, {
    max: 1,
    types: { bigint: postgres.BigInt },
    debug: (_connection, text, values) => {
      sent = { text, values };
    },
  }) as unknown as Sql;
  // Another batch over other rows: that of the test is not all there is in a table.
  await insertLabelled(sql, items);
  batch = await insertLabelled(sql, items);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  Plans?: Plan[];
}

/** What the statement of a page does, by the tables that it reads. */
async function readsOf(filter: ItemFilter, bounds: { afterIndex?: number; beforeIndex?: number }) {
  const inverted = bounds.beforeIndex !== undefined && bounds.afterIndex === undefined;
  const page = { limit, inverted, maxBytes: 1_000_000, ...bounds };
  const rows = await listItems(sql, batch, filter, page);
  const { text, values } = sent;
  const explained = `explain (analyze, format json) ${text}`;
  const [answer] = await sql.unsafe<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>(explained, values as []);
  const scans = flat(answer?.['QUERY PLAN'][0].Plan).filter((plan) => plan['Relation Name']);
  return { rows, scans };
}

function flat(plan: Plan | undefined): Plan[] {
  return plan ? [plan, ...(plan.Plans ?? []).flatMap(flat)] : [];
}

function readBy(plan: Plan): number {
  const removed =
    (plan['Rows Removed by Filter'] ?? 0) + (plan['Rows Removed by Index Recheck'] ?? 0);
  return (plan['Actual Rows'] + removed) * plan['Actual Loops'];
}

test.each([
  ['behind an index', {}, { afterIndex: middle }, limit],
  ['before an index', {}, { beforeIndex: middle }, limit],
  ['of failed items', { status: ['FAILED'] }, { afterIndex: middle }, limit],
  [
    'of a stretch that is searched',
    { search: 'nowhere' },
    { afterIndex: middle, beforeIndex: middle + 1_000 },
    1_000,
  ],
] as [string, ItemFilter, { afterIndex?: number; beforeIndex?: number }, number][])(
  'a page %s is read by the keys, and no more rows than it looks at',
  async (_which, filter, bounds, mostRows) => {
    const { rows, scans } = await readsOf(filter, bounds);
    const large = scans.filter((scan) => ['rows', 'results'].includes(scan['Relation Name'] ?? ''));

    expect(rows).toHaveLength(filter.search ? 0 : limit);
    expect(large.map((scan) => [scan['Relation Name'], scan['Index Name']])).toEqual(
      expect.arrayContaining([['rows', expect.stringMatching(/^rows_/)]]),
    );
    for (const scan of large) {
      expect(scan['Node Type']).toMatch(/^Index/);
      expect(readBy(scan)).toBeLessThanOrEqual(mostRows);
    }
  },
);
