import Papa from 'papaparse';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { operationOf } from '../../../src/app/stored-operation.ts';
import { readBatchById } from '../../../src/db/batches.ts';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { type Copy, openCopy } from '../../../src/db/driver/copy.ts';
import { outputWriter, writeOutput } from '../../../src/files/write/output.ts';
import { readItems } from '../../../src/files/write/ranges.ts';
import { type App, startApp } from '../../support/app.ts';
import { type Data, readLines, submitTexts, untilEnded } from '../graphql/support.ts';

let app: App;
let db: Database;
let copy: Copy;
beforeAll(async () => {
  app = await startApp();
  db = openDatabase(app.databaseUrl);
  copy = openCopy(app.databaseUrl);
});
afterAll(async () => {
  await copy.close();
  await db.close();
  await app.stop();
});
afterEach(() => app.sandbox.faults.clear());

async function output(id: string, query = ''): Promise<string> {
  const response = await fetch(`${app.url}/batches/${id}/output${query}`);
  expect(response.status).toBe(200);
  return await response.text();
}

/** Uploads a file and labels its rows; the batch's id, once it has ended. */
async function label(name: string, body: string, parameters = ''): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}${parameters}`, {
    method: 'POST',
    body,
  });
  const { id } = (await response.json()) as { id: string };
  const { data, errors } = await app.graphql(
    `mutation ($id: ID!) { submitBatch(input: {
       operation: { label: { categories: ["größe", "\\"both\\", or", "=sum"] } }, source: { fileId: $id }
     }) { batch { id } } }`,
    { id },
  );
  expect(errors).toBeUndefined();
  await untilEnded(app, data?.submitBatch.batch.id);
  return data?.submitBatch.batch.id;
}

describe('files', () => {
  const cells = [
    'plain',
    'comma, and; more',
    'quote " and \\ backslash',
    'lines\nin\r\nit',
    '\\u00e9 is no escape here',
    'größe 価格 😀',
    '\u00a0hard spaces\u00a0',
    'à',
    '\u2003em',
    '＝1+1',
    '=1+1',
    '-5',
    ';=1',
    ' padded ',
    '","',
    '["a","b"]',
    '\u007f\u0085',
    '',
  ];

  it('CSV cells come back as they came, formulas defused, whatever is in them', async () => {
    const rows = cells.map((cell, at) => [`id-${at}`, `größe ${at}`, cell]);
    const id = await label(
      'cells.csv',
      Papa.unparse({ fields: ['ID', 'größe', '価格, "x"'], data: rows }),
      `&contentField=${encodeURIComponent('größe')}&customIdField=ID`,
    );

    const { data } = Papa.parse<string[]>((await output(id, '?format=csv')).slice(0, -1));
    const [header, ...found] = data;
    const kept = Papa.parse<string[]>(
      (await output(id, '?format=csv&formulas=keep')).slice(0, -1),
    ).data.slice(1);
    const lines = readLines(await output(id, '?include=input'));

    const formulas = ['＝1+1', '=1+1', ';=1'];
    expect(kept.map((row) => row[2])).toEqual(cells);
    expect(header?.slice(0, 4)).toEqual(['ID', 'größe', '価格, "x"', 'label']);
    expect(found.map((row) => row[2])).toEqual(
      cells.map((cell) => (formulas.includes(cell) ? `'${cell}` : cell)),
    );
    expect(lines.map(({ custom_id, content, metadata }) => [custom_id, content, metadata])).toEqual(
      rows.map(([customId, content, cell]) => [customId, content, { '価格, "x"': cell }]),
    );
    const labels = lines.map(({ output: answer }) => answer.label as string);
    expect(found.map((row) => row[3])).toEqual(
      labels.map((one) => (one === '=sum' ? "'=sum" : one)),
    );
  });

  it('JSON rows come back as they came: escapes, numbers, names and the order of their keys', async () => {
    const texts = cells.map(
      (cell, at) =>
        `{"z": 1.0, "größe": ${JSON.stringify(cell)}, "a": "\\u00e9\\ud83d\\ude00", "n": 12345678901234567890.10, "\\u4fa1": [ 1e5 ], "ID": "é-${at}"}`,
    );
    const id = await label(
      'rows.jsonl',
      texts.join('\n'),
      `&contentField=${encodeURIComponent('größe')}&customIdField=ID`,
    );

    const text = await output(id, '?include=input');
    const { data } = Papa.parse<Data>((await output(id, '?format=csv')).slice(0, -1), {
      header: true,
    });

    expect(readLines(text).map(({ custom_id, content }) => [custom_id, content])).toEqual(
      cells.map((cell, at) => [`é-${at}`, cell]),
    );
    for (const line of text.split('\n').slice(0, -1)) {
      expect(line).toContain(
        '"metadata":{"z":1.0,"a":"\\u00e9\\ud83d\\ude00","n":12345678901234567890.10,"価":[ 1e5 ]}',
      );
    }
    expect(data[0]).toMatchObject({
      z: '1.0',
      a: 'é😀',
      n: '12345678901234567890.10',
      価: '[ 1e5 ]',
      ID: 'é-0',
    });
    expect(data.map((row) => row.größe).slice(0, 9)).toEqual(cells.slice(0, 9));
  });

  it('a file without a content field has its whole rows as content', async () => {
    const id = await label('two.csv', 'größe,2,1\nä,"b",c\n"d\\",e,f\n');

    const lines = readLines(await output(id, '?include=input'));

    expect(lines.map(({ metadata }) => Object.entries(metadata ?? {}).length)).not.toContain(0);
    for (const { content, metadata } of lines) {
      if (Object.keys(metadata).length === 3) expect(JSON.parse(content)).toEqual(metadata);
    }
    expect(await output(id, '?format=csv')).toMatch(/^größe,2,1,label,/);
  });
});

