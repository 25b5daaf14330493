/** JSON files that are one object: rows under one of its members, and what has no rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseText } from '../graphql/case-support.ts';
import { asBody, asForm, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

describe.each(waysIn)('$name', ({ send }) => {
  it('reads the rows under one member, and tells which', async () => {
    const { file, error } = await send(app, caseText('rows-under-data.json'), { name: 'x.json' });

    expect(error).toBe('');
    expect(file).toMatchObject({ format: 'JSON', itemCount: 3, contentField: 'text' });
    expect(file.warnings).toContainEqual(expect.stringMatching(/"data".*rowsField=/));
  });

  it('reads the rows of the member that is named, without a word', async () => {
    const text = '{"a":[{"text":"x"}],"b":[{"text":"y"},{"text":"z"}],"c":1}';
    const { file, error } = await send(app, text, { name: 'x.json', options: { rowsField: 'b' } });

    expect(error).toBe('');
    expect(file).toMatchObject({ itemCount: 2, warnings: [] });
  });

  it.each(['pandas-columns.json', 'pandas-split.json'])('refuses %s', async (name) => {
    const plain = await send(app, caseText(name), { name });
    const asked = await send(app, caseText(name), { name, options: { contentField: 'text' } });

    for (const { status, error } of [plain, asked]) {
      expect(status).toBe(400);
      expect(error).toContain('orient="records"');
    }
  });
});

const rows = '[{"text":"a"},{"text":"b"}]';

describe('one object', () => {
  it.each([
    ['on many lines', `{\n  "data": [\n    {"text":"a"},\n    {"text":"b"}\n  ]\n}\n`],
    [
      'with members before',
      `{"count":2,"ok":true,"next":null,"by":"x]}\\"","meta":{"a":[1]},"data":${rows}}`,
    ],
    ['with members behind', `{"data":${rows},"meta":{"a":[{"b":1}]},"count":-2.5e3}`],
    ['with empty arrays beside', `{"errors":[],"data":${rows},"more":[]}`],
    ['with a list of numbers beside', `{"range":[0,2],"data":${rows}}`],
    ['with NaN beside', `{"mean":NaN,"data":${rows}}`],
    ['as pandas writes orient="table"', `{"schema":{"fields":[{"name":"text"}]},"data":${rows}}`],
    ['with rows that are texts', '{"reviews":["a","b"],"lang":"en"}'],
    ['of which a row is broken', '{"data":[{"text":"a"},{"text":NaN},{"text":"b"}]}'],
  ])('%s has the rows of its only array', async (_name, text) => {
    for (const given of [{ name: 'x.json' }, { type: 'application/json' }]) {
      const { file, error } = await asBody.send(app, text, given);

      expect(error).toBe('');
      expect(file).toMatchObject({ format: 'JSON', itemCount: 2 });
      expect(file.warnings).toContainEqual(expect.stringContaining('rowsField='));
    }
  });

  it('has rows wherever they stand in a file of some size', async () => {
    const filler = `"${'x'.repeat(200_000)}"`;
    const many = Array.from({ length: 5_000 }, (_, n) => `{"id":"${n}","text":"row ${n}"}`);
    for (const data of [many.join(','), many.join(',\n')]) {
      const text = `{"data":[${data}],"filler":${filler},"list":[1,${filler}]}`;
      const moved = `{"list":[1,${filler}],\n"filler":${filler},"data":[${data}]}`;
      for (const file of [text, moved]) {
        const sent = await asBody.send(app, file, { name: 'x.json' });

        expect(sent.error).toBe('');
        expect(sent.file).toMatchObject({ itemCount: 5_000, customIdField: 'id' });
      }
    }
  });

  it('has requests for chat too', async () => {
    const text =
      '{"requests":[{"custom_id":"a","body":{"messages":[{"role":"user","content":"hi"}]}}]}';
    const { file } = await asForm.send(app, text, {
      name: 'x.json',
      options: { operation: 'chat' },
    });

    expect(file).toMatchObject({ itemCount: 1, customIdField: 'custom_id' });
    expect(file.batchId).toMatch(/^batch_/);
  });

  it.each([
    ['with two arrays', `{"data":${rows},"included":${rows}}`, /"data" and "included".*rowsField=/],
    ['with lists for columns', '{"text":["a","b"],"stars":[5,1]}', /rowsField=.*orient="records"/],
    ['with lists of texts', '{"text":["a","b"],"label":["x","y"]}', /orient="records"/],
    ['by index', '{"0":{"text":"a"},"1":{"text":"b"}}', /orient="records"/],
    ['with no array', '{"error":"not found","code":404}', /no member.*"error", "code".*JSONL/],
    ['with an empty array', '{"data":[]}', /no rows/],
    ['with nothing', '{}', /one object/],
    ['as pandas writes orient="values"', '[["a",5],["b",1]]', /orient="records"/],
    [
      'that is one chat request',
      '{"messages":[{"role":"user","content":"x"}]}',
      /chat request.*JSONL/,
    ],
    ['that has no end', `{"data":${rows}`, /no end/],
    ['that stops in its rows', '{"data":[{"text":"a"},', /no end/],
    ['with something behind', `{"data":${rows}}\n\n{"data":${rows}}`, /follows the JSON object/],
    ['without a colon', `{"data"${rows}}`, /byte 8 should be a colon/],
    ['with a member twice', `{"data":${rows},"data":${rows}}`, /"data" and "data"/],
  ])('%s is refused', async (_name, text, message) => {
    const { status, error } = await asBody.send(app, text, {
      name: 'x.json',
      options: { format: 'JSON' },
    });

    expect(status).toBe(400);
    expect(error).toMatch(message);
  });

  it.each([
    [
      'that is not there',
      'rows',
      /rowsField must be a member of the JSON object \("data", "n"\), not "rows"/,
    ],
    ['that is no array', 'n', /rowsField names "n", which is not an array/],
  ])('refuses a rowsField %s', async (_name, rowsField, message) => {
    const { status, error } = await asBody.send(app, `{"data":${rows},"n":1}`, {
      name: 'x.json',
      options: { rowsField },
    });

    expect(status).toBe(400);
    expect(error).toMatch(message);
  });

  it('alone in a .jsonl stays a row', async () => {
    const { file } = await asBody.send(app, caseText('rows-under-data.json'), { name: 'x.jsonl' });

    expect(file).toMatchObject({ format: 'JSONL', itemCount: 1 });
  });

  it('that is a line for a provider is that line, whatever the file is called', async () => {
    const line = '{"custom_id":"a","body":{"messages":[{"role":"user","content":"hi"}]}}';
    const { file } = await asBody.send(app, line, { name: 'x.json' });

    expect(file).toMatchObject({ format: 'OPENAI_JSONL', itemCount: 1 });
  });
});

describe('an option of another format', () => {
  it.each([
    ['rowsField', 'data', 'x.csv', 'text\na\n', /rowsField is for a JSON file.*this file is CSV/],
    ['rowsField', 'data', 'x.json', rows, /rowsField.*this one is an array/],
    ['delimiter', ';', 'x.json', rows, /delimiter is for CSV; this file is JSON/],
    ['quote', 'none', 'x.jsonl', '{"a":1}\n{"a":2}\n', /quote is for CSV; this file is JSONL/],
  ])('is refused: %s=%s for %s', async (option, value, name, text, message) => {
    const { status, error } = await asBody.send(app, text, { name, options: { [option]: value } });

    expect(status).toBe(400);
    expect(error).toMatch(message);
  });
});
