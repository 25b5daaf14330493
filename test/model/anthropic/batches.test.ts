import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { BatchApi, BatchInput, BatchLine } from '../../../src/model/batch-api.ts';
import type { Model } from '../../../src/model/model.ts';
import { ModelError } from '../../../src/model/model-error.ts';
import type { ModelRequest } from '../../../src/model/request.ts';
import type { Sandbox, SandboxOptions } from '../../../src/sandbox/faults/sandbox.ts';
import { openSandbox } from '../../sandbox/requests.ts';
import { startStubProvider } from '../../support/stub-provider.ts';
import { json, text } from '../support.ts';
import { claudeOf, message, refusal } from './support.ts';

const signal = new AbortController().signal;
const key = 'sk-test-1234567890abcdef';

function batchesOf(model: Model): BatchApi {
  if (!model.batches) throw new Error('the model has no batch API');
  return model.batches;
}

/** A sandbox that is driven by hand, and the batch API of its one model. */
async function held(options: SandboxOptions = {}): Promise<{ sandbox: Sandbox; api: BatchApi }> {
  const sandbox = await openSandbox(onTestFinished, {
    apiKey: key,
    batches: { held: true },
    ...options,
  });
  return { sandbox, api: batchesOf(claudeOf(sandbox.anthropicUrl, { name: 'rules' })) };
}

/** The file of a job with a line for each text. */
async function inputOf(
  api: BatchApi,
  jobId: string,
  requests: readonly ModelRequest[],
): Promise<BatchInput> {
  const folder = await mkdtemp(join(tmpdir(), 'winnow-batch-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const lines = requests.map((request, index) => `${api.encode(`${jobId}-${index}`, request)}\n`);
  const content = lines.join('');
  const path = join(folder, 'input.jsonl');
  await writeFile(path, content);
  return { path, bytes: Buffer.byteLength(content), requests: lines.length, jobId };
}

const labels = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...json,
    messages: [{ role: 'user' as const, content: `text ${index}, “great”\n` }],
  }));

async function createdBy(api: BatchApi, jobId: string, requests: readonly ModelRequest[]) {
  const input = await inputOf(api, jobId, requests);
  return api.create({ jobId, inputId: await api.upload(input, signal), input }, signal);
}

async function linesOf(api: BatchApi, url: string | null, whole = false): Promise<BatchLine[]> {
  const lines: BatchLine[] = [];
  for await (const line of api.results(url ?? '', { whole, signal })) lines.push(line);
  return lines;
}

async function failureOf(work: Promise<unknown>): Promise<ModelError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('It succeeded.');
}

