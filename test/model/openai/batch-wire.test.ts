import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { noTokens } from '../../../src/core/usage.ts';
import type { BatchApi, LostJob } from '../../../src/model/batch-api.ts';
import { createOpenAiBatches } from '../../../src/model/openai/batches.ts';
import { connectBatches } from '../../../src/model/openai/connection.ts';
import { createPrices } from '../../../src/model/prices.ts';
import type { ProviderConfig } from '../../../src/model/provider-config.ts';
import { calm, inputOf, linesIn, refused } from '../batch-support.ts';
import { providerConfig } from '../support.ts';

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

type Answer = (seen: Seen, response: ServerResponse) => void;

/** A server of our own on loopback; `received` holds what it was sent in whole. */
async function serve(answer: Answer): Promise<{ origin: string; received: Seen[] }> {
  const received: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
      received.push(seen);
      answer(seen, response);
    });
  });
  return { origin: await listen(server), received };
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function apiOf(
  baseUrl: string,
  {
    timeoutMs = 30_000,
    progressMs = 30_000,
    ...overrides
  }: Partial<ProviderConfig> & { timeoutMs?: number; progressMs?: number } = {},
  name = 'm',
): BatchApi {
  const config = providerConfig(baseUrl, overrides);
  const connection = connectBatches(config, { timeoutMs, progressMs });
  onTestFinished(() => connection.close());
  return createOpenAiBatches(connection, { name, bodyOf: () => ({}), learn: () => false });
}

/** A server whose every file is `content`, written as `write` does. */
async function filesOf(write: (response: ServerResponse) => void): Promise<BatchApi> {
  const { origin } = await serve((_, response) => write(response));
  return apiOf(origin);
}

const results = JSON.stringify({ output: 'file-1', errors: null });
const lost: LostJob = { jobId: 'i-1', since: new Date(), requests: 1, others: new Set() };
const now = () => Math.floor(Date.now() / 1_000);
const batch = (more: object = {}) => ({ id: 'batch_1', status: 'in_progress', ...more });
const completion = { choices: [{ message: { content: 'é€😀' }, finish_reason: 'stop' }] };
const line = (customId: string, body: object = completion) =>
  JSON.stringify({ custom_id: customId, response: { status_code: 200, body } });

/** Time passes only as the test says. */
function holdTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

test('an upload has a known length, our headers and query, and nothing of the environment', async () => {
  const { origin, received } = await serve((_, response) => json(response, { id: 'file-1' }));
  const before = process.env;
  process.env = { ...before, OPENAI_ORG_ID: 'org-env', OPENAI_CUSTOM_HEADERS: 'x-env: env' };
  onTestFinished(() => {
    process.env = before;
  });
  const api = apiOf(`${origin}/base`, {
    headers: { 'X-Mine': 'yes' },
    query: { 'api-version': '7' },
  });

  const id = await api.upload(await inputOf(onTestFinished, ['{"é":1}', '{}'], 'i-1'), calm());

  const [{ url, headers, body } = { headers: {}, body: '' }] = received;
  expect(id).toBe('file-1');
  expect(url).toBe('/base/files?api-version=7');
  expect(Object.keys(headers).sort()).toEqual(
    [
      'accept',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'user-agent',
      'x-mine',
      'x-winnow-hop',
    ].sort(),
  );
  expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
  const [, boundary] = /boundary=(.+)$/.exec(headers['content-type'] ?? '') ?? [];
  expect(body.split(`--${boundary}`).map((part) => part.trim())).toEqual([
    '',
    'content-disposition: form-data; name="purpose"\r\n\r\nbatch',
    'content-disposition: form-data; name="file"; filename="i-1.jsonl"\r\ncontent-type: application/jsonl\r\n\r\n{"é":1}\n{}',
    '--',
  ]);
});

