import { readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { BatchApi } from '../../../src/model/batch-api.ts';
import type { ProviderConfig } from '../../../src/model/provider-config.ts';
import type { Outcome } from '../../../src/sandbox/faults/outcomes.ts';
import type { Sandbox, SandboxOptions } from '../../../src/sandbox/faults/sandbox.ts';
import { openSandbox } from '../../sandbox/requests.ts';
import {
  asking,
  batchesOf,
  calm,
  ended,
  inputOf,
  kindsOf,
  linesIn,
  linesOf,
  refused,
  submit,
} from '../batch-support.ts';
import { json, modelOf } from '../support.ts';

async function openApi(
  options: SandboxOptions = {},
  config: Partial<ProviderConfig> = {},
): Promise<{ sandbox: Sandbox; api: BatchApi }> {
  const sandbox = await openSandbox(onTestFinished, options);
  return { sandbox, api: apiOf(sandbox, config) };
}

function apiOf(sandbox: Sandbox, config: Partial<ProviderConfig> = {}): BatchApi {
  const { model, providers } = modelOf(sandbox.url, { name: 'stub', id: 'stub/rules', ...config });
  onTestFinished(() => providers.close());
  return batchesOf(model);
}

const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => asking(`text ${i + 1}, great`));

async function jobWith(outcome: Outcome, count = 4) {
  const { sandbox, api } = await openApi();
  sandbox.batches.outcomes.add({ fault: outcome });
  const { providerId } = await submit(
    api,
    await inputOf(onTestFinished, linesOf(api, rows(count))),
  );
  return { sandbox, api, job: await ended(sandbox, api, providerId) };
}

test('a job goes from its upload to its answers, priced and counted as a batch', async () => {
  const { sandbox, api } = await openApi({ batches: { held: true } });
  const input = await inputOf(onTestFinished, linesOf(api, rows(3)), 'job-7');

  const created = await submit(api, input);
  sandbox.batches.advance();
  sandbox.batches.advance({ rows: 2 });
  const working = await api.retrieve(created.providerId, calm());
  sandbox.batches.release();
  const job = await ended(sandbox, api, created.providerId);
  const lines = await linesIn(api, job);

  expect(created).toMatchObject({ status: 'validating', phase: 'working', results: null });
  expect(created.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000);
  expect(working).toMatchObject({ phase: 'working', counts: { succeeded: 2, failed: 0 } });
  expect(job).toMatchObject({
    status: 'completed',
    phase: 'completed',
    counts: { succeeded: 3, failed: 0, cancelled: 0, expired: 0 },
    problems: [],
  });
  expect(kindsOf(lines)).toEqual(['answer row-1', 'answer row-2', 'answer row-3']);
  for (const line of lines) {
    if (line.kind !== 'answer') continue;
    expect(line.answer.tokens.inputTokens).toBeGreaterThan(0);
    expect(line.answer.text).not.toBe('');
  }
  expect(sandbox.batches.files[0]).toMatchObject({
    filename: 'job-7.jsonl',
    purpose: 'batch',
    bytes: input.bytes,
  });
  expect(sandbox.batches.created[0]?.metadata).toEqual({ winnow_batch: 'job-7' });
});

test('a line asks for what a live call would ask for, in one line', async () => {
  const { sandbox, api } = await openApi();
  const { model } = modelOf(sandbox.url, { id: 'stub/rules' });
  const request = { ...json, temperature: 0, maxOutputTokens: 9, logprobs: true };
  const odd = asking('a\nb\r\u2028c\u2029d\u0085e \ud800 "quoted"');

  const line = api.encode('row-1', request);
  const oddLine = api.encode('row-2', odd);

  expect(JSON.parse(line)).toEqual({
    custom_id: 'row-1',
    method: 'POST',
    url: '/v1/chat/completions',
    body: model.bodyOf(request),
  });
  expect(oddLine).not.toMatch(/[\n\r\u0085\u2028\u2029]/);
  expect(JSON.parse(oddLine).body.messages[0].content).toBe(odd.messages[0]?.content);
});

