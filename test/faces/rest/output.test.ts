/**
 * GET /batches/{id}/output: what stands in it, in which order, and what a spreadsheet makes of it.
 */
import { connect } from 'node:net';
import Papa from 'papaparse';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import {
  labelOptions,
  readLines,
  submitMutation,
  submitTexts,
  untilEnded,
} from '../graphql/support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());
afterEach(() => app.sandbox.faults.clear());

async function output(id: string, query = '', init: RequestInit = {}) {
  const response = await fetch(`${app.url}/batches/${id}/output${query}`, init);
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Submits items under an operation and waits for the end. */
async function run(items: unknown, operation: object = { label: labelOptions }): Promise<string> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation, source: { items } },
  });
  expect(errors).toBeUndefined();
  const id: string = data?.submitBatch.batch.id;
  await untilEnded(app, id);
  return id;
}

describe('records', () => {
  it('JSON, JSONL and CSV hold every item once, in input order', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', medianMs: 5, sigma: 1 } });
    app.sandbox.faults.add({ fault: { kind: 'refusal' }, when: ({ text }) => text === 'thing 7' });
    const id = await submitTexts(
      app,
      Array.from({ length: 250 }, (_, index) => `thing ${index}`),
    );
    await untilEnded(app, id);

    const lines = await output(id);
    const array = await output(id, '?format=json');
    const table = await output(id, '?format=csv');

    const all = readLines(lines.text);
    expect(all.map(({ index }) => index)).toEqual([...Array(250).keys()]);
    expect(JSON.parse(array.text)).toEqual(all);
    expect(Object.keys(all[0] ?? {})).toEqual([
      'index',
      'row',
      'custom_id',
      'status',
      'output',
      'error',
      'rejected_answer',
      'usage',
    ]);
    expect(all[3]).toMatchObject({
      custom_id: '3',
      status: 'succeeded',
      output: { label: expect.any(String) },
      error: null,
      rejected_answer: null,
      usage: {
        requests: 1,
        input_tokens: expect.any(Number),
        output_tokens: expect.any(Number),
        cost_usd: null,
      },
    });
    expect(all[7]).toMatchObject({ status: 'failed', output: null, error: { code: 'REFUSED' } });
    const rows = Papa.parse<Record<string, string>>(table.text.trimEnd(), { header: true });
    expect(rows.errors).toEqual([]);
    expect(rows.data.map(({ content }) => content)).toEqual(
      all.map(({ index }) => `thing ${index}`),
    );
    expect(rows.data[7]).toMatchObject({ status: 'failed', label: '', error_code: 'REFUSED' });
    expect(rows.data[3]?.label).toBe(all[3]?.output.label);
  });

  it('the answer is an attachment of its type, that nobody stores or takes for something else', async () => {
    const id = await submitTexts(app, ['good'], { autoStart: false });
    const types = {
      json: 'application/json; charset=utf-8',
      jsonl: 'application/x-ndjson; charset=utf-8',
      csv: 'text/csv; charset=utf-8; header=present',
    };

    for (const [format, type] of Object.entries(types)) {
      const { headers, text } = await output(id, `?format=${format}`);
      const head = await output(id, `?format=${format}`, { method: 'HEAD' });
      expect(headers.get('content-type')).toBe(type);
      expect(headers.get('content-disposition')).toBe(`attachment; filename="${id}.${format}"`);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(text.endsWith('\n')).toBe(true);
      expect([head.status, head.text, head.headers.get('content-type')]).toEqual([200, '', type]);
    }
  });

  it('while the batch runs, every item is there with the status it has', async () => {
    app.sandbox.faults.add({
      fault: { kind: 'stall', at: 'headers' },
      when: ({ text }) => text.startsWith('slow'),
    });
    const texts = Array.from(
      { length: 150 },
      (_, index) => `${index % 10 === 0 ? 'slow' : 'good'} ${index}`,
    );
    const id = await submitTexts(app, texts);
    await app.recorded(id, 135);
    const open = readLines((await output(id)).text);

    expect(open.map(({ index }) => index)).toEqual([...Array(150).keys()]);
    for (const { index, status, output: answer, usage } of open) {
      const waiting = index % 10 === 0;
      expect(waiting ? ['pending', 'processing'] : ['succeeded']).toContain(status);
      expect([answer === null, usage === null]).toEqual([waiting, waiting]);
    }
    expect(JSON.parse((await output(id, '?format=json')).text)).toHaveLength(150);
    expect(readLines((await output(id, '?status=pending,processing')).text)).toHaveLength(15);
    await app.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id);
    expect(readLines((await output(id, '?status=cancelled')).text)).toHaveLength(15);
  });

  it('status, include and after choose', async () => {
    app.sandbox.faults.add({
      fault: { kind: 'refusal' },
      when: ({ text }) => text.startsWith('no'),
    });
    const id = await run([
      { content: 'yes 0', metadata: { a: 1 } },
      { content: 'no 1' },
      { content: 'yes 2' },
      { content: 'no 3' },
    ]);
    const indexes = async (query: string) =>
      readLines((await output(id, query)).text).map(({ index }) => index);

    expect(await indexes('?status=failed')).toEqual([1, 3]);
    expect(await indexes('?status=failed,succeeded')).toEqual([0, 1, 2, 3]);
    expect(await indexes('?status=expired')).toEqual([]);
    expect(await indexes('?after=1')).toEqual([2, 3]);
    expect(await indexes('?after=-1&status=succeeded')).toEqual([0, 2]);
    expect(await indexes('?after=999999999')).toEqual([]);
    expect(JSON.parse((await output(id, '?format=json&after=3')).text)).toEqual([]);
    const [first, second] = readLines((await output(id, '?include=input')).text);
    expect(first).toMatchObject({ content: 'yes 0', metadata: { a: 1 } });
    expect(second).toMatchObject({ content: 'no 1', metadata: null });
  });

  it.each([
    '?format=xml',
    '?format=JSON',
    '?format=',
    '?status=done',
    '?status=',
    '?status=SUCCEEDED',
    '?include=output',
    '?after=x',
    '?after=-2',
    '?after=1.5',
    '?after=9999999999',
    '?limit=5',
    '?format=csv&format=json',
    '?Format=csv',
  ])('%s is a 400 that says what is right', async (query) => {
    const id = await submitTexts(app, ['good'], { autoStart: false });

    const { status, text } = await output(id, query);

    expect(status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/\w/),
    });
  });

  it('other methods are a 405, unknown ids a 404', async () => {
    const id = await submitTexts(app, ['good'], { autoStart: false });

    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await output(id, '', { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
    expect((await output(`batch_${'0'.repeat(25)}`)).status).toBe(404);
    expect((await output('nothing')).status).toBe(404);
  });
});