test.each([
  ['HTML', 'text/html', '<html>Welcome</html>'],
  ['no JSON', 'application/json', '{"id":'],
  ['nothing', 'application/json', ''],
  ['no id', 'application/json', '{"object":"file"}'],
  ['an id that is none', 'application/json', '{"id":"a b"}'],
])('%s with status 200 is no answer, to no call', async (_what, contentType, body) => {
  const { origin } = await serve((_, response) => {
    response.writeHead(200, { 'content-type': contentType });
    response.end(body);
  });
  const api = apiOf(origin);
  const input = await inputOf(onTestFinished, ['{}']);

  const failures = [
    await refused(api.upload(input, calm())),
    await refused(api.create({ jobId: 'i', inputId: 'file-1', input }, calm())),
    await refused(api.retrieve('batch_1', calm())),
    await refused(api.cancel('batch_1', calm())),
    await refused(api.find(lost, calm())),
  ];

  for (const { failure, message } of failures) {
    expect(failure).toMatchObject({ kind: 'later', code: 'PROVIDER_ERROR', counts: true });
    expect(message).toMatch(/^stub (answered|returned) /);
  }
});

test.each([404, 405, 501])('a server that answers %i has no batch API', async (status) => {
  const { origin } = await serve((_, response) =>
    json(response, { detail: 'Not Found, sk-leaked-1234567890' }, status),
  );
  const api = apiOf(origin);
  const input = await inputOf(onTestFinished, ['{}']);

  for (const call of [
    () => api.upload(input, calm()),
    () => api.create({ jobId: 'i', inputId: 'file-1', input }, calm()),
    () => api.find(lost, calm()),
  ]) {
    const { failure, message } = await refused(call());
    expect(failure).toEqual({ kind: 'batch', code: 'UNKNOWN_MODEL' });
    expect(message).toBe(
      `stub has no batch API (${status}: Not Found, [redacted]): use execution LIVE, or a model of a provider that has one.`,
    );
  }
});

test('a redirect is not followed, so that the key goes nowhere else', async () => {
  const elsewhere = await serve((_, response) => json(response, { id: 'file-1' }));
  const { origin } = await serve((_, response) => {
    response.writeHead(307, { location: `${elsewhere.origin}/v1/files` });
    response.end();
  });
  const api = apiOf(origin);

  const upload = await refused(api.upload(await inputOf(onTestFinished, ['{}']), calm()));
  const download = await refused(linesIn(api, { results }));

  expect([upload, download].map(({ failure }) => failure.code)).toEqual([
    'PROVIDER_ERROR',
    'PROVIDER_ERROR',
  ]);
  expect(elsewhere.received).toEqual([]);
});

test('results come through cuts anywhere, in lines of any ending, with what is no line told apart', async () => {
  const bytes = Buffer.from(
    `\uFEFF${line('a')}\r\n\n${line('b')}\n[1]\n"x"\n{"custom_id":7}\nnull\n${line('c')}`,
  );
  const api = await filesOf((response) => {
    for (const byte of bytes) response.write(Buffer.from([byte]));
    response.end();
  });

  const lines = await linesIn(api, { results });

  expect(lines.map((one) => ('customId' in one ? one.customId : one.kind))).toEqual([
    'a',
    'b',
    'unreadable',
    'unreadable',
    'unreadable',
    'unreadable',
    'c',
  ]);
  expect(lines[0]).toMatchObject({ answer: { text: 'é€😀' } });
});

test('an answer costs half of what it would cost live, with cached tokens for what they are', async () => {
  const usage = {
    prompt_tokens: 1_000_000,
    completion_tokens: 1_000_000,
    prompt_tokens_details: { cached_tokens: 400_000 },
  };
  const { origin } = await serve((_, response) =>
    response.end(line('a', { ...completion, usage })),
  );
  const api = apiOf(origin, { name: 'openai' }, 'gpt-4.1-mini');

  const [answer] = await linesIn(api, { results });

  const live = createPrices('openai', 'gpt-4.1-mini').live.costUsd({
    ...noTokens,
    inputTokens: 1_000_000,
    cachedInputTokens: 400_000,
    outputTokens: 1_000_000,
  });
  expect(live).toBeGreaterThan(1);
  expect(answer).toMatchObject({ answer: { costUsd: (live ?? 0) / 2 } });
});

test('a line beyond 20 MB is unreadable, and the next one is read', async () => {
  const api = await filesOf((response) => {
    const piece = Buffer.alloc(1024 * 1024, 'x');
    response.write('{"custom_id":"long","text":"');
    for (let i = 0; i < 21; i++) response.write(piece);
    response.end(`"}\n${line('next')}\n`);
  });

  const lines = await linesIn(api, { results });

  expect(lines.map(({ kind }) => kind)).toEqual(['unreadable', 'answer']);
});

