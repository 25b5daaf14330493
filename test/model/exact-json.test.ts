/** JSON text, read without changing a number of it. */
import { describe, expect, it } from 'vitest';
import { parseAsWritten, parseExact, parseKeepingNumbers } from '../../src/core/exact-json.ts';

const long = '12345678901234567890';

describe('a number that JavaScript would change', () => {
  it.each([
    long,
    `-${long}`,
    '9007199254740993',
    '0.1234567890123456789',
    '123456789.123456789',
    `${long}.5E-3`,
    '1.00000000000000000001e3',
    '1e400',
    '1e-400',
  ])('%s is written again as it came, in every place', (number) => {
    for (const text of [
      number,
      `[1,${number}]`,
      `{"a":${number}}`,
      `[{"__proto__":${number},"b":[${number},"${number}"]}]`,
    ]) {
      expect(JSON.stringify(parseKeepingNumbers(text))).toBe(text);
    }
    expect(parseExact(`{ "a" : ${number} }`)).toEqual({ a: number });
  });

  it('changes no text beside it, and none that looks like it', () => {
    const text = JSON.stringify({ [`${long}"\\`]: `\\"${long} 1e400 \u0000`, n: 1 }).replace(
      ':1}',
      `:${long}}`,
    );

    expect(JSON.stringify(parseKeepingNumbers(text))).toBe(text);
  });

  it('may stand deeper than a stack goes', () => {
    const depth = 200_000;
    const text = `${'['.repeat(depth)}${long}${']'.repeat(depth)}`;

    let inner = parseKeepingNumbers(text);
    while (Array.isArray(inner)) inner = inner[0];
    expect(JSON.stringify(inner)).toBe(long);
  });
});

describe('a number that JavaScript writes in another form', () => {
  it('is a number, and a text of its own only where it is asked for as it was written', () => {
    const text = '[1e3, 1.50, -0, 0.0000001, 1E+2, 5]';

    expect(parseKeepingNumbers(text)).toEqual([1000, 1.5, -0, 1e-7, 100, 5]);
    expect(parseExact(text)).toEqual([1000, 1.5, -0, 1e-7, 100, 5]);
    expect(parseAsWritten(text)).toEqual(['1e3', '1.50', '-0', '0.0000001', '1E+2', 5]);
  });
});

describe('what is no JSON', () => {
  it.each([
    '',
    '01234567890123456789',
    `{a: ${long}}`,
    `[${long},]`,
    `${long} ${long}`,
    `"${long}`,
  ])('%j is none', (text) => {
    expect(() => parseKeepingNumbers(text)).toThrow(SyntaxError);
    expect(() => parseExact(text)).toThrow(SyntaxError);
  });
});
