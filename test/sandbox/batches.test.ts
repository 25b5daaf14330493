import { toFile } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import {
  batchLine,
  batchLines,
  createBatch,
  download,
  ended,
  idsOf,
  upload,
} from './batch-requests.ts';
import { clientOf, labelRequest, openSandbox } from './requests.ts';

test('a batch has every field that OpenAI answers with, at each of its stages', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });
  const client = clientOf(sandbox);

  const created = await createBatch(client, batchLines(3), { intent: '7' });
  const seen = [];
  for (let i = 0; i < 4; i++) {
    const { status, request_counts, output_file_id } = await client.batches.retrieve(created.id);
    seen.push([status, request_counts?.total, request_counts?.completed, Boolean(output_file_id)]);
    sandbox.batches.advance();
  }
  const batch = await client.batches.retrieve(created.id);

  expect(created).toEqual({
    id: expect.stringMatching(/^batch_\w{32}$/),
    object: 'batch',
    endpoint: '/v1/chat/completions',
    model: null,
    errors: null,
    input_file_id: expect.stringMatching(/^file-/),
    completion_window: '24h',
    status: 'validating',
    output_file_id: null,
    error_file_id: null,
    created_at: expect.any(Number),
    in_progress_at: null,
    expires_at: created.created_at + 86_400,
    finalizing_at: null,
    completed_at: null,
    failed_at: null,
    expired_at: null,
    cancelling_at: null,
    cancelled_at: null,
    request_counts: { total: 0, completed: 0, failed: 0 },
    usage: expect.objectContaining({ total_tokens: 0 }),
    metadata: { intent: '7' },
  });
  expect(seen).toEqual([
    ['validating', 0, 0, false],
    ['in_progress', 3, 0, false],
    ['finalizing', 3, 3, false],
    ['completed', 3, 3, true],
  ]);
  expect(batch).toMatchObject({
    model: 'rules',
    in_progress_at: expect.any(Number),
    finalizing_at: expect.any(Number),
    completed_at: expect.any(Number),
    error_file_id: null,
    request_counts: { total: 3, completed: 3, failed: 0 },
  });
});

test('a batch moves by itself, and its answers are those of live requests', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const { id } = await createBatch(client, batchLines(40));

  const batch = await ended(sandbox, client, id);
  const lines = await download(client, batch.output_file_id);
  const live = await client.chat.completions.create(labelRequest('text 7, great'));
  const seventh = lines.find(({ custom_id }) => custom_id === 'row-7');

  expect(batch.status).toBe('completed');
  expect(idsOf(lines)).toEqual(
    batchLines(40)
      .map((line) => JSON.parse(line).custom_id)
      .sort(),
  );
  expect(lines.map(({ custom_id }) => custom_id)).not.toEqual(idsOf(lines));
  expect(lines[0]?.custom_id).not.toBe('row-1');
  expect(seventh).toMatchObject({
    id: expect.stringMatching(/^batch_req_/),
    response: { status_code: 200, request_id: expect.stringMatching(/^req_/) },
    error: null,
  });
  expect(seventh?.response?.body.choices).toEqual(live.choices);
  expect(batch.usage?.total_tokens).toBe(
    lines.reduce((sum, { response }) => sum + (response?.body.usage?.total_tokens ?? 0), 0),
  );
});

test('a row that is refused stands in the error file with its status and error', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const body = { ...labelRequest('good'), temperature: 9 };

  const { id } = await createBatch(client, [...batchLines(2), batchLine('bad', '', { body })]);
  const batch = await ended(sandbox, client, id);
  const [failed] = await download(client, batch.error_file_id);

  expect(batch.request_counts).toEqual({ total: 3, completed: 2, failed: 1 });
  expect(failed).toMatchObject({
    custom_id: 'bad',
    response: {
      status_code: 400,
      body: { error: { code: 'decimal_above_max_value', param: 'temperature' } },
    },
    error: null,
  });
  expect(idsOf(await download(client, batch.output_file_id))).toEqual(['row-1', 'row-2']);
});

