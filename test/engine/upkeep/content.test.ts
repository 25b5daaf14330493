import { afterAll, beforeAll, expect, it } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { labelOptions, request, submitTexts, untilEnded } from '../../faces/graphql/support.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { lookOnce } from './look.ts';

const canary = 'wombat-canary';
const days = 24 * 60 * 60;

let app: App;
let db: Database;
beforeAll(async () => {
  app = await startApp({ RETENTION_CONTENT_DAYS: '30' });
  db = openDatabase(app.databaseUrl);
});
afterAll(async () => {
  await db.close();
  await app.stop();
});

const look = (env: Record<string, string>, hour?: number) => lookOnce(db, env, hour);

/** As if these batches had ended a day earlier; the content of all was deleted a while ago. */
const age = async (...ids: string[]) => {
  await db.sql`
    update batches set completed_at = completed_at - interval '1 day' where id = any(${ids})`;
  await db.sql`update batches set content_deleted_at = content_deleted_at - interval '1 minute'`;
  await db.sql`update files set content_deleted_at = content_deleted_at - interval '1 minute'`;
};

/** The content of these batches goes, to the last row. */
async function forget(...ids: string[]): Promise<unknown[]> {
  await age(...ids);
  const told = await look({ RETENTION_CONTENT_DAYS: '1' });
  await until(
    async () => {
      await age();
      await look({});
      const left = await db.sql`
        select from batches where id = any(${ids}) and content_blanked_to < total
        union all
        select from batches b join files f on f.key = b.file_key
        where b.id = any(${ids}) and f.deleted_at is not null and f.content_blanked_to < f.item_count`;
      return left.count === 0;
    },
    { deadlineMs: 20_000, what: 'the last row' },
  );
  return told;
}

/** The columns of all tables that hold a text, as the catalogue lists them. */
async function columnsWith(text: string): Promise<string[]> {
  const columns = await db.sql<{ table: string; column: string }[]>`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and data_type in ('text', 'character varying', 'json', 'jsonb')
    order by 1, 2`;
  const found: string[] = [];
  for (const { table, column } of columns) {
    const rows = await db.sql`
      select from ${db.sql(table)} where ${db.sql(column)}::text ilike ${`%${text}%`} limit 1`;
    if (rows.count > 0) found.push(`${table}.${column}`);
  }
  return found;
}

async function upload(fields: Record<string, string>, rows: string[], text = '') {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set('file', new Blob([`id,other,text\n${rows.join('\n')}\n${text}`]), 'days.csv');
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  return (await response.json()) as any;
}

async function labelFile(fileId: string, input: Record<string, unknown> = {}): Promise<string> {
  const id = await submitTexts(app, [], { source: { fileId }, ...input });
  await untilEnded(app, id);
  return id;
}

const batchWith = async (id: string, fields: string, from: App = app) =>
  (await from.graphql(`{ batch(id: "${id}") { ${fields} } }`)).data?.batch;

const counted = `
  status counts { total succeeded failed } usage { requests inputTokens outputTokens costUsd }
  labels { label count } confidence(bins: 5) { from count } medianConfidence
  timeline { succeeded failed } reused { identicalRows } errorSummary { code count } name metadata options
  items { edges { node { status row usage { inputTokens } error { code } attempts } } }`;

