import { expect, onTestFinished, test } from 'vitest';
import {
  answer,
  batchRequests,
  call,
  createBatch,
  ended,
  headers,
  labelMessage,
  type Message,
  type MessageBatch,
  post,
  results,
  retrieve,
} from './message-requests.ts';
import { openSandbox } from './requests.ts';

const BATCHES = '/v1/messages/batches';
const idsOf = (lines: readonly { custom_id: string }[]) => lines.map((line) => line.custom_id);

test('a batch has every field that Anthropic answers with, and counts rows at its end only', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });

  const created = await createBatch(sandbox, batchRequests(3));
  sandbox.batches.advance({ rows: 2 });
  const halfway = await retrieve(sandbox, created.id);
  sandbox.batches.advance();
  sandbox.batches.advance();
  const batch = await retrieve(sandbox, created.id);

  expect(created).toEqual({
    id: expect.stringMatching(/^msgbatch_\w{24}$/),
    type: 'message_batch',
    processing_status: 'in_progress',
    request_counts: { processing: 3, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    expires_at: expect.stringMatching(/^\d{4}-.*Z$/),
    ended_at: null,
    archived_at: null,
    cancel_initiated_at: null,
    results_url: null,
  });
  expect(halfway).toEqual(created);
  expect(batch).toEqual({
    ...created,
    processing_status: 'ended',
    request_counts: { processing: 0, succeeded: 3, errored: 0, canceled: 0, expired: 0 },
    ended_at: expect.stringMatching(/^\d{4}-.*Z$/),
    results_url: `${sandbox.anthropicUrl}${BATCHES}/${created.id}/results`,
  });
});

test('a batch moves by itself, and its results are those of live requests in another order', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const requests = batchRequests(40);
  const { id } = await createBatch(sandbox, requests);

  const lines = await results(await ended(sandbox, id));
  const seventh = lines.find(({ custom_id }) => custom_id === 'row-7');
  const live = await answer<Message>(post(sandbox, '/v1/messages', labelMessage('text 7, great')));

  expect(idsOf(lines)).not.toEqual(idsOf(requests));
  expect(idsOf(lines).sort()).toEqual(idsOf(requests).sort());
  expect(seventh?.result).toMatchObject({
    type: 'succeeded',
    message: {
      type: 'message',
      content: live.content,
      usage: { service_tier: 'batch', output_tokens: live.usage.output_tokens },
    },
  });
  expect(sandbox.batches).toMatchObject({ createdCount: 1, answeredRows: 40 });
  expect(sandbox.batches.files).toEqual([]);
});

test('rows that are refused are errored, each in the shape of an error', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({
    fault: { kind: 'status', status: 529 },
    when: ({ text }) => text === 'busy',
  });
  sandbox.faults.add({
    fault: { kind: 'drop', at: 'headers' },
    when: ({ text }) => text === 'gone',
  });

  const { id } = await createBatch(sandbox, [
    ...batchRequests(1),
    { custom_id: 'bad', params: { ...labelMessage('x'), max_tokens: undefined } },
    { custom_id: 'busy', params: labelMessage('busy') },
    { custom_id: 'gone', params: labelMessage('gone') },
  ]);
  const batch = await ended(sandbox, id);
  const errors = Object.fromEntries(
    (await results(batch)).map(({ custom_id, result }) => [custom_id, result]),
  );

  expect(batch.request_counts).toMatchObject({ succeeded: 1, errored: 3 });
  const error = (type: string) => ({
    type: 'errored',
    error: { type: 'error', error: { type, message: expect.any(String) } },
  });
  expect(errors).toMatchObject({
    'row-1': { type: 'succeeded' },
    bad: error('invalid_request_error'),
    busy: error('overloaded_error'),
    gone: error('timeout_error'),
  });
});