test('a body of the caller goes as it is, and any whole completion answers it', async () => {
  const { sandbox, api } = await openApi();
  const body = {
    model: 'other',
    messages: [{ role: 'user', content: 'Say something that takes many words, please.' }],
    top_p: 0.5,
    max_tokens: 1,
    stream: true,
  };
  sandbox.faults.add({ fault: { kind: 'truncated' } });
  const input = await inputOf(onTestFinished, [api.encode('row-1', { body })]);
  const { providerId } = await submit(api, input);
  const job = await ended(sandbox, api, providerId);

  const [whole] = await linesIn(api, job, { whole: true });
  const [strict] = await linesIn(api, job);

  expect(JSON.parse(await readFile(input.path, 'utf8')).body).toEqual({
    model: 'rules',
    messages: body.messages,
    top_p: 0.5,
    max_tokens: 1,
  });
  expect(whole?.kind === 'error' ? whole.error.message : '').toBe('');
  expect(whole).toMatchObject({ kind: 'answer', customId: 'row-1' });
  expect(strict).toMatchObject({ kind: 'error', error: { failure: { code: 'TRUNCATED' } } });
  if (strict?.kind === 'error') expect(strict.error.tokens?.outputTokens).toBeGreaterThan(0);
});

test('a rejected job says why, line by line', async () => {
  const { sandbox, api } = await openApi();
  const [good = ''] = linesOf(api, rows(1));
  const bad = good.replace('"rules"', '"unheard-of"').replace('row-1', 'row-2');
  const { providerId } = await submit(api, await inputOf(onTestFinished, [good, bad, '{']));

  const job = await ended(sandbox, api, providerId);

  expect(job).toMatchObject({ status: 'failed', phase: 'rejected', results: null });
  expect(job.problems).toEqual([
    { code: 'model_not_found', line: 2, message: expect.stringContaining('unheard-of') },
    { code: 'invalid_json_line', line: 3, message: expect.any(String) },
  ]);
});

test('a job that is rejected as a whole names no line', async () => {
  const { job } = await jobWith({
    kind: 'rejected',
    problems: [
      { code: 'token_limit_exceeded', line: null, message: 'Enqueued limit', param: null },
    ],
  });

  expect(job.problems).toEqual([
    { code: 'token_limit_exceeded', line: null, message: 'Enqueued limit' },
  ]);
});

test.each<[string, Outcome, string, string[]]>([
  ['missing results', { kind: 'missing_results', count: 3 }, 'completed', ['answer']],
  ['no results at all', { kind: 'missing_results', count: 4 }, 'completed', []],
  ['a result twice', { kind: 'duplicate_results' }, 'completed', Array(5).fill('answer')],
  [
    'a result without an id',
    { kind: 'anonymous_results' },
    'completed',
    ['answer', 'answer', 'answer', 'unreadable'],
  ],
  [
    'a line that is no JSON',
    { kind: 'garbled_results' },
    'completed',
    ['answer', 'answer', 'answer', 'unreadable'],
  ],
  [
    'results that nobody asked for',
    { kind: 'foreign_results', count: 2 },
    'completed',
    Array(6).fill('answer'),
  ],
  ['only errors', { kind: 'all_errored' }, 'completed', Array(4).fill('error')],
  ['nothing done in time', { kind: 'expired', done: 0 }, 'expired', Array(4).fill('expired')],
  [
    'counts that are wrong',
    { kind: 'wrong_counts', counts: { total: -1, completed: 99 } },
    'completed',
    Array(4).fill('answer'),
  ],
])('%s: what is there is read', async (_what, outcome, phase, kinds) => {
  const { api, job } = await jobWith(outcome);

  const lines = await linesIn(api, job);

  expect(job.phase).toBe(phase);
  expect(lines.map(({ kind }) => kind).sort()).toEqual(kinds);
});

test('rows that fail say so as live calls do', async () => {
  const { sandbox, api } = await openApi();
  const words = ['refusal', 'truncated', 'overloaded', 'limited', 'slow', 'html', 'bad', 'good'];
  const when = (word: string) => (request: { text: string }) => request.text === word;
  sandbox.faults.add({ fault: { kind: 'refusal' }, when: when('refusal') });
  sandbox.faults.add({ fault: { kind: 'truncated' }, when: when('truncated') });
  sandbox.faults.add({ fault: { kind: 'status', status: 503 }, when: when('overloaded') });
  sandbox.faults.add({ fault: { kind: 'rate_limited' }, when: when('limited') });
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' }, when: when('slow') });
  sandbox.faults.add({ fault: { kind: 'raw', body: '<html>' }, when: when('html') });
  sandbox.faults.add({ fault: { kind: 'status', status: 400 }, when: when('bad') });
  const lines = words.map((word) => api.encode(word, asking(word)));
  const { providerId } = await submit(api, await inputOf(onTestFinished, lines));

  const results = await linesIn(api, await ended(sandbox, api, providerId));

  const codes = results.map((line) =>
    line.kind === 'error'
      ? [line.customId, line.error.failure.code]
      : ['customId' in line ? line.customId : '', line.kind],
  );
  expect(Object.fromEntries(codes)).toEqual({
    refusal: 'REFUSED',
    truncated: 'TRUNCATED',
    overloaded: 'PROVIDER_ERROR',
    limited: 'RATE_LIMITED',
    slow: 'TIMEOUT',
    html: 'PROVIDER_ERROR',
    bad: 'INVALID_REQUEST',
    good: 'answer',
  });
});

