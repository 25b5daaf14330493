/** What leaves for a collector of traces: which spans, under which, and never what owners wrote. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { labelOptions, post, submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';
import { type Collector, type Span, startCollector } from '../support/collector.ts';
import { createLogTo } from '../support/logged.ts';
import { until } from '../support/until.ts';

const caller = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const traceparent = `00-${caller.traceId}-${caller.spanId}-01`;
const annaKey = 'anna-key-0123456789abcdefgh';
const anna = { authorization: `Bearer ${annaKey}` };
const label =
  'mutation Judge($items: [ItemInput!]!, $options: LabelOptions!) { label(items: $items, options: $options) { results { error { code } } } }';

let collector: Collector;
const apps: App[] = [];
beforeAll(() => {
  // Spans are sent at the end of each app, and need not be waited for.
  process.env.OTEL_BSP_SCHEDULE_DELAY = '60000';
});
afterAll(() => {
  delete process.env.OTEL_BSP_SCHEDULE_DELAY;
});
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(async () => {
  await stopAll();
  await collector.close();
});

async function start(
  env: Record<string, string> = {},
  shared: Parameters<typeof startApp>[1] = {},
): Promise<App> {
  const app = await startApp(
    { API_KEYS: `anna:${annaKey}`, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env },
    shared,
  );
  apps.push(app);
  return app;
}

/** All that they have to send is sent then. */
async function stopAll(): Promise<void> {
  for (const app of apps.splice(0)) await app.stop();
}

function judge(app: App, texts: string[], headers: Record<string, string> = {}) {
  const items = texts.map((content) => ({ content }));
  const variables = { items, options: labelOptions };
  return post(app, { query: label, variables }, { ...anna, ...headers });
}

function only(name: string): Span {
  const found = collector.named(name);
  expect(found, name).toHaveLength(1);
  return found[0] as Span;
}

it('a request goes on with the trace of its caller, and its calls are under it', async () => {
  const app = await start({ OTEL_SERVICE_NAME: 'labels', OTEL_RESOURCE_ATTRIBUTES: 'team=a%20b' });
  const { port } = new URL(app.sandbox.url);

  await judge(app, ['one', 'two'], { traceparent, tracestate: 'a=1,b=2', 'x-request-id': 'abc-1' });
  await stopAll();

  const request = only('POST /graphql');
  expect(request).toMatchObject({
    traceId: caller.traceId,
    parentSpanId: caller.spanId,
    kind: 2,
    failed: false,
    state: 'a=1,b=2',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'graphql.operation.name': 'Judge',
      'graphql.operation.type': 'mutation',
      'winnow.request_id': 'abc-1',
      'enduser.id': 'anna',
    },
    resource: { 'service.name': 'labels', team: 'a b' },
  });
  const calls = collector.named('chat rules');
  expect(calls).toHaveLength(2);
  for (const call of calls) {
    expect(call).toMatchObject({
      traceId: caller.traceId,
      parentSpanId: request.spanId,
      kind: 3,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'test',
        'gen_ai.system': 'test',
        'gen_ai.request.model': 'rules',
        'gen_ai.response.model': 'rules',
        'gen_ai.response.finish_reasons': ['stop'],
        'gen_ai.usage.input_tokens': expect.any(Number),
        'gen_ai.usage.output_tokens': expect.any(Number),
        'server.address': '127.0.0.1',
        'server.port': Number(port),
        'winnow.lane': 'sync',
      },
    });
    expect(call.beganAt).toBeGreaterThanOrEqual(request.beganAt);
    expect(call.endedAt).toBeLessThanOrEqual(request.endedAt);
  }
  expect(collector.requests.map(({ path }) => path)).toEqual(['/v1/traces']);
});

it('a batch is linked to its submit; chunks are under it, and calls under chunks', async () => {
  const app = await start();
  const texts = Array.from({ length: 150 }, (_, at) => `text ${at}`);

  const id = await submitTexts(app, texts, { headers: { ...anna, traceparent } });
  await untilEnded(app, id, anna);
  await stopAll();

  const submits = collector.named('POST /graphql').filter((one) => one.traceId === caller.traceId);
  expect(submits).toHaveLength(1);
  const batch = only('batch label');
  expect(batch).toMatchObject({
    parentSpanId: '',
    kind: 1,
    links: [expect.objectContaining({ traceId: caller.traceId, spanId: submits[0]?.spanId })],
    attributes: {
      'winnow.batch.id': id,
      'winnow.operation': 'label',
      'winnow.lane': 'live',
      'winnow.items': 150,
      'winnow.items.failed': 0,
    },
  });
  const chunks = collector.named('chunk');
  expect(chunks.map(({ attributes }) => attributes['winnow.chunk.first']).sort()).toEqual([0, 100]);
  for (const name of ['chunk', 'claim', 'flush']) {
    expect(collector.named(name).length, name).toBeGreaterThan(0);
    for (const span of collector.named(name)) {
      expect(span, name).toMatchObject({ traceId: batch.traceId, parentSpanId: batch.spanId });
      expect(span.attributes['winnow.batch.id'], name).toBe(id);
    }
  }
  const calls = collector.named('chat rules');
  const chunkIds = chunks.map(({ spanId }) => spanId);
  expect(calls.length).toBeGreaterThan(0);
  for (const { parentSpanId, traceId } of calls) {
    expect(chunkIds).toContain(parentSpanId);
    expect(traceId).toBe(batch.traceId);
  }
});