test('a canceled batch keeps what was done', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });
  const { id } = await createBatch(sandbox, batchRequests(10));
  sandbox.batches.advance({ rows: 4 });

  const canceling = await answer<MessageBatch>(post(sandbox, `${BATCHES}/${id}/cancel`));
  const early = await call(sandbox, `${BATCHES}/${id}`, { method: 'DELETE' });
  sandbox.batches.advance();
  const batch = await retrieve(sandbox, id);
  const types = (await results(batch)).map(({ result }) => result.type);

  expect(canceling).toMatchObject({
    processing_status: 'canceling',
    cancel_initiated_at: expect.any(String),
    results_url: null,
  });
  expect(early.status).toBe(400);
  expect(batch).toMatchObject({
    processing_status: 'ended',
    request_counts: { processing: 0, succeeded: 4, canceled: 6 },
  });
  expect(types.sort()).toEqual([
    ...Array.from({ length: 6 }, () => 'canceled'),
    ...Array.from({ length: 4 }, () => 'succeeded'),
  ]);
  expect((await post(sandbox, `${BATCHES}/${id}/cancel`)).status).toBe(400);
});

test('an expired batch keeps what was done', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.batches.outcomes.add({
    fault: { kind: 'expired', done: 2 },
    when: ({ provider, firstCustomId }) => provider === 'anthropic' && firstCustomId === 'row-1',
  });

  const { id } = await createBatch(sandbox, batchRequests(3));
  const batch = await ended(sandbox, id);

  expect(batch.request_counts).toMatchObject({ succeeded: 2, expired: 1, canceled: 0 });
  expect((await results(batch)).filter(({ result }) => result.type === 'expired')).toHaveLength(1);
});

test('outcomes: refused, all errored, wrong counts, a status that is none, results that lie', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const { outcomes } = sandbox.batches;
  for (const fault of [
    { kind: 'rejected' },
    { kind: 'all_errored', status: 500 },
    { kind: 'wrong_counts', counts: { succeeded: 7 } },
    { kind: 'unknown_status', status: 'thinking', looks: 1 },
    { kind: 'duplicate_results', count: 2 },
    { kind: 'missing_results', count: 2 },
  ] as const)
    outcomes.add({ fault, times: 1 });

  const refused = await post(sandbox, BATCHES, { requests: batchRequests(2) });
  expect(refused.status).toBe(400);
  expect(sandbox.batches.createdCount).toBe(0);
  const next = async () => ended(sandbox, (await createBatch(sandbox, batchRequests(2))).id);
  expect((await next()).request_counts).toMatchObject({ succeeded: 0, errored: 2 });
  expect((await next()).request_counts).toMatchObject({ succeeded: 7, processing: 0 });
  const odd = await next();
  expect(odd.processing_status).toBe('thinking');
  expect((await retrieve(sandbox, odd.id)).processing_status).toBe('ended');
  expect(await results(await next())).toHaveLength(4);
  expect(await results(await next())).toHaveLength(0);
});

test('foreign_results_url: the results are said to be on another server', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const url = 'http://127.0.0.1:9/results';
  sandbox.batches.outcomes.add({ fault: { kind: 'foreign_results_url', url } });

  const created = await createBatch(sandbox, batchRequests(1));

  expect(created.results_url).toBeNull();
  expect(await ended(sandbox, created.id)).toMatchObject({ results_url: url });
});

const row = { custom_id: 'a', params: labelMessage('x') };
test.each([
  ['no requests', {}, 'requests: Field required'],
  ['no list', { requests: {} }, 'requests: Input should be a valid list'],
  ['an empty list', { requests: [] }, 'requests: List should have at least 1 item'],
  ['too many', { requests: batchRequests(5) }, 'requests: List should have at most 4 items'],
  ['an id twice', { requests: [row, row] }, "requests.1.custom_id: must be unique, 'a'"],
  [
    'an id with a dot',
    { requests: [{ ...row, custom_id: 'a.b' }] },
    'requests.0.custom_id: String should match pattern',
  ],
  [
    'a long id',
    { requests: [{ ...row, custom_id: 'a'.repeat(65) }] },
    'requests.0.custom_id: String should have at most 64',
  ],
  ['no id', { requests: [{ params: {} }] }, 'requests.0.custom_id: Field required'],
  ['no params', { requests: [{ custom_id: 'a' }] }, 'requests.0.params: Field required'],
  ['something else', { requests: [row], metadata: {} }, 'metadata: Extra inputs'],
])('a create with %s is refused, and makes nothing', async (_, body, message) => {
  const sandbox = await openSandbox(onTestFinished, { batches: { maxRequests: 4 } });

  const response = await post(sandbox, BATCHES, body);

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { type: 'invalid_request_error', message: expect.stringContaining(message) },
  });
  expect(sandbox.batches.createdCount).toBe(0);
});

