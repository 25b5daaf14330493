import { APIConnectionError } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { createDelays } from '../../src/sandbox/faults/faults.ts';
import { clientOf, labelRequest, openSandbox, post } from './requests.ts';

const request = labelRequest('I love it');

test.each([
  [{ retryAfter: 2 }, { 'retry-after': '2' }],
  [{ retryAfter: '0.25' }, { 'retry-after': '0.25' }],
  [
    { retryAfter: new Date(Date.UTC(2030, 0, 1)) },
    { 'retry-after': 'Tue, 01 Jan 2030 00:00:00 GMT' },
  ],
  [
    { retryAfter: null, retryAfterMs: 30 },
    { 'retry-after': null, 'retry-after-ms': '30' },
  ],
  [{ headers: { 'x-ratelimit-reset-requests': '6m0s' } }, { 'x-ratelimit-reset-requests': '6m0s' }],
])('rate_limited %j tells when to come back', async (options, headers) => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'rate_limited', ...options } });

  const response = await post(sandbox, request);

  expect(response.status).toBe(429);
  for (const [name, value] of Object.entries(headers))
    expect(response.headers.get(name)).toBe(value);
  expect(await response.json()).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
});

test.each([
  { status: 500, type: 'server_error' },
  { status: 401, code: 'invalid_api_key' },
  { status: 429, code: 'insufficient_quota', type: 'insufficient_quota' },
  { status: 404, code: 'model_not_found' },
  { status: 400, code: 'context_length_exceeded', param: 'messages' },
])('status %j is answered as told', async (fault) => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'status', ...fault } });

  await expect(clientOf(sandbox).chat.completions.create(request)).rejects.toMatchObject(fault);
});

test('a stall before the headers lasts until the client gives up', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const call = new AbortController();

  const stalled = post(sandbox, request, { signal: call.signal });
  await sandbox.until(({ inFlight }) => inFlight === 1);
  call.abort();

  await expect(stalled).rejects.toThrow();
  await sandbox.until(({ inFlight }) => inFlight === 0);
  expect(sandbox.requests.journal[0]).toMatchObject({ aborted: true, answered: null });
});

test('a stall in the body lasts after headers and half an answer', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'stall', at: 'body' } });
  const call = new AbortController();

  const response = await post(sandbox, request, { signal: call.signal });
  const first = await response.body?.getReader().read();
  call.abort();

  expect(response.status).toBe(200);
  expect(Buffer.from(first?.value ?? []).toString()).toMatch(/^\{"id":"chatcmpl-/);
  await sandbox.until(({ requests }) => requests.aborted === 1);
});

test('close ends what stalls', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'stall', at: 'headers' } });
  const stalled = clientOf(sandbox).chat.completions.create(request);
  const broken = expect(stalled).rejects.toBeInstanceOf(APIConnectionError);
  await sandbox.until(({ inFlight }) => inFlight === 1);

  await sandbox.close();

  await broken;
});

test('a connection is dropped before the answer', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'drop', at: 'headers' } });

  await expect(clientOf(sandbox).chat.completions.create(request)).rejects.toBeInstanceOf(
    APIConnectionError,
  );
  await sandbox.until(({ requests }) => requests.aborted === 1);
});

test('a connection is dropped in the middle of the body', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'drop', at: 'body' } });

  const outcome = post(sandbox, request).then((response) => response.json());

  await expect(outcome).rejects.toThrow();
});

test('truncated: half the JSON, finish_reason length', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'truncated' } });

  const { choices } = await clientOf(sandbox).chat.completions.create(request);

  expect(choices[0]?.finish_reason).toBe('length');
  expect(() => JSON.parse(choices[0]?.message.content ?? '')).toThrow();
});

test('invalid_json: finish_reason stop all the same', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'invalid_json' } });

  const { choices } = await clientOf(sandbox).chat.completions.create(request);

  expect(choices[0]?.finish_reason).toBe('stop');
  expect(() => JSON.parse(choices[0]?.message.content ?? '')).toThrow();
});

test('refusal: said in its own field, without content', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'refusal', message: 'No.' } });

  const { choices } = await clientOf(sandbox).chat.completions.create(request);

  expect(choices[0]?.message).toMatchObject({ content: null, refusal: 'No.' });
});

test('content_filter: the finish_reason says so', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'content_filter' } });

  const { choices } = await clientOf(sandbox).chat.completions.create(request);

  expect(choices[0]?.finish_reason).toBe('content_filter');
});

