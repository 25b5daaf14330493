/** Who waits for whom: ratios of times, so that they say the same on any machine. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import WebSocket from 'ws';
import { readBatch, submit, texts, untilBatch, untilEnded } from '../engine/worker/support.ts';
import { until } from '../support/until.ts';
import { either, printFigures } from './run.ts';
import { type Stage, setStage } from './stage.ts';

const keys = { many: 'key-of-many-000000000000000', one: 'key-of-one-00000000000000000' };

let stage: Stage;

beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.close());

/**
 * Milliseconds that ten items take from the submit to the end, one after the other so many times,
 * in order of size.
 */
async function timesOfTen(times: number): Promise<number[]> {
  const took: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const startedAt = performance.now();
    const id = await submit(stage.api, texts(10));
    await untilEnded(stage.api, id, 120_000);
    took.push(performance.now() - startedAt);
  }
  return took.sort((a, b) => a - b);
}

test('ten items behind a large batch take less than three times what they take alone', async () => {
  await stage.startAll(['worker']);
  const times = either(9, 40);
  const alone = await timesOfTen(times);
  const large = await Promise.all(
    Array.from({ length: either(1, 4) }, () => submit(stage.api, texts(10_000))),
  );
  await untilBatch(stage.api, large[0] ?? '', ({ counts }) => counts.succeeded > 200, {
    deadlineMs: 60_000,
  });

  const behind = await timesOfTen(times);
  const still = await readBatch(stage.api, large[0] ?? '');

  const middle = Math.floor(times / 2);
  const [aloneMs = 0, behindMs = 0] = [alone[middle], behind[middle]];
  const [aloneHigh = 0, behindHigh = 0] = [alone[times - 2], behind[times - 2]];
  printFigures('ten items behind a running batch of 10,000 and more', {
    'alone ms': aloneMs,
    'behind ms': behindMs,
    ratio: behindMs / aloneMs,
    'ratio of the second slowest': behindHigh / aloneHigh,
  });
  expect(still.status).toBe('PROCESSING');
  expect(behindMs / aloneMs).toBeLessThan(3);
  await stage.clear();
});

test('an owner with forty batches leaves half of the calls to one who has a single one', async () => {
  const owners = await setStage({
    apiEnv: { API_KEYS: `many:${keys.many},one:${keys.one}` },
    latencyMs: 100,
  });
  const submitAs = async (key: string, count: number) => {
    const { data, errors } = await owners.api.graphql(
      'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      {
        input: {
          operation: { label: { categories: ['praise', 'complaint'] } },
          source: { texts: texts(count) },
        },
      },
      { authorization: `Bearer ${key}` },
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data?.submitBatch.batch.id as string;
  };
  await owners.startAll(['first', 'second']);
  await Promise.all(Array.from({ length: 40 }, () => submitAs(keys.many, 1_000)));
  const single = await submitAs(keys.one, either(1_200, 8_000));

  const total = async () => {
    const [found] = await owners.sql<{ many: number; one: number; status: string }[]>`
      select (sum(succeeded) filter (where owner = 'many'))::int as many,
             (sum(succeeded) filter (where owner = 'one'))::int as one,
             max(status::text) filter (where id = ${single}) as status
      from batches`;
    return found as { many: number; one: number; status: string };
  };
  const before = await total();
  await until(async () => (await total()).one >= either(900, 7_000), {
    deadlineMs: 300_000,
    what: 'three quarters of the single batch',
  });
  const after = await total();
  await owners.close();

  const [one, many] = [after.one - before.one, after.many - before.many];
  printFigures('40 batches of one owner beside one batch of another', {
    'answers of the forty': many,
    'answers of the one': one,
    share: one / (one + many),
  });
  // A half, less what it misses while it claims; one of forty-one batches would have 0.02.
  expect(one / (one + many)).toBeGreaterThan(0.35);
  expect(one / (one + many)).toBeLessThan(0.6);
});

test('an owner that floods with sockets, requests and items leaves another its share', async () => {
  const owners = await setStage({
    apiEnv: { API_KEYS: `many:${keys.many},one:${keys.one}` },
    latencyMs: 100,
  });
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  const label = { label: { categories: ['praise', 'complaint'] } };
  const submitAs = async (key: string, count: number) => {
    const file = await fetch(`${owners.api.url}/files?name=rows.txt`, {
      method: 'POST',
      headers: { ...as(key), 'content-type': 'text/plain' },
      body: texts(count).join('\n'),
    });
    const { id } = (await file.json()) as { id: string };
    const { data, errors } = await owners.api.graphql(
      'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      { input: { operation: label, source: { fileId: id } } },
      as(key),
    );
    if (errors) throw new Error(JSON.stringify(errors));
    return data?.submitBatch.batch.id as string;
  };
  const small = '{ batches(first: 10) { edges { node { id status counts { succeeded } } } } }';
  await owners.startAll(['first', 'second']);

  const codes: number[] = [];
  const sockets = Array.from({ length: 500 }, () => {
    const socket = new WebSocket(`${owners.api.url.replace('http', 'ws')}/graphql`, [
      'graphql-transport-ws',
    ]);
    const payload = { Authorization: `Bearer ${keys.many}` };
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.on('close', (code) => codes.push(code));
    socket.on('error', () => undefined);
    return socket;
  });
  await until(() => codes.length >= 450, { deadlineMs: 60_000, what: 'sockets that are closed' });
  const closed = [...codes];
  await submitAs(keys.many, either(20_000, 1_000_000));
  const single = await submitAs(keys.one, either(1_200, 8_000));
  const asked = { many: 0, answered: 0 };
  const flood = setInterval(() => {
    asked.many += 1;
    void owners.api
      .graphql(small, {}, as(keys.many))
      .then(() => (asked.answered += 1))
      .catch(() => undefined);
  }, 5);

  const total = async () => {
    const [found] = await owners.sql<{ many: number; one: number }[]>`
      select (sum(succeeded) filter (where owner = 'many'))::int as many,
             (sum(succeeded) filter (where id = ${single}))::int as one
      from batches`;
    return found as { many: number; one: number };
  };
  // Its rows are looked at before its first call.
  await until(async () => (await total()).one > 0, { deadlineMs: 60_000, what: 'its start' });
  const before = await total();
  await until(async () => (await total()).one >= either(900, 7_000), {
    deadlineMs: 300_000,
    what: 'three quarters of the single batch',
  });
  const after = await total();
  clearInterval(flood);
  for (const socket of sockets) socket.terminate();
  await until(() => asked.answered >= asked.many - 1, {
    deadlineMs: 60_000,
    what: 'the answers of the flood',
  });
  await owners.close();

  const [one, many] = [after.one - before.one, after.many - before.many];
  printFigures('sockets, requests and items of one owner beside another', {
    'requests of the flood': asked.many,
    'share of the calls': one / (one + many),
  });
  expect(closed).toEqual(Array(450).fill(4429));
  expect(one / (one + many)).toBeGreaterThan(0.35);
  expect(one / (one + many)).toBeLessThan(0.65);
});
