/** Files of OpenAI's API, by its package and by plain requests: inputs. */
import OpenAI, { toFile } from 'openai';
import pino from 'pino';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { createFileJanitor } from '../../../src/engine/upkeep/janitor.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: App;
const keys = { ada: 'the-right-key-of-ada-0123', bob: 'the-right-key-of-bob-0123' };
const headers = { authorization: `Bearer ${keys.ada}` };
/** Of another owner. */
let other: OpenAI;
let client: OpenAI;
let sql: postgres.Sql;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `ada:${keys.ada},bob:${keys.bob}` });
  sql = postgres(app.databaseUrl, { max: 1 });
  const options = { baseURL: `${app.url}/v1`, maxRetries: 0 };
  client = new OpenAI({ ...options, apiKey: keys.ada });
  other = new OpenAI({ ...options, apiKey: keys.bob });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});

/** A line of a batch file. */
function line(customId: string, body: object = {}): string {
  const messages = [{ role: 'user', content: `Text of ${customId}` }];
  return JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'test/rules', messages, ...body },
  });
}

async function upload(text: string | Uint8Array, name = 'requests.jsonl') {
  return await client.files.create({
    file: await toFile(Buffer.from(text), name),
    purpose: 'batch',
  });
}

async function contentOf(id: string): Promise<string> {
  return await (await client.files.content(id)).text();
}

async function graphql(query: string, variables: Record<string, unknown>) {
  return await app.graphql(query, variables, headers);
}

/** What a batch over the file fails with. */
async function problemsOf(id: string): Promise<Record<string, unknown>[]> {
  const [file] = await sql<{ problems: string }[]>`select problems from files where id = ${id}`;
  return JSON.parse(file?.problems ?? '');
}

