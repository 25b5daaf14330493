import { APIConnectionError } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../src/sandbox/faults/outcomes.ts';
import {
  batchLine,
  batchLines,
  createBatch,
  download,
  ended,
  idsOf,
  upload,
} from './batch-requests.ts';
import { clientOf, openSandbox } from './requests.ts';

async function batchOf(outcome: Outcome, rows = 4) {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  sandbox.batches.outcomes.add({ fault: outcome });
  const { id } = await createBatch(client, batchLines(rows));
  const batch = await ended(sandbox, client, id);
  return { sandbox, client, batch };
}

test('rejected: the batch fails with the errors that it is told', async () => {
  const problems = [{ code: 'token_limit_exceeded', line: null, message: 'Enqueued', param: null }];

  const { batch, sandbox } = await batchOf({ kind: 'rejected', problems });

  expect(batch).toMatchObject({ status: 'failed', errors: { data: problems } });
  expect(sandbox.batches.answeredRows).toBe(0);
});

test('missing_results: completed all the same, with lines left out', async () => {
  const { batch, client } = await batchOf({ kind: 'missing_results', count: 3 });

  expect(batch.request_counts).toEqual({ total: 4, completed: 4, failed: 0 });
  expect(await download(client, batch.output_file_id)).toHaveLength(1);
});

test('missing_results of every row: completed without any file', async () => {
  const { batch } = await batchOf({ kind: 'missing_results', count: 4 });

  expect(batch).toMatchObject({ status: 'completed', output_file_id: null, error_file_id: null });
});

test('duplicate_results: the same row twice, apart from each other', async () => {
  const { batch, client } = await batchOf({ kind: 'duplicate_results' });
  const ids = (await download(client, batch.output_file_id)).map(({ custom_id }) => custom_id);

  expect(ids).toHaveLength(5);
  expect(ids[0]).toBe(ids[4]);
  expect(new Set(ids).size).toBe(4);
});

test('foreign_results and anonymous_results: ids that nobody asked for, and none', async () => {
  const foreign = await batchOf({ kind: 'foreign_results', count: 2 });
  const anonymous = await batchOf({ kind: 'anonymous_results' });

  const lines = await download(foreign.client, foreign.batch.output_file_id);
  expect(idsOf(lines).slice(-2)).toEqual(['unasked-1', 'unasked-2']);
  const nameless = await download(anonymous.client, anonymous.batch.output_file_id);
  expect(nameless.filter((line) => !('custom_id' in line))).toHaveLength(1);
});

test('garbled_results: one line is no JSON', async () => {
  const { batch, client } = await batchOf({ kind: 'garbled_results' });

  const text = await (await client.files.content(batch.output_file_id ?? '')).text();
  const broken = text
    .trimEnd()
    .split('\n')
    .filter((line) => !line.endsWith('}'));

  expect(broken).toHaveLength(1);
});

test('all_errored: an error file only', async () => {
  const { batch, client } = await batchOf({ kind: 'all_errored', status: 500 });
  const errors = await download(client, batch.error_file_id);

  expect(batch).toMatchObject({
    status: 'completed',
    output_file_id: null,
    request_counts: { total: 4, completed: 0, failed: 4 },
  });
  expect(errors.map(({ response }) => response?.status_code)).toEqual([500, 500, 500, 500]);
});

test('expired: a part is done, the rest is said to have expired', async () => {
  const { batch, client } = await batchOf({ kind: 'expired', done: 3 });
  const errors = await download(client, batch.error_file_id);

  expect(batch.status).toBe('expired');
  expect(await download(client, batch.output_file_id)).toHaveLength(3);
  expect(errors.map(({ error }) => error?.code)).toEqual(['batch_expired']);
});

test('expired before anything was done: no output file', async () => {
  const { batch } = await batchOf({ kind: 'expired', done: 0 });

  expect(batch).toMatchObject({ status: 'expired', output_file_id: null });
});

test('cancelled: by somebody else, with a part done', async () => {
  const { batch, client } = await batchOf({ kind: 'cancelled', done: 1 });

  expect(batch.status).toBe('cancelled');
  expect(await download(client, batch.output_file_id)).toHaveLength(1);
});

test('wrong_counts: request_counts disagree with the files', async () => {
  const { batch, client } = await batchOf({ kind: 'wrong_counts', counts: { completed: 99 } });

  expect(batch.request_counts).toEqual({ total: 4, completed: 99, failed: 0 });
  expect(await download(client, batch.output_file_id)).toHaveLength(4);
});

test('unknown_status: told for some looks, then the truth', async () => {
  const { batch, client } = await batchOf({ kind: 'unknown_status', status: 'paused', looks: 2 });

  const statuses = [batch.status];
  for (let i = 0; i < 2; i++) statuses.push((await client.batches.retrieve(batch.id)).status);

  expect(statuses).toEqual(['paused', 'paused', 'completed']);
});

test('outcomes are picked by metadata, size and first id', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  sandbox.batches.outcomes.add({
    fault: { kind: 'rejected' },
    when: ({ metadata, total, firstCustomId, provider }) =>
      metadata?.part === '2' && total === 3 && firstCustomId === 'row-1' && provider === 'openai',
  });

  const first = await createBatch(client, batchLines(3), { part: '1' });
  const second = await createBatch(client, batchLines(3), { part: '2' });

  expect(await ended(sandbox, client, first.id)).toMatchObject({ status: 'completed' });
  expect(await ended(sandbox, client, second.id)).toMatchObject({ status: 'failed' });
});