describe('a message batch', () => {
  test('is created from a file, worked on, and read', async () => {
    const { sandbox, api } = await held();

    const created = await createdBy(api, 'pbatch_x1', labels(3));
    const working = await api.retrieve(created.providerId, signal);
    sandbox.batches.advance();
    sandbox.batches.advance();
    const ended = await api.retrieve(created.providerId, signal);
    const lines = await linesOf(api, ended.results);

    expect(created).toMatchObject({
      providerId: expect.stringMatching(/^msgbatch_/),
      status: 'in_progress',
      phase: 'working',
      counts: { succeeded: 0, failed: 0, cancelled: 0, expired: 0 },
      results: null,
      problems: [],
    });
    expect(created.expiresAt?.getTime()).toBeGreaterThan(Date.now());
    expect(working).toEqual(created);
    expect(ended).toMatchObject({
      status: 'ended',
      phase: 'completed',
      counts: { succeeded: 3, failed: 0 },
    });
    expect(lines.map((line) => 'customId' in line && line.customId).sort()).toEqual([
      'pbatch_x1-0',
      'pbatch_x1-1',
      'pbatch_x1-2',
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({
        kind: 'answer',
        answer: {
          text: expect.stringMatching(/^\{"label":/),
          tokens: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) },
          completion: { type: 'message' },
        },
      });
    }
    expect(sandbox.batches.createdCount).toBe(1);
  });

  test('has lines that are whole requests, and as many bytes as its limit counts', async () => {
    const { api } = await held();
    const input = await inputOf(api, 'pbatch_x2', labels(2));
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply({ body: { id: 'msgbatch_1', processing_status: 'in_progress' } });
    const other = batchesOf(claudeOf(stub.origin, { name: 'rules' }));

    await other.create({ jobId: 'pbatch_x2', inputId: null, input }, signal);

    const body = {
      requests: labels(2).map((request, index) =>
        JSON.parse(api.encode(`pbatch_x2-${index}`, request)),
      ),
    };
    const [request] = stub.requests;
    expect(request?.body).toEqual(body);
    expect(request?.headers).toMatchObject({
      'x-api-key': key,
      'content-type': 'application/json',
    });
    const lines = labels(2).map((one, index) => api.encode(`pbatch_x2-${index}`, one));
    const counted = lines.reduce((sum, line) => sum + Buffer.byteLength(line), 1);
    expect(Number(request?.headers['content-length'])).toBe(counted + api.framingBytes);
    expect(api.limits).toEqual({ requests: 100_000, bytes: 256 * 1024 * 1024 });
  });

  test('of tens of megabytes is sent as a stream', async () => {
    const { sandbox, api } = await held();
    const big = Array.from({ length: 40 }, (_, index) => ({
      ...text,
      messages: [{ role: 'user' as const, content: `${index} ${'x'.repeat(1_000_000)}` }],
    }));

    const job = await createdBy(api, 'pbatch_big', big);

    expect(job.phase).toBe('working');
    expect(sandbox.batches.created[0]?.total).toBe(40);
  });

  test('that is too large is refused while it is sent', async () => {
    const { sandbox, api } = await held({ batches: { held: true, maxBytes: 1_000_000 } });
    const big = Array.from({ length: 40 }, () => ({
      ...text,
      messages: [{ role: 'user' as const, content: 'x'.repeat(1_000_000) }],
    }));

    const { failure } = await failureOf(createdBy(api, 'pbatch_big', big));

    expect(failure).toEqual({ kind: 'item', code: 'CONTEXT_TOO_LONG' });
    expect(sandbox.batches.createdCount).toBe(0);
  });

  test('costs half, once, as a result that names its tier says too', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    const usage = { input_tokens: 1_000, output_tokens: 100, service_tier: 'batch' };
    const line = {
      custom_id: 'a-0',
      result: { type: 'succeeded', message: message('x', { usage }) },
    };
    stub.reply({ body: `${JSON.stringify(line)}\n` });

    const [read] = await linesOf(batchesOf(claudeOf(stub.origin)), `${stub.origin}/results`);

    expect(read).toMatchObject({ kind: 'answer', answer: { text: 'x' } });
    expect(read?.kind === 'answer' && read.answer.costUsd).toBeCloseTo(
      (1_000 * 1 + 100 * 5) / 1e6 / 2,
      12,
    );
  });

  test('that is cancelled keeps what was done; cancelling an ended one is no error', async () => {
    const { sandbox, api } = await held();
    const { providerId } = await createdBy(api, 'pbatch_x3', labels(5));
    sandbox.batches.advance({ rows: 2 });

    const cancelling = await api.cancel(providerId, signal);
    sandbox.batches.advance();
    const ended = await api.retrieve(providerId, signal);
    const again = await api.cancel(providerId, signal);
    const kinds = (await linesOf(api, ended.results)).map(({ kind }) => kind);

    expect(cancelling).toMatchObject({ status: 'canceling', phase: 'working' });
    expect(ended).toMatchObject({ phase: 'cancelled', counts: { succeeded: 2, cancelled: 3 } });
    expect(again).toEqual(ended);
    expect(kinds.sort()).toEqual(['answer', 'answer', 'cancelled', 'cancelled', 'cancelled']);
  });

  test('whose results are said to be elsewhere is read from the configured server', async () => {
    const elsewhere = await startStubProvider();
    onTestFinished(() => elsewhere.close());
    const { sandbox, api } = await held();
    const url = `${elsewhere.origin}/results`;
    sandbox.batches.outcomes.add({ fault: { kind: 'foreign_results_url', url } });
    const { providerId } = await createdBy(api, 'pbatch_x6', labels(2));
    sandbox.batches.advance();
    sandbox.batches.advance();

    const ended = await api.retrieve(providerId, signal);
    const lines = await linesOf(api, ended.results);
    const direct = await failureOf(linesOf(api, url));

    expect(lines.map(({ kind }) => kind)).toEqual(['answer', 'answer']);
    expect(direct.failure).toEqual({ kind: 'batch', code: 'INTERNAL' });
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('a failure', () => {
  test.each([
    [401, 'authentication_error', { kind: 'batch', code: 'INVALID_KEY' }],
    [403, 'permission_error', { kind: 'batch', code: 'INVALID_KEY' }],
    [402, 'billing_error', { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    [400, 'invalid_request_error', { kind: 'item', code: 'INVALID_REQUEST' }],
    [413, 'request_too_large', { kind: 'item', code: 'CONTEXT_TOO_LONG' }],
    [429, 'rate_limit_error', { kind: 'later', code: 'RATE_LIMITED', retryAfterMs: 7_000 }],
    [500, 'api_error', { kind: 'later', code: 'PROVIDER_ERROR' }],
    [529, 'overloaded_error', { kind: 'later', code: 'PROVIDER_ERROR' }],
  ])('of %i is told alike by every call', async (status, type, failure) => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply(refusal(status, type, 'no', { headers: { 'retry-after': '7' } }));
    const api = batchesOf(claudeOf(stub.origin));
    const input = await inputOf(api, 'pbatch_f', labels(1));
    const lost = { jobId: 'pbatch_f', since: new Date(), requests: 1, others: new Set<string>() };

    const failures = [
      await failureOf(api.create({ jobId: 'pbatch_f', inputId: null, input }, signal)),
      await failureOf(api.retrieve('msgbatch_1', signal)),
      await failureOf(api.cancel('msgbatch_1', signal)),
      await failureOf(api.find(lost, signal)),
      await failureOf(linesOf(api, `${stub.origin}/results`)),
    ];

    for (const error of failures) expect(error.failure).toMatchObject(failure);
  });

  test('of 404 is about what was asked for: the API, the batch, its results', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply(refusal(404, 'not_found_error', 'no'));
    const api = batchesOf(claudeOf(stub.origin));
    const input = await inputOf(api, 'pbatch_f', labels(1));

    const created = await failureOf(
      api.create({ jobId: 'pbatch_f', inputId: null, input }, signal),
    );
    const retrieved = await failureOf(api.retrieve('msgbatch_1', signal));
    const read = await failureOf(linesOf(api, `${stub.origin}/results`));

    expect(created.failure).toEqual({ kind: 'batch', code: 'UNKNOWN_MODEL' });
    expect(created.message).toContain('has no batch API');
    expect(retrieved.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
    expect(read.failure).toEqual({ kind: 'item', code: 'INVALID_REQUEST' });
  });

  test.each([
    ['reset', 'PROVIDER_ERROR'],
    ['headers', 'TIMEOUT'],
    ['body', 'TIMEOUT'],
  ] as const)('by %s may pass', async (fault, code) => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply({ fault, body: { id: 'msgbatch_1' } });
    const api = batchesOf(claudeOf(stub.origin, { timeoutMs: 200 }));
    const input = await inputOf(api, 'pbatch_f', labels(1));

    const failures = [
      await failureOf(api.create({ jobId: 'pbatch_f', inputId: null, input }, signal)),
      await failureOf(api.retrieve('msgbatch_1', signal)),
      await failureOf(linesOf(api, `${stub.origin}/results`)),
    ];

    for (const error of failures) expect(error.failure).toMatchObject({ kind: 'later', code });
  });

  test.each([
    ['HTML', '<html>'],
    ['no batch', {}],
    ['a list', []],
    ['nothing', ''],
  ])('by an answer of %s may pass', async (_, body) => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply({ body });
    const api = batchesOf(claudeOf(stub.origin));

    const { failure } = await failureOf(api.retrieve('msgbatch_1', signal));

    expect(failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR' });
  });

  test('never shows the key', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply(refusal(400, 'invalid_request_error', `bad key ${key} given`));

    const error = await failureOf(batchesOf(claudeOf(stub.origin)).retrieve('msgbatch_1', signal));

    expect(error.message).not.toContain(key);
  });

  test('of the caller, who left, is the reason why', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    stub.reply({ fault: 'headers' });
    const api = batchesOf(claudeOf(stub.origin));
    const input = await inputOf(api, 'pbatch_f', labels(1));
    const reason = new Error('left');

    for (const work of [
      (aborted: AbortSignal) => api.create({ jobId: 'i', inputId: null, input }, aborted),
      (aborted: AbortSignal) => api.retrieve('msgbatch_1', aborted),
      (aborted: AbortSignal) =>
        api
          .results(`${stub.origin}/r`, { whole: false, signal: aborted })
          [Symbol.asyncIterator]()
          .next(),
    ]) {
      const caller = new AbortController();
      const count = stub.requests.length;
      const working = work(caller.signal).then(
        () => null,
        (error: unknown) => error,
      );
      await stub.received(count + 1);
      caller.abort(reason);

      expect(await working).toBe(reason);
    }
  });
});

describe('results', () => {
  async function read(
    lines: readonly unknown[],
    whole = false,
    name?: string,
  ): Promise<BatchLine[]> {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    const body = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
    stub.reply({ body: `${body.join('\n')}\n`, chunked: true });
    const model = claudeOf(stub.origin, name ? { name } : {});
    return linesOf(batchesOf(model), `${stub.origin}/results`, whole);
  }
  const line = (result: unknown, custom_id: unknown = 'a-0') => ({ custom_id, result });
  const errored = (type: string, words = 'no') =>
    line({ type: 'errored', error: { type: 'error', error: { type, message: words } } });

  test('that are none of a request are unreadable', async () => {
    const lines = [
      '{"half',
      'null',
      '[]',
      '7',
      { result: { type: 'succeeded', message: message('x') } },
      line({ type: 'succeeded', message: message('x') }, ''),
      line({ type: 'succeeded', message: message('x') }, 5),
      line(null),
      line({ type: 'unheard of' }),
      `{"custom_id":"a","result":"${'x'.repeat(21 * 1024 * 1024)}"}`,
      line({ type: 'expired' }),
    ];

    const read_ = await read(lines);

    expect(read_.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: lines.length - 1 }, () => 'unreadable'),
      'expired',
    ]);
  });

  test.each([
    ['invalid_request_error', { kind: 'item', code: 'INVALID_REQUEST' }],
    ['authentication_error', { kind: 'batch', code: 'INVALID_KEY' }],
    ['billing_error', { kind: 'batch', code: 'QUOTA_EXHAUSTED' }],
    ['not_found_error', { kind: 'batch', code: 'UNKNOWN_MODEL' }],
    ['rate_limit_error', { kind: 'later', code: 'RATE_LIMITED' }],
    ['overloaded_error', { kind: 'later', code: 'PROVIDER_ERROR' }],
    ['timeout_error', { kind: 'later', code: 'TIMEOUT' }],
    ['api_error', { kind: 'later', code: 'PROVIDER_ERROR' }],
    ['request_too_large', { kind: 'item', code: 'CONTEXT_TOO_LONG' }],
    ['something new', { kind: 'later', code: 'PROVIDER_ERROR' }],
  ])('that errored by %s say what to do', async (type, failure) => {
    const [read_] = await read([errored(type)]);

    expect(read_).toMatchObject({ kind: 'error', customId: 'a-0', error: { failure } });
  });

  test('that were cut or refused are errors that were paid for', async () => {
    const [cut, no] = await read([
      line({ type: 'succeeded', message: message('Half', { stop_reason: 'max_tokens' }) }),
      line({ type: 'succeeded', message: message('No.', { stop_reason: 'refusal' }) }),
    ]);

    expect(cut).toMatchObject({
      kind: 'error',
      error: { failure: { code: 'TRUNCATED' }, tokens: { outputTokens: 5 } },
    });
    expect(cut?.kind === 'error' && cut.error.costUsd).toBeCloseTo((10 + 25) / 1e6 / 2, 12);
    expect(no).toMatchObject({ error: { failure: { code: 'REFUSED' } } });
  });

  test('of complete requests are answers however they stopped', async () => {
    const [cut] = await read(
      [line({ type: 'succeeded', message: message('Half', { stop_reason: 'max_tokens' }) })],
      true,
    );

    expect(cut).toMatchObject({ kind: 'answer', answer: { text: 'Half' } });
  });

  test('that refuse a parameter of ours may be asked again, without it', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    const words = '`temperature` is deprecated for this model.';
    stub.reply({ body: `${JSON.stringify(errored('invalid_request_error', words))}\n` });
    const model = claudeOf(stub.origin);
    const warm: ModelRequest = { ...text, temperature: 0.5 };
    const before = model.bodyOf(warm);

    const [own] = await linesOf(batchesOf(model), `${stub.origin}/results`, true);
    const afterOwn = model.bodyOf(warm);
    const [ours] = await linesOf(batchesOf(model), `${stub.origin}/results`);

    expect(own).toMatchObject({ error: { failure: { kind: 'item', code: 'INVALID_REQUEST' } } });
    expect(ours).toMatchObject({ error: { failure: { kind: 'later', code: 'PROVIDER_ERROR' } } });
    expect(before).toHaveProperty('temperature');
    expect(afterOwn).toHaveProperty('temperature');
    expect(model.bodyOf(warm)).not.toHaveProperty('temperature');
  });

  test('are read where they come zipped, and may be read again where that is broken', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    const zipped = gzipSync(`${JSON.stringify(line({ type: 'expired' }))}\n`);
    const headers = { 'content-encoding': 'gzip' };
    const api = batchesOf(claudeOf(stub.origin));
    stub.reply(
      { body: zipped, headers },
      { body: zipped.subarray(0, -9), headers },
      { body: 'no gzip', headers },
    );

    const whole = await linesOf(api, `${stub.origin}/r`);
    const cut = await failureOf(linesOf(api, `${stub.origin}/r`));
    const none = await failureOf(linesOf(api, `${stub.origin}/r`));

    expect(whole).toEqual([{ kind: 'expired', customId: 'a-0' }]);
    for (const { failure } of [cut, none]) {
      expect(failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR' });
    }
  });

  test('break off where the download does', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    const lines = Array.from({ length: 100 }, (_, index) =>
      line({ type: 'expired' }, `a-${index}`),
    );
    stub.reply({
      body: lines.map((one) => `${JSON.stringify(one)}\n`).join(''),
      fault: 'reset-body',
    });

    const error = await failureOf(linesOf(batchesOf(claudeOf(stub.origin)), `${stub.origin}/r`));

    expect(error.failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR' });
  });
});

