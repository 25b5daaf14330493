import { afterEach, expect, it } from 'vitest';
import { createCounter } from '../../src/counting/counter.ts';

const counters: ReturnType<typeof createCounter>[] = [];

function newCounter(options?: { countMs: number }) {
  const counter = createCounter(options);
  counters.push(counter);
  return counter;
}

afterEach(async () => {
  for (const counter of counters.splice(0)) await counter.stop();
});

it('counts each text by each encoding', async () => {
  const counted = await newCounter().count({
    encodings: ['o200k', 'claude'],
    texts: ['Hello world', '', 'What a day'],
  });

  expect(counted.texts).toBe(3);
  expect([...(counted.tokens.o200k ?? [])]).toEqual([2, 0, 3]);
  expect([...(counted.tokens.claude ?? [])]).toEqual([2, 0, 3]);
});

it('answers while a long job is counted, and counts what it can of that', async () => {
  const counter = newCounter({ countMs: 200 });
  await counter.count({ encodings: ['o200k'], texts: ['warm'] });
  let answers = 0;
  const ticks = setInterval(() => {
    answers += 1;
  }, 5);
  // Letters of which each slice takes as long as a slice can.
  const hard = '漢'.repeat(20_000_000);
  const counted = await counter.count({ encodings: ['o200k'], texts: ['a b', hard, 'c d'] });
  clearInterval(ticks);

  expect(answers).toBeGreaterThan(0);
  expect(counted.texts).toBe(2);
  expect([...(counted.tokens.o200k ?? [])][1]).toBeGreaterThan(10_000);
  expect([...(counted.tokens.o200k ?? [])][2]).toBe(0);
});

it('lets eight jobs wait and refuses the next; patient ones wait behind all others', async () => {
  const counter = newCounter();
  const order: string[] = [];
  const add = (name: string, patient = false) =>
    counter
      .count({ encodings: ['o200k'], texts: [name] }, { patient })
      .then(() => order.push(name));
  const jobs = [
    add('first'),
    add('patient', true),
    ...'abcdefgh'.split('').map((name) => add(name)),
  ];

  await expect(add('i')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  await Promise.all([...jobs, add('patient too', true)]);
  expect(order).toEqual(['first', ...'abcdefgh', 'patient', 'patient too']);
});

it('rejects what waits when it stops', async () => {
  const counter = newCounter();
  const jobs = ['a', 'b'].map((text) => counter.count({ encodings: ['o200k'], texts: [text] }));
  const settled = Promise.allSettled(jobs);
  await counter.stop();

  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(counter.count({ encodings: ['o200k'], texts: ['c'] })).rejects.toThrow('stopped');
});