it('steps of provider jobs and attempts at webhooks are under their batch', async () => {
  const app = await start({ WEBHOOK_ALLOW_PRIVATE: 'true' });

  const id = await submitTexts(app, ['one'], {
    headers: anna,
    execution: 'PROVIDER_BATCH',
    webhookUrl: `${collector.url}/hook?secret=1`,
  });
  await untilEnded(app, id, anna);
  await app.first('webhook.delivered');
  await app.first('job.ended');
  await stopAll();

  const batch = only('batch label');
  const steps = collector.spans.filter(({ name }) => name.startsWith('provider_batch '));
  expect(new Set(steps.map(({ name }) => name))).toEqual(
    new Set(['provider_batch prepare', 'provider_batch follow']),
  );
  for (const span of [...steps, only('webhook')]) {
    expect(span).toMatchObject({ parentSpanId: batch.spanId, failed: false });
  }
  expect(JSON.stringify(collector.spans)).not.toContain('secret=1');
});

it('what the caller does not sample is sent nowhere, nor what comes of it', async () => {
  const app = await start();
  const headers = { ...anna, traceparent: traceparent.replace(/01$/, '00') };

  await judge(app, ['one'], headers);
  const id = await submitTexts(app, ['one'], { headers });
  // By requests of its own.
  await app.first('batch.ended', { batch: id });
  await stopAll();

  expect(collector.spans).toEqual([]);
});

it('malformed headers of a trace are ignored', async () => {
  const malformed = [
    `00-${'0'.repeat(32)}-${caller.spanId}-01`,
    `00-${caller.traceId}-${'0'.repeat(16)}-01`,
    traceparent.toUpperCase(),
    traceparent.replace('00', 'ff'),
    `${traceparent}-more`,
    `${traceparent}, ${traceparent}`,
    'x'.repeat(4_000),
  ];
  const app = await start();

  for (const header of malformed) {
    await judge(app, ['one'], { traceparent: header, tracestate: '=,;=\t'.repeat(60) });
  }
  await judge(app, ['one'], { traceparent, tracestate: '=,;=\t'.repeat(60) });
  await stopAll();

  const requests = collector.named('POST /graphql');
  expect(requests.map(({ state }) => state)).toEqual(Array(malformed.length + 1).fill(''));
  expect(requests.at(-1)?.traceId).toBe(caller.traceId);
  const ownIds = requests.slice(0, -1).map(({ traceId }) => traceId);
  expect(new Set([...ownIds, caller.traceId]).size).toBe(malformed.length + 1);
  for (const { parentSpanId } of requests.slice(0, -1)) expect(parentSpanId).toBe('');
});

it('of chunks and calls 50 a second leave, and all that failed', async () => {
  const app = await start();
  const failing = 70;
  app.sandbox.faults.add({
    fault: { kind: 'status', status: 400, message: 'no' },
    times: failing,
  });
  const texts = Array.from({ length: 1_500 }, (_, at) => `text ${at}`);

  const id = await submitTexts(app, texts, { headers: anna });
  await untilEnded(app, id, anna);
  await stopAll();

  const calls = collector.named('chat rules');
  expect(calls.filter(({ failed }) => failed)).toHaveLength(failing);
  expect(calls.find(({ failed }) => failed)?.attributes['error.type']).toBe('INVALID_REQUEST');
  const others = [...calls.filter(({ failed }) => !failed), ...collector.named('chunk')];
  const ends = others.map(({ endedAt }) => endedAt).sort((one, other) => one - other);
  // The first 40 calls and the first 10 chunks.
  expect(ends.length).toBeGreaterThanOrEqual(50);
  const withFailures = 15; // chunks, which leave with what failed in them
  for (const [at, end] of ends.entries()) {
    expect((ends[at + 50 + withFailures] ?? Number.POSITIVE_INFINITY) - end).toBeGreaterThan(0.99);
  }
});

