/** CSV outputs: chat's answers, spreadsheets, and the spelling of names in all outputs. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { chatLine, type Data, submitMutation, untilEnded } from '../graphql/support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ origin }) => ({ ANTHROPIC_BASE_URL: origin })));
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.requests.length = 0;
});

async function upload(body: string, name = 'x.jsonl'): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  return ((await response.json()) as Data).id;
}

async function run(operation: object, source: object, input: object = {}): Promise<string> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation, source, ...input },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  return id;
}

const output = async (id: string, query: string): Promise<string> =>
  await (await fetch(`${app.url}/batches/${id}/output?${query}`)).text();

/** The cells of a CSV, of which none has a line break. */
function cellsOf(text: string, delimiter = ','): string[][] {
  const lines = text.replace(/^\uFEFF|\n$/g, '').split('\n');
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^${delimiter}]*))(?:[${delimiter}]|$)`, 'gy');
  // With one delimiter behind each cell there is none that is found twice.
  return lines.map((line) =>
    [...`${line}${delimiter}`.matchAll(cell)]
      .slice(0, -1)
      .map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? ''),
  );
}

const recordsOf = (text: string): Record<string, string>[] => {
  const [header = [], ...rows] = cellsOf(text);
  expect(new Set(header).size).toBe(header.length);
  return rows.map((row) => Object.fromEntries(header.map((name, at) => [name, row[at] ?? ''])));
};

const call = (given: string, name = 'User') => ({
  id: `call_${name}`,
  type: 'function',
  function: { name, arguments: given },
});
const called = (...tool_calls: object[]) => ({
  body: completion(null, { finish: 'tool_calls', tool_calls }),
});

describe('the answers of chat', () => {
  const line = (custom_id: string, content = custom_id) =>
    JSON.stringify(chatLine(custom_id, { messages: [{ role: 'user', content }] }));

  it('are the arguments where a tool was called', async () => {
    stub.reply(called(call('{"name": "Jane", "age": 28}')));
    const requests = await readFile(
      new URL('../../cases/tool-call-requests.jsonl', import.meta.url),
      'utf8',
    );

    const id = await run({ chat: {} }, { fileId: await upload(requests) });
    const [record] = recordsOf(await output(id, 'format=csv'));

    expect(record?.custom_id).toBe('user_1');
    expect(JSON.parse(record?.text ?? '')).toEqual({ name: 'Jane', age: 28 });
    // As parseResults has it of the same answers.
    const results = await upload(await output(id, 'format=openai_jsonl'));
    const { data } = await app.graphql(
      'query ($id: ID!) { parseResults(fileId: $id) { edges { node { output } } } }',
      { id: results },
    );
    expect(data?.parseResults.edges[0].node.output).toEqual(JSON.parse(record?.text ?? ''));
  });

  it('have every digit of the arguments, those of several calls, and what is no JSON', async () => {
    const replies: Record<string, object> = {
      big: called(call('{"order_id": 9007199254740993, "name": "Å\\u00e9"}')),
      two: called(call('{"a":1}'), call('{"b":2}', 'Other')),
      half: called(call('{"na')),
      custom: called({ id: 'c', type: 'custom', custom: { name: 'run', input: 'ls -l' } }),
      old: { body: completion(null, { function_call: { name: 'f', arguments: '{"c":3}' } }) },
      said: { body: completion('no tool, but words') },
    };
    stub.reply(({ body }) => replies[body.messages[0].content] ?? {});

    const lines = Object.keys(replies).map((name) => line(name));
    const id = await run({ chat: {} }, { fileId: await upload(lines.join('\n')) });
    const records = recordsOf(await output(id, 'format=csv'));

    expect(records.map(({ custom_id, text }) => [custom_id, text])).toEqual([
      ['big', '{"order_id":9007199254740993,"name":"Åé"}'],
      ['two', '[{"a":1},{"b":2}]'],
      ['half', '{"na'],
      ['custom', 'ls -l'],
      ['old', '{"c":3}'],
      ['said', 'no tool, but words'],
    ]);
  });

  it('are the input of the tool where Anthropic answered', async () => {
    stub.reply({
      body: {
        type: 'message',
        role: 'assistant',
        model: 'claude-x',
        content: [{ type: 'tool_use', id: 't1', name: 'User', input: { name: 'Åsa', age: 28 } }],
        stop_reason: 'tool_use',
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    });

    const chat = { model: 'anthropic/claude-x' };
    const id = await run({ chat }, { fileId: await upload(line('a')) });

    expect(recordsOf(await output(id, 'format=csv'))[0]?.text).toBe('{"name":"Åsa","age":28}');
  });

  it('have a column for each field of a schema', async () => {
    stub.reply(({ body }) =>
      body.messages[0].content === 'bad'
        ? { body: completion(null, { refusal: 'no' }) }
        : called(call('{"name":"Åsa","tags":["a"],"status":null}')),
    );
    const responseSchema = {
      type: 'object',
      properties: {
        name: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' } },
        status: { type: ['string', 'null'] },
      },
      required: ['name', 'tags', 'status'],
      additionalProperties: false,
    };

    const fileId = await upload([line('good'), line('bad')].join('\n'));
    const id = await run({ chat: { responseSchema } }, { fileId });
    const csv = await output(id, 'format=csv');

    expect(cellsOf(csv)[0]).toEqual(
      'custom_id,content,text,name,tags,status,status_2,error_code,error_message'.split(','),
    );
    const [good, bad] = recordsOf(csv);
    expect(good).toMatchObject({ name: 'Åsa', tags: '["a"]', status: '', status_2: 'succeeded' });
    expect(bad).toMatchObject({ name: '', tags: '', status_2: 'failed', error_code: 'REFUSED' });
  });

  it('have the file’s own ids and the batch’s', async () => {
    stub.reply({ body: completion('ok') });
    const fileId = await upload([line('a'), line('b')].join('\n'));

    const id = await run({ chat: {} }, { fileId }, { customIdPrefix: 'run1-' });

    expect(recordsOf(await output(id, 'format=csv'))).toMatchObject([
      { custom_id: 'a', custom_id_2: 'run1-a' },
      { custom_id: 'b', custom_id_2: 'run1-b' },
    ]);
    // Without a prefix they are the same, and stand there once.
    const plain = await run({ chat: {} }, { fileId });
    expect(cellsOf(await output(plain, 'format=csv'))[0]).toEqual(
      'custom_id,content,text,status,error_code,error_message'.split(','),
    );
  });
});

describe('for spreadsheets', () => {
  const texts = ['schön; gut', 'a,b', 'a|b\tc', '=1+1', ';=1+1', 'plain', 'a; =1+1', 'a,-b'];

  async function summarized(): Promise<string> {
    stub.reply(({ body }) => ({ body: completion(body.messages.at(-1).content) }));
    return await run({ run: { userPromptTemplate: '{content}' } }, { texts });
  }

  it('has a byte order mark and another delimiter, and formulas stay defused', async () => {
    const id = await summarized();
    const plain = cellsOf(await output(id, 'format=csv'));

    const response = await fetch(`${app.url}/batches/${id}/output?format=csv&bom=true&delimiter=;`);
    const bytes = Buffer.from(await response.arrayBuffer());

    expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
    const text = bytes.subarray(3).toString();
    expect(text.split('\n').slice(0, 3)).toEqual([
      'custom_id;content;text;status;error_code;error_message',
      '0;"schön; gut";"schön; gut";succeeded;;',
      '1;a,b;a,b;succeeded;;',
    ]);
    expect(cellsOf(text, ';')).toEqual(plain);
    expect(text).toContain("\n3;'=1+1;'=1+1;");
    expect(text).toContain(`\n4;"';=1+1";"';=1+1";`);
    // Where another delimiter is taken than was written, a formula stays a part of its cell.
    expect(text).toContain('\n7;"a,-b";"a,-b";');
    expect(await output(id, 'format=csv')).toContain('\n6,"a; =1+1","a; =1+1",');
    for (const [name, delimiter] of [
      ['|', '|'],
      ['tab', '\t'],
      ['%09', '\t'],
    ] as const) {
      const other = await output(id, `format=csv&delimiter=${name}`);
      expect(cellsOf(other, delimiter)).toEqual(plain);
    }
    // What is put behind an earlier part has no mark.
    expect(await output(id, 'format=csv&bom=true&after=2')).toMatch(/^custom_id,/);
  });

  it('has links with both, whose parts are signed', async () => {
    const id = await summarized();
    const { data, errors } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { own: outputUrl(format: CSV, bom: true, delimiter: ";") tab: outputUrl(format: CSV, delimiter: "tab") } }',
      { id },
    );
    expect(errors).toBeUndefined();

    expect(await (await fetch(data?.batch.own)).text()).toContain('\n1;a,b;a,b;');
    expect(await (await fetch(data?.batch.tab)).text()).toContain('\n1\ta,b\ta,b\t');
    for (const [from, to] of [
      ['bom=true', 'bom=false'],
      ['&bom=true', ''],
      ['delimiter=%3B', 'delimiter=%7C'],
    ] as const) {
      expect((await fetch(data?.batch.own.replace(from, to))).status).toBe(403);
    }
  });

  it.each([
    ['format=csv&delimiter=x', 'delimiter must be one of , ; | and tab'],
    ['format=csv&delimiter=', 'delimiter must be one of'],
    ['format=csv&bom=yes', 'bom must be true or false'],
    ['format=jsonl&bom=true', 'format must be csv for bom'],
    ['format=json&delimiter=;', 'format must be csv for delimiter'],
    ['format=csv&bom=true&bom=true', 'bom is given more than once'],
  ])('%s is refused: %s', async (query, message) => {
    const id = await summarized();

    const refused = JSON.parse(await output(id, query));

    expect(refused.error).toMatchObject({ code: 'BAD_USER_INPUT' });
    expect(refused.error.message).toContain(message);
  });

  it.each([
    ['format: CSV, delimiter: "::"', 'must be one of , ; | and tab'],
    ['format: JSON, bom: true', 'must be absent unless format is CSV'],
  ])('a link with %s is refused: %s', async (args, message) => {
    const id = await summarized();

    const { errors } = await app.graphql(
      `query ($id: ID!) { batch(id: $id) { outputUrl(${args}) } }`,
      { id },
    );

    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toContain(message);
  });
});

describe('names', () => {
  const answer = { body: completion('{"label":"a","confidence":0.5}') };

  it('are in snake case in every output, and in camel case in GraphQL', async () => {
    stub.reply(answer);
    const texts = ['one', 'the "confidenceMethod": of it'];
    const id = await run({ label: { categories: ['a', 'confidenceMethod'] } }, { texts });

    const label = { label: 'a', confidence: 0.5 };
    const written = { ...label, confidence_method: 'MODEL_REPORTED' };
    const jsonl = (await output(id, 'format=jsonl&include=input')).trimEnd().split('\n');
    const [first, second] = jsonl.map((line) => JSON.parse(line));
    expect(first.output).toEqual(written);
    expect(second.content).toBe(texts[1]);
    expect(JSON.parse(await output(id, 'format=json'))[0].output).toEqual(written);
    expect(cellsOf(await output(id, 'format=csv'))[0]).toContain('confidence_method');
    const { data } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { items(first: 1) { edges { node { output } } } } }',
      { id },
    );
    expect(data?.batch.items.edges[0].node.output).toEqual({
      ...label,
      confidenceMethod: 'MODEL_REPORTED',
    });
  });

  it('that are the user’s stay as they are', async () => {
    stub.reply({ body: completion('{"confidenceMethod":"x","innerValue":1}') });
    const schema = { confidenceMethod: 'string', innerValue: 'integer' };

    const id = await run({ extract: { schema } }, { texts: ['one'] });

    expect(JSON.parse(await output(id, 'format=jsonl')).output).toEqual({
      confidenceMethod: 'x',
      innerValue: 1,
    });
    expect(cellsOf(await output(id, 'format=csv'))[0]).toContain('confidenceMethod');
  });

  it('of before can be uploaded again', async () => {
    stub.reply(answer);
    const old = {
      index: 0,
      custom_id: 'a-1',
      status: 'succeeded',
      content: 'one',
      metadata: { tier: 'gold' },
      output: { label: 'a', labels: ['a'], confidence: 0.5, confidenceMethod: 'LOGPROBS' },
      error: null,
    };
    const csv =
      'custom_id,content,label,confidence,confidenceMethod,status\na-1,one,a,0.5,LOGPROBS,succeeded\n';
    const label = { categories: ['a', 'b'] };

    for (const [name, body] of [
      ['old.jsonl', JSON.stringify(old)],
      ['old.csv', csv],
    ] as const) {
      const id = await run({ label }, { fileId: await upload(body, name) });
      const record = JSON.parse(await output(id, 'format=jsonl&include=input'));
      expect(record).toMatchObject({ custom_id: 'a-1', content: 'one' });
    }
  });
});