it('nothing is left of what a batch was about, and all that was counted stays', async () => {
  const stored = await upload({}, [
    `a ${canary},b ${canary},${canary} I love this`,
    `c,d,"this is terrible, ${canary}"`,
    `e,f,`,
    `g ${canary}`,
  ]);
  const id = await labelFile(stored.id, {
    customIdField: 'other',
    name: 'a name',
    metadata: { of: 'mine' },
  });
  // As providers may say it, and as rows of before have it.
  await db.sql`update results set error_message = ${canary} where error_code is not null`;
  await db.sql`update results set rejected_answer = ${canary}, confidence = null`;
  await db.sql`
    update results set output = replace(output, '}', ${`, "note": "${canary}"}`}) where output is not null`;
  await db.sql`update batch_errors set message = ${canary}`;
  await db.sql`
    insert into superseded_results (batch_key, seq, completed_at, index, status, attempts, requests,
                                    input_tokens, cached_input_tokens, output_tokens, output, error_message)
    select key, 1, now(), 0, 'FAILED', 0, 0, 0, 0, 0, ${canary}, ${canary} from batches where id = ${id}`;
  const reasons = JSON.stringify([{ row: 4, reason: canary }]);
  await db.sql`update files set rejections = ${reasons}, problems = ${reasons}`;
  await db.sql`update batches set error = ${canary} where id = ${id}`;
  const body = {
    type: 'batch.failed',
    data: { id, error: canary, error_code: 'INTERNAL', name: 'n' },
  };
  await db.sql`
    insert into webhooks (batch_key, id, url, endpoint, body, state)
    select key, 'msg_1', 'https://hooks.test', 'local hooks.test', ${JSON.stringify(body)}, 'delivered'
    from batches where id = ${id}`;
  const before = await batchWith(id, counted);
  const columns = await columnsWith(canary);

  const told = await forget(id);
  const other = await startApp({}, { databaseUrl: app.databaseUrl, sandbox: app.sandbox });
  const after = await batchWith(id, counted, other);
  await other.stop();

  expect(columns).toEqual([
    'batch_errors.message',
    'batches.error',
    'custom_ids.custom_id',
    'files.problems',
    'files.rejections',
    'results.error_message',
    'results.output',
    'results.rejected_answer',
    'rows.custom_id',
    'rows.fields',
    'superseded_results.error_message',
    'superseded_results.output',
    'webhooks.body',
  ]);
  expect(await columnsWith(canary)).toEqual([]);
  expect(told).toEqual([
    { kind: 'content', count: 1 },
    { kind: 'file', count: 1 },
  ]);
  expect(before.labels).not.toEqual([]);
  expect(before.confidence).not.toEqual([]);
  expect(before.counts).toMatchObject({ succeeded: 2, failed: 1 });
  expect(after).toEqual(before);
  const [sent] = await db.sql<{ body: string }[]>`select body from webhooks where id = 'msg_1'`;
  const error = 'The message was deleted with the rows of the batch';
  expect(JSON.stringify(JSON.parse(sent?.body ?? ''))).toBe(
    JSON.stringify({ ...body, data: { ...body.data, error } }),
  );
});

it('what is told of the lines of a file without a row goes too', async () => {
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob(['\n\n']), 'requests.jsonl');
  const stored = await fetch(`${app.url}/v1/files`, { method: 'POST', body: form });
  const file = (await stored.json()) as { id: string };
  const created = await fetch(`${app.url}/v1/batches`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      input_file_id: file.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    }),
  });
  const { id } = (await created.json()) as { id: string };
  const reasons = JSON.stringify([{ row: 0, reason: canary }]);
  const filled = await db.sql`
    update files set rejections = ${reasons}, problems = ${reasons}
    where id = ${file.id} and item_count = 0`;

  await forget(id);

  expect(filled.count).toBe(1);
  expect(await columnsWith(canary)).toEqual([]);
});

it('a batch without content says so wherever its rows are asked for', async () => {
  const id = await submitTexts(app, [], {
    source: { items: [{ content: `good ${canary}`, customId: canary }, { content: ' ' }] },
  });
  await untilEnded(app, id);
  const asked = `contentDeletesAt contentDeletedAt deletesAt completedAt items { edges { node {
    content customId output metadata request error { message } result { index ... on LabelResult { label } } } } }`;
  const before = await batchWith(id, asked);

  await age(id);
  await look({ RETENTION_CONTENT_DAYS: '1' });
  const hidden = await batchWith(id, asked);
  await forget(id);
  const after = await batchWith(id, asked);

  expect(Date.parse(before.contentDeletesAt) - Date.parse(before.completedAt)).toBe(
    30 * days * 1_000,
  );
  expect(before).toMatchObject({ contentDeletedAt: null, deletesAt: null });
  expect(hidden).toMatchObject({ contentDeletesAt: null, contentDeletedAt: expect.any(String) });
  expect(hidden.items).toEqual(after.items);
  const message = 'The message was deleted with the rows of the batch';
  const gone = { content: '', output: null, metadata: null, request: null };
  expect(after.items.edges.map(({ node }: any) => node)).toEqual([
    { ...gone, customId: '0', error: null, result: { index: 0, label: null } },
    { ...gone, customId: '1', error: { message }, result: { index: 1, label: null } },
  ]);

  const { errors } = await app.graphql(`mutation { retryBatch(id: "${id}") { retriedItems } }`);
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining('must still have its rows and answers for a retry'),
    extensions: { code: 'CONFLICT' },
  });
  const retried = await request(`${app.url}/v1/batches/${id}/retry`, { method: 'POST' });
  expect(retried.status).toBe(409);
  const output = await request(`${app.url}/batches/${id}/output`);
  expect(output).toMatchObject({ status: 409, body: { error: { code: 'CONFLICT' } } });
  const file = `file_out_${id.slice('batch_'.length)}`;
  expect((await request(`${app.url}/v1/files/${file}/content`)).status).toBe(404);
  const listed = await request(`${app.url}/v1/files`);
  expect(listed.text).not.toContain(file);
  const messages = `${app.url}/v1/messages/batches/msg${id}`;
  const headers = { 'anthropic-version': '2023-06-01' };
  expect((await request(messages, { headers })).body).toMatchObject({
    archived_at: expect.any(String),
    results_url: null,
  });
  expect((await request(`${messages}/results`, { headers })).status).toBe(404);
  for (const filter of ['search: "good"', 'labels: ["praise"]']) {
    const found = await app.graphql(
      `{ batch(id: "${id}") { items(${filter}) { edges { node { index } } } } }`,
    );
    expect(found.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  }
  // A process that is older than the column retries it no more than this one.
  await expect(
    db.sql`update batches set status = 'PROCESSING', completed_at = null where id = ${id}`,
  ).rejects.toThrow('batches_content');
});