it('texts stay here, unless the operator asks for them', async () => {
  const texts = ['the secret of a row, which is as long as a sentence'];
  const options = { ...labelOptions, instructions: 'the secret of a prompt' };
  const items = texts.map((content) => ({ content }));
  const capture = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT';
  const run = async (app: App) => {
    app.sandbox.faults.add({
      fault: { kind: 'content', content: 'the secret of an answer' },
      times: 1,
    });
    await post(app, { query: label, variables: { items, options } }, anna);
    const id = await submitTexts(app, texts, { headers: anna });
    await untilEnded(app, id, anna);
    await stopAll();
    return collector.requests.map(({ body }) => body).join('\n');
  };

  const sent = await run(await start());
  expect(sent).toContain('chat rules');
  expect(sent).not.toContain('the secret');
  expect(sent).not.toContain(annaKey);

  const captured = await run(await start({ [capture]: 'true' }));
  for (const what of ['a row', 'a prompt', 'an answer']) {
    expect(captured).toContain(`the secret of ${what}`);
  }
  const [call] = collector.spans.filter(({ attributes }) => attributes['gen_ai.input.messages']);
  expect(JSON.parse(String(call?.attributes['gen_ai.input.messages']))).toMatchObject([
    { role: 'user', parts: [{ type: 'text', content: expect.stringContaining('a row') }] },
  ]);
});

it('providers hear of the trace where the operator wants that', async () => {
  const [plain, telling] = [
    await start(),
    await start({ OTEL_PROPAGATE_TO_PROVIDERS: 'true' }),
  ] as const;
  for (const app of [plain, telling]) {
    app.sandbox.requests.keep(10);
    await judge(app, ['one'], { traceparent });
    const id = await submitTexts(app, ['two'], { headers: anna });
    await untilEnded(app, id, anna);
    await post(app, { query: '{ __typename }' }, anna);
    await fetch(`${app.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...anna, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'test/rules',
        stream: true,
        messages: [{ role: 'user', content: 'three' }],
      }),
    }).then((answer) => answer.text());
  }
  const told = (app: App) => app.sandbox.requests.journal.map(({ headers }) => headers.traceparent);
  const [withoutTrace, withTrace] = [told(plain), told(telling)];
  await stopAll();

  expect(withoutTrace).toEqual([undefined, undefined, undefined]);
  const calls = collector.named('chat rules');
  expect(withTrace).toHaveLength(3);
  for (const header of withTrace) {
    expect(calls.map((call) => `00-${call.traceId}-${call.spanId}-01`)).toContain(header);
  }
});

it('an operation over a socket has a span of its own', async () => {
  const app = await start();
  const client = app.socket({ authorization: `Bearer ${annaKey}` });
  const variables = { items: [{ content: 'one' }], options: labelOptions };

  for await (const _ of client.iterate({ query: label, variables, operationName: 'Judge' }));
  await stopAll();

  const operation = only('WS /graphql');
  expect(operation.attributes).toMatchObject({
    'graphql.operation.name': 'Judge',
    'graphql.operation.type': 'mutation',
    'enduser.id': 'anna',
  });
  expect(only('chat rules').parentSpanId).toBe(operation.spanId);
});

it('lines of the log have the ids of their span', async () => {
  const { logTo, lines } = createLogTo();
  const app = await start({ LOG_LEVEL: 'debug', ACCESS_LOG: 'on' }, { logTo });

  await post(app, { query: '{ nothing }' }, { ...anna, traceparent });
  const id = await submitTexts(app, ['one'], { headers: anna });
  await untilEnded(app, id, anna);
  await until(() => lines.some(({ msg }) => msg === 'batch ended'), {
    deadlineMs: 10_000,
    what: 'the line of the end',
  });
  await stopAll();

  const [request] = collector.named('POST /graphql').filter((one) => one.parentSpanId !== '');
  const ids = { traceId: caller.traceId, spanId: request?.spanId };
  for (const message of ['an error was answered', 'request']) {
    expect(lines.find(({ msg }) => msg === message)).toMatchObject(ids);
  }
  const { traceId, spanId } = only('batch label');
  expect(lines.find(({ msg }) => msg === 'batch ended')).toMatchObject({ traceId, spanId });
});

it.each([500, 'hang'] as const)('a collector that answers %s costs spans alone', async (answer) => {
  collector.answerWith(answer);
  process.env.OTEL_BSP_SCHEDULE_DELAY = '10';
  const { logTo, lines } = createLogTo();
  const app = await start({ LOG_LEVEL: 'warn', OTEL_EXPORTER_OTLP_TIMEOUT: '100' }, { logTo });

  for (const _ of Array(4)) {
    await judge(app, ['one']);
    const sent = collector.requests.length;
    await until(() => collector.requests.length > sent, { deadlineMs: 10_000, what: 'an export' });
  }
  const lost = () => lines.filter(({ msg }) => /spans are lost/.test(msg));
  await until(() => lost().length > 0, { deadlineMs: 10_000, what: 'the line' });
  await stopAll();
  process.env.OTEL_BSP_SCHEDULE_DELAY = '60000';

  expect(lost()).toHaveLength(1);
  expect(lost()[0]).toMatchObject({ reason: answer === 500 ? '500' : expect.any(String) });
});