test('a download that stops moving is given up', async () => {
  holdTimers();
  const api = await filesOf((response) => response.write(`${line('a')}\n`));
  const reading = api.results(results, { whole: false, signal: calm() })[Symbol.asyncIterator]();

  const first = await reading.next();
  let failed = false;
  const end = refused(reading.next()).finally(() => {
    failed = true;
  });
  while (!failed) await vi.advanceTimersByTimeAsync(10_000);
  const { failure, message } = await end;

  expect(first.value).toMatchObject({ kind: 'answer' });
  expect(failure).toMatchObject({ kind: 'later', code: 'TIMEOUT', counts: true });
  expect(message).toBe('stub sent and took nothing for 30000 ms.');
});

test('a download waits for a reader that is slower than the clock', async () => {
  holdTimers();
  const long = { ...completion, padding: 'x'.repeat(200_000) };
  const text = Array.from({ length: 5 }, (_, i) => line(String(i), long));
  const api = await filesOf((response) => response.end(text.join('\n')));
  const read: string[] = [];

  for await (const one of api.results(results, { whole: false, signal: calm() })) {
    await vi.advanceTimersByTimeAsync(60_000);
    read.push(one.kind);
  }

  expect(read).toEqual(Array(5).fill('answer'));
});

test('a reader that leaves early, and a caller that leaves, end the connection', async () => {
  const closed: Promise<unknown>[] = [];
  const api = await filesOf((response) => {
    closed.push(new Promise((resolve) => response.once('close', resolve)));
    response.write(`${line('a')}\n`);
  });
  const leave = new AbortController();
  const reason = new Error('gone');

  for await (const _line of api.results(results, { whole: false, signal: calm() })) break;
  const reading = linesIn(api, { results }, { signal: leave.signal });
  await expect.poll(() => closed.length).toBe(2);
  leave.abort(reason);

  await expect(reading).rejects.toBe(reason);
  await Promise.all(closed);
});

test('an upload that is not taken is given up', async () => {
  const server = createServer(() => {});
  const origin = await listen(server);
  const api = apiOf(origin, { progressMs: 100 });
  const big = await inputOf(onTestFinished, ['x'.repeat(20_000_000)]);

  const { failure } = await refused(api.upload(big, calm()));

  expect(failure).toMatchObject({ kind: 'later', code: 'TIMEOUT' });
});

test('a refusal that comes before the upload is through is heard', async () => {
  const server = createServer((request, response) => {
    request.resume();
    json(response, { error: { message: 'too many', code: 'rate_limit_exceeded' } }, 429);
  });
  const api = apiOf(await listen(server));
  const big = await inputOf(onTestFinished, ['x'.repeat(5_000_000)]);

  const { failure } = await refused(api.upload(big, calm()));

  expect(failure).toMatchObject({ kind: 'later', code: 'RATE_LIMITED', counts: false });
});

test('a small call has a deadline over all of it', async () => {
  const { origin } = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"id":');
  });

  const { failure, message } = await refused(
    apiOf(origin, { timeoutMs: 100 }).retrieve('batch_1', calm()),
  );

  expect(failure).toMatchObject({ kind: 'later', code: 'TIMEOUT' });
  expect(message).toBe('stub gave no complete answer within 100 ms.');
});

test('an answer without end is too large', async () => {
  const { origin } = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = Buffer.alloc(1024 * 1024, ' ');
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', more);
    more();
  });

  const { message } = await refused(apiOf(origin).retrieve('batch_1', calm()));

  expect(message).toBe('The answer of stub is too large.');
});

test('a job is read with suspicion', async () => {
  const { origin } = await serve((_, response) =>
    json(
      response,
      batch({
        status: 'sk-secret-in-a-status-123',
        request_counts: { total: 'many', completed: -3, failed: 1.5 },
        expires_at: 1e300,
        output_file_id: { id: 'x' },
        error_file_id: 'file with spaces',
        errors: 'no',
      }),
    ),
  );

  expect(await apiOf(origin).retrieve('batch_1', calm())).toEqual({
    providerId: 'batch_1',
    status: '[redacted]',
    phase: 'working',
    counts: { succeeded: 0, failed: 0, cancelled: 0, expired: 0 },
    expiresAt: null,
    results: null,
    problems: [{ code: null, message: 'no', line: null }],
  });
});

