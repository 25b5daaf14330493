import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAll } from './support.ts';

const format = (file: string | Uint8Array, name = '', contentType: string | null = null) =>
  readAll(file, { name, contentType }).format;

describe('the format of a file', () => {
  it.each([
    ['by its name', 'a b\nc d\n', 'x.CSV', null, 'CSV'],
    ['by its content type', 'a b\nc d\n', '', 'text/csv; charset=utf-8', 'CSV'],
    ['by its name before its content type', 'a,b\nc,d\n', 'x.txt', 'text/csv', 'TEXT'],
    ['CSV by its content', 'a;b\n1;2\n', '', 'application/octet-stream', 'CSV'],
    ['text by its content', 'Hello there, you.\nAnd you\n', '', null, 'TEXT'],
    ['JSON by its content', ' [{"a":1}]', '', 'application/x-www-form-urlencoded', 'JSON'],
    ['JSON Lines by its content', '{"a":1}\n{"a":2}\n', '', null, 'JSONL'],
    [
      'JSON Lines that are called JSON',
      '{"a":1}\n{"a":2}\n',
      'x.json',
      'application/json',
      'JSONL',
    ],
    ['a JSON array that is called JSON Lines', '[\n{"a":1}\n]', 'x.jsonl', null, 'JSON'],
    ['JSON that is called CSV', '[{"a":1},{"a":2}]', 'x.csv', 'text/csv', 'JSON'],
    ['CSV that begins like JSON', '{a},b\n1,2\n', 'x.csv', null, 'CSV'],
    ['JSON Lines that are called text', '{"a":1}\n{"a":2}\n', 'x.txt', null, 'JSONL'],
    ['text of which one line is JSON', '{"a":1}\nand so on\n', 'x.txt', null, 'TEXT'],
  ])('is found: %s', (_name, file, name, contentType, expected) => {
    expect(format(file, name, contentType)).toBe(expected);
  });

  it.each([
    ['two rows', 'text,label\ngood,1\n'],
    ['semicolons', 'Name;City;Notes\nAda;Paris;hello, you\nBob;Rome;\n'],
    ['tabs', 'id\ttext\n1\tHello, you.\n2\tBye, me.\n'],
    ['bars', 'id|first name|note\r\n1|Ada|x\r\n2|Bob|y\r\n'],
    ['quoted cells', 'id,"the text"\n1,"a\nb, c"\n2,"d ""e"""\n'],
    ['a blank behind each comma, and numbers', 'name, age\nAda, 36\nBob, 40\n'],
    ['other scripts', '名前,説明\nえい,あ い\nびい,う、え\n'],
    ['a byte order mark', '\ufefftext,label\ngood,1\nbad,0\n'],
    ['one broken row among many', `a,b\n${'1,2\n'.repeat(50)}1,2,3\n${'1,2\n'.repeat(10)}`],
    ['blank lines', 'a,b\n\n1,2\n\n3,4\n\n'],
  ])('is CSV by its content: %s', (_name, file) => {
    expect(format(file)).toBe('CSV');
    expect(format(file, 'data', 'text/plain')).toBe('CSV');
  });

  it.each([
    ['sentences', 'Hello, you.\nBye, me.\n'],
    ['sentences without an end', 'Hello, you\nBye, me\n'],
    ['as many commas everywhere', 'Well, yes, maybe\nSo, no, never\nOh, you, again\n'],
    ['verse', 'Roses are red,\nViolets are blue,\n'],
    ['sums', 'I paid 1,000 dollars\nThey want 2,000 euros\n'],
    [
      'long clauses',
      'I really liked the place,but the food was awful\nThe food was great,the rest was not\n',
    ],
    ['a log', '2026-01-02 10:00:00,INFO,up\n2026-01-02 10:00:01,WARN,slow\n'],
    ['rows without a header', '1,good\n2,bad\n'],
    ['rows whose first comes again', 'ERROR,disk\nERROR,net\nINFO,up\n'],
    ['names that come twice', 'a,a\n1,2\n'],
    ['a header alone', 'text,label\n'],
    ['one column', 'text\ngood\nbad\n'],
    ['a Markdown table', '| a | b |\n|---|---|\n| 1 | 2 |\n'],
    ['code', 'const a = [1, 2];\nconst b = [3, 4];\n'],
    ['addresses', 'Main Street 5, Springfield\nHigh Street 7, Shelbyville\n'],
    ['questions', 'Where is it, please?\nWho are you, sir?\n'],
  ])('is text by its content: %s', (_name, file) => {
    expect(format(file)).toBe('TEXT');
  });

  it('is found in real files without their names', () => {
    const file = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url));
    const questions = file('src/demo/data/banking77_test.csv');

    expect(format(questions)).toBe('CSV');
    expect(format(questions, 'upload', 'application/x-www-form-urlencoded')).toBe('CSV');
    for (const path of ['README.md', 'CHANGELOG.md', 'LICENSE', 'src/main.ts', 'Dockerfile']) {
      expect([path, format(file(path))]).toEqual([path, 'TEXT']);
    }
  });

  it('is what is asked for, before all else', () => {
    expect(readAll('{"a":1}\n', { name: 'x.jsonl', format: 'TEXT' }).rows).toEqual([
      { content: '{"a":1}', fields: null, customId: null, row: 1 },
    ]);
  });

  it.each([
    ['a workbook', 'PK\x03\x04\x14\x00\x06\x00', 'x.csv', 'Excel'],
    ['gzip', '\x1f\x8b\x08\x00\x00', 'x.jsonl', 'gzip'],
    ['a PDF', '%PDF-1.7\n', 'x.txt', 'PDF'],
    ['Parquet', 'PAR1\x15\x00\x15', 'data', 'Parquet'],
  ])('is none that can be read: %s', (_name, bytes, name, message) => {
    const file = Buffer.concat([Buffer.from(bytes, 'latin1'), Buffer.alloc(100)]);

    expect(() => format(file, name)).toThrow(
      expect.objectContaining({ kind: 'unsupported', message: expect.stringContaining(message) }),
    );
  });
});