test('what a model refuses is left out of the next job, as from the next live call', async () => {
  const { sandbox, api } = await openApi({ refuse: ['temperature', 'json_schema', 'max_tokens'] });
  const request = { ...json, temperature: 0, maxOutputTokens: 90 };

  const failures: string[] = [];
  for (let jobs = 1; jobs <= 4; jobs++) {
    const lines = linesOf(api, [request, request]);
    const { providerId } = await submit(api, await inputOf(onTestFinished, lines));
    const results = await linesIn(api, await ended(sandbox, api, providerId));
    for (const line of results) {
      failures.push(line.kind === 'error' ? line.error.failure.kind : line.kind);
    }
  }

  expect(failures).toEqual([...Array(6).fill('later'), 'answer', 'answer']);
  expect(JSON.parse(api.encode('x', request)).body).toMatchObject({
    response_format: { type: 'json_object' },
    max_completion_tokens: 90,
  });
});

test("what a model refuses of the caller's own body is that item's failure", async () => {
  const { sandbox, api } = await openApi({ refuse: ['temperature'] });
  const body = { messages: [{ role: 'user', content: 'Hello' }], temperature: 0 };
  const line = api.encode('row-1', { body });
  const { providerId } = await submit(api, await inputOf(onTestFinished, [line]));

  const [result] = await linesIn(api, await ended(sandbox, api, providerId), { whole: true });

  expect(result).toMatchObject({
    kind: 'error',
    error: { failure: { kind: 'item', code: 'INVALID_REQUEST' } },
  });
  expect(api.encode('row-1', { body })).toBe(line);
});