test('a job that failed after a part was done is read like one that is complete', async () => {
  const { origin } = await serve(({ url }, response) => {
    if (url?.endsWith('/content')) response.end(line('a'));
    else json(response, batch({ status: 'failed', error_file_id: 'file-9' }));
  });
  const api = apiOf(origin);

  const job = await api.retrieve('batch_1', calm());

  expect(job).toMatchObject({ status: 'failed', phase: 'completed' });
  expect(await linesIn(api, job)).toMatchObject([{ kind: 'answer', customId: 'a' }]);
});

test('a rejection without words is one all the same, and with too many is cut', async () => {
  const data = Array.from({ length: 500 }, (_, i) => ({
    code: 'invalid',
    message: `with api_key=abcdef ${'x'.repeat(10)}`,
    line: i === 0 ? '7' : i,
  }));
  const answers = [
    batch({ status: 'failed', errors: null }),
    batch({ status: 'failed', errors: { data } }),
  ];
  const { origin } = await serve((_, response) => json(response, answers.shift()));
  const api = apiOf(origin);

  const silent = await api.retrieve('batch_1', calm());
  const wordy = await api.retrieve('batch_1', calm());

  expect(silent.problems).toEqual([{ code: null, message: 'stub gave no reason.', line: null }]);
  expect(wordy.problems).toHaveLength(100);
  expect(wordy.problems[0]).toMatchObject({ line: null });
  expect(wordy.problems[9]).toMatchObject({ code: 'invalid', line: 9 });
  expect(JSON.stringify(wordy.problems)).not.toContain('abcdef');
});

test('where no metadata is kept, a lost job is known by the name of its upload', async () => {
  const files: Record<string, string> = { 'file-1': 'other.jsonl', 'file-2': 'i-1.jsonl' };
  const { origin, received } = await serve(({ url = '' }, response) => {
    const [, fileId] = /\/files\/(.+)$/.exec(url) ?? [];
    if (fileId) json(response, { id: fileId, filename: files[fileId] });
    else {
      json(response, {
        data: [
          batch({ id: 'batch_3', input_file_id: 'file-2', created_at: now() }),
          batch({ id: 'batch_2', input_file_id: 'file-1', created_at: new Date().toISOString() }),
          batch({ id: 'batch_1', input_file_id: 'file-2', created_at: 1 }),
        ],
        has_more: true,
      });
    }
  });
  const api = apiOf(origin);

  const found = await api.find(lost, calm());
  const without = await api.find({ ...lost, others: new Set(['batch_3']) }, calm());

  expect(found).toMatchObject({ providerId: 'batch_3' });
  expect(without).toBeNull();
  expect(received.filter(({ url }) => url?.includes('/batches'))).toHaveLength(2);
});

test('where metadata is kept, a job without any is not ours, and no file is looked at', async () => {
  const { origin, received } = await serve((_, response) =>
    json(response, {
      data: [
        batch({ id: 'batch_3', input_file_id: 'file-2', created_at: now(), metadata: null }),
        batch({ id: 'batch_2', input_file_id: 'file-1', metadata: { winnow_batch: 'i-2' } }),
      ],
      has_more: false,
    }),
  );

  expect(await apiOf(origin).find(lost, calm())).toBeNull();
  expect(received).toHaveLength(1);
});

test('a job of ours that was rejected is not the one that is looked for', async () => {
  const ours = { created_at: now(), metadata: { winnow_batch: 'i-1' } };
  const { origin } = await serve((_, response) =>
    json(response, {
      data: [
        batch({ id: 'batch_1', ...ours, status: 'failed' }),
        batch({ id: 'batch_2', ...ours, status: 'validating' }),
      ],
      has_more: false,
    }),
  );
  const without = await serve(({ url = '' }, response) => {
    if (url.includes('/files/')) json(response, { id: 'file-1', filename: 'i-1.jsonl' });
    else
      json(response, {
        data: [
          batch({ id: 'batch_1', input_file_id: 'file-1', created_at: now(), status: 'failed' }),
        ],
        has_more: false,
      });
  });

  expect(await apiOf(origin).find(lost, calm())).toMatchObject({ providerId: 'batch_2' });
  expect(await apiOf(without.origin).find(lost, calm())).toBeNull();
});

