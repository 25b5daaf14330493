/** What callers name is bounded, and costs little to count. */
import pino from 'pino';
import { expect, it } from 'vitest';
import { createEvents } from '../../src/telemetry/events.ts';
import { createMetrics } from '../../src/telemetry/metrics/metrics.ts';
import { genAiNames } from '../../src/telemetry/names.ts';
import { readMetrics, strangeFamilies, sumOf } from '../support/metrics.ts';

const events = () => createEvents(pino({ level: 'silent' }));

const call = {
  lane: 'live',
  owner: 'anna',
  seconds: 0.3,
  requests: 1,
  retries: 0,
  error: null,
  tokens: { inputTokens: 10, outputTokens: 5 },
  costUsd: 0.5,
  isUnmetered: false,
  parent: null,
  request: null,
  answer: null,
} as const;

it('names 200 models of a provider, 200 operations and 100 owners, and counts the others too', async () => {
  const told = events();
  const metrics = createMetrics({ events: told, names: genAiNames(''), byOwner: true });
  for (let at = 0; at < 1_000; at += 1) {
    told.emit('model.call', { ...call, model: `openai/m-${at}`, owner: `owner-${at}` });
  }
  told.emit('model.call', { ...call, model: 'other/m' });
  for (let at = 0; at < 10_000; at += 1) {
    const named = {
      type: 'query',
      name: `Q${at}`,
      outcome: 'ok',
      seconds: 0.01,
      socket: null,
    } as const;
    told.emit('graphql.operation', named);
  }

  const text = await metrics.text();
  const samples = readMetrics(text);
  const valuesOf = (name: string, label: string) =>
    new Set(samples.filter((one) => one.name === name).map(({ labels }) => labels[label]));
  const duration = 'gen_ai_client_operation_duration_seconds_count';
  const operation = 'winnow_graphql_operation_duration_seconds_count';
  const cost = 'winnow_model_cost_usd_total';

  expect(strangeFamilies(text)).toEqual([]);
  expect(valuesOf(duration, 'gen_ai_request_model').size).toBe(202); // one of another provider
  expect(valuesOf(operation, 'operation_name').size).toBe(201);
  expect(valuesOf(cost, 'owner').size).toBe(101);
  expect(sumOf(samples, duration)).toBe(1_001);
  expect(sumOf(samples, operation, { operation_name: 'other' })).toBe(9_800);
  expect(sumOf(samples, cost)).toBeCloseTo(500.5);
  // Histograms and counters, each with its labels.
  expect(samples.filter(({ name }) => !/_(bucket|sum)$/.test(name)).length).toBeLessThan(5_000);
});

it('has the names of 2026 where they are wanted', async () => {
  const told = events();
  const names = genAiNames('gen_ai_latest_experimental');
  const metrics = createMetrics({ events: told, names, byOwner: false });

  told.emit('model.call', { ...call, model: 'openai/m' });

  const samples = readMetrics(await metrics.text());
  expect(sumOf(samples, 'gen_ai_client_inference_duration_seconds_count')).toBe(1);
  expect(sumOf(samples, 'gen_ai_client_inference_operation_input_tokens_sum')).toBe(10);
  expect(sumOf(samples, 'gen_ai_client_inference_operation_output_tokens_sum')).toBe(5);
  expect(samples.some(({ name }) => name.startsWith('gen_ai_client_token'))).toBe(false);
});

it('puts a value into the bucket whose bound it does not pass, and escapes labels', async () => {
  const told = events();
  const metrics = createMetrics({ events: told, names: genAiNames(''), byOwner: false });
  const model = 'own/a "b"\\c\nd';
  for (const seconds of [0.01, 0.02, 0.03, 100])
    told.emit('model.call', { ...call, model, seconds });

  const samples = readMetrics(await metrics.text());
  const below = (le: string) =>
    sumOf(samples, 'gen_ai_client_operation_duration_seconds_bucket', { le });
  expect(['0.01', '0.02', '0.04', '81.92', '+Inf'].map(below)).toEqual([1, 2, 3, 3, 4]);
  expect(samples.find(({ labels }) => labels.gen_ai_provider_name === 'own')?.labels).toMatchObject(
    {
      gen_ai_request_model: 'a \\"b\\"\\\\c\\nd',
    },
  );
});
