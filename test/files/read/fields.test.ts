import { describe, expect, it } from 'vitest';
import { CustomIds } from '../../../src/files/read/custom-ids.ts';
import { IdTable } from '../../../src/files/read/id-table.ts';
import { readAll } from './support.ts';

describe('content and custom id', () => {
  it.each([
    ['content before text', 'text,content,a\n1,2,3\n', {}, 'content', null],
    ['text', 'a,text\n1,2\n', {}, 'text', null],
    ['in any case', 'Custom_ID,Text\n1,2\n', {}, 'Text', 'Custom_ID'],
    ['the only column', 'review\n1\n', {}, 'review', null],
    ['the only column, whatever it is called', 'id\n1\n', {}, 'id', null],
    ['the only column beside the id', 'id,review\n1,2\n', {}, 'review', 'id'],
    ['custom_id before id', 'id,custom_id,text\n1,2,3\n', {}, 'text', 'custom_id'],
    ['none of several', 'a,b\n1,2\n', {}, null, null],
    ['a named one', 'text,b\n1,2\n', { contentField: 'b' }, 'b', null],
    ['a named id', 'text,b\n1,2\n', { customIdField: 'b' }, 'text', 'b'],
    ['the index when the id is to be none', 'id,text\n1,2\n', { customIdField: '' }, 'text', null],
    [
      'the one that got a name',
      'a,a,\n1,2,3\n',
      { contentField: 'column_3', customIdField: 'a_2' },
      'column_3',
      'a_2',
    ],
  ])('are chosen: %s', (_name, file, options, contentField, customIdField) => {
    expect(readAll(file, { name: 'x.csv', ...options })).toMatchObject({
      contentField,
      customIdField,
    });
  });

  it.each(['a,b\n1,2\n', '[{"a":"1","b":"2"}]', '{"a":"1","b":"2"}\n'])(
    'must be there when they are named: %j',
    (file) => {
      for (const option of ['contentField', 'customIdField']) {
        expect(() => readAll(file, { [option]: 'c' })).toThrow(
          `${option} must be a column of the file ("a", "b"), not "c"`,
        );
      }
    },
  );

  it('of JSON are the only text there is, when nothing is called so', () => {
    expect(readAll('{"id":7,"review":"x","stars":5}\n')).toMatchObject({
      contentField: 'review',
      customIdField: 'id',
    });
  });

  it('reject the row whose custom id is missing, empty or too long, and keep numbers as they are', () => {
    const rows = [
      '{"custom_id":"a\\u0062","text":"1"}',
      '{"custom_id":12345678901234567890,"text":"2"}',
      '{"custom_id":"","text":"3"}',
      '{"text":"4"}',
      '{"custom_id":null,"text":"5"}',
      `{"custom_id":"${'é'.repeat(512)}","text":"6"}`,
      `{"custom_id":"${'é'.repeat(513)}","text":"7"}`,
    ];

    const reading = readAll(rows.join('\n'), { name: 'x.jsonl' });

    expect(reading.rows.map(({ customId }) => customId)).toEqual([
      'ab',
      '12345678901234567890',
      'é'.repeat(512),
    ]);
    expect(reading.rejections.map(({ row }) => row)).toEqual([3, 4, 5, 7]);
  });

  it.each([
    ['id,text\n1,a\n,b\n3,c\n', 'x.csv'],
    ['id,text\n1,a\n" ",b\n3,c', 'x.csv'],
    ['[{"id":1,"text":"a"},{"text":"b"},{"id":3,"text":"c"}]', 'x.json'],
    ['{"id":1,"text":"a"}\n{"id":null,"text":"b"}\n{"id":3,"text":"c"}', 'x.jsonl'],
  ])('of a column that is merely called id reject the row without one: %j', (file, name) => {
    const reading = readAll(file, { name });

    expect(reading.rows.map(({ customId, row }) => [customId, row])).toEqual([
      ['1', 1],
      ['3', 3],
    ]);
    expect(reading.rejections).toEqual([
      { row: 2, reason: expect.stringMatching(/^has no custom id in "id"/) },
    ]);
  });

  it('name rows that seem to have one custom id', () => {
    const reading = readAll('custom_id,text\nx,a\n"y""",b\nx,c\n"y""",d\n', { name: 'x.csv' });

    expect(reading.duplicateCandidates).toEqual([
      { customId: 'x', first: 1, second: 3 },
      { customId: 'y"', first: 2, second: 4 },
    ]);
  });

  it('refuse a file early that has many duplicates', () => {
    expect(() => readAll(`custom_id,text\n${'x,a\n'.repeat(100)}`, { name: 'x.csv' })).toThrow(
      'Rows 1 and 2 have the same custom id, "x"',
    );
  });
});

describe('the table of ids', () => {
  const encode = (id: string) => Buffer.from(id);

  it('finds each of many ids again, and no others', () => {
    const table = new IdTable(100_000);
    const count = 100_000;
    const wrong: number[] = [];
    for (let row = 1; row <= count; row += 1) {
      const id = encode(`id-${row}`);
      if (table.enter(id, 0, id.length, row) !== 0) wrong.push(row);
    }
    for (let row = 1; row <= count; row += 97) {
      const id = encode(`..id-${row}..`);
      if (table.enter(id, 2, id.length - 2, count + row) !== row) wrong.push(row);
    }

    expect(wrong).toEqual([]);
  });

  it('tells ids apart that differ in one byte, or in length alone', () => {
    const table = new IdTable(1_000);
    const ids = [
      '',
      'a',
      'b',
      'aa',
      'aaa',
      'aaaa',
      'aaaab',
      'aaab',
      '\0',
      '\0\0',
      'aaaaaaaa',
      'aaaaaaab',
    ];
    ids.forEach((id, at) => {
      expect(table.enter(encode(id), 0, id.length, at + 1)).toBe(0);
    });
    ids.forEach((id, at) => {
      expect(table.enter(encode(id), 0, id.length, 100)).toBe(at + 1);
    });
  });

  it('does not take ids for missing that nobody requires', () => {
    const ids = new CustomIds('id', 'watched', 10);

    expect(ids.problem(encode(''), 0, 0, 1)).toBeNull();
    expect([ids.missing(), ids.unfit('is too long'), ids.areKept]).toEqual([null, null, false]);
  });
});
