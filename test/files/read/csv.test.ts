import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, it } from 'vitest';
import { guessDelimiter } from '../../../src/files/read/csv-delimiter.ts';
import { trimName } from '../../../src/files/read/csv-header.ts';
import { columnNames } from '../../../src/files/read/csv-names.ts';
import { runsOf } from '../../support/random.ts';
import { readAll } from './support.ts';

const csv = (text: string, options: Parameters<typeof readAll>[1] = {}) => {
  const { rows, ...reading } = readAll(text, { name: 'x.csv', ...options });
  return { ...reading, cells: rows.map(({ fields }) => JSON.parse(fields as string) as string[]) };
};

describe('CSV', () => {
  it.each([
    ['plain', 'a,b\n1,2\n', [['1', '2']]],
    ['no line break at the end', 'a,b\n1,2', [['1', '2']]],
    [
      'CRLF',
      'a,b\r\n1,2\r\n3,4',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'CR',
      'a,b\r1,2\r3,4\r',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'mixed line breaks',
      'a,b\r\n1,2\n3,4\r\r\n5,6\r',
      [
        ['1', '2'],
        ['3', '4'],
        ['5', '6'],
      ],
    ],
    ['quotes', 'a,b\n"x","y ""z"""\n', [['x', 'y "z"']]],
    ['a quote in the middle of a cell', 'a,b\n5" tall,x\n', [['5" tall', 'x']]],
    ['delimiters and line breaks in quotes', 'a,b\n"1,\n2\r\n","3\r4"\n', [['1,\n2\r\n', '3\r4']]],
    [
      'empty quotes',
      'a,b\n"",x\n,""\ny,""\n',
      [
        ['', 'x'],
        ['y', ''],
      ],
    ],
    ['blanks', 'a,b\n 1 ,\t2\n', [[' 1 ', '\t2']]],
    [
      'backslashes and control characters',
      'a,b\n\\n\\",\u0001\u001f\b\f\n',
      [['\\n\\"', '\u0001\u001f\b\f']],
    ],
    ['text of any language', 'a,b\nnaïve,価格 😀\n', [['naïve', '価格 😀']]],
    ['blank lines between rows of several columns', '\n\na,b\n\n1,2\r\n\r\n\n', [['1', '2']]],
    ['blank lines in one column', 'text\nx\n\ny\n', [['x'], ['y']]],
  ])('is read: %s', (_name, text, expected) => {
    const { cells, rejectedCount } = csv(text);

    expect(cells).toEqual(expected);
    expect(rejectedCount).toBe(0);
  });

  it.each([',', ';', '\t', '|'])('guesses the delimiter %j', (delimiter) => {
    const table = [
      ['a', 'b', 'c'],
      ['1,5', 'x;y', 'p|q'],
      ['2', '', 'r\ts'],
    ];

    const { columns, cells } = csv(Papa.unparse(table, { delimiter }));

    expect([columns, ...cells]).toEqual(table);
  });

  it('reads the same whatever chunks it comes in, down to single bytes', () => {
    const text = '\ufeffid,text\r\n1,"é ""q""\r\n,x"\r\n2,😀\r\n"3","y"\r\r\n4,\n"5","""';
    const whole = csv(text, { name: '' });

    for (let chunkBytes = 1; chunkBytes < 20; chunkBytes += 1) {
      expect(csv(text, { name: '', chunkBytes })).toEqual(whole);
    }
    expect(whole.columns).toEqual(['id', 'text']);
    expect(whole.cells).toEqual([
      ['1', 'é "q"\r\n,x'],
      ['2', '😀'],
      ['3', 'y'],
      ['4', ''],
    ]);
    expect(whole.rejections).toEqual([
      { row: 5, reason: 'has a quoted cell that never ends (line 7)' },
    ]);
  });

  it('rejects a bad row alone, with its number and why', () => {
    const bad = Buffer.concat([
      Buffer.from('a,b\n1,2\n3\n4,5,6\n"7"x,8\n9,\0\n'),
      Buffer.from([0x31, 0x30, 0x2c, 0xe9, 0x0a]),
      Buffer.from('11,"12\n13"\n'),
    ]);
    const { rows, rejections, rejectedCount } = readAll(bad, { name: 'x.csv', charset: 'utf-8' });

    expect(rows.map(({ fields }) => fields)).toEqual(['["1","2"]', '["11","12\\n13"]']);
    expect(rejectedCount).toBe(5);
    expect(rejections.map(({ row }) => row)).toEqual([2, 3, 4, 5, 6]);
    expect(rejections.map(({ reason }) => reason)).toEqual([
      'has 1 cell where the header has 2 (line 3)',
      'has 3 cells where the header has 2 (line 4)',
      'has something behind a closing quote (line 5)',
      expect.stringContaining('NUL'),
      expect.stringContaining('UTF-8'),
    ]);
  });

  it('a quote that never closes costs its own line, also when it swallows more than a row may have', () => {
    const rest = '3,4\n'.repeat(2_000);
    const open = csv(`a,b\n1,"2\n${rest}`);
    const limited = csv(`a,b\n1,"2\n${rest}`, { limits: { rowBytes: 1_000 }, chunkBytes: 100 });

    for (const { cells, rejections } of [open, limited]) {
      expect(cells).toHaveLength(2_000);
      expect(rejections).toEqual([
        { row: 1, reason: 'has a quoted cell that never ends (line 2)' },
      ]);
    }
  });

  it('refuses a row that is longer than a row may be', () => {
    expect(() =>
      csv(`a,b\n1,${'x'.repeat(2_000)}\n`, { limits: { rowBytes: 1_000 }, chunkBytes: 100 }),
    ).toThrow('A row of the file has more than 1,000 bytes');
  });

  it.each([
    ['a header without rows', 'a,b\n', 'no rows'],
    ['nothing', '', 'empty'],
    ['a byte order mark alone', '\ufeff', 'empty'],
    ['more columns than are allowed', `${'a,'.repeat(20)}b\n1\n`, '21 columns, 20 are allowed'],
    ['rows that are all bad', 'a,b\n1\n2\n', 'row 1 has 1 cell'],
    ['a header with a NUL', 'a\0,b\n1,2\n', 'NUL'],
    ['a header that never ends', '"a,b\n1,2\n', 'never closes'],
  ])('is refused: %s', (_name, text, message) => {
    expect(() => csv(text, { limits: { columns: 20 } })).toThrow(message);
  });

  it('keeps every header as data, under names of its own', () => {
    const header = ['a', 'a', '', '__proto__', 'a_2', 'constructor', '', ' a '];

    const names = columnNames(header);

    expect(names).toEqual([
      'a',
      'a_3',
      'column_3',
      '__proto__',
      'a_2',
      'constructor',
      'column_7',
      ' a ',
    ]);
    expect(columnNames(names)).toEqual(names);
    expect(csv(`${header.join()}\n1,2,3,4,5,6,7,8\n`).columns).toEqual(
      header.map((name) => name.trim()),
    );
  });

  it('returns what papaparse wrote, for any table', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.stringMatching(/^[",;\r\n\t|\\ a]{0,8}$/),
      fc.constantFrom('', '"', '""', '\\', '\n', '\r\n', '\ufeff', 'é'.repeat(40)),
    );
    const table = fc
      .integer({ min: 2, max: 5 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), {
          minLength: 2,
          maxLength: 8,
        }),
      )
      .filter((rows) => rows[0]!.every((name) => !name.includes('\0')));
    fc.assert(
      fc.property(
        table,
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        (rows, delimiter, newline, quotes, chunkBytes) => {
          // A first cell that is not quoted must not begin with what is taken for a byte order
          // mark.
          const text = Papa.unparse(rows, {
            delimiter,
            newline,
            quotes: quotes || rows.some((row) => row[0]!.startsWith('\ufeff')),
          });
          const [header, ...data] = rows as [string[], ...string[][]];
          fc.pre(readGuess(text) === delimiter);
          fc.pre(data.every((row) => !isDeepStrictEqual(row, header)));
          fc.pre(header.some((name) => name.trim() !== ''));
          const isBad = (row: string[]) => row.join('').includes('\0');
          const isBlank = (row: string[]) => row.every((cell) => cell.trim() === '');
          const good = data.filter((row) => !isBad(row) && !isBlank(row));
          fc.pre(good.length > 0);

          const reading = csv(text, { format: 'CSV', quote: '"', chunkBytes });

          expect(reading.columns).toEqual(header.map(trimName));
          expect(reading.cells).toEqual(good);
          expect(reading.rejections.map(({ row }) => row)).toEqual(
            data.flatMap((row, at) => (isBad(row) ? [at + 1] : [])),
          );
          expect(reading.blankCount).toBe(data.filter(isBlank).length);
        },
      ),
      runsOf(700),
    );
  });
});

/**
 * What the reader would take for the delimiter: text of quotes and delimiters alone fits several.
 */
function readGuess(text: string): string {
  const bytes = Buffer.from(text);
  return String.fromCharCode(
    guessDelimiter(bytes, 0, bytes.length, { isWhole: true, otherwise: 0x2c }).delimiter,
  );
}