it('the rows of a file stay until the last batch over it has lost its content', async () => {
  const stored = await upload({}, [`a,b,${canary} shared`]);
  const [first, second] = [await labelFile(stored.id), await labelFile(stored.id)];
  const fileOf = async () =>
    (await app.graphql(`{ file(id: "${stored.id}") { deletesAt } }`)).data?.file;
  const use = await batchWith(second, 'contentDeletesAt');
  const before = await fileOf();

  await forget(first);
  const kept = await columnsWith(`${canary} shared`);
  const items = await batchWith(second, 'items { edges { node { content } } }');
  await forget(second);

  expect(before.deletesAt).toBe(use.contentDeletesAt);
  expect(kept).toEqual(['rows.fields']);
  expect(items.items.edges[0].node.content).toBe(`${canary} shared`);
  expect(await columnsWith(`${canary} shared`)).toEqual([]);
  expect(await fileOf()).toBeNull();
  const [file] = await db.sql`select size_bytes as bytes from files where id = ${stored.id}`;
  expect(file).toEqual({ bytes: 0n });
  const again = await app.graphql(
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    { input: { operation: { label: labelOptions }, source: { fileId: stored.id } } },
  );
  expect(again.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
});

it('a batch that runs again, or in other hours, keeps its content', async () => {
  const id = await submitTexts(app, [`${canary} stays`]);
  await untilEnded(app, id);
  await age(id);

  const told = await look({ RETENTION_CONTENT_DAYS: '1', RETENTION_HOURS: '22-4' }, 12);
  await db.sql`update batches set status = 'PROCESSING', completed_at = null where id = ${id}`;
  told.push(...(await look({ RETENTION_CONTENT_DAYS: '0.0000001' })));
  const [batch] = await db.sql<{ deleted: boolean }[]>`
    select content_deleted_at is not null as deleted from batches where id = ${id}`;
  await db.sql`update batches set status = 'COMPLETED', completed_at = now() where id = ${id}`;

  expect(told.filter((fact) => (fact as { kind: string }).kind === 'content')).toEqual([]);
  expect(batch).toEqual({ deleted: false });
});

it('a process does it by itself, and its batches are blanked', async () => {
  const id = await submitTexts(app, [`${canary} by itself`]);
  await untilEnded(app, id);
  const other = await startApp(
    { RETENTION_CONTENT_DAYS: '0.00001' },
    { databaseUrl: app.databaseUrl, sandbox: app.sandbox },
  );
  try {
    await until(async () => !(await columnsWith(`${canary} by itself`)).includes('rows.content'), {
      deadlineMs: 30_000,
      what: 'the row to be blanked',
    });
    expect(await batchWith(id, 'status counts { succeeded }')).toMatchObject({
      status: 'COMPLETED',
      counts: { succeeded: 1 },
    });
  } finally {
    await other.stop();
  }
});

it('must be shorter than what deletes the whole batch', () => {
  const env = { RETENTION_BATCH_DAYS: '30', RETENTION_CONTENT_DAYS: '30' };
  expect(() => readConfig(env)).toThrow(
    'RETENTION_CONTENT_DAYS must be below RETENTION_BATCH_DAYS',
  );
});