test.each([
  ['no JSON', ['{"custom_id":'], 'invalid_json_line', 1, null],
  ['no object', ['[]'], 'invalid_json_line', 1, null],
  ['a byte order mark', [`\ufeff${batchLine('a', '')}`], 'invalid_json_line', 1, null],
  [
    'no custom_id',
    [batchLine('a', ''), batchLine('b', '', { custom_id: undefined })],
    'missing_required_parameter',
    2,
    'custom_id',
  ],
  [
    'an id twice',
    [batchLine('a', ''), '', batchLine('a', '')],
    'duplicate_custom_id',
    3,
    'custom_id',
  ],
  ['another method', [batchLine('a', '', { method: 'GET' })], 'invalid_method', 1, 'method'],
  ['another URL', [batchLine('a', '', { url: '/v1/embeddings' })], 'invalid_url', 1, 'url'],
  ['no body', [batchLine('a', '', { body: undefined })], 'missing_required_parameter', 1, 'body'],
  [
    'an unknown model',
    [batchLine('a', '', { body: { model: 'gpt-9' } })],
    'model_not_found',
    1,
    'body.model',
  ],
  [
    'two models',
    [batchLine('a', ''), batchLine('b', '', { body: { ...labelRequest(''), model: 'other' } })],
    'mismatched_model',
    2,
    'body.model',
  ],
  ['nothing but blank lines', ['', ' ', ''], 'empty_file', null, null],
  ['too many rows', batchLines(5), 'too_many_tasks', null, null],
  ['too many bytes', [batchLine('a', 'x'.repeat(5_000))], 'file_too_large', null, null],
])('a file with %s fails in validation', async (_, lines, code, line, param) => {
  const sandbox = await openSandbox(onTestFinished, {
    models: ['rules', 'other'],
    batches: { maxRequests: 4, maxBytes: 4_000 },
  });
  const client = clientOf(sandbox);

  const { id } = await createBatch(client, lines);
  const batch = await ended(sandbox, client, id);

  expect(batch).toMatchObject({
    status: 'failed',
    failed_at: expect.any(Number),
    in_progress_at: null,
    output_file_id: null,
    error_file_id: null,
    errors: { object: 'list', data: [{ code, line, param, message: expect.any(String) }] },
  });
});

test('a batch over a file that is not there, or none for batches, fails', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const other = await client.files.create({
    file: await toFile(Buffer.from('x'), 'x.txt'),
    purpose: 'user_data',
  });

  for (const input_file_id of ['file-none', other.id]) {
    const { id } = await client.batches.create({
      input_file_id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    });
    expect(await ended(sandbox, client, id)).toMatchObject({
      status: 'failed',
      errors: { data: [{ param: 'input_file_id', line: null }] },
    });
  }
});

test('a cancelled batch keeps what was done, and says which rows were not', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });
  const client = clientOf(sandbox);
  const { id } = await createBatch(client, batchLines(10));
  sandbox.batches.advance();
  sandbox.batches.advance({ rows: 4 });

  const cancelling = await client.batches.cancel(id);
  sandbox.batches.advance();
  const batch = await client.batches.retrieve(id);
  const output = await download(client, batch.output_file_id);
  const errors = await download(client, batch.error_file_id);

  expect(cancelling).toMatchObject({ status: 'cancelling', cancelling_at: expect.any(Number) });
  expect(batch).toMatchObject({
    status: 'cancelled',
    cancelled_at: expect.any(Number),
    request_counts: { total: 10, completed: 4, failed: 0 },
  });
  expect(output).toHaveLength(4);
  expect(errors.map(({ response, error }) => [response, error?.code])).toEqual(
    Array.from({ length: 6 }, () => [null, 'batch_cancelled']),
  );
  expect(idsOf([...output, ...errors])).toEqual(idsOf(batchLines(10).map((l) => JSON.parse(l))));
  await expect(client.batches.cancel(id)).rejects.toMatchObject({ status: 409 });
});

test('an expired batch keeps what was done, and says which rows were not', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });
  const client = clientOf(sandbox);
  const { id } = await createBatch(client, batchLines(5));
  sandbox.batches.advance();
  sandbox.batches.advance({ rows: 2 });

  sandbox.batches.expire(id);
  const batch = await client.batches.retrieve(id);
  const errors = await download(client, batch.error_file_id);

  expect(batch).toMatchObject({ status: 'expired', expired_at: expect.any(Number) });
  expect(await download(client, batch.output_file_id)).toHaveLength(2);
  expect(errors).toHaveLength(3);
  expect(errors[0]).toMatchObject({ response: null, error: { code: 'batch_expired' } });
});

test('batches are listed newest first, page by page', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const { id } = await upload(client, batchLines(1));
  const made: string[] = [];
  for (let i = 0; i < 5; i++) {
    const batch = await client.batches.create({
      input_file_id: id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
      metadata: { intent: String(i) },
    });
    made.unshift(batch.id);
  }

  const page = await client.batches.list({ limit: 2 });
  const all: string[] = [];
  for await (const batch of client.batches.list({ limit: 2 })) all.push(batch.id);

  expect(page).toMatchObject({ has_more: true });
  expect(page.data.map(({ metadata }) => metadata?.intent)).toEqual(['4', '3']);
  expect(all).toEqual(made);
  await expect(client.batches.list({ limit: 101 })).rejects.toMatchObject({ status: 400 });
  await expect(client.batches.list({ after: 'batch_none' })).rejects.toMatchObject({ status: 400 });
});