async function ask(path: string, init: RequestInit = {}) {
  const response = await fetch(`${app.url}${path}`, {
    ...init,
    headers: { ...headers, ...(init.headers as Record<string, string>) },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Of a form with these fields in their order. */
async function post(...fields: [name: string, value: string | File][]) {
  const body = new FormData();
  for (const [name, value] of fields) body.append(name, value);
  return await ask('/v1/files', { method: 'POST', body });
}

const jsonl = (text = `${line('a')}\n`) => new File([text], 'requests.jsonl');

async function all<Entry>(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const found = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

describe('an upload', () => {
  it('is a file with every key, and its id leads to the same', async () => {
    const text = `${line('a')}\n${line('b')}\n`;
    const file = await upload(text, 'my requests.jsonl');

    expect(file).toEqual({
      id: expect.stringMatching(/^file_[0-9a-z]{25}$/),
      object: 'file',
      bytes: Buffer.byteLength(text),
      created_at: expect.any(Number),
      expires_at: null,
      filename: 'my requests.jsonl',
      purpose: 'batch',
      status: 'processed',
      status_details: null,
    });
    expect(Number.isInteger(file.created_at)).toBe(true);
    expect(await client.files.retrieve(file.id)).toEqual(file);
  });

  it('comes back byte for byte where each line ends in a line feed', async () => {
    const lines = [
      line('ü🙂 "quoted"'),
      ` ${line('b').replaceAll(':', ' : ')}\t\r`,
      '{"broken": ',
      '"a text"',
      line('b').replace('{', '{"n": 0.10000000000000000001, '),
    ];
    const text = lines.map((one) => `${one}\n`).join('');
    const { id } = await upload(text);

    const response = await client.files.content(id);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(await response.text()).toBe(text);
  });

  it('leaves out blank lines alone, and ends the last line', async () => {
    const { id } = await upload(`\n${line('a')}\n \t\r\n\n${line('b')}`);

    expect(await contentOf(id)).toBe(`${line('a')}\n${line('b')}\n`);
  });

  it('is read on behind an offset of lines', async () => {
    const { id } = await upload(['a', 'b', 'c'].map((one) => `${line(one)}\n`).join(''));
    const read = async (offset: string) => {
      const address = `${app.url}/v1/files/${id}/content?offset=${offset}`;
      return await (await fetch(address, { headers })).text();
    };

    expect(await read('0')).toBe(await contentOf(id));
    expect(await read('2')).toBe(`${line('c')}\n`);
    expect(await read('3')).toBe('');
    expect(await read('1000')).toBe('');
  });

  it.each([
    ['before the file', true],
    ['behind the file', false],
  ])('may say its purpose %s', async (_where, isFirst) => {
    const fields: [string, string | File][] = [
      ['purpose', 'batch'],
      ['file', jsonl()],
    ];
    const { status, body } = await post(...(isFirst ? fields : fields.reverse()));

    expect(status).toBe(200);
    expect(body).toMatchObject({ object: 'file', purpose: 'batch' });
  });

  it('is not judged by its name, nor by fields and files that nobody knows', async () => {
    const { status, body } = await post(
      ['other', new File(['x'.repeat(200_000)], 'other.bin')],
      ['file', new File([`${line('a')}\n`], 'upload', { type: 'text/csv; charset=utf-16' })],
      ['purpose', 'batch'],
      ['foo', 'bar'],
    );

    expect(status).toBe(200);
    expect(body.filename).toBe('upload');
  });

  it('has rows, custom ids and numbers of lines as POST /files has them', async () => {
    const { id } = await upload(`${line('a')}\n\n${line(' ü "b" ')}\n`);
    const { data } = await graphql(
      'query ($id: ID!) { file(id: $id) { format itemCount columns customIdField rejectedCount preview } }',
      { id },
    );

    expect(data?.file).toEqual({
      format: 'OPENAI_JSONL',
      itemCount: 2,
      columns: ['custom_id', 'method', 'url', 'body'],
      customIdField: 'custom_id',
      rejectedCount: 0,
      preview: [JSON.parse(line('a')), JSON.parse(line(' ü "b" '))],
    });
    const submitted = await graphql(
      `mutation ($id: ID!) { submitBatch(input: {operation: {chat: {}}, source: {fileId: $id}, autoStart: false}) {
        batch { items(first: 5) { edges { node { customId row } } } } } }`,
      { id },
    );
    expect(submitted.errors).toBeUndefined();
    expect(submitted.data?.submitBatch.batch.items.edges).toEqual([
      { node: { customId: 'a', row: 1 } },
      { node: { customId: ' ü "b" ', row: 3 } },
    ]);
  });
});

describe('an upload that is refused', () => {
  it.each<[string, [string, string | File][], string, string]>([
    ['without a purpose', [['file', jsonl()]], 'purpose', 'missing_required_parameter'],
    ['without a file', [['purpose', 'batch']], 'file', 'missing_required_parameter'],
    [
      'of another purpose',
      [
        ['purpose', 'fine-tune'],
        ['file', jsonl()],
      ],
      'purpose',
      'invalid_value',
    ],
    [
      'of another purpose, said late',
      [
        ['file', jsonl()],
        ['purpose', 'vision'],
      ],
      'purpose',
      'invalid_value',
    ],
    [
      'of two files',
      [
        ['purpose', 'batch'],
        ['file', jsonl()],
        ['file', jsonl()],
      ],
      'file',
      'invalid_value',
    ],
  ])('is one %s', async (_what, fields, param, code) => {
    const { status, body } = await post(...fields);

    expect(status).toBe(400);
    expect(body.error).toMatchObject({ type: 'invalid_request_error', param, code });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['empty', Buffer.from(''), /empty/],
    ['not UTF-8', Buffer.from(`${line('a')}\n\xff\n`, 'latin1'), /Line 2 .* must be UTF-8/],
    ['UTF-16', Buffer.from(`\ufeff${line('a')}`, 'utf16le'), /Line 1 .* must be UTF-8/],
    [
      'cut in the middle of a character',
      Buffer.from(line('ü')).subarray(0, 15),
      /Line 1 .* must be UTF-8/,
    ],
    [
      'text with NUL bytes',
      Buffer.from(`${line('a')}\n{"a\0": 1}\n`),
      /Line 2 .* must not have NUL/,
    ],
  ])('is one that is %s', async (_what, bytes, message) => {
    const failure = await upload(bytes).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(OpenAI.BadRequestError);
    expect(failure).toMatchObject({ param: 'file' });
    expect((failure as Error).message).toMatch(message);
  });

  it('is a body that is no form', async () => {
    const body = JSON.stringify({ purpose: 'batch' });
    const type = { 'content-type': 'application/json' };
    const answer = await ask('/v1/files', { method: 'POST', body, headers: type });

    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toMatch(/form/);
  });

  it('is one of more than 200 MB, before it is read', async () => {
    const response = await fetch(`${app.url}/v1/files`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' },
      body: new Uint8Array(219_000_000),
    });

    expect(response.status).toBe(413);
  });

  it('leaves nothing', async () => {
    const before = await all(client.files.list());
    await post(['file', jsonl()]);

    expect(await all(client.files.list())).toEqual(before);
  });
});

describe('lines that are not requests', () => {
  const without = (name: string) => {
    const { [name]: _left, ...rest } = JSON.parse(line('x')) as Record<string, unknown>;
    return JSON.stringify(rest);
  };
  const withValue = (name: string, value: unknown) =>
    JSON.stringify({ ...JSON.parse(line('x')), [name]: value });

  it.each<[string, string, string | null, RegExp]>([
    ['{"custom_id": ', 'invalid_json_line', null, /is not JSON/],
    [`${line('x')} x`, 'invalid_json_line', null, /something follows/],
    ['{"custom_id": NaN}', 'invalid_json_line', null, /NaN is not JSON/],
    ['[]', 'invalid_json_line', null, /must be a JSON object/],
    [line('x').replace('Text', '\\ud800'), 'invalid_json_line', null, /surrogate/],
    [without('custom_id'), 'missing_required_parameter', 'custom_id', /must have a custom_id/],
    [withValue('custom_id', null), 'missing_required_parameter', 'custom_id', /custom_id/],
    [withValue('custom_id', 7), 'invalid_type', 'custom_id', /text as its custom_id/],
    [withValue('custom_id', ''), 'invalid_value', 'custom_id', /1 to 512 characters/],
    [withValue('custom_id', 'ü'.repeat(513)), 'invalid_value', 'custom_id', /1 to 512/],
    [without('method'), 'missing_required_parameter', 'method', /method/],
    [withValue('method', 'GET'), 'invalid_method', 'method', /only POST/],
    [withValue('method', 1), 'invalid_type', 'method', /text/],
    [without('url'), 'missing_required_parameter', 'url', /url/],
    [withValue('url', '/v1/embeddings'), 'invalid_url', 'url', /embeddings/],
    [withValue('url', {}), 'invalid_type', 'url', /text/],
    [without('body'), 'missing_required_parameter', 'body', /body/],
    [withValue('body', []), 'invalid_type', 'body', /an object/],
    [withValue('body', {}), 'missing_required_parameter', 'body.model', /body\.model/],
    [line('x', { model: null }), 'missing_required_parameter', 'body.model', /body\.model/],
    [line('x', { model: '' }), 'missing_required_parameter', 'body.model', /body\.model/],
    [line('x', { model: 5 }), 'invalid_type', 'body.model', /body\.model/],
  ])('are noted and stored: %s', async (bad, code, param, message) => {
    const { id } = await upload(`${line('a')}\n\n${bad}\n`);
    const problems = await problemsOf(id);

    expect(problems).toEqual([{ line: 3, code, param, message: expect.stringMatching(message) }]);
    expect(problems[0]?.message).toMatch(/^Line 3 /);
    expect(await contentOf(id)).toBe(`${line('a')}\n${bad}\n`);
  });

  it.each([
    ['of 512 characters', 'ü'.repeat(512)],
    ['of white space', ' '],
    ['with escapes', 'a"\\b\n🙂'],
  ])('are none for a custom id %s', async (_what, customId) => {
    expect(await problemsOf((await upload(line(customId))).id)).toEqual([]);
  });

  it('are none for a model behind other members, nor for a full url', async () => {
    const request = JSON.parse(line('a')) as { body: object };
    const text = JSON.stringify({
      ...request,
      url: 'https://api.openai.com/v1/chat/completions',
      body: { nested: { model: 5, list: [{}, '}'] }, n: 1, ...request.body },
    });

    expect(await problemsOf((await upload(text)).id)).toEqual([]);
  });

  it('are those whose custom id came before, exactly', async () => {
    const ids = ['a', 'b', ' a', 'A', 'b', 'a'];
    const { id } = await upload(ids.map((one) => line(one)).join('\n'));

    expect(await problemsOf(id)).toEqual([
      expect.objectContaining({ line: 5, code: 'duplicate_custom_id', param: 'custom_id' }),
      expect.objectContaining({
        line: 6,
        message: 'Line 6 must have a custom_id of its own; line 1 has "a" too',
      }),
    ]);
  });

  it('are judged by the last member of a name, as JSON.parse has it', async () => {
    const twice = line('b').replace('{', '{"custom_id": "a", "method": "GET", ');
    const { id } = await upload(`${line('a')}\n${twice}\n${line('b')}\n`);

    expect(await problemsOf(id)).toMatchObject([{ line: 3, code: 'duplicate_custom_id' }]);
  });

  it('are the first 100 of them, and all are counted', async () => {
    const { id } = await upload(Array.from({ length: 250 }, () => '{}').join('\n'));
    const { data } = await graphql(
      'query ($id: ID!) { file(id: $id) { itemCount rejectedCount rejections { row } } }',
      { id },
    );

    expect((await problemsOf(id)).map((one) => one.line)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
    expect(data?.file).toMatchObject({ itemCount: 250, rejectedCount: 250 });
    expect(data?.file.rejections).toHaveLength(100);
  });

  it('are the rejections of the file, can be seen, and keep it from being run', async () => {
    const { id } = await upload(`${line('a')}\n{"custom_id": \n${without('body')}\n`);
    const { data } = await graphql(
      'query ($id: ID!) { file(id: $id) { rejectedCount rejections { row reason } preview } }',
      { id },
    );
    const submitted = await graphql(
      'mutation ($id: ID!) { submitBatch(input: {operation: {chat: {}}, source: {fileId: $id}}) { batch { id } } }',
      { id },
    );

    expect(data?.file).toEqual({
      rejectedCount: 2,
      rejections: [
        { row: 2, reason: 'is not JSON: the line ends too early' },
        { row: 3, reason: 'must have a body' },
      ],
      preview: [JSON.parse(line('a')), { content: '{"custom_id": ' }, JSON.parse(without('body'))],
    });
    expect(submitted.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [
        {
          path: 'input.source',
          message: expect.stringMatching(/Line 2 is not JSON.*Line 3 must have a body/),
        },
      ],
    });
  });

  it('are not missed in a file of blank lines, over which nothing can run', async () => {
    const { id } = await upload('\n \n');
    const { errors } = await graphql(
      'mutation ($id: ID!) { submitBatch(input: {operation: {chat: {}}, source: {fileId: $id}}) { batch { id } } }',
      { id },
    );

    expect(await contentOf(id)).toBe('');
    expect(errors?.[0]?.extensions.issues).toEqual([
      { path: 'input.source', message: 'must have a row' },
    ]);
  });
});

describe('the list', () => {
  const namesOf = (files: readonly { id: string }[]) => files.map(({ id }) => id);

  it('has the newest first, page after page, each once', async () => {
    const made = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) made.push((await upload(line(name))).id);
    const newest = await all(client.files.list({ limit: 2 }));

    expect(namesOf(newest).slice(0, 5)).toEqual(made.toReversed());
    expect(new Set(namesOf(newest)).size).toBe(newest.length);
    const page = await client.files.list({ limit: 2 });
    expect(page.has_more).toBe(true);
    const { body } = await ask('/v1/files?limit=2');
    expect(body).toMatchObject({ object: 'list', first_id: made[4], last_id: made[3] });
    expect(page.data[0]).toEqual(await client.files.retrieve(made[4] as string));
    const oldest = await all(client.files.list({ limit: 3, order: 'asc' }));
    expect(namesOf(oldest)).toEqual(namesOf(newest).toReversed());
  });

  it('has those of a purpose alone, and what POST /files took', async () => {
    const { id } = await upload(line('a'));
    const chat = await ask('/files', { method: 'POST', body: `${line('a')}\n` });
    const table = await ask('/files?name=t.csv', { method: 'POST', body: 'text\nx\n' });
    const ofBatch = namesOf(await all(client.files.list({ purpose: 'batch' })));
    const ofUser = await all(client.files.list({ purpose: 'user_data' }));

    expect(ofBatch.slice(0, 2)).toEqual([chat.body.id, id]);
    expect(ofUser).toEqual([
      expect.objectContaining({ id: table.body.id, purpose: 'user_data', filename: 't.csv' }),
    ]);
    expect((await client.files.list({ purpose: 'vision' })).data).toEqual([]);
  });

  it('is empty with null ids, and has nothing of another owner', async () => {
    const { id } = await upload(line('a'));

    expect(await other.files.list().then(({ data }) => data)).toEqual([]);
    const { body } = await ask('/v1/files', { headers: { authorization: `Bearer ${keys.bob}` } });
    expect(body).toEqual({
      object: 'list',
      data: [],
      first_id: null,
      last_id: null,
      has_more: false,
    });
    for (const attempt of [
      () => other.files.retrieve(id),
      () => other.files.content(id),
      () => other.files.delete(id),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    }
    await expect(other.files.list({ after: id })).rejects.toMatchObject({ param: 'after' });
  });

  it.each([
    'limit=0',
    'limit=10001',
    'limit=x',
    'order=up',
    'after=file_x',
    'after=',
    'purpose=%00',
  ])('needs sensible parameters: %s', async (query) => {
    const { status, body } = await ask(`/v1/files?${query}`);

    expect(status).toBe(400);
    expect(body.error.param).toBe(query.split('=')[0]);
  });

  it('is paged through while its files are deleted', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await upload(line(name));
    for await (const { id } of client.files.list({ limit: 2 })) await client.files.delete(id);

    expect(await all(client.files.list())).toEqual([]);
  });
});

describe('the content of a file of POST /files', () => {
  it.each([
    [
      'a.csv',
      'id,"te""xt",n\n1,"ü\nb",007\n2,,\n',
      ['{"id":"1","te\\"xt":"ü\\nb","n":"007"}', '{"id":"2","te\\"xt":"","n":""}'],
    ],
    [
      'a.jsonl',
      '{"text": "ü \\u00fc", "n": 0.10000000000000000001}\n"a \\"text\\""\n',
      ['{"text": "ü \\u00fc", "n": 0.10000000000000000001}', '{"content":"a \\"text\\""}'],
    ],
    ['a.json', '[{"text":\n"x"}]', ['{"text": "x"}']],
    ['a.txt', 'one ü\ntwo "2"\n', ['{"content":"one ü"}', '{"content":"two \\"2\\""}']],
    ['a.jsonl', ` ${line('a')} \r\n`, [line('a')]],
  ])('is its rows, a line of JSON each: %s', async (name, text, lines) => {
    const { body } = await ask(`/files?name=${name}`, { method: 'POST', body: text });

    expect(await contentOf(body.id)).toBe(lines.map((one) => `${one}\n`).join(''));
  });
});

describe('a file that is deleted', () => {
  const batchOver = `mutation ($id: ID!) {
    submitBatch(input: {operation: {chat: {}}, source: {fileId: $id}}) { batch { id } } }`;
  const submit = (id: string) => graphql(batchOver, { id });

  async function expectGone(id: string) {
    for (const attempt of [
      () => client.files.retrieve(id),
      () => client.files.content(id),
      () => client.files.delete(id),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    }
    expect((await all(client.files.list())).map((file) => file.id)).not.toContain(id);
    const { data } = await graphql(
      'query ($id: ID!) { file(id: $id) { id } files { totalCount edges { node { id } } } }',
      { id },
    );
    expect(data?.file).toBeNull();
    expect(data?.files.totalCount).toBe(data?.files.edges.length);
    expect(JSON.stringify(data?.files)).not.toContain(id);
    expect((await submit(id)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const deleted = await graphql('mutation ($id: ID!) { deleteFile(id: $id) { deletedId } }', {
      id,
    });
    expect(deleted.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
  }

  async function sweep() {
    const db = openDatabase(app.databaseUrl, { maxConnections: 1 });
    await createFileJanitor({ db, log: pino({ level: 'silent' }) }).sweep();
    await db.close();
  }

  /** What is left of a file in the database. */
  async function rowsOf(id: string): Promise<number | null> {
    const [file] = await sql`
      select (select count(*)::int from rows where file_key = f.key) as rows
      from files f where id = ${id}`;
    return file?.rows ?? null;
  }

  it('is unknown at once, and its rows go when nobody needs them', async () => {
    const { id } = await upload(line('a'));

    expect(await client.files.delete(id)).toEqual({ id, object: 'file', deleted: true });
    await expectGone(id);
    await sweep();
    expect(await rowsOf(id)).toBe(1);
    await sql`update files set hidden_at = now() - interval '61 seconds' where id = ${id}`;
    await sweep();
    expect(await rowsOf(id)).toBeNull();
  });

  it('serves the batches that use it to their end', async () => {
    const { id } = await upload(`${line('a')}\n${line('b')}\n`);
    const drafted = await graphql(
      `mutation ($id: ID!) {
        submitBatch(input: {operation: {chat: {}}, source: {fileId: $id}, autoStart: false}) {
          batch { id } } }`,
      { id },
    );
    const batch = { id: drafted.data?.submitBatch.batch.id };
    await client.files.delete(id);
    await sql`update files set hidden_at = now() - interval '61 seconds' where id = ${id}`;
    await sweep();

    await expectGone(id);
    await graphql('mutation ($id: ID!) { startBatch(id: $id) { batch { id } } }', batch);
    const read = async () =>
      (await graphql('query ($id: ID!) { batch(id: $id) { status file { id } } }', batch)).data;
    await until(async () => (await read())?.batch.status === 'COMPLETED', {
      deadlineMs: 10_000,
      what: 'the end of the batch',
    });
    expect((await read())?.batch.file).toBeNull();
    await graphql('mutation ($id: ID!) { deleteBatch(id: $id) { deletedId } }', batch);
    const gone = { deadlineMs: 10_000, what: 'the end of the file' };
    await until(async () => {
      await sweep();
      return (await rowsOf(id)) === null;
    }, gone);
  });

  it('is one that expires', async () => {
    const made = await client.files.create({
      file: await toFile(Buffer.from(line('a')), 'a.jsonl'),
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3_600 },
    });

    expect(made.expires_at).toBe(made.created_at + 3_600);
    expect(await client.files.retrieve(made.id)).toEqual(made);
    await sweep();
    expect(await rowsOf(made.id)).toBe(1);
    await sql`update files set expires_at = now() where id = ${made.id}`;
    await expectGone(made.id);
    await sweep();
    expect(await rowsOf(made.id)).toBeNull();
  });

  it.each([
    [{ anchor: 'now', seconds: '3600' }, 'anchor', 'invalid_value'],
    [{ seconds: '3600' }, 'anchor', 'missing_required_parameter'],
    [{ anchor: 'created_at' }, 'seconds', 'missing_required_parameter'],
    [{ anchor: 'created_at', seconds: '3599' }, 'seconds', 'invalid_value'],
    [{ anchor: 'created_at', seconds: '2592001' }, 'seconds', 'invalid_value'],
    [{ anchor: 'created_at', seconds: 'soon' }, 'seconds', 'invalid_value'],
  ])('does not expire after %o', async (after, param, code) => {
    const fields = Object.entries(after).map(([name, value]): [string, string] => [
      `expires_after[${name}]`,
      value,
    ]);
    const { status, body } = await post(['purpose', 'batch'], ['file', jsonl()], ...fields);

    expect(status).toBe(400);
    expect(body.error).toMatchObject({ param: `expires_after[${param}]`, code });
  });
});
