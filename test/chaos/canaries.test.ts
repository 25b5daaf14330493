/**
 * A storm at LOG_LEVEL=trace, with a mark of its own in all that must stay out of the log: rows,
 * prompts, answers, keys of the owner and of the provider, and a webhook's query string. All that
 * the processes wrote, their figures and their spans are then searched for the marks.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasEnded, readBatch, submit } from '../engine/worker/support.ts';
import { type Collector, startCollector } from '../support/collector.ts';
import { until } from '../support/until.ts';
import { either } from './run.ts';
import { type Member, type Stage, setStage } from './stage.ts';

const items = either(300, 3_000);
const ownerKey = 'canary-owner-key-0123456789abcdef';
const providerKey = 'Canary9Provider4Key7Wq2Lm8Zt';
/** Of texts that were sent, a provider's message may share fewer than 32 characters by chance. */
const marks = {
  row: 'the canary of a row, which is as long as a sentence',
  prompt: 'the canary of a prompt, which is as long as a sentence',
  answer: 'the canary of an answer, which is as long as a sentence',
  name: 'the canary of a name, which is as long as a sentence',
  query: 'the-canary-of-a-query',
  'key of the owner': ownerKey,
  'key of the provider': providerKey.slice(6, 14),
};

let stage: Stage;
let collector: Collector;

beforeAll(async () => {
  collector = await startCollector();
  stage = await setStage({
    leaseMs: 3_000,
    latencyMs: 50,
    apiEnv: { WEBHOOK_ALLOW_PRIVATE: 'true' },
  });
});
afterAll(async () => {
  await stage.close();
  await collector.close();
});

test('no text, key or query string is in lines of the log, figures or spans', async () => {
  const { faults } = stage.sandbox;
  faults.add({
    fault: { kind: 'content', content: `${marks.answer}, not one of them` },
    times: 20,
  });
  faults.add({
    fault: { kind: 'status', status: 400, message: `bad: ${marks.row}; ${providerKey.slice(4)}` },
    times: 20,
  });
  faults.add({
    fault: { kind: 'status', status: 500, message: `for ${providerKey}: ${marks.prompt}` },
    times: 5,
  });
  const env = {
    LOG_LEVEL: 'trace',
    ACCESS_LOG: 'on',
    METRICS_PORT: '0',
    API_KEYS: `anna:${ownerKey}`,
    TEST_KEY: providerKey,
    WEBHOOK_ALLOW_PRIVATE: 'true',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '500',
    PROVIDERS: JSON.stringify({
      test: { baseURL: stage.sandbox.url, apiKeyEnv: 'TEST_KEY', models: ['rules'] },
    }),
  };
  const crew: Member[] = await stage.startAll(['one', 'two'], env);
  const serving = await stage.start('serving', { ...env, ROLE: 'all' });
  await ask(serving, '{ batches { totalCount } }', 'wrong-canary-key-0123456789');
  await ask(serving, `{ "${marks.row}" }`, ownerKey);
  const rows = Array.from({ length: items }, (_, at) => `${at} ${marks.row}`);

  const batch = await submit(stage.api, rows, {
    operation: { label: { categories: ['praise', 'complaint'], instructions: marks.prompt } },
    name: marks.name,
    webhookUrl: `${stage.sandbox.url}/hook?secret=${marks.query}`,
  });
  await until(async () => (await readBatch(stage.api, batch)).counts.succeeded > 0, {
    deadlineMs: 60_000,
    what: 'the middle of the storm',
  });
  crew[0]?.signal('SIGKILL');
  await until(async () => hasEnded(await readBatch(stage.api, batch)), {
    deadlineMs: 300_000,
    what: 'the end of the storm',
  });
  const [, operator = ''] = /Probes +(\S+)\/readyz/.exec(serving.output()) ?? [];
  const figures = await (await fetch(`${operator}/metrics`)).text();

  const failed = () => collector.named('chat rules').some((span) => span.failed);
  await until(() => failed() && collector.named('chunk').length > 0, {
    deadlineMs: 60_000,
    what: 'spans of what failed',
  });
  const spans = collector.requests.map(({ body }) => body).join('\n');

  const lines = [...crew, serving].map((one) => one.output()).join('\n');
  const written = lines + figures + spans;
  expect(figures).toContain('winnow_items_total');
  expect(written).toContain('"msg":"request"');
  expect(written).toContain('"batchId"');
  for (const [what, mark] of Object.entries(marks)) {
    expect(written.includes(mark), what).toBe(false);
  }
  expect(written).not.toContain('wrong-canary-key');
});

async function ask({ url }: Member, query: string, key: string): Promise<void> {
  await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query }),
  });
}