describe('items', () => {
  const itemsQuery = `query($id: ID!) { batch(id: $id) { items(first: 1000) { edges { node {
    index row customId status usage { requests inputTokens cachedInputTokens cacheWriteTokens outputTokens reasoningTokens unmeteredRequests costUsd } error { code message } rejectedAnswer cached
  } } } } }`;

  it('stand as GraphQL says, in each of their statuses, also after a retry', async () => {
    app.sandbox.faults.add({ fault: { kind: 'refusal' }, when: ({ text }) => text === 'bad' });
    app.sandbox.faults.add({
      fault: { kind: 'stall', at: 'headers' },
      when: ({ text }) => text === 'slow',
    });
    const texts = Array.from({ length: 350 }, (_, at) =>
      at >= 100 && at < 200 && at % 3 === 0 ? 'slow' : at % 7 === 0 ? 'bad' : 'good',
    );
    const id = await submitTexts(app, texts);
    const same = async () => {
      const lines = readLines(await output(id));
      const { data } = await app.graphql(itemsQuery, { id });
      const nodes: Data[] = data?.batch.items.edges.map(({ node }: Data) => node);
      const found = nodes.map(
        ({ index, row, customId, status, usage, error, rejectedAnswer, cached }) => ({
          index,
          row,
          custom_id: customId,
          status: status.toLowerCase(),
          error: error && { code: error.code, message: error.message },
          rejected_answer: rejectedAnswer,
          cached,
          usage: usage && {
            requests: usage.requests,
            input_tokens: usage.inputTokens,
            cached_input_tokens: usage.cachedInputTokens,
            cache_write_tokens: usage.cacheWriteTokens,
            output_tokens: usage.outputTokens,
            reasoning_tokens: usage.reasoningTokens,
            unmetered_requests: usage.unmeteredRequests,
            cost_usd: usage.costUsd,
          },
        }),
      );
      return { found, lines: lines.map(({ output: _output, ...rest }) => rest) };
    };
    const countOf = (lines: Data[], status: string) =>
      lines.filter((line) => line.status === status).length;
    const open = texts.filter((text) => text === 'slow').length;
    await app.recorded(id, texts.length - open);
    const running = await same();

    expect(running.lines).toEqual(running.found);
    expect(countOf(running.lines, 'processing')).toBeGreaterThan(0);
    for (const status of ['processing', 'failed', 'succeeded', 'pending,failed']) {
      const statuses = status.split(',');
      expect(readLines(await output(id, `?status=${status}`)).map(({ index }) => index)).toEqual(
        running.lines.filter((line) => statuses.includes(line.status)).map(({ index }) => index),
      );
    }

    await app.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id);
    app.sandbox.faults.clear();
    const cancelled = await same();
    expect(cancelled.lines).toEqual(cancelled.found);
    expect(countOf(cancelled.lines, 'cancelled')).toBe(open);

    await app.graphql('mutation($id: ID!) { retryBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id);
    const retried = await same();
    expect(retried.lines).toEqual(retried.found);
    expect(countOf(retried.lines, 'succeeded')).toBe(texts.length);
    expect(retried.lines[0]?.usage?.requests).toBeGreaterThan(1);
  });

  it('that are long are read a few at a time, each once and in order', async () => {
    const fileKey = 9_999n;
    await db.sql`
      insert into rows (file_key, index, content)
      select ${fileKey}, g, repeat('x', case when g >= 300 and g < 900 then 60000 else 10 end) from generate_series(0, 2999) as g`;

    const lengths: number[] = [];
    const parts: number[] = [];
    for await (const items of readItems(copy, {
      source: { batchKey: 9_999n, fileKey },
      first: 0,
      last: 2_999,
      status: undefined,
      with: {
        row: true,
        usage: true,
        completedAt: true,
        rejectedAnswer: true,
        attempts: true,
        cached: false,
      },
    })) {
      const before = lengths.length;
      for (const item of items) {
        expect([item.index, item.status, item.usage]).toEqual([lengths.length, 'PENDING', null]);
        lengths.push(item.content?.length ?? 0);
      }
      parts.push(lengths.length - before);
    }

    expect(lengths).toEqual(
      [...Array(3_000).keys()].map((index) => (index >= 300 && index < 900 ? 60_000 : 10)),
    );
    expect(parts.length).toBeGreaterThan(4);
  });

  it('of a batch that is deleted in the middle do not end as if they were all', async () => {
    const { data } = await app.graphql(
      'mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
      {
        input: {
          operation: { run: { instructions: 'x' } },
          source: { texts: Array.from({ length: 2_000 }, (_, at) => `${at} `.padEnd(100, 'x')) },
          autoStart: false,
        },
      },
    );
    const id = data?.submitBatch.batch.id;
    const batch = (await readBatchById(db, id))!;
    const writer = await outputWriter(db, batch, {
      operation: operationOf(batch),
      format: 'jsonl',
      json: { includes: { input: true, request: null, attempts: false }, names: 'snake' },
      csv: { keepFormulas: false, includeRow: false, bom: false, delimiter: ',' },
    });
    const pieces = writeOutput({ db, copy }, batch, writer, { status: undefined, afterIndex: -1 });
    await pieces.next();
    await app.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id);
    const deleted = await app.graphql('mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', {
      id,
    });
    expect(deleted.errors).toBeUndefined();

    const rest = (async () => {
      for await (const _piece of pieces);
    })();

    await expect(rest).rejects.toThrow('deleted');
  });
});

