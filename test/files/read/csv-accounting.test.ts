/**
 * Every line of a table is in one row, and every row is an item, refused or blank, however its
 * quotes are laid.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnreadableFile } from '../../../src/files/read/unreadable.ts';
import { runsOf } from '../../support/random.ts';
import { readAll } from './support.ts';

type Options = NonNullable<Parameters<typeof readAll>[1]>;

const pieces = fc.constantFrom(
  ...['"', '""', ',"', '",', '"\n', '\n"', '\n', '\r\n', '\r', ',', ';', '\t', '|', ' ', '\ufeff'],
  ...['a', '1', '2', 'é', '1,', '2,"', '\n3,', '\n4,"x', '5\t"', '\n6\t', 'id,text\n', '\u0001'],
);
/** A first row that is good, so that there is a file, and any bytes behind it. */
const tables = fc
  .tuple(fc.constantFrom(',', ';', '\t', '|'), fc.array(pieces, { maxLength: 40 }))
  .map(([delimiter, rest]) => ({
    delimiter,
    text: `id${delimiter}text\n0${delimiter}zero\n${rest.join('')}`,
  }));

/** The lines that a refusal says it took. */
function linesOf(reason: string): number[] {
  const [, first = '', last = first] = /\(lines? (\d+)(?: to (\d+))?\)$/.exec(reason) ?? [];
  const count = Number(last) - Number(first) + 1;
  return Array.from({ length: count }, (_, at) => Number(first) + at);
}

function countLines(text: string): number {
  return text.split('\n').length;
}

describe('any table', () => {
  it('has each of its lines in one row', () => {
    fc.assert(
      fc.property(tables, fc.constantFrom(undefined, '"', 'none'), ({ text, delimiter }, quote) => {
        const options = { format: 'CSV', delimiter: delimiter.charCodeAt(0), quote } as const;

        const { rows, rejections, blankCount } = readAll(text, { ...options, customIdField: '' });

        const accepted = rows.map(({ fields }) => {
          const cells = JSON.parse(fields as string) as string[];
          return cells.reduce((lines, cell) => lines + countLines(cell) - 1, 1);
        });
        const rejected = rejections.flatMap(({ reason }) => linesOf(reason));
        const total = countLines(text) - (text.endsWith('\n') ? 1 : 0);
        const blank = total - 1 - accepted.reduce((sum, lines) => sum + lines, 0) - rejected.length;
        expect(new Set(rejected).size).toBe(rejected.length);
        // A blank row takes several lines where its quotes do.
        expect(blank).toBeGreaterThanOrEqual(blankCount);
        if (blankCount === 0 || quote === 'none') expect(blank).toBe(blankCount);
      }),
      runsOf(1_000),
    );
  });

  it('has each of its rows among the items, the refused or the blank', () => {
    fc.assert(
      fc.property(tables, fc.integer({ min: 1, max: 30 }), ({ text }, chunkBytes) => {
        const options: Options = { format: 'CSV', customIdField: '' };

        const whole = readAll(text, options);
        const pieces = readAll(text, { ...options, chunkBytes });

        expect(pieces).toEqual(whole);
        const { rejections, itemCount, rejectedCount, blankCount } = whole;
        const numbers = rejections.map(({ row }) => row);
        const total = itemCount + rejectedCount + blankCount;
        expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
        expect(numbers.at(-1) ?? 0).toBeLessThanOrEqual(total);
      }),
      runsOf(1_000),
    );
  });

  it('that a quote cannot end is refused before it costs more than its length, again and again', () => {
    // Each line closes a quote of the line before it, and opens one that the next closes.
    const text = `a,b\n1,2\n${'b",x,"\n'.repeat(60_000)}`;

    expect(() => readAll(text, { format: 'CSV', limits: { rowBytes: 100_000 } })).toThrow(
      expect.objectContaining({
        constructor: UnreadableFile,
        message: expect.stringMatching(/quotes of the CSV file do not fit.*quote=none/),
      }),
    );
    expect(readAll(text, { format: 'CSV', quote: 'none' }).rejectedCount).toBe(60_000);
  });
});
