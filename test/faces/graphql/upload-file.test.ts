/** uploadFile: multipart requests over real HTTP, as clients and as enemies send them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type RawAnswer, request } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const mutation = `mutation($file: Upload!) { uploadFile(file: $file) { file {
  id name format sizeBytes itemCount columns contentField customIdField rejectedCount preview } } }`;
const preflight = { 'graphql-preflight': '1' };

interface Form {
  operations?: unknown;
  map?: unknown;
  files?: Record<string, File>;
}

async function send(
  { operations = { query: mutation, variables: { file: null } }, map, files = {} }: Form,
  headers: Record<string, string> = preflight,
): Promise<RawAnswer> {
  const form = new FormData();
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  form.set('operations', text(operations));
  form.set('map', text(map ?? { 0: ['variables.file'] }));
  for (const [name, file] of Object.entries(files)) form.set(name, file);
  return await request(`${app.url}/graphql`, { method: 'POST', body: form, headers });
}

const reviews = () => new File(['id,text\na,good\nb,bad\n'], 'reviews.csv', { type: 'text/csv' });

async function countFiles(): Promise<number> {
  return (await app.graphql('{ files { totalCount } }')).data?.files.totalCount;
}

describe('a file in a GraphQL request', () => {
  it('is stored with its rows, and a batch runs over it', async () => {
    const { status, body } = await send({ files: { 0: reviews() } });

    expect(body.errors).toBeUndefined();
    expect(status).toBe(200);
    const file = body.data?.uploadFile.file;
    expect(file).toEqual({
      id: expect.stringMatching(/^file_/),
      name: 'reviews.csv',
      format: 'CSV',
      sizeBytes: 21,
      itemCount: 2,
      columns: ['id', 'text'],
      contentField: 'text',
      customIdField: 'id',
      rejectedCount: 0,
      preview: [
        { id: 'a', text: 'good' },
        { id: 'b', text: 'bad' },
      ],
    });
    const { data } = await app.graphql(
      'mutation($id: ID!) { submitBatch(input: {operation: {run: {instructions: "x"}}, source: {fileId: $id}}) { batch { counts { total } } } }',
      { id: file.id },
    );
    expect(data?.submitBatch.batch.counts.total).toBe(2);
  });

  it.each(['graphql-preflight', 'apollo-require-preflight', 'x-graphql-yoga-csrf'])(
    'comes with the header %s',
    async (name) => {
      const { body } = await send({ files: { 0: reviews() } }, { [name]: 'anything' });

      expect(body.data?.uploadFile.file.itemCount).toBe(2);
    },
  );

  it('is read as the arguments say', async () => {
    const query = `mutation($file: Upload!) { uploadFile(file: $file, name: "x", format: TEXT) { file { name format itemCount } } }`;
    const fields = `mutation($file: Upload!) { uploadFile(file: $file, contentField: "id", customIdField: "") { file { contentField customIdField } } }`;

    const ask = async (document: string) =>
      (
        await send({
          operations: { query: document, variables: { file: null } },
          files: { 0: reviews() },
        })
      ).body.data?.uploadFile.file;

    expect(await ask(query)).toEqual({ name: 'x', format: 'TEXT', itemCount: 3 });
    expect(await ask(fields)).toEqual({ contentField: 'id', customIdField: null });
  });

  it('may come with others, each in its variable', async () => {
    const query = `mutation($a: Upload!, $b: Upload!) {
      a: uploadFile(file: $a) { file { name } } b: uploadFile(file: $b) { file { name } } }`;

    const { body } = await send({
      operations: { query, variables: { a: null, b: null } },
      map: { one: ['variables.a'], two: ['variables.b'] },
      files: { one: new File(['a'], 'a.txt'), two: new File(['b'], 'b.txt') },
    });

    expect(body.data).toEqual({ a: { file: { name: 'a.txt' } }, b: { file: { name: 'b.txt' } } });
  });

  it.each([
    ['../../etc/passwd.csv', 'passwd.csv'],
    ['C:\\temp\\a.csv', 'a.csv'],
    ['a\u202e\u0007.csv', 'a.csv'],
    ['..', 'upload'],
    ['naïve 価格 😀.csv', 'naïve 価格 😀.csv'],
    [`${'é'.repeat(300)}.csv`, `${'é'.repeat(251)}.csv`],
  ])('called %j is kept as %j', async (given, kept) => {
    const file = new File(['id,text\na,good\nb,bad\n'], given, { type: 'text/csv; charset="' });

    const { body } = await send({ files: { 0: file } });

    expect(body.data?.uploadFile.file.name).toBe(kept);
  });
});

describe('a file that is refused', () => {
  it.each([
    ['empty', new File([], 'x.csv'), 'empty'],
    ['a workbook', new File(['PK\x03\x04\0\0\0\0'], 'x.csv'), 'Excel'],
    ['without rows', new File(['a,b\n'], 'x.csv'), 'no rows'],
  ])('%s is BAD_USER_INPUT at its argument, and leaves nothing', async (_what, file, message) => {
    const before = await countFiles();

    const { status, body } = await send({ files: { 0: file } });

    expect(status).toBe(200);
    expect(body.data).toBeNull();
    expect(body.errors?.[0]).toMatchObject({
      path: ['uploadFile'],
      extensions: {
        code: 'BAD_USER_INPUT',
        issues: [{ path: 'file', message: expect.stringContaining(message) }],
      },
    });
    expect(await countFiles()).toBe(before);
  });

  it.each([
    ['a string', 'x.csv'],
    ['an object like a file', { name: 'x.csv', contentType: 'text/csv', bytes: 'a' }],
    ['a list', []],
    ['null', null],
  ])('%s in its place is BAD_USER_INPUT, in JSON and in a form', async (_what, file) => {
    const json = await app.graphql(mutation, { file });
    const form = await send({ operations: { query: mutation, variables: { file } }, map: {} });

    for (const { errors } of [json, form.body]) {
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        issues: [{ path: 'file', message: expect.any(String) }],
      });
    }
  });

  it.each([
    ['JSON!', 'enrich(items: [], options: {fields: [{name: "a", examples: [$file]}]}) { model }'],
    ['JSONObject', 'extract(items: [], options: {schema: $file}) { model }'],
    ['String!', 'run(items: [{content: $file}], options: {}) { model }'],
  ])('is no %s', async (type, field) => {
    const { body } = await send({
      operations: { query: `mutation($file: ${type}) { ${field} }`, variables: { file: null } },
      files: { 0: reviews() },
    });

    expect(body.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: 'file', message: expect.stringContaining('must ') }],
    });
  });
});

describe('a form that is refused', () => {
  const expectRefusal = async (answer: RawAnswer, status: number, code: string) => {
    expect(answer.status).toBe(status);
    expect(answer.body.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  };

  it('has no header that a web page cannot send: 415, whatever it asks for', async () => {
    const before = await countFiles();

    const unasked: Record<string, string>[] = [{}, { 'graphql-preflight': '' }, { 'x-other': '1' }];
    for (const headers of unasked) {
      const answer = await send({ files: { 0: reviews() } }, headers);
      await expectRefusal(answer, 415, 'BAD_REQUEST');
      expect(answer.body.errors?.[0]?.message).toContain('graphql-preflight');
    }
    expect(await countFiles()).toBe(before);
  });

  it('is too large: 413 that names POST /files, with and without a length', async () => {
    const large = new File(['x'.repeat(10_485_760)], 'x.txt');
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: mutation, variables: { file: null } }));
    form.set('map', '{"0": ["variables.file"]}');
    form.set('0', large);
    const { headers, body } = new Request('http://localhost', { method: 'POST', body: form });

    const whole = await send({ files: { 0: large } });
    const chunked = await request(`${app.url}/graphql`, {
      method: 'POST',
      body,
      headers: { ...preflight, 'content-type': headers.get('content-type') ?? '' },
      duplex: 'half',
    } as RequestInit);

    for (const answer of [whole, chunked]) {
      await expectRefusal(answer, 413, 'PAYLOAD_TOO_LARGE');
      expect(answer.body.errors?.[0]?.message).toContain('POST /files');
    }
  });

  it.each([
    ['no JSON', '{'],
    ['a list', []],
    ['paths that are no list', { 0: 'variables.file' }],
    ['paths that are no text', { 0: [5] }],
    ['a part that is not there', { 1: ['variables.file'] }],
    ['another variable', { 0: ['variables.other'] }],
    ['no variable', { 0: ['query'] }],
    ['all variables', { 0: ['variables'] }],
    ['a place inside a variable', { 0: ['variables.file.a'] }],
    ['one variable twice', { 0: ['variables.file', 'variables.file'] }],
    ['__proto__', { 0: ['variables.__proto__'] }],
    ['a prototype', { 0: ['variables.constructor.prototype.polluted'] }],
    ['toString', { 0: ['variables.toString'] }],
  ])('has %s in its map: 400', async (_what, map) => {
    await expectRefusal(await send({ map, files: { 0: reviews() } }), 400, 'BAD_REQUEST');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it.each([
    ['cut JSON', '{"query": '],
    ['a list of requests', [{ query: mutation }]],
    ['variables that are no object', { query: mutation, variables: 5 }],
  ])('has %s as operations: 400', async (_what, operations) => {
    await expectRefusal(await send({ operations, files: { 0: reviews() } }), 400, 'BAD_REQUEST');
  });

  it.each([
    ['no boundary', 'multipart/form-data', '--x\r\n'],
    [
      'no end',
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{',
    ],
    ['no parts', 'multipart/form-data; boundary=x', '--x--\r\n'],
    ['nothing', 'multipart/form-data; boundary=x', ''],
    [
      'a part twice',
      'multipart/form-data; boundary=x',
      `${'--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n'.repeat(2)}--x--\r\n`,
    ],
    [
      'too many parts',
      'multipart/form-data; boundary=x',
      `${Array.from({ length: 30 }, (_, n) => `--x\r\nContent-Disposition: form-data; name="${n}"\r\n\r\n{}\r\n`).join('')}--x--\r\n`,
    ],
  ])('has %s: 400', async (_what, type, body) => {
    const answer = await request(`${app.url}/graphql`, {
      method: 'POST',
      body,
      headers: { ...preflight, 'content-type': type },
    });

    await expectRefusal(answer, 400, 'BAD_REQUEST');
  });

  it('asks for more uploads than one request may have', async () => {
    const uploads = Array.from(
      { length: 14 },
      (_, n) => `a${n}: uploadFile(file: $file) { file { id } }`,
    );
    const before = await countFiles();

    const { body } = await send({
      operations: {
        query: `mutation($file: Upload!) { ${uploads.join(' ')} }`,
        variables: { file: null },
      },
      files: { 0: reviews() },
    });

    expect(body.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(body.errors?.[0]?.message).toContain('must cost at most');
    expect(await countFiles()).toBe(before);
  });
});