test('a list with the oldest first is read to its end', async () => {
  const pages: Record<string, object[]> = {
    '': [batch({ id: 'a', created_at: 1 }), batch({ id: 'b', created_at: 2 })],
    b: [
      batch({ id: 'c', created_at: 3, metadata: { winnow_batch: 'i-1' } }),
      batch({ id: 'd', created_at: now(), metadata: { winnow_batch: 'i-1' } }),
    ],
  };
  const { origin } = await serve(({ url = '' }, response) => {
    const after = new URL(url, 'http://x').searchParams.get('after') ?? '';
    json(response, { data: pages[after], has_more: after === '' });
  });

  expect(await apiOf(origin).find(lost, calm())).toMatchObject({ providerId: 'd' });
});

test('more jobs than can be looked through leave it open', async () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    batch({ id: `batch_${i}`, input_file_id: `file-${i}`, created_at: now(), metadata: {} }),
  );
  const { origin } = await serve(({ url = '' }, response) =>
    url.includes('/files/')
      ? json(response, { error: { message: 'gone' } }, 404)
      : json(response, { data: many, has_more: false }),
  );
  const api = apiOf(origin);
  const others = new Set(many.slice(0, 15).map(({ id }) => id));

  expect(await api.find(lost, calm())).toBe('unsure');
  expect(await api.find({ ...lost, others }, calm())).toBeNull();
});

test.each([
  ['COMPLETED', 'completed'],
  ['EXPIRED', 'expired'],
  ['canceled', 'cancelled'],
  ['Failed', 'rejected'],
  ['IN_PROGRESS', 'working'],
])('the status %s is one of a job that is %s', async (status, phase) => {
  const { origin } = await serve((_, response) => json(response, batch({ status })));

  expect(await apiOf(origin).retrieve('batch_1', calm())).toMatchObject({ status, phase });
});

test('a list that never ends is not followed for ever', async () => {
  let number = 0;
  const { origin, received } = await serve((_, response) =>
    json(response, {
      data: [batch({ id: `batch_${number++}`, metadata: {}, created_at: now() })],
      has_more: true,
    }),
  );
  const still = await serve((_, response) =>
    json(response, { data: [batch({ metadata: {} })], has_more: true }),
  );

  expect(await apiOf(origin).find(lost, calm())).toBe('unsure');
  expect(await apiOf(still.origin).find(lost, calm())).toBeNull();
  expect(received).toHaveLength(100);
  expect(still.received).toHaveLength(2);
});

test('a key that a provider repeats in its refusal or its lines is not shown', async () => {
  const apiKey = 'mine: no pattern knows it';
  const error = { message: `bad: ${apiKey}`, code: 'invalid_value' };
  const { origin } = await serve(({ url }, response) => {
    if (url?.endsWith('/content')) {
      const failed = { status_code: 400, body: { error } };
      response.end(JSON.stringify({ custom_id: 'a', response: failed }));
    } else json(response, { error }, 400);
  });
  const api = apiOf(origin, { apiKey });

  const { message } = await refused(api.retrieve('batch_1', calm()));
  const [failed] = await linesIn(api, { results });

  expect(message).toBe('stub refused the request (400 invalid_value): bad: [redacted]');
  expect(failed).toMatchObject({
    kind: 'error',
    error: { message, failure: { kind: 'item', code: 'INVALID_REQUEST' } },
  });
});

test.each([
  ['https://x.openai.azure.com/openai/deployments/mine', '/openai', '/chat/completions'],
  ['https://x.openai.azure.com/openai', '/openai', '/chat/completions'],
  ['https://x.openai.azure.com/openai/v1', '/openai/v1', '/v1/chat/completions'],
  ['https://gate.example/a/openai/deployments/mine', '/a/openai', '/chat/completions'],
  ['https://api.groq.com/openai/v1', '/openai/v1', '/v1/chat/completions'],
  ['http://localhost:8000', '/v1', '/v1/chat/completions'],
])('the batches of %s are at %s, for %s', (baseUrl, path, endpoint) => {
  const connection = connectBatches(providerConfig(baseUrl), { timeoutMs: 1_000 });

  expect(new URL(connection.client.baseURL).pathname).toBe(path);
  expect(connection.endpoint).toBe(endpoint);
});