describe('fidelity', () => {
  const metadata = JSON.parse(
    '{"z": 1, "a": "\\u00e9 e\\u0301 😀 👩‍👩‍👧 \\uffff", "1": [true, null, -0.1], "__proto__": {"polluted": "yes"}, "constructor": "c", "": "empty name"}',
  );
  const contents = [
    'quotes " and \' and `, commas, ; and\ttabs',
    'lines\nand\r\nmore\rlines',
    '  spaces around  ',
    '$& $1 {content} {{ }} \\ \\n %s <b>&amp;</b>',
    '\ufeffbyte order mark',
    '\u2028\u2029\u200b\u00a0',
    '',
    '😀'.repeat(200),
    '__proto__',
  ];

  it('content and metadata come back exactly, keys in their order, in JSON and JSONL', async () => {
    const id = await run(contents.map((content) => ({ content, metadata })));

    const lines = await output(id, '?include=input');
    const array = await output(id, '?include=input&format=json');

    expect(readLines(lines.text).map(({ content }) => content)).toEqual(contents);
    expect(JSON.parse(array.text)).toEqual(readLines(lines.text));
    const [first] = readLines(lines.text);
    expect(JSON.stringify(first?.metadata)).toBe(JSON.stringify(metadata));
    expect(Object.hasOwn(first?.metadata, '__proto__')).toBe(true);
  });

  it('CSV parses back to the same text, with a column for every metadata field', async () => {
    const id = await run([
      ...contents.map((content) => ({
        content,
        customId: `id "${[...content].slice(0, 9).join('')}", ${contents.indexOf(content)}`,
      })),
      { content: 'with fields', metadata },
    ]);

    const { text } = await output(id, '?format=csv');
    const { data, errors } = Papa.parse<string[]>(text.slice(0, -1));
    const [header = [], ...rows] = data;
    const last = Object.fromEntries(header.map((name, at) => [name, rows.at(-1)?.[at]]));

    expect(errors).toEqual([]);
    expect(rows.map((row) => row[1])).toEqual([...contents, 'with fields']);
    expect(rows[1]?.[0]).toBe('id "lines\nand", 1');
    expect(header).toEqual([
      'custom_id',
      'content',
      '1',
      'z',
      'a',
      '__proto__',
      'constructor',
      '',
      'label',
      'confidence',
      'confidence_method',
      'status',
      'error_code',
      'error_message',
    ]);
    expect(last).toMatchObject({
      z: '1',
      a: metadata.a,
      1: '[true,null,-0.1]',
      constructor: 'c',
      '': 'empty name',
    });
    expect(rows.at(-1)?.[header.indexOf('__proto__')]).toBe('{"polluted":"yes"}');
  });

  it('what a spreadsheet would run is defused, what is a number is left alone', async () => {
    const formulas = [
      '=1+1',
      "+cmd|' /C calc'!A0",
      '-2+3',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      '\n=1',
      '＝1+1',
      '＋1',
      '－1',
      '＠x',
      '-',
      '+',
      '=',
      '-5x',
      '--5',
    ];
    const harmless = ['-5', '+3.2e4', '-0.5', '+.5', '5', '-1e-7', 'a=b', '1+1', "'", 'x@y'];
    const id = await run(
      [...formulas, ...harmless].map((text) => ({ content: 'x', metadata: { text, [text]: 1 } })),
    );

    const { text } = await output(id, '?format=csv');
    const [header = [], ...rows] = Papa.parse<string[]>(text.slice(0, -1)).data;
    const column = rows.map((row) => row[header.indexOf('text')]);

    expect(column).toEqual([...formulas.map((formula) => `'${formula}`), ...harmless]);
    for (const formula of formulas) expect(header).toContain(`'${formula}`);
  });

  it('names that a row has already get _2, the user’s own stay', async () => {
    const id = await run([
      {
        content: 'x',
        metadata: { status: 'new', label: 'mine', content: 'c', status_2: 's', custom_id: 'i' },
      },
    ]);

    const { text } = await output(id, '?format=csv');
    const [header = [], row = []] = Papa.parse<string[]>(text.slice(0, -1)).data;

    expect(header).toEqual([
      'custom_id_2',
      'content_2',
      'status',
      'label',
      'content',
      'status_2',
      'custom_id',
      'label_2',
      'confidence',
      'confidence_method',
      'status_3',
      'error_code',
      'error_message',
    ]);
    expect(row.slice(0, 7)).toEqual(['0', 'x', 'new', 'mine', 'c', 's', 'i']);
    expect(row[10]).toBe('succeeded');
  });

  it('an output without fixed fields is one column of JSON, and a batch without metadata has none for it', async () => {
    const id = await run([{ content: 'Say hello' }], { run: { instructions: 'Answer.' } });

    const { text } = await output(id, '?format=csv');
    const [header = [], row = []] = Papa.parse<string[]>(text.slice(0, -1)).data;

    expect(header.slice(0, 2)).toEqual(['custom_id', 'content']);
    expect(header.slice(-3)).toEqual(['status', 'error_code', 'error_message']);
    expect(row).toHaveLength(header.length);
  });
});