describe('a lost job', () => {
  const jobId = 'pbatch_lost';
  const since = new Date(Date.now() - 60_000);
  const lost = { jobId, since, requests: 3, others: new Set<string>() };

  test('that was never created is found nowhere', async () => {
    const { api } = await held();

    expect(await api.find(lost, signal)).toBeNull();
  });

  test('that is at work may be any of its size, and is known by its results', async () => {
    const { sandbox, api } = await held();
    sandbox.batches.callFaults.add({
      fault: { kind: 'lost_answer' },
      when: ({ operation }) => operation === 'create',
      times: 1,
    });
    const { failure } = await failureOf(createdBy(api, jobId, labels(3)));
    const other = await createdBy(api, 'pbatch_other', labels(3));
    await createdBy(api, 'pbatch_small', labels(2));

    const working = await api.find({ ...lost, others: new Set([other.providerId]) }, signal);
    for (let step = 0; step < 3; step += 1) sandbox.batches.advance();
    const ended = await api.find(lost, signal);

    expect(failure).toMatchObject({ kind: 'later' });
    expect(working).toBe('unsure');
    expect(ended).toMatchObject({ phase: 'completed', counts: { succeeded: 3 } });
    expect(ended).not.toMatchObject({ providerId: other.providerId });
  });

  test('is none of the others, nor one of another size or time', async () => {
    const { sandbox, api } = await held();
    const job = await createdBy(api, jobId, labels(3));
    const find = (more: object) => api.find({ ...lost, ...more }, signal);

    expect(await find({})).toBe('unsure');
    expect(await find({ others: new Set([job.providerId]) })).toBeNull();
    expect(await find({ requests: 4 })).toBeNull();
    expect(await find({ since: new Date(Date.now() + 3_600_000) })).toBeNull();
    for (let step = 0; step < 3; step += 1) sandbox.batches.advance();
    expect(await find({ jobId: 'pbatch_los' })).toBeNull();
    expect(await find({})).toMatchObject({ providerId: job.providerId });
  });

  test('is found in a list with the oldest first, and the list is read no further than need be', async () => {
    const stub = await startStubProvider();
    onTestFinished(() => stub.close());
    const api = batchesOf(claudeOf(stub.origin));
    const batchOf = (id: string, created_at: Date) => ({
      ...{ id, created_at, processing_status: 'ended', results_url: `${stub.origin}/results` },
      request_counts: { processing: 0, succeeded: 3 },
    });
    const old = batchOf('msgbatch_old', new Date('2020-01-01'));
    const recent = batchOf('msgbatch_new', new Date());
    const results = { body: `${JSON.stringify({ custom_id: `${jobId}-7`, result: {} })}\n` };

    stub.reply({ body: { data: [old, recent], has_more: true } }, results);
    const found = await api.find(lost, signal);
    stub.reply({ body: { data: [{ ...recent, request_counts: {} }, old], has_more: true } });
    const none = await api.find(lost, signal);

    expect(found).toMatchObject({ providerId: 'msgbatch_new' });
    expect(none).toBeNull();
    expect(stub.requests).toHaveLength(3);
  });

  test('is looked for on every page', async () => {
    const { sandbox, api } = await held();
    const job = await createdBy(api, jobId, labels(3));
    for (let step = 0; step < 3; step += 1) sandbox.batches.advance();
    for (let other = 0; other < 101; other += 1) await createdBy(api, `o${other}`, labels(1));

    expect(await api.find(lost, signal)).toMatchObject({ providerId: job.providerId });
    expect(sandbox.batches.calls.list).toBe(2);
  });
});