describe('names=camel', () => {
  it('is JSON with the names of GraphQL, and as it is stored', async () => {
    const id = await submitTexts(app, ['größe "1"'], {});
    await untilEnded(app, id);

    const [record] = readLines(await output(id, '?names=camel&include=attempts'));
    const [item] = JSON.parse(await output(id, '?format=json&names=camel'));

    expect(Object.keys(record as Data)).toEqual([
      ...['index', 'row', 'customId', 'status', 'output', 'error', 'rejectedAnswer', 'usage'],
      'attempts',
    ]);
    expect(record).toEqual({ ...item, attempts: 1 });
    expect(record).toMatchObject({
      output: { confidenceMethod: 'LOGPROBS' },
      usage: { inputTokens: expect.any(Number), costUsd: null },
    });
  });

  it.each(['?names=camel&format=csv', '?names=camel&format=openai_jsonl', '?names=kebab'])(
    'is refused as %s',
    async (query) => {
      const id = await submitTexts(app, ['one'], { autoStart: false });
      const response = await fetch(`${app.url}/batches/${id}/output${query}`);

      expect(response.status).toBe(400);
      expect(await response.text()).toMatch(/must be (json or jsonl|snake or camel)/);
    },
  );
});

describe('include=request', () => {
  it('is what is sent to the model for each item, behind its metadata', async () => {
    const id = await submitTexts(app, ['größe "1"', 'two'], { autoStart: false });

    const [first] = (await output(id, '?include=input,request')).split('\n');
    const array = JSON.parse(await output(id, '?format=json&include=request'));

    expect(first).toMatch(
      /"content":"größe \\"1\\"","metadata":null,"request":{"model":"rules","messages":\[.*"content":"größe \\"1\\""}\],.*},"output":null/,
    );
    expect(array.map(({ request }: Data) => request.messages.at(-1).content)).toEqual([
      'größe "1"',
      'two',
    ]);
    expect(Object.keys(array[0])).not.toContain('content');
  });

  it.each(['?include=request&format=csv', '?include=input,answer', '?include='])(
    'refuses %s',
    async (query) => {
      const id = await submitTexts(app, ['x'], { autoStart: false });

      expect((await fetch(`${app.url}/batches/${id}/output${query}`)).status).toBe(400);
    },
  );
});