test('a download fails as often as it is told, then succeeds', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  sandbox.batches.callFaults.add({
    fault: { kind: 'raw', status: 502, body: '<html>Bad Gateway</html>' },
    when: ({ operation }) => operation === 'download',
    times: 2,
  });
  const { id } = await createBatch(client, batchLines(2));
  const { output_file_id } = await ended(sandbox, client, id);

  for (let i = 0; i < 2; i++)
    await expect(download(client, output_file_id)).rejects.toMatchObject({ status: 502 });
  expect(await download(client, output_file_id)).toHaveLength(2);
  expect(sandbox.batches.calls.download).toBe(3);
});

test('a download breaks off in the middle', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const { id } = await createBatch(client, batchLines(200));
  const { output_file_id } = await ended(sandbox, client, id);
  sandbox.batches.callFaults.add({ fault: { kind: 'drop', at: 'body' }, times: 1 });

  await expect(download(client, output_file_id)).rejects.toThrow();
  expect(await download(client, output_file_id)).toHaveLength(200);
});

test('a create whose answer is lost has happened, and is found by its metadata', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  sandbox.batches.callFaults.add({
    fault: { kind: 'lost_answer' },
    when: ({ operation }) => operation === 'create',
    times: 1,
  });

  const lost = createBatch(client, batchLines(2), { intent: '42' });

  await expect(lost).rejects.toBeInstanceOf(APIConnectionError);
  const { data } = await client.batches.list();
  expect(data.map(({ metadata }) => metadata)).toEqual([{ intent: '42' }]);
  expect(sandbox.batches.createdCount).toBe(1);
});

test('a create that is dropped before it is carried out makes nothing', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  sandbox.batches.callFaults.add({
    fault: { kind: 'drop', at: 'headers' },
    when: ({ operation }) => operation === 'create',
  });

  await expect(createBatch(client, batchLines(1))).rejects.toBeInstanceOf(APIConnectionError);
  expect(sandbox.batches).toMatchObject({ createdCount: 0, uploadedCount: 1 });
});

test('a call waits as long as it is told, and is not carried out when the client gives up', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const { id } = await upload(client, batchLines(1));
  sandbox.batches.callFaults.add({ fault: { kind: 'latency', ms: 600_000 } });
  const call = new AbortController();

  const slow = client.files.delete(id, { signal: call.signal });
  await expect.poll(() => sandbox.batches.calls.delete_file).toBe(1);
  call.abort();

  await expect(slow).rejects.toThrow();
  expect(sandbox.batches.files).toHaveLength(1);
});

test('a key that is revoked midway refuses files, batches and chats', async () => {
  const sandbox = await openSandbox(onTestFinished, { apiKey: 'first' });
  const client = clientOf(sandbox, 'first');
  const { id } = await createBatch(client, batchLines(1));

  sandbox.demandKey('second');

  for (const call of [
    () => client.batches.retrieve(id),
    () => client.files.list(),
    () => upload(client, batchLines(1)),
    () => client.models.list(),
  ])
    await expect(call()).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
  expect(await clientOf(sandbox, 'second').batches.retrieve(id)).toMatchObject({ id });
});

test('rows fail by the faults of live requests', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const about = (word: string) => (request: { text: string; batchId: string | null }) =>
    request.text === word && request.batchId !== null;
  sandbox.faults.add({ fault: { kind: 'refusal' }, when: about('refusal') });
  sandbox.faults.add({ fault: { kind: 'truncated' }, when: about('truncated') });
  sandbox.faults.add({ fault: { kind: 'status', status: 500 }, when: about('status') });
  sandbox.faults.add({ fault: { kind: 'rate_limited' }, when: about('limited') });
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, when: about('stall') });
  sandbox.faults.add({ fault: { kind: 'raw', body: '<html>' }, when: about('raw') });
  const words = ['refusal', 'truncated', 'status', 'limited', 'stall', 'raw', 'good'];

  const { id } = await createBatch(
    client,
    words.map((word) => batchLine(word, word)),
  );
  const batch = await ended(sandbox, client, id);
  const output = await download(client, batch.output_file_id);
  const errors = await download(client, batch.error_file_id);
  const find = (customId: string) =>
    [...output, ...errors].find(({ custom_id }) => custom_id === customId);

  expect(idsOf(output)).toEqual(['good', 'raw', 'refusal', 'truncated']);
  expect(find('refusal')?.response?.body.choices[0]?.message.refusal).toEqual(expect.any(String));
  expect(find('truncated')?.response?.body.choices[0]?.finish_reason).toBe('length');
  expect(find('status')?.response).toMatchObject({ status_code: 500 });
  expect(find('limited')?.response).toMatchObject({
    status_code: 429,
    body: { error: { code: 'rate_limit_exceeded' } },
  });
  expect(find('stall')).toMatchObject({ response: null, error: { code: 'request_timeout' } });
  expect(find('raw')?.response?.body).toBe('<html>');
  expect(batch.request_counts).toEqual({ total: 7, completed: 4, failed: 3 });
});
