/** What a process tells of batches, uploads, jobs and webhooks while they go through it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { EventName, Facts } from '../../src/telemetry/events.ts';
import { cancel, submit, texts } from '../engine/worker/support.ts';
import { type App, startApp } from '../support/app.ts';
import { type Receiver, startReceiver } from '../webhooks/support.ts';

let app: App;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  app = await startApp({ PROVIDER_BATCH_POLL_MS: '50', WEBHOOK_ALLOW_PRIVATE: 'true' });
});
afterAll(async () => {
  await app.stop();
  await receiver.close();
});
afterEach(() => app.sandbox.faults.clear());

/** Hears an event from now on. */
function hear<Name extends EventName>(name: Name): Facts[Name][] {
  const heard: Facts[Name][] = [];
  app.service.events.on(name, (fact) => void heard.push(fact));
  return heard;
}

test('a batch is submitted, claimed, started, sent and recorded item by item, and ended once', async () => {
  const sent = hear('item.sent');
  const recorded = hear('result.recorded');
  const claimed = hear('chunk.claimed');
  const ended = hear('batch.ended');

  const id = await submit(app, texts(250));
  const { batchKey } = await app.first('batch.submitted', { batch: id });
  await app.first('batch.started', { batch: id });
  await app.first('batch.ended', { batch: id });

  const own = <Fact extends { batchKey: bigint }>(facts: Fact[]) =>
    facts.filter((fact) => fact.batchKey === batchKey);
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  expect(
    own(sent)
      .map(({ index }) => index)
      .sort((a, b) => a - b),
  ).toEqual([...Array(250).keys()]);
  expect(sum(own(recorded).map(({ results }) => results))).toBe(250);
  expect(sum(own(claimed).map(({ chunks }) => chunks))).toBe(3);
  expect(own(ended)).toHaveLength(1);
});

test('a job at a provider is created and ended, with as many requests as its batch has items', async () => {
  const id = await submit(app, texts(30), { execution: 'PROVIDER_BATCH' });

  const created = await app.first('job.created', { batch: id });
  await app.recorded(id, 30);
  const ended = await app.first('job.ended', { batch: id });

  expect(created).toMatchObject({ job: expect.stringMatching(/^pbatch_/), requests: 30 });
  expect(ended).toMatchObject({ job: created.job, status: 'completed' });
});

test('a batch that is cancelled while nobody works on it ends without a start', async () => {
  const started = hear('batch.started');
  const id = await submit(app, texts(3), { autoStart: false });

  await cancel(app, id);
  const { batchKey } = await app.first('batch.ended', { batch: id });

  expect(started.filter((fact) => fact.batchKey === batchKey)).toEqual([]);
});

test('a batch of which no item would succeed is stopped, then ended', async () => {
  app.sandbox.faults.add({ fault: { kind: 'status', status: 401 } });

  const id = await submit(app, texts(3));

  const stopped = await app.first('batch.stopped', { batch: id });
  expect(stopped).toEqual({ batch: id, code: 'INVALID_KEY' });
  await app.first('batch.ended', { batch: id });
});

test('a file is told of when it is stored', async () => {
  const stored = app.next('upload.stored');
  const response = await fetch(`${app.url}/files?name=a.txt`, { method: 'POST', body: 'a\nb\n' });
  const { id } = (await response.json()) as { id: string };

  expect(await stored).toEqual({ file: id, owner: 'local', items: 2, bytes: 4 });
});

test('the end of a batch is delivered to its webhook, of which the host alone is told', async () => {
  const delivered = app.next('webhook.delivered');
  const batch = await submit(app, texts(1), { webhookUrl: `${receiver.url}/secret?token=1` });

  const { webhook, seconds, ...fact } = await delivered;

  expect(webhook).toMatch(/^msg_/);
  expect(seconds).toBeGreaterThan(0);
  const { host } = new URL(receiver.url);
  expect(fact).toEqual({ host, batch, trace: null, attempt: 1, statusCode: 200, cause: null });
});

test('an outage of a model and its end are told once each', async () => {
  const outages = hear('gate.outage');
  const recovered = app.next('gate.recovered');
  app.sandbox.faults.add({ fault: { kind: 'status', status: 503 }, times: 12 });

  const id = await submit(app, texts(40));
  await app.first('batch.ended', { batch: id });

  expect(outages).toHaveLength(1);
  expect(outages[0]).toMatchObject({
    model: 'test/rules',
    message: expect.stringContaining('503'),
  });
  expect(await recovered).toMatchObject({ model: 'test/rules', afterMs: expect.any(Number) });
}, 60_000);