test('a create whose answer is lost is found by its id, and no other is taken for it', async () => {
  const { sandbox, api } = await openApi();
  const lines = linesOf(api, rows(1));
  const since = new Date();
  const several = [...Array(120).keys()];
  await Promise.all(several.map((at) => submitAs(`other-${at}`)));
  sandbox.batches.callFaults.add({
    fault: { kind: 'lost_answer' },
    when: ({ operation }) => operation === 'create',
    times: 1,
  });

  async function submitAs(jobId: string) {
    return submit(api, await inputOf(onTestFinished, lines, jobId));
  }
  const lost = await refused(submitAs('job-1'));
  await Promise.all(several.map((at) => submitAs(`later-${at}`)));
  const job = { since, requests: 1, others: new Set<string>() };
  const found = await api.find({ ...job, jobId: 'job-1' }, calm());
  const none = await api.find({ ...job, jobId: 'job-2' }, calm());

  expect(lost.failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR' });
  expect(found).toMatchObject({ providerId: sandbox.batches.created[120]?.id });
  expect(none).toBeNull();
});

test('a job that was created before it could be ours ends the search', async () => {
  const { sandbox, api } = await openApi();
  await submit(api, await inputOf(onTestFinished, linesOf(api, rows(1)), 'job-1'));
  const since = new Date(Date.now() + 3_600_000);

  const found = await api.find({ jobId: 'job-1', since, requests: 1, others: new Set() }, calm());

  expect(found).toBeNull();
  expect(sandbox.batches.calls.list).toBe(1);
});

test('an upload is deleted, and one that is not there is said not to be', async () => {
  const { sandbox, api } = await openApi();
  const input = await inputOf(onTestFinished, linesOf(api, rows(1)));
  const inputId = (await api.upload(input, calm())) ?? '';

  await api.discard(inputId, calm());
  const again = await refused(api.discard(inputId, calm()));

  expect(sandbox.batches.files).toEqual([]);
  expect(again.failure.kind).toBe('item');
});

test('a job is cancelled, and one that has ended says how', async () => {
  const { sandbox, api } = await openApi({ batches: { held: true } });
  const { providerId } = await submit(api, await inputOf(onTestFinished, linesOf(api, rows(2))));

  sandbox.batches.advance();
  const cancelling = await api.cancel(providerId, calm());
  sandbox.batches.release();
  await ended(sandbox, api, providerId);
  const again = await api.cancel(providerId, calm());

  expect(cancelling).toMatchObject({ status: 'cancelling', phase: 'working' });
  expect(again).toMatchObject({ status: 'cancelled', phase: 'cancelled' });
  expect(kindsOf(await linesIn(api, again))).toEqual(['cancelled row-1', 'cancelled row-2']);
});

test('a download that fails is one for later, and can be read again from the start', async () => {
  const { sandbox, api } = await openApi();
  const { providerId } = await submit(api, await inputOf(onTestFinished, linesOf(api, rows(200))));
  const job = await ended(sandbox, api, providerId);
  sandbox.batches.callFaults.add({
    fault: { kind: 'raw', status: 502, body: '<html>Bad Gateway</html>' },
    times: 1,
  });
  sandbox.batches.callFaults.add({ fault: { kind: 'drop', at: 'body' }, times: 1 });

  const failures = [await refused(linesIn(api, job)), await refused(linesIn(api, job))];

  for (const { failure } of failures) {
    expect(failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR', counts: true });
  }
  expect(await linesIn(api, job)).toHaveLength(200);
});

test('a key that is revoked in the middle stops everything, and is not shown', async () => {
  const apiKey = 'sk-very-secret-key-1234567890';
  const { sandbox, api } = await openApi({ apiKey }, { apiKey });
  const input = await inputOf(onTestFinished, linesOf(api, rows(1)));
  const { providerId } = await submit(api, input);
  const job = await ended(sandbox, api, providerId);
  sandbox.demandKey('another');

  const failures = [
    await refused(api.upload(input, calm())),
    await refused(api.create({ jobId: 'x', inputId: 'file-1', input }, calm())),
    await refused(api.retrieve(providerId, calm())),
    await refused(api.cancel(providerId, calm())),
    await refused(
      api.find({ jobId: 'x', since: new Date(), requests: 1, others: new Set() }, calm()),
    ),
    await refused(linesIn(api, job)),
  ];

  for (const { failure, message } of failures) {
    expect(failure).toEqual({ kind: 'batch', code: 'INVALID_KEY' });
    expect(message).not.toContain('secret');
  }
});

test('a rate limit says when to come back', async () => {
  const { sandbox, api } = await openApi();
  sandbox.batches.callFaults.add({ fault: { kind: 'rate_limited', retryAfter: 7 } });

  const { failure } = await refused(api.retrieve('batch_1', calm()));

  expect(failure).toEqual({
    kind: 'later',
    code: 'RATE_LIMITED',
    retryAfterMs: 7_000,
    counts: false,
  });
});

test('a job and a file that are not there say which', async () => {
  const { api } = await openApi();

  const job = await refused(api.retrieve('batch_unknown', calm()));
  const file = await refused(linesIn(api, { results: '{"output":"file-gone","errors":null}' }));

  expect(job.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
  expect(job.message).toMatch(/^stub does not have this provider batch \(404/);
  expect(file.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
  expect(file.message).toMatch(/^stub does not have this file of results any more \(404/);
});

test('a caller that leaves ends every call with its own reason', async () => {
  const { sandbox, api } = await openApi();
  const input = await inputOf(onTestFinished, linesOf(api, rows(1)));
  const { providerId } = await submit(api, input);
  const job = await ended(sandbox, api, providerId);
  sandbox.batches.callFaults.add({ fault: { kind: 'stall', at: 'headers' } });
  const reason = new Error('gone');
  const leave = new AbortController();
  const before = Object.values(sandbox.batches.calls).reduce((sum, n) => sum + n, 0);

  const calls = [
    api.upload(input, leave.signal),
    api.create({ jobId: 'x', inputId: 'file-1', input }, leave.signal),
    api.retrieve(providerId, leave.signal),
    linesIn(api, job, { signal: leave.signal }),
  ];
  await expect
    .poll(() => Object.values(sandbox.batches.calls).reduce((sum, n) => sum + n, 0) - before)
    .toBe(calls.length);
  leave.abort(reason);

  const ends = await Promise.allSettled([...calls, api.retrieve(providerId, leave.signal)]);
  for (const end of ends) expect(end).toEqual({ status: 'rejected', reason });
});
