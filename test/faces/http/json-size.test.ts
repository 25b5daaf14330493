import { describe, expect, it } from 'vitest';
import { jsonSizeProblem, maxNames } from '../../../src/faces/http/json-size.ts';

const problemOf = (json: string, bounds = {}) => jsonSizeProblem(Buffer.from(json), bounds);
const list = (count: number, entry: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => entry(at)).join();

describe('the size of JSON', () => {
  it('counts different names, wherever they stand', () => {
    const problem = 'must hold at most 50,000 different names';
    const flat = (count: number) => `{${list(count, (at) => `"name ${at}" : 1`)}}`;
    const nested = (count: number) => `[${list(count, (at) => `{"name ${at}":1}`)}]`;

    expect(problemOf(flat(maxNames))).toBeNull();
    expect(problemOf(flat(maxNames + 1))).toBe(problem);
    expect(problemOf(nested(maxNames))).toBeNull();
    expect(problemOf(nested(maxNames + 1))).toBe(problem);
  });

  it('counts a name that comes again once, and no text for a name', () => {
    expect(problemOf(`[${list(200_000, () => '{"a":"b:"}')}]`)).toBeNull();
    expect(problemOf(`[${list(200_000, (at) => `"text ${at}"`)}]`)).toBeNull();
  });

  it.each(['9', '-9', '0.9', '9e'])('refuses a number of over 1,000 characters: %s…', (start) => {
    const number = start.padEnd(1_000, '9');

    expect(problemOf(`{"a":${number}}`)).toBeNull();
    expect(problemOf(`{"a":${number}9}`)).toBe('must have numbers of at most 1,000 characters');
    expect(problemOf(`{"a":"${number}9"}`)).toBeNull();
  });

  it('adds up the characters of numbers, and of nothing else', () => {
    const bounds = { numerals: 20 };

    expect(problemOf('{"1234567890":[1234567890,-123456.89,"1234567890"]}', bounds)).toBeNull();
    expect(problemOf('[1234567890,-123456.890]', bounds)).toBe(
      'must have at most 20 characters of numbers',
    );
  });
});