test('a body that is too large is a 413', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { maxBytes: 1_000 } });

  const response = await post(sandbox, BATCHES, { requests: batchRequests(10) });

  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ error: { type: 'request_too_large' } });
});

test('batches are listed newest first, forwards and backwards', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const made: string[] = [];
  for (let i = 0; i < 5; i++) made.unshift((await createBatch(sandbox, batchRequests(1))).id);
  const list = (query: string) =>
    answer<{ data: MessageBatch[]; has_more: boolean; first_id: string; last_id: string }>(
      call(sandbox, `${BATCHES}?${query}`),
    );
  const ids = async (query: string) => (await list(query)).data.map(({ id }) => id);

  expect(await list('limit=2')).toMatchObject({
    has_more: true,
    first_id: made[0],
    last_id: made[1],
  });
  expect(await ids('')).toEqual(made);
  expect(await ids(`limit=2&after_id=${made[1]}`)).toEqual([made[2], made[3]]);
  expect(await ids(`limit=2&before_id=${made[3]}`)).toEqual([made[1], made[2]]);
  expect(await list(`after_id=${made[3]}`)).toMatchObject({ has_more: false });
  expect((await call(sandbox, `${BATCHES}?after_id=none`)).status).toBe(400);
});

test('an ended batch is deleted, and its results with it', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const { id } = await createBatch(sandbox, batchRequests(1));
  const { results_url } = await ended(sandbox, id);

  const deleted = await call(sandbox, `${BATCHES}/${id}`, { method: 'DELETE' });

  expect(await deleted.json()).toEqual({ id, type: 'message_batch_deleted' });
  expect((await call(sandbox, `${BATCHES}/${id}`)).status).toBe(404);
  expect((await fetch(results_url ?? '', { headers })).status).toBe(404);
});

test('results before the end, an unknown batch and batches of OpenAI are 404', async () => {
  const sandbox = await openSandbox(onTestFinished, { batches: { held: true } });
  const { id } = await createBatch(sandbox, batchRequests(1));

  for (const path of [`${BATCHES}/${id}/results`, `${BATCHES}/none`, `${BATCHES}/${id}/x`])
    expect((await call(sandbox, path)).status).toBe(404);
  expect((await fetch(`${sandbox.url}/batches/${id}`)).status).toBe(404);
});

test('a create whose answer is lost has happened; a batch may be unknown at first', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const { callFaults } = sandbox.batches;
  callFaults.add({
    fault: { kind: 'lost_answer' },
    when: ({ provider, operation, body }) =>
      provider === 'anthropic' && operation === 'create' && JSON.stringify(body).includes('row-1'),
  });
  callFaults.add({
    fault: { kind: 'status', status: 404 },
    when: ({ operation }) => operation === 'retrieve',
    times: 1,
  });

  await expect(post(sandbox, BATCHES, { requests: batchRequests(2) })).rejects.toThrow();
  const [record] = sandbox.batches.created;
  const id = record?.id ?? '';

  expect(record).toMatchObject({ provider: 'anthropic', total: 2 });
  expect((await call(sandbox, `${BATCHES}/${id}`)).status).toBe(404);
  expect((await ended(sandbox, id)).processing_status).toBe('ended');
});

test('results fail as often as they are told, in the shape of Anthropic', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.batches.callFaults.add({
    fault: { kind: 'status', status: 529 },
    when: ({ operation }) => operation === 'download',
    times: 1,
  });
  const { id } = await createBatch(sandbox, batchRequests(2));
  const batch = await ended(sandbox, id);

  const failed = await fetch(batch.results_url ?? '', { headers });

  expect(await failed.json()).toMatchObject({ error: { type: 'overloaded_error' } });
  expect(await results(batch)).toHaveLength(2);
});