test('wrong_category: valid JSON with a label outside the list', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'wrong_category' } });

  const { choices } = await clientOf(sandbox).chat.completions.create(request);

  expect(JSON.parse(choices[0]?.message.content ?? '')).toMatchObject({ label: 'not_a_category' });
});

test('content: any answer at all', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'content', content: '```json\n{}\n```' } });

  const { choices } = await clientOf(sandbox).chat.completions.create(request);

  expect(choices[0]?.message.content).toBe('```json\n{}\n```');
});

test.each([
  { status: 502, contentType: 'text/html', body: '<html>Bad Gateway</html>' },
  { status: 200, contentType: 'text/html', body: '<html>Log in</html>' },
  { status: 200, contentType: 'application/json', body: '' },
])('raw %j goes out as it is', async (raw) => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'raw', ...raw } });

  const response = await post(sandbox, request);

  expect(response.status).toBe(raw.status);
  expect(response.headers.get('content-type')).toBe(raw.contentType);
  expect(await response.text()).toBe(raw.body);
});

test('when, every and times pick the requests that fail', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({
    fault: { kind: 'status', status: 500 },
    when: ({ text }) => text.startsWith('bad'),
    every: 2,
    times: 2,
  });

  const statuses = [];
  for (const text of ['bad 1', 'good', 'bad 2', 'bad 3', 'bad 4', 'bad 5', 'bad 6']) {
    statuses.push((await post(sandbox, labelRequest(text))).status);
  }

  expect(statuses).toEqual([200, 200, 500, 200, 500, 200, 200]);
});

test('a fault can be taken back, alone or with all others', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const takeBack = sandbox.faults.add({ fault: { kind: 'status', status: 500 } });
  sandbox.faults.add({ fault: { kind: 'status', status: 503 } });

  const before = await post(sandbox, request);
  takeBack();
  const then = await post(sandbox, request);
  sandbox.faults.clear();
  const after = await post(sandbox, request);

  expect([before.status, then.status, after.status]).toEqual([500, 503, 200]);
});

test('latency delays an answer, adds to another fault, and is cut short by the client', async () => {
  const sandbox = await openSandbox(onTestFinished);
  sandbox.faults.add({ fault: { kind: 'latency', ms: 30 }, times: 1 });
  sandbox.faults.add({ fault: { kind: 'status', status: 500 }, times: 1 });
  sandbox.faults.add({
    fault: { kind: 'latency', ms: 3_600_000 },
    when: ({ text }) => text === 'slow',
  });

  const started = performance.now();
  const late = await post(sandbox, request);
  const waited = performance.now() - started;
  const call = new AbortController();
  const never = post(sandbox, labelRequest('slow'), { signal: call.signal });
  await sandbox.until(({ inFlight }) => inFlight === 1);
  call.abort();

  expect(late.status).toBe(500);
  expect(waited).toBeGreaterThanOrEqual(29);
  await expect(never).rejects.toThrow();
  await sandbox.until(({ inFlight }) => inFlight === 0);
});

test('log-normal delays have their median, and come again with their seed', () => {
  const draw = () => {
    const next = createDelays({ medianMs: 100, sigma: 0.5, seed: 7 });
    return Array.from({ length: 2_001 }, next);
  };

  const drawn = draw();
  const middle = drawn.toSorted((a, b) => a - b)[1_000] ?? 0;

  expect(draw()).toEqual(drawn);
  expect(middle).toBeGreaterThan(90);
  expect(middle).toBeLessThan(110);
});

test('the journal keeps the newest requests and can be switched off', async () => {
  const sandbox = await openSandbox(onTestFinished, { journal: 2 });

  for (const text of ['one', 'two', 'three']) await post(sandbox, labelRequest(text));
  await sandbox.until(({ requests }) => requests.answered === 3);
  const kept = sandbox.requests.journal;
  sandbox.requests.keep(0);
  await post(sandbox, labelRequest('four'));

  expect(kept).toMatchObject([
    { body: { messages: [{}, { content: 'two' }] }, answered: 200, aborted: false },
    { body: { messages: [{}, { content: 'three' }] }, answered: 200, aborted: false },
  ]);
  expect(sandbox.requests.journal).toEqual([]);
  expect(sandbox.requests.count).toBe(4);
});