const good = { input_file_id: 'f', endpoint: '/v1/chat/completions', completion_window: '24h' };
const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
test.each([
  ['no input file', { ...good, input_file_id: undefined }, 'input_file_id'],
  ['another endpoint', { ...good, endpoint: '/v1/embeddings' }, 'endpoint'],
  ['another window', { ...good, completion_window: '1h' }, 'completion_window'],
  ['17 pairs', { ...good, metadata: pairs(17) }, 'metadata'],
  ['a long key', { ...good, metadata: { ['k'.repeat(65)]: '' } }, 'metadata'],
  ['a long value', { ...good, metadata: { k: 'v'.repeat(513) } }, 'metadata.k'],
  ['a number', { ...good, metadata: { k: 1 } }, 'metadata.k'],
  [
    'an odd expiry',
    { ...good, output_expires_after: { anchor: 'created_at', seconds: 1 } },
    'output_expires_after.seconds',
  ],
  ['no object', [], null],
])('a create with %s is refused, and makes nothing', async (_, body, param) => {
  const sandbox = await openSandbox(onTestFinished);

  const response = await fetch(`${sandbox.url}/batches`, {
    method: 'POST',
    body: JSON.stringify(body),
  });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ error: { param, type: 'invalid_request_error' } });
  expect(sandbox.batches.createdCount).toBe(0);
  expect(sandbox.batches.calls.create).toBe(1);
});

test('16 pairs of metadata, as long as they may be, come back', async () => {
  const client = clientOf(await openSandbox(onTestFinished));
  const metadata = { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(512) };

  const { id } = await createBatch(client, batchLines(1), metadata);

  expect((await client.batches.retrieve(id)).metadata).toEqual(metadata);
});

test('unknown batches, methods and paths are 404', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);

  await expect(client.batches.retrieve('batch_none')).rejects.toMatchObject({ status: 404 });
  await expect(client.batches.cancel('batch_none')).rejects.toMatchObject({ status: 404 });
  for (const path of ['/batches/', '/batches/a/b', '/batches/a/cancel/b', '/files/a/b', '/files/'])
    expect((await fetch(`${sandbox.url}${path}`, { method: 'PUT' })).status).toBe(404);
});

test('what was made, called and answered can be counted', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);

  const first = await createBatch(client, batchLines(3), { intent: 'a' });
  const second = await createBatch(client, batchLines(4), { intent: 'b' });
  for (const { id } of [first, second]) await ended(sandbox, client, id);

  const { batches } = sandbox;
  expect(batches.created).toEqual([
    expect.objectContaining({ id: first.id, stage: 'completed', metadata: { intent: 'a' } }),
    expect.objectContaining({ id: second.id, provider: 'openai', total: 4, completed: 4 }),
  ]);
  expect(batches).toMatchObject({ createdCount: 2, uploadedCount: 2, answeredRows: 7 });
  expect(batches.calls).toMatchObject({ upload: 2, create: 2, retrieve: 2, download: 0 });
  expect(batches.files.map(({ purpose }) => purpose).sort()).toEqual([
    'batch',
    'batch',
    'batch_output',
    'batch_output',
  ]);
  expect(sandbox.requests.count).toBe(0);
});

test('what is held moves by hand, one batch or all, until it is released', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const { batches } = sandbox;
  batches.hold();
  const { id } = await createBatch(client, batchLines(3));
  const other = await createBatch(client, batchLines(3));
  const stages = () => batches.created.map(({ stage, completed }) => [stage, completed]);

  batches.advance({ id });
  expect(stages()).toEqual([
    ['in_progress', 0],
    ['validating', 0],
  ]);
  batches.advance({ rows: 2 });
  expect(stages()).toEqual([
    ['in_progress', 2],
    ['validating', 0],
  ]);
  batches.advance();
  expect(stages()).toEqual([
    ['finalizing', 3],
    ['in_progress', 0],
  ]);
  batches.release();

  for (const one of [id, other.id])
    expect(await ended(sandbox, client, one)).toMatchObject({ status: 'completed' });
});

test('a batch goes on when its input file is deleted', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });
  const client = clientOf(sandbox);
  const { id, input_file_id } = await createBatch(client, batchLines(3));

  await client.files.delete(input_file_id);
  sandbox.batches.release();

  expect(await ended(sandbox, client, id)).toMatchObject({ request_counts: { completed: 3 } });
});