test('a mark is kept for an hour, and for less where that is refused', async () => {
  const stub = await startStubProvider();
  onTestFinished(() => stub.close());
  const error = {
    type: 'invalid_request_error',
    message: 'system.0.cache_control.ephemeral.ttl: Extra inputs are not permitted',
  };
  const result = { type: 'errored', error: { type: 'error', error } };
  stub.reply({ body: `${JSON.stringify({ custom_id: 'pbatch_x-0', result })}\n` });
  const api = batchesOf(claudeOf(stub.origin));
  const cacheMark = { key: '0'.repeat(32), messages: 1, isAsked: false };
  const controlOf = () =>
    JSON.parse(api.encode('pbatch_x-0', { ...text, cacheMark })).params.system;
  const [system] = text.messages;
  const before = controlOf();

  const lines: BatchLine[] = [];
  for await (const line of api.results(`${stub.origin}/results`, { whole: false, signal })) {
    lines.push(line);
  }

  expect(before).toEqual([
    { type: 'text', text: system?.content, cache_control: { type: 'ephemeral', ttl: '1h' } },
  ]);
  expect(lines).toMatchObject([{ kind: 'error', error: { failure: { kind: 'later' } } }]);
  expect(controlOf()[0].cache_control).toEqual({ type: 'ephemeral' });
});