describe('size', () => {
  const size = 10_000;
  let id: string;
  beforeAll(async () => {
    const { data } = await app.graphql(submitMutation, {
      input: {
        operation: { run: { instructions: 'x' } },
        source: {
          items: Array.from({ length: size }, (_, index) => ({
            content: `${index} `.padEnd(800, 'x'),
            metadata: { n: index },
          })),
        },
        autoStart: false,
      },
    });
    id = data?.submitBatch.batch.id;
  });

  it('10,000 items come whole in every format', async () => {
    const all = readLines((await output(id, '?include=input')).text);
    expect(all.map(({ metadata }) => metadata.n)).toEqual([...Array(size).keys()]);
    expect(JSON.parse((await output(id, '?format=json')).text)).toHaveLength(size);
    const { data } = Papa.parse<string[]>((await output(id, '?format=csv')).text.slice(0, -1));
    expect(data).toHaveLength(size + 1);
  });

  it('a reader that stops for a while gets the same, and holds up nobody and no statement', async () => {
    const { hostname, port } = new URL(app.url);
    const slow = connect(Number(port), hostname);
    slow.write(
      `GET /batches/${id}/output?include=input HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`,
    );
    await new Promise((resolve) => slow.once('readable', resolve));

    const quick = await output(id, '?include=input');
    expect(slow.bytesRead).toBeLessThan(quick.text.length / 2);
    const db = openDatabase(app.databaseUrl);
    await until(
      async () =>
        (
          await db.sql`
            select from pg_stat_activity
            where datname = current_database() and query like 'copy %' and state <> 'idle'`
        ).length === 0,
      { deadlineMs: 5_000, what: 'the end of every statement' },
    );
    await db.close();
    expect(slow.bytesRead).toBeLessThan(quick.text.length / 2);
    let text = '';
    for await (const piece of slow.setEncoding('utf8')) text += piece;

    expect(unchunk(text)).toBe(quick.text);
  });

  it('a reader that goes away in the middle is let go', async () => {
    const gone = new AbortController();
    const response = await fetch(`${app.url}/batches/${id}/output?include=input`, {
      signal: gone.signal,
    });
    await response.body?.getReader().read();
    gone.abort();

    expect(readLines((await output(id, `?after=${size - 2}`)).text)).toHaveLength(1);
  });
});

/** The body of a chunked HTTP/1.1 response of ASCII text. */
function unchunk(response: string): string {
  let rest = response.slice(response.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const end = rest.indexOf('\r\n');
    const length = Number.parseInt(rest.slice(0, end), 16);
    if (!length) return body;
    body += rest.slice(end + 2, end + 2 + length);
    rest = rest.slice(end + 2 + length + 2);
  }
}
