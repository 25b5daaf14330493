import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxRowValues } from '../../../src/files/read/limits.ts';
import { runsOf } from '../../support/random.ts';
import { readAll } from './support.ts';

const names = { jsonl: 'x.jsonl', json: 'x.json' };
/** Texts that JSON.parse and JSON.stringify would change. */
const exact = [
  '{"n":1.0,"big":12345678901234567890,"huge":1e400,"zero":-0,"text":"x"}',
  '{ "text" : "x" ,\t"b":1,"a":2,"b":3 }',
  '{"text":"\\u0041\\/\\ud83d\\ude00","10":1,"9":2}',
  '{"__proto__":{"isAdmin":true},"constructor":1,"text":""}',
  '{"text":"価格\u2028\u2029\u007f","":[[],{},[{"a":[null,true,false]}]]}',
];

describe('JSON Lines and JSON arrays', () => {
  it('keep the text of an object exactly as it came, in chunks of any size', () => {
    for (const [name, file] of [
      [names.jsonl, `${exact.join('\r\n')}\n\n`],
      [names.json, ` [\n${exact.join(' ,\n')} ]\n`],
    ] as const) {
      for (const chunkBytes of [1, 2, 3, 7, 64, 1_000_000]) {
        const { rows, rejectedCount, columns, contentField } = readAll(file, { name, chunkBytes });

        expect(rows.map(({ fields }) => fields)).toEqual(exact);
        expect(rejectedCount).toBe(0);
        expect(contentField).toBe('text');
        expect(columns).toEqual([
          'n',
          'big',
          'huge',
          'zero',
          'text',
          'b',
          'a',
          '10',
          '9',
          '__proto__',
          'constructor',
          '',
        ]);
      }
    }
  });

  it('take strings as content', () => {
    const { rows, columns, contentField } = readAll('["a", "b\\n\\ud83d\\ude00", ""]');

    expect(rows.map(({ content, fields }) => [content, fields])).toEqual([
      ['a', null],
      ['b\n😀', null],
      ['', null],
    ]);
    expect(columns).toEqual(['content']);
    expect(contentField).toBeNull();
  });

  it('reject a bad line alone, with its number', () => {
    const lines = [
      '{"text":"1"}',
      '{"text":"2"',
      '',
      '{"text":"\\u0000"}',
      '{"text":"\\ud800"}',
      '{"text":"\\ude00\\ud83d"}',
      '{"te\\u0000xt":"7"}',
      'nonsense',
      '{"text":"9"} {"text":"9"}',
      '{"text":01}',
      '[1]',
      '12',
      `{"text":${'['.repeat(101)}${']'.repeat(101)}}`,
      '{"text":"a\\x"}',
      '{"text":"tab\there"}',
      '{"text":"\\\\u0000 is text"}',
      '{"texts":"no text"}',
      '{"text":null}',
      '{"text":"last"}',
    ];
    for (const chunkBytes of [1, 5, 100_000]) {
      const { rows, rejections } = readAll(lines.join('\n'), { name: names.jsonl, chunkBytes });

      expect(rows.map(({ fields }) => fields)).toEqual([lines[0], lines[15], lines[18]]);
      expect(rejections.map(({ row }) => row)).toEqual([
        2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18,
      ]);
    }
  });

  it('reject a bad element alone as long as its end can be told', () => {
    const elements = [
      '{"text":"1"}',
      '{"text":nope,"a":"]"}',
      '{"text":"\\u0000"}',
      '7',
      '{"text":"a\nb"}',
      '{"text":"6"}',
      `{"text":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      '{"text":"8"}',
    ];
    for (const chunkBytes of [1_000, 100_000]) {
      const { rows, rejections } = readAll(`[${elements.join(',\n')}]`, { chunkBytes });

      expect(rows.map(({ fields }) => fields)).toEqual([elements[0], elements[5], elements[7]]);
      expect(rejections.map(({ row }) => row)).toEqual([2, 3, 4, 5, 7]);
    }
  });

  it('rejects a word that is not JSON alone, in chunks of any size', () => {
    const file = '[NaN,{"a":"x"},-Infinity, undefined,{"a":"y"},None]';
    for (let chunkBytes = 1; chunkBytes <= file.length; chunkBytes += 1) {
      const { rows, rejections } = readAll(file, { name: names.json, chunkBytes });

      expect(rows.map(({ fields }) => fields)).toEqual(['{"a":"x"}', '{"a":"y"}']);
      expect(rejections.map(({ row }) => row)).toEqual([1, 3, 4, 6]);
    }
  });

  it.each([
    ['an array that stops', '[{"a":1},{"b":2}', 'no end'],
    ['an array that stops in an element', '[{"a":1},{"b', 'no end'],
    ['an array that stops behind a comma', '[{"a":1},', 'no end'],
    ['something behind the array', '[{"a":1}]x', 'follows the JSON array'],
    ['a missing comma', '[{"a":1} {"a":2}]', 'row 2'],
    ['an empty array', '[]', 'no rows'],
    ['a word', '[{"a":1},abc]', 'row 2 is not JSON: byte 10'],
    ['an object', '{\n"a":1}', 'is one object'],
    ['numbers', '[1,2]', 'row 1 must be an object or a string'],
    ['brackets without end', '['.repeat(100_000), 'no end'],
  ])('a JSON file is refused: %s', (_name, file, message) => {
    expect(() => readAll(file, { name: names.json })).toThrow(message);
  });

  it('agree with JSON.parse on what is JSON', () => {
    const fragments = fc.array(
      fc.oneof(
        fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '"',
          '\\',
          ' ',
          '-',
          '.',
          'e',
          '0',
          '1',
          'true',
          'null',
          'fals',
          '"a"',
          '{"a":',
          '\\u12',
          '1.5e-3',
          '\t',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 12 },
    );
    const line = fc.oneof(
      fragments.map((parts) => parts.join('')),
      fragments.map((parts) => `{"a":${parts.join('')}}`),
      fc.json(),
      fc.json().map((json) => `{"a":${json}}`),
    );
    fc.assert(
      fc.property(line, fc.integer({ min: 1, max: 9 }), (text, chunkBytes) => {
        // A row with an id makes ids of all rows, which is another test's matter.
        fc.pre(
          !/[\n\0]|"(custom_?)?id"/i.test(text) &&
            text.isWellFormed() &&
            !/\\u(0000|[dD][89a-fA-F])/.test(text),
        );
        let value: unknown;
        try {
          value = JSON.parse(text);
        } catch {
          value = undefined;
        }
        const isRow =
          typeof value === 'string' ||
          (typeof value === 'object' && value !== null && !Array.isArray(value));
        const { rows } = readAll(`{"x":{},"y":1}\n${text}\n{"x":[]}\n`, {
          format: 'JSONL',
          chunkBytes,
        });

        expect(rows.length).toBe(isRow ? 3 : 2);
        if (isRow && typeof value === 'object')
          expect(rows[1]?.fields).toBe(text.replace(/^[ \t\r]+|[ \t\r]+$/g, ''));
        if (typeof value === 'string') expect(rows[1]?.content).toBe(value);
      }),
      runsOf(1_000),
    );
  });

  it('know the lines of the providers, and what they must have', () => {
    const body = '"body":{"messages":[{"role":"user","content":"hi"}]}';
    const openai = readAll(
      `{"custom_id":"a","method":"POST","url":"/v1/chat/completions",${body}}\n{"custom_id":"b"}\n{${body}}\n{"custom_id":"",${body}}\n`,
    );
    const anthropic = readAll(
      '{"custom_id":"a","params":{"messages":[]}}\n{"custom_id":"b","params":1}\n',
    );
    const results = readAll(
      '{"id":"r1","custom_id":"a","response":{"body":{}},"error":null}\n{"id":"r2","custom_id":"b"}\n',
    );

    expect(openai).toMatchObject({
      format: 'OPENAI_JSONL',
      itemCount: 1,
      customIdField: 'custom_id',
      contentField: null,
    });
    expect(openai.rejections.map(({ row }) => row)).toEqual([2, 3, 4]);
    expect(anthropic).toMatchObject({ format: 'ANTHROPIC_JSONL', itemCount: 1 });
    expect(anthropic.rejections).toEqual([{ row: 2, reason: 'has no object "params"' }]);
    expect(results).toMatchObject({ format: 'OPENAI_RESULTS', itemCount: 1 });
    const named = readAll('{"custom_id":"a","response":{"body":{}},"error":null}\n', {
      name: names.jsonl,
    });
    expect(named).toMatchObject({ format: 'OPENAI_RESULTS', warnings: [] });
    expect(results.rejections.map(({ row }) => row)).toEqual([2]);
  });

  it('list each key once, as many as a file may have', () => {
    const { rows, columns, rejections } = readAll(
      '{"a":1}\n{"\\u0061":2,"b":3}\n{"c":4}\n{"a":5}\n',
      {
        name: names.jsonl,
        contentField: 'a',
        limits: { columns: 2 },
      },
    );

    expect(columns).toEqual(['a', 'b']);
    expect(rows).toHaveLength(3);
    expect(rejections).toEqual([{ row: 3, reason: expect.stringContaining('more key') }]);
  });

  it('refuse a row whose keys make the names of a file too long', () => {
    const key = 'k'.repeat(600_000);
    const { columns, rejections } = readAll(`{"a":1,"${key}":2}\n{"a":3,"${key}2":4}\n`, {
      name: names.jsonl,
      contentField: 'a',
    });

    expect(columns).toEqual(['a', key]);
    expect(rejections).toEqual([{ row: 2, reason: expect.stringContaining('1,048,576 bytes') }]);
  });

  it('refuse a row that holds too many values, by its members or inside of them', () => {
    const many = maxRowValues + 1;
    const rows = [
      `{"a":[${'1,'.repeat(maxRowValues - 2)}1]}`,
      `{"a":[${'1,'.repeat(many)}1]}`,
      `{"a":[${'[],'.repeat(many / 2)}1]}`,
      `{${'"a":1,'.repeat(many)}"b":[{"}":"{"}]}`,
      '{"a":1}',
    ];
    for (const text of [rows.join('\n'), `[${rows.join()}]`]) {
      const { itemCount, rejections } = readAll(text);

      expect(itemCount).toBe(2);
      expect(rejections).toEqual(
        [2, 3, 4].map((row) => ({ row, reason: 'must hold at most 100,000 values' })),
      );
    }
  });

  it('refuse a row with a number of more than 1,000 characters', () => {
    const digits = '1'.repeat(1_000);
    const text = `{"a":${digits}}\n{"a":[1${digits}]}\n{"a":-0.${digits}}\n{"a":1}`;

    const { rows, rejections } = readAll(text);

    expect(rows[0]?.fields).toContain(digits);
    expect(rejections).toEqual(
      [2, 3].map((row) => ({ row, reason: 'must have numbers of at most 1,000 characters' })),
    );
  });

  it('refuse a row that is longer than a row may be', () => {
    const line = `{"text":"${'x'.repeat(2_000)}"}`;
    for (const chunkBytes of [100, 100_000]) {
      const options = { limits: { rowBytes: 1_000 }, chunkBytes };
      expect(() => readAll(`${line}\n`, options)).toThrow('more than 1,000 bytes');
      expect(() => readAll(`[${line}]`, options)).toThrow('more than 1,000 bytes');
    }
  });
});
