import { describe, expect, it } from 'vitest';
import { parseExact } from '../../../src/core/exact-json.ts';
import { decodeRow, previewRow } from '../../../src/files/decoded-row.ts';
import { oneLine } from '../../../src/files/json-text.ts';
import {
  customIdOf,
  type FileReading,
  namesOf,
  type RowFile,
  type RowText,
  rowFileOf,
} from '../../../src/files/row.ts';
import { ownCells, ownColumns } from '../../../src/files/row-output.ts';
import { readAll } from './support.ts';

/** A file and its rows as they would be stored. */
function store(text: string, options: Parameters<typeof readAll>[1] = {}) {
  const { rows, format, columns, contentField, customIdField } = readAll(text, options);
  const file = { format, columns, contentField, customIdField, listed: true };
  return { file, rows: rows.map((row, index) => ({ index, ...row })) };
}

/** A row with its id, as items show them. */
const decode = (file: RowFile, row: RowText) => ({
  ...decodeRow(file, row),
  customId: customIdOf(file, row),
});
const decodeAll = ({ file, rows }: ReturnType<typeof store>) =>
  rows.map((row) => decode(file, row));

describe('a stored row', () => {
  it('of CSV has its other columns as metadata', () => {
    const stored = store('id,b,text,a\n7,x,hello,y\n8,,"",\n', { name: 'x.csv' });

    expect(decodeAll(stored)).toEqual([
      {
        content: 'hello',
        metadata: { b: 'x', a: 'y' },
        named: { content: 'text', id: 'id', idValue: '7' },
        customId: '7',
        request: null,
      },
      {
        content: '',
        metadata: { b: '', a: '' },
        named: { content: 'text', id: 'id', idValue: '8' },
        customId: '8',
        request: null,
      },
    ]);
    expect(Object.keys(decodeAll(stored)[0]?.metadata ?? {})).toEqual(['b', 'a']);
  });

  it('without a content field is its own content', () => {
    const [csv] = decodeAll(store('a,b\n1,2\n', { name: 'x.csv' }));
    const [json] = decodeAll(store('{"a":"1", "b":"2"}\n'));

    expect(csv).toEqual({
      content: '{"a":"1","b":"2"}',
      metadata: { a: '1', b: '2' },
      named: { content: null, id: null, idValue: undefined },
      customId: '0',
      request: null,
    });
    expect(json).toEqual({
      content: '{"a":"1", "b":"2"}',
      metadata: { a: '1', b: '2' },
      named: { content: null, id: null, idValue: undefined },
      customId: '0',
      request: null,
    });
  });

  it('keeps hostile names as data', () => {
    const csv = store('text,__proto__,constructor,,text\na,b,c,d,e\n', { name: 'x.csv' });
    const json = store('{"text":"a","__proto__":{"isAdmin":true},"toString":"x"}\n');

    const [csvRow] = decodeAll(csv);
    const [jsonRow] = decodeAll(json);

    expect(Object.entries(csvRow?.metadata ?? {})).toEqual([
      ['__proto__', 'b'],
      ['constructor', 'c'],
      ['column_4', 'd'],
      ['text_2', 'e'],
    ]);
    expect(Object.entries(jsonRow?.metadata ?? {})).toEqual([
      ['__proto__', { isAdmin: true }],
      ['toString', 'x'],
    ]);
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
    expect(namesOf(csv.file)).toEqual(['text', '__proto__', 'constructor', 'column_4', 'text_2']);
    expect(Object.hasOwn(previewRow(csv.file, csv.rows[0]!), '__proto__')).toBe(true);
  });

  it('has numbers that JavaScript would change as text, and other content as the JSON it came as', () => {
    const [row] = decodeAll(
      store('{"n":12345678901234567890,"m":1e400,"i":3,"f":0.1,"text":1.0}\n'),
    );

    expect(row).toEqual({
      content: '1.0',
      metadata: { n: '12345678901234567890', m: '1e400', i: 3, f: 0.1 },
      named: { content: 'text', id: null, idValue: undefined },
      customId: '0',
      request: null,
    });
    expect(
      parseExact(
        '{"a":"1234567890123456789","b":[-9007199254740993,1e5,0.1234567890123456,9007199254740991]}',
      ),
    ).toEqual({
      a: '1234567890123456789',
      b: ['-9007199254740993', 1e5, 0.1234567890123456, 9007199254740991],
    });
  });

  it('that was given inline has content and metadata apart', () => {
    const file = {
      format: 'JSON',
      columns: ['k'],
      contentField: null,
      customIdField: null,
      listed: false,
    };
    const row = { index: 3, row: null, customId: 'c', content: 'text', fields: '{"k":1.0}' };

    expect(decode(file, row)).toEqual({
      content: 'text',
      metadata: { k: 1 },
      customId: 'c',
      request: null,
    });
    expect(decode(file, { ...row, fields: null }).metadata).toBeNull();
    expect([ownColumns(file), ownCells(file, row)]).toEqual([
      ['custom_id', 'content', 'k'],
      ['c', 'text', '1.0'],
    ]);
  });

  it('of a request has the text of the last user message', () => {
    const messages = [
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'no' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'last' },
          { type: 'image_url' },
          { type: 'text', text: 'one' },
        ],
      },
      { role: 'assistant', content: 'no' },
    ];
    const openai = store(
      `${JSON.stringify({ custom_id: 'a', url: '/v1/chat/completions', body: { messages } })}\n`,
    );
    const anthropic = store(
      `${JSON.stringify({ custom_id: 'b', params: { messages: messages.slice(0, 2) } })}\n`,
    );
    const none = store('{"custom_id":"c","params":{}}\n');

    expect(decodeAll(openai)).toEqual([
      {
        content: 'last\none',
        metadata: null,
        customId: 'a',
        request: { messages },
        dialect: 'openai',
      },
    ]);
    expect(decodeAll(anthropic)).toEqual([
      {
        content: 'first',
        metadata: null,
        customId: 'b',
        request: { messages: messages.slice(0, 2) },
        dialect: 'anthropic',
      },
    ]);
    expect(decodeAll(none)).toEqual([
      { content: '', metadata: null, customId: 'c', request: {}, dialect: 'anthropic' },
    ]);
  });

  it.each<[string, object, string | undefined]>([
    ['a body', { messages: [] }, 'openai'],
    ['a line of OpenAI in an array', { custom_id: 'a', body: { messages: [] } }, 'openai'],
    ['a line of Anthropic in an array', { custom_id: 'a', params: { messages: [] } }, 'anthropic'],
    ['an output with its request', { custom_id: 'a', request: { messages: [] } }, 'openai'],
    ['a system prompt by itself', { messages: [], system: 'Be brief.' }, 'anthropic'],
    ['one in blocks', { request: { messages: [], system: [{ type: 'text' }] } }, 'anthropic'],
    ['stop sequences', { messages: [], stop_sequences: ['x'] }, 'anthropic'],
    ['an output format', { messages: [], output_config: { format: {} } }, 'anthropic'],
    ['thinking', { messages: [], thinking: { type: 'enabled', budget_tokens: 9 } }, 'anthropic'],
    ['thinking of others', { messages: [], thinking: { type: 'enabled' } }, 'openai'],
    ['a tool', { messages: [], tools: [{ name: 'f', input_schema: {} }] }, 'anthropic'],
    ['a tool of a server', { messages: [], tools: [{ type: 'x_1', name: 'x' }] }, 'anthropic'],
    [
      'a function',
      { messages: [], tools: [{ type: 'function', function: { name: 'f' } }] },
      'openai',
    ],
    ['a choice of tool', { messages: [], tool_choice: { type: 'any' } }, 'anthropic'],
    [
      'a choice of function',
      { messages: [], tool_choice: { type: 'function', function: { name: 'f' } } },
      'openai',
    ],
    ['a choice in a word', { messages: [], tool_choice: 'auto' }, 'openai'],
    [
      'a result of a tool',
      { messages: [{ role: 'user', content: [{ type: 'tool_result' }] }] },
      'anthropic',
    ],
    [
      'a tool that a server runs',
      { messages: [{ role: 'assistant', content: [{ type: 'server_tool_use' }] }] },
      'anthropic',
    ],
    [
      'an image of Anthropic',
      { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] },
      'anthropic',
    ],
    [
      'an image of OpenAI',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'openai',
    ],
    ['params that are no request', { custom_id: 'a', params: { a: 1 }, text: 'x' }, undefined],
    ['an e-mail', { body: { messages: [] }, text: 'x' }, undefined],
    ['hostile values', { messages: [null, 1, { content: [null, 'x', []] }], tools: 7 }, 'openai'],
  ])('of plain JSON with %s is told whose request it is', (_what, row, dialect) => {
    const decoded = decodeAll(store(JSON.stringify([row, row]), { name: 'x.json' }));

    expect(decoded.map((one) => one.dialect)).toEqual([dialect, dialect]);
    expect(decoded.map((one) => one.request !== null)).toEqual(
      Array(2).fill(dialect !== undefined),
    );
  });

  it('of a request keeps numbers that JavaScript would change, and names that are traps', () => {
    const body = '{"messages":[],"seed":9007199254740993,"p":1e400,"q":1.5,"__proto__":{"a":1}}';
    const [line] = decodeAll(
      store(`{"custom_id":"a","url":"/v1/chat/completions","body":${body}}\n`),
    );
    const [bare] = decodeAll(store(`${body}\n`));

    expect(JSON.stringify(line?.request)).toBe(body);
    expect(JSON.stringify(bare?.request)).toBe(body);
    expect(Object.getPrototypeOf(line?.request)).toBe(Object.prototype);
  });

  it('that is for another endpoint, or for none, is no chat request', () => {
    const line = (id: string) =>
      `{"custom_id":"${id}","url":"/v1/chat/completions","body":{"messages":[]}}\n`;
    const { file, rows } = store(line('a') + line('b'));
    // Refused at upload; a file of before may have it.
    const [first, ...others] = rows;
    const other = first?.fields?.replace('chat/completions', 'embeddings') ?? null;
    const [embedding, message] = decodeAll({
      file,
      rows: [{ index: 0, customId: 'a', content: null, fields: other, row: 1 }, ...others],
    });
    const [plain] = decodeAll(store('{"text":"x","messages":"none"}\n'));

    expect([embedding?.request, message?.request, plain?.request]).toEqual([
      null,
      { messages: [] },
      null,
    ]);
  });

  it('is read as its batch wants it', () => {
    const { file, rows } = store('id,text,b\n7,hello,x\n8,bye,\n', { name: 'x.csv' });
    const read = (reading: Partial<FileReading>) =>
      rows.map((row) => {
        const { content, metadata, customId } = decode(
          rowFileOf(
            { ...file, columns: JSON.stringify(file.columns), encoding: 'utf-8' },
            { contentField: null, customIdField: null, customIdPrefix: null, ...reading },
          ),
          row,
        );
        return [customId, content, Object.keys(metadata ?? {}).join()];
      });

    expect(read({})).toEqual([
      ['7', 'hello', 'b'],
      ['8', 'bye', 'b'],
    ]);
    expect(read({ contentField: 'b', customIdField: 'text', customIdPrefix: 'p-' })).toEqual([
      ['p-hello', 'x', 'id'],
      ['p-bye', '', 'id'],
    ]);
    // Nothing in the field: the index. No field: all of them.
    expect(read({ customIdField: 'b' })).toEqual([
      ['x', 'hello', 'id'],
      ['1', 'bye', 'id'],
    ]);
    expect(read({ customIdField: '' })).toEqual([
      ['0', 'hello', 'id,b'],
      ['1', 'bye', 'id,b'],
    ]);
  });

  it('gives its own columns back as they came', () => {
    const csv = store('a,a,\n1,2,3\n', { name: 'x.csv' });
    const json = store('{"text":"x","n":1.0,"o":{"b": [1,2]}}\n{"z":null,"n":"s","text":"y\\n"}\n');
    const text = store('line\n', { format: 'TEXT' });

    expect([ownColumns(csv.file), ...csv.rows.map((row) => ownCells(csv.file, row))]).toEqual([
      ['a', 'a', ''],
      ['1', '2', '3'],
    ]);
    expect([ownColumns(json.file), ...json.rows.map((row) => ownCells(json.file, row))]).toEqual([
      ['text', 'n', 'o', 'z'],
      ['x', '1.0', '{"b": [1,2]}', ''],
      ['y\n', 's', '', ''],
    ]);
    expect([ownColumns(text.file), ...text.rows.map((row) => ownCells(text.file, row))]).toEqual([
      ['content'],
      ['line'],
    ]);
  });

  it('stands in one line when it has to', () => {
    const [row] = store('[{"a":\n "x\\n",\r\n"b":1}]').rows;

    expect(oneLine(row?.fields as string)).toBe('{"a":  "x\\n",  "b":1}');
  });
});