describe('the encoding of a file', () => {
  const text = 'id,text\n1,"naïve 価格 😀"\n2,x\n';

  it.each([
    ['utf-8', '', Buffer.from(text)],
    ['utf-8', 'with a byte order mark', Buffer.from(`\ufeff${text}`)],
    ['utf-16le', '', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['utf-16be', '', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('is found: %s %s, in chunks of any size', (encoding, _mark, file) => {
    const whole = { ...readAll(text, { name: 'x.csv' }), encoding };

    for (let chunkBytes = 1; chunkBytes <= 9; chunkBytes += 1) {
      const { sizeBytes, ...reading } = readAll(file, { name: 'x.csv', chunkBytes });
      expect(sizeBytes).toBe(file.length);
      expect({ ...reading, sizeBytes: whole.sizeBytes }).toEqual(whole);
    }
  });

  it('can be said by the content type', () => {
    const file = Buffer.from('text\nna\xefve\n\x80 5\n', 'latin1');

    const { rows } = readAll(file, { contentType: 'text/csv; charset="windows-1252"' });

    expect(rows.map(({ fields }) => fields)).toEqual(['["naïve"]', '["€ 5"]']);
    expect(() => readAll(file, { contentType: 'text/csv; charset=klingon' })).toThrow('not known');
    expect(() => readAll(file, { contentType: 'text/csv; charset=euc-jp' })).toThrow('euc-jp');
  });

  it('that is wrong in one row costs that row alone', () => {
    const bad = [
      Buffer.from([0x78, 0xff]),
      Buffer.from([0x78, 0xc3]),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from([0xf0, 0x9f, 0x98]),
      Buffer.from([0xc0, 0x80]),
      Buffer.from([0x78, 0x00]),
    ];
    for (const bytes of bad) {
      const file = Buffer.concat([Buffer.from('é\n'), bytes, Buffer.from('\nü\n')]);
      for (const chunkBytes of [1, 2, 3, 100]) {
        const { rows, rejections } = readAll(file, { format: 'TEXT', chunkBytes });

        expect(rows.map(({ content }) => content)).toEqual(['é', 'ü']);
        expect(rejections.map(({ row }) => row)).toEqual([2]);
      }
    }
  });

  it('with half a surrogate pair in one row of UTF-16 costs that row alone', () => {
    const lines = ['\ufefftext', 'a😀', '\ud83dx', 'x\ude00', 'b', '\ud83d'];
    const file = Buffer.from(lines.join('\n'), 'utf16le');

    for (let chunkBytes = 1; chunkBytes < 8; chunkBytes += 1) {
      const { rows, rejections } = readAll(file, { name: 'x.csv', chunkBytes });

      expect(rows.map(({ fields }) => fields)).toEqual(['["a😀"]', '["b"]']);
      expect(rejections.map(({ row }) => row)).toEqual([2, 3, 5]);
      expect(rejections[0]?.reason).toContain('half of a surrogate pair');
    }
  });
});

describe('text', () => {
  it('is a row per line that is not blank', () => {
    const content = (file: string) =>
      readAll(file, { format: 'TEXT' }).rows.map((row) => row.content);

    expect(content('a\n\n b \r\nc')).toEqual(['a', ' b ', 'c']);
    expect(content('a\n')).toEqual(['a']);
    expect(() => content('\n\n')).toThrow('2 blank rows and no others');
    expect(content('a\rb\r')).toEqual(['a', 'b']);
    expect(content('a\rb\n')).toEqual(['a\rb']);
    expect(content('x\u2028y\n')).toEqual(['x\u2028y']);
  });

  it('takes no columns', () => {
    expect(() => readAll('a\n', { format: 'TEXT', contentField: 'a' })).toThrow('no columns');
  });

  it('stops at too many rows and too many bytes', () => {
    const file = 'a\n'.repeat(11);

    expect(() => readAll(file, { limits: { rows: 10 } })).toThrow(
      expect.objectContaining({ kind: 'too_large', message: expect.stringContaining('10 rows') }),
    );
    expect(() => readAll(file, { limits: { fileBytes: 21 } })).toThrow(
      expect.objectContaining({ kind: 'too_large', message: expect.stringContaining('21 bytes') }),
    );
    expect(readAll(file, { limits: { rows: 11, fileBytes: 22 } }).itemCount).toBe(11);
  });
});
