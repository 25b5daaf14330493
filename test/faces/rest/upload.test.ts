import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.ts';
import { readFileRows } from '../../../src/db/file-rows.ts';
import { readFile } from '../../../src/db/files.ts';
import { readLimits } from '../../../src/files/read/limits.ts';
import { uploadFile } from '../../../src/files/upload.ts';
import { until } from '../../support/until.ts';
import { countLeftovers, startUploadServer, type UploadServer } from './upload-support.ts';

let server: UploadServer;

beforeAll(async () => {
  server = await startUploadServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.limits = readLimits;
  server.patience = undefined;
  server.refusal = null;
  server.submissions.length = 0;
});
afterEach(() => server.db.sql`truncate files, rows, ingests cascade`);

const nothing = { rows: 0, files: 0, ingests: 0 };

/** What is refused is answered before it is cleared away. */
async function untilLeft(expected: typeof nothing): Promise<void> {
  await until(async () => isDeepStrictEqual({ ...(await countLeftovers(server)) }, expected), {
    deadlineMs: 5_000,
    what: `${JSON.stringify(expected)} to be what is left`,
  });
}

async function post(
  body: BodyInit,
  { query = '', headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; body: any; headers: Headers }> {
  const response = await fetch(`${server.url}${query}`, {
    method: 'POST',
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  } as RequestInit);
  return { status: response.status, body: await response.json(), headers: response.headers };
}

function form(
  fields: [string, string][],
  file: string | Blob = 'text\na\nb\n',
  name = 'x.csv',
): FormData {
  const data = new FormData();
  for (const [key, value] of fields) {
    if (key === 'file')
      data.append('file', typeof file === 'string' ? new Blob([file]) : file, name);
    else data.append(key, value);
  }
  return data;
}

function formPart(disposition: string, value: string): string {
  return `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${value}\r\n`;
}

/** The answer to a form whose file never ends: whoever waits for its end does not answer. */
function postEndless(beginning: string): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1');
    const send = (text: string) => socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
    socket.write(
      'POST /files HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=b\r\n\r\n',
    );
    send(beginning);
    const more = setInterval(() => send('and so on\n'), 5);
    let answer = '';
    socket.on('data', (piece) => {
      answer += String(piece);
      const json = /\{.*\}/s.exec(answer)?.[0];
      if (!answer.endsWith('0\r\n\r\n') || json === undefined) return;
      clearInterval(more);
      socket.destroy();
      resolve({ status: Number(answer.split(' ', 2)[1]), body: JSON.parse(json) });
    });
    socket.on('error', (error) => {
      clearInterval(more);
      reject(error);
    });
  });
}

async function rowsOf(id: string) {
  const file = await readFile(server.db, 'local', id);
  return (
    await readFileRows(server.db.sql, file!.key, {
      afterIndex: -1,
      limit: 1_000,
      maxBytes: 1e9,
    })
  ).map(({ index, customId, content, fields, row }) => ({ index, customId, content, fields, row }));
}

describe('POST /files with the file as its body', () => {
  it('answers 201 with the file, whose rows are in', async () => {
    const { status, body, headers } = await post(
      'custom_id,text,b\nx,hello,1\ny,there\nz,"é\n",\n',
      {
        query: '?name=reviews.csv',
      },
    );

    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/files/${body.id}`);
    expect(body).toEqual({
      id: expect.stringMatching(/^file_[0-9a-z]{25}$/),
      name: 'reviews.csv',
      format: 'CSV',
      sizeBytes: 44,
      itemCount: 2,
      columns: ['custom_id', 'text', 'b'],
      contentField: 'text',
      customIdField: 'custom_id',
      rejectedCount: 1,
      rejections: [{ row: 2, reason: 'has 2 cells where the header has 3 (line 3)' }],
      blankCount: 0,
      encoding: 'utf-8',
      warnings: [],
    });
    expect(await rowsOf(body.id)).toEqual([
      { index: 0, customId: 'x', content: null, fields: '["x","hello","1"]', row: null },
      { index: 1, customId: 'z', content: null, fields: '["z","é\\n",""]', row: 3 },
    ]);
    await untilLeft({ rows: 2, files: 1, ingests: 0 });
  });

  it('keeps only what a name may be', async () => {
    const names = [
      '../../etc/passwd',
      'C:\\temp\\a.csv',
      'a\u0000b\r\nc\u202e.csv',
      '..',
      ' ',
      `${'é'.repeat(300)}.csv`,
    ];

    const given = [];
    for (const name of names) {
      given.push(
        (await post('text\na\n', { query: `?format=csv&name=${encodeURIComponent(name)}` })).body
          .name,
      );
    }

    expect(given).toEqual([
      'passwd',
      'a.csv',
      'abc.csv',
      'upload',
      'upload',
      `${'é'.repeat(251)}.csv`,
    ]);
  });

  it('rejects one bad row of many, and that one alone', async () => {
    const lines = Array.from({ length: 30_000 }, (_, row) => `${row},text ${row},é`);
    lines[17_000] = '17000,a\0b,é';

    const { body } = await post(`id,text,c\n${lines.join('\r\n')}`, { query: '?name=x.csv' });

    expect(body).toMatchObject({ itemCount: 29_999, rejectedCount: 1, customIdField: 'id' });
    expect(body.rejections).toEqual([{ row: 17_001, reason: expect.stringContaining('NUL') }]);
    const [row] = await server.db.sql`select fields, custom_id from rows where index = 17000`;
    expect(row).toEqual({ fields: '["17001","text 17001","é"]', custom_id: '17001' });
  });

  it.each([
    ['nothing', '', {}, 400, 'empty'],
    ['a header alone', 'a,b\n', { query: '?name=x.csv' }, 400, 'no rows'],
    [
      'a field that is not there',
      'a,b\n1,2\n',
      { query: '?contentField=c' },
      400,
      'contentField must be a column of the file ("a", "b"), not "c"',
    ],
    ['a format that is none', 'a', { query: '?format=xlsx' }, 400, 'format must be one of'],
    [
      'a parameter that is none',
      'a',
      { query: '?fromat=csv' },
      400,
      'Unknown parameter fromat (did you mean "format"?)',
    ],
    ['a parameter twice', 'a', { query: '?format=csv&format=text' }, 400, 'more than once'],
    [
      'duplicate custom ids',
      'custom_id,text\nx,a\ny,b\nx,c\n',
      {},
      400,
      'Rows 1 and 3 have the same custom id, "x"',
    ],
    [
      'duplicate ids that were chosen',
      'id,text\nx,a\nx,c\n',
      { query: '?customIdField=id' },
      400,
      'Rows 1 and 2',
    ],
    ['a workbook', 'PK\u0003\u0004\u0000\u0001', { query: '?name=x.csv' }, 415, 'Excel'],
    ['a compressed body', 'text', { headers: { 'content-encoding': 'gzip' } }, 415, 'compressed'],
    [
      'a charset that is none',
      'text\na\n',
      { headers: { 'content-type': 'text/csv; charset=x' } },
      415,
      'charset',
    ],
  ])('refuses %s, and leaves nothing', async (_name, body, options, status, message) => {
    const answer = await post(body, options);

    expect(answer.status).toBe(status);
    expect(answer.body.error.message).toContain(message);
    expect(answer.body.error.code).toBe(
      status === 415 ? 'UNSUPPORTED_MEDIA_TYPE' : 'BAD_USER_INPUT',
    );
    await untilLeft(nothing);
  });

  it('is refused for an id that comes again at its very end', async () => {
    const lines = Array.from({ length: 30_000 }, (_, row) => `${row === 29_999 ? 5 : row},t`);

    const late = await post(`id,text\n${lines.join('\n')}\n`);
    const often = await post(`id,text\n${'7,t\n'.repeat(100)}`);

    expect([late.status, often.status]).toEqual([400, 400]);
    expect(late.body.error.message).toContain('Rows 6 and 30000 have the same custom id, "5"');
    expect(late.body.error.message).toContain('customIdField=');
    expect(often.body.error.message).toContain('Rows 1 and 2 have the same custom id, "7"');
    await untilLeft(nothing);
  });

  it('is only ever a POST, and with a body', async () => {
    const get = await fetch(server.url);
    const empty = await raw('POST /files HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');

    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect(empty).toMatch(/^HTTP\/1.1 411 /);
  });
});

describe('an upload that is too large', () => {
  beforeEach(() => {
    server.limits = { ...readLimits, fileBytes: 1_000_000, rows: 5_000, rowBytes: 200_000 };
  });

  it.each([
    ['by its Content-Length', 'x'.repeat(1_000_001), '1,000,000 bytes'],
    ['by its rows', 'a\n'.repeat(5_001), '5,000 rows'],
    ['by one row', `a\n${'x'.repeat(300_000)}`, '200,000 bytes'],
  ])('is refused with 413, and leaves nothing: %s', async (_name, body, message) => {
    const answer = await post(body, { query: '?format=text' });

    expect([answer.status, answer.body.error.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(answer.body.error.message).toContain(message);
    await untilLeft(nothing);
  });

  it('is refused by what comes, when no length is said, and still gets its answer', async () => {
    const line = Buffer.from(`${'x'.repeat(999)}\n`);
    const stream = (count: number) =>
      new ReadableStream({
        async start(controller) {
          for (let sent = 0; sent < count; sent += 1) controller.enqueue(line);
          controller.close();
        },
      });

    const over = await post(stream(1_001), { query: '?format=text' });
    const exact = await post(stream(1_000), { query: '?format=text' });

    expect([over.status, exact.status]).toEqual([413, 201]);
    await untilLeft({ rows: 1_000, files: 1, ingests: 0 });
  });

  it('answers while the client still sends, and lets it finish', async () => {
    const socket = await open(
      'POST /files?format=text HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const line = `${'x'.repeat(9_999)}\n`;
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });

    for (let sent = 0; sent < 300; sent += 1) {
      if (!socket.write(`${line.length.toString(16)}\r\n${line}\r\n`)) await once(socket, 'drain');
    }
    socket.write('0\r\n\r\n');
    await until(() => answer.includes('PAYLOAD_TOO_LARGE'), {
      deadlineMs: 5_000,
      what: 'the answer',
    });

    // The connection is whole, and good for another request.
    answer = '';
    socket.write('POST /files?format=text HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\na\n');
    await until(() => answer.includes('201 Created'), {
      deadlineMs: 5_000,
      what: 'the next answer',
    });
    socket.destroy();
  });
});

describe('a client that is not to be trusted', () => {
  const head = (more: string) => `POST /files?format=text HTTP/1.1\r\nhost: x\r\n${more}\r\n`;

  it('leaves nothing when it disconnects at half', async () => {
    const socket = await open(head('content-length: 2000000\r\n'));
    for (let sent = 0; sent < 100; sent += 1) socket.write(`${'x'.repeat(99)}\n`.repeat(100));
    await until(async () => (await countLeftovers(server)).ingests === 1, {
      deadlineMs: 5_000,
      what: 'an ingest',
    });
    socket.destroy();

    await untilLeft(nothing);
  });

  it('leaves nothing when it disconnects in a form', async () => {
    const socket = await open(
      `POST /files HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\ncontent-type: multipart/form-data; boundary=b\r\n\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="x.txt"\r\n\r\n`,
    );
    for (let sent = 0; sent < 100; sent += 1) socket.write(`${'x'.repeat(99)}\n`.repeat(100));
    await until(async () => (await countLeftovers(server)).ingests === 1, {
      deadlineMs: 5_000,
      what: 'an ingest',
    });
    socket.destroy();

    await untilLeft(nothing);
  });

  it('is cut off when it sends too slowly, while others are served', async () => {
    server.patience = { minBytesPerSecond: 1_024, graceMs: 300, memoryMs: 1_000 };
    const socket = await open(head('transfer-encoding: chunked\r\n'));
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    const timer = setInterval(() => socket.write('1\r\na\r\n'), 20);

    const other = await post('a\n', { query: '?format=text' });
    await until(() => answer !== '', { deadlineMs: 5_000, what: 'the answer' });
    clearInterval(timer);
    socket.destroy();

    expect(other.status).toBe(201);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('REQUEST_TIMEOUT');
    await untilLeft({ rows: 1, files: 1, ingests: 0 });
  });

  it.each([
    ['two lengths', 'content-length: 2\r\ncontent-length: 3\r\n'],
    ['a length and chunks', 'content-length: 2\r\ntransfer-encoding: chunked\r\n'],
    ['a negative length', 'content-length: -2\r\n'],
  ])('is refused with 400 for %s', async (_name, header) => {
    expect(await raw(`${head(header)}a\n`)).toMatch(/^HTTP\/1.1 400 /);
    await untilLeft(nothing);
  });

  it('is refused with 400 when it sends more than it said, and leaves nothing', async () => {
    expect(await raw(`${head('content-length: 4\r\n')}a\nb\nc\nd\n`)).toContain('HTTP/1.1 400 ');

    await until(async () => (await countLeftovers(server)).ingests === 0, {
      deadlineMs: 5_000,
      what: 'the end of the ingest',
    });
    await untilLeft(nothing);
  });
});

/** What options have that are left out. */
const defaults = {
  shared: { includeContext: false },
  label: { includeContext: false, multiLabel: false, allowNone: false },
};

describe('POST /files as a form', () => {
  it('takes the file and its fields', async () => {
    const { status, body } = await post(
      form(
        [
          ['content_field', 'b'],
          ['customIdField', 'a'],
          ['file', ''],
        ],
        'a,b\n1,x\n2,y\n',
        'dir/"q".csv',
      ),
    );

    expect(status).toBe(201);
    expect(body).toMatchObject({
      contentField: 'b',
      customIdField: 'a',
      itemCount: 2,
      format: 'CSV',
    });
    expect(body.batchId).toBeUndefined();
    expect(server.submissions).toEqual([]);
  });

  it('stores a file of many chunks as it is', async () => {
    const text = Array.from({ length: 60_000 }, (_, row) => `line ${row} --b\r\n--`).join('\r\n');

    const { body } = await post(form([['file', '']], text, 'x.txt'));

    expect(body).toMatchObject({ sizeBytes: text.length, rejectedCount: 0 });
    const [sum] = await server.db.sql<
      { text: string }[]
    >`select md5(string_agg(content, e'\n' order by index)) as text from rows`;
    const { createHash } = await import('node:crypto');
    expect(sum?.text).toBe(createHash('md5').update(text.replaceAll('\r\n', '\n')).digest('hex'));
  });

  it.each([
    ['before the file', (fields: [string, string][]) => [...fields, ['file', '']]],
    ['behind the file', (fields: [string, string][]) => [['file', ''], ...fields]],
  ] as const)('submits a batch with fields %s', async (_name, order) => {
    const { status, body } = await post(
      form(
        order([
          ['operation', 'classify'],
          ['categories', 'good, bad'],
          ['multi_label', 'true'],
          ['temperature', '0.2'],
          ['categoryDescriptions', '{"good":"yes"}'],
          ['instructions', '5'],
          ['metadata', '{"team":"a"}'],
          ['webhook_url', 'https://example.com/hook'],
          ['expires_in_seconds', '60'],
          ['name', 'my batch'],
        ]) as [string, string][],
      ),
    );

    expect([status, body.batchId, body.name]).toEqual([201, 'batch_1', 'x.csv']);
    expect(server.submissions).toEqual([
      {
        fileId: body.id,
        operation: 'label',
        options: {
          ...defaults.label,
          categories: ['good', 'bad'],
          multiLabel: true,
          temperature: 0.2,
          categoryDescriptions: { good: 'yes' },
          instructions: '5',
        },
        batch: {
          metadata: { team: 'a' },
          webhookUrl: 'https://example.com/hook',
          expiresInSeconds: 60,
          name: 'my batch',
        },
      },
    ]);
  });

  it('submits a batch with everything in options, and with repeated fields', async () => {
    const options = {
      operation: 'label',
      categories: ['a, b', 'c'],
      auto_start: false,
      contentField: 'text',
    };
    await post(
      form([
        ['options', JSON.stringify(options)],
        ['file', ''],
      ]),
    );
    await post(
      form([
        ['file', ''],
        ['operation', 'label'],
        ['categories', 'a, b'],
        ['categories', 'c'],
      ]),
    );
    await post(
      form([
        ['operation', 'extract'],
        ['schema', '{"company":"string"}'],
        ['file', ''],
      ]),
    );
    await post(
      form([
        ['file', ''],
        ['operation', 'enrich'],
        ['fields', 'company,year'],
      ]),
    );

    const labelled = { ...defaults.label, categories: ['a, b', 'c'] };
    expect(
      server.submissions.map(({ operation, options, batch }) => ({ operation, options, batch })),
    ).toEqual([
      { operation: 'label', options: labelled, batch: { autoStart: false } },
      { operation: 'label', options: labelled, batch: {} },
      {
        operation: 'extract',
        options: { ...defaults.shared, schema: { company: 'string' } },
        batch: {},
      },
      {
        operation: 'enrich',
        options: {
          ...defaults.shared,
          fields: [
            { name: 'company', type: 'TEXT' },
            { name: 'year', type: 'TEXT' },
          ],
        },
        batch: {},
      },
    ]);
  });

  it.each([
    ['an unknown operation', [['operation', 'translate']], 'operation'],
    ['a missing operation', [['categories', 'a,b']], 'operation'],
    [
      'an unknown field',
      [
        ['operation', 'label'],
        ['catgories', 'a,b'],
      ],
      'catgories',
    ],
    [
      'a field of the wrong type',
      [
        ['operation', 'label'],
        ['categories', 'a,b'],
        ['expiresInSeconds', 'soon'],
      ],
      'expiresInSeconds',
    ],
    [
      'a field that comes twice',
      [
        ['operation', 'label'],
        ['multiLabel', 'true'],
        ['multi_label', 'false'],
      ],
      'multiLabel',
    ],
    [
      'options that are no object',
      [
        ['operation', 'label'],
        ['options', '[1]'],
      ],
      'options',
    ],
  ] as [string, [string, string][], string][])(
    'keeps and names the file when there is %s',
    async (_name, fields, path) => {
      const { status, body } = await post(form([['file', ''], ...fields]));

      expect(status).toBe(400);
      expect(body.error).toMatchObject({
        code: 'BAD_USER_INPUT',
        fileId: expect.stringMatching(/^file_/),
      });
      expect(body.error.issues.map((issue: { path: string }) => issue.path)).toContain(path);
      expect(body.error.message).toContain(body.error.fileId);
      expect(await readFile(server.db, 'local', body.error.fileId)).toMatchObject({ itemCount: 2 });
    },
  );

  it.each([
    ['an unknown operation', [['operation', 'translate']], 'operation'],
    [
      'an unknown field',
      [
        ['operation', 'label'],
        ['catgories', 'a,b'],
      ],
      'catgories',
    ],
    [
      'a field of the wrong type',
      [
        ['operation', 'label'],
        ['expiresInSeconds', 'soon'],
      ],
      'expiresInSeconds',
    ],
    [
      'a value that is none',
      [
        ['operation', 'label'],
        ['categories', 'a,b'],
        ['temperature', '9'],
      ],
      'temperature',
    ],
    [
      'an answer schema that is none',
      [
        ['operation', 'extract'],
        ['schema', '{"a": "strnig"}'],
      ],
      'schema.a',
    ],
    [
      'options with a value that is none',
      [['options', '{"operation": "label", "topP": 5}']],
      'topP',
    ],
  ] as [string, [string, string][], string][])(
    'is answered before the file is read when there is %s before it',
    async (_name, fields, path) => {
      const sent = `${fields
        .map(([name, value]) => formPart(`form-data; name="${name}"`, value))
        .join(
          '',
        )}--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\ntext\n`;

      const { status, body } = await postEndless(sent);

      expect([status, body.error.code]).toEqual([400, 'BAD_USER_INPUT']);
      expect(body.error.issues.map((issue: { path: string }) => issue.path)).toEqual([path]);
      expect(body.error.message).toContain('not read');
      expect(body.error.fileId).toBeUndefined();
      await untilLeft(nothing);
    },
  );

  it('leaves what is missing before the file to the fields behind it', async () => {
    const answers = [];
    for (const operation of [
      [
        ['operation', 'label'],
        ['multiLabel', 'true'],
        ['file', ''],
        ['categories', 'a,b'],
      ],
      [
        ['categories', 'a,b'],
        ['file', ''],
        ['operation', 'label'],
        ['multiLabel', 'true'],
      ],
      [
        ['options', '{"operation": "label", "multiLabel": true}'],
        ['file', ''],
        ['categories', 'a,b'],
      ],
    ] as [string, string][][]) {
      answers.push((await post(form(operation))).status);
    }

    expect(answers).toEqual([201, 201, 201]);
    expect(server.submissions.map(({ options }) => options)).toEqual(
      Array(3).fill({ ...defaults.label, categories: ['a', 'b'], multiLabel: true }),
    );
  });

  it('keeps and names the file when the batch is refused', async () => {
    server.refusal = new AppError('CONFLICT', 'not now');

    const { status, body } = await post(
      form([
        ['file', ''],
        ['operation', 'label'],
        ['categories', 'a,b'],
      ]),
    );

    expect([status, body.error.code]).toEqual([409, 'CONFLICT']);
    expect(await readFile(server.db, 'local', body.error.fileId)).not.toBeNull();
  });

  it.each([
    ['no file', form([['operation', 'label']]), 'no file'],
    [
      'two files',
      form([
        ['file', ''],
        ['file', ''],
      ]),
      'more than one file',
    ],
    [
      'a format that comes too late',
      form([
        ['file', ''],
        ['format', 'text'],
      ]),
      'format has to come before',
    ],
    [
      'a custom id field that comes too late',
      form([
        ['file', ''],
        ['customIdField', 'text'],
      ]),
      'customIdField has to come before',
    ],
  ])('is refused with %s, and leaves nothing', async (_name, data, message) => {
    const { status, body } = await post(data);

    expect([status, body.error.message]).toEqual([400, expect.stringContaining(message)]);
    await untilLeft(nothing);
  });

  it('is refused when it is broken, and leaves nothing', async () => {
    const part = '--b\r\ncontent-disposition: form-data; name="file"; filename="x.txt"\r\n\r\n';
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    const answers = [
      await post(`${part}a\nb\n`, { headers: type }),
      await post(`${part}${'a\n'.repeat(500_000)}`, { headers: type }),
      await post('nothing of the kind', { headers: type }),
      await post(`${part}a\r\n--b\r\ncontent-disposition: form-data; name="x"\r\n\r\nhalf`, {
        headers: type,
      }),
      await post(`${part}a\r\n--b--\r\n`, { headers: { 'content-type': 'multipart/form-data' } }),
      await post(part.replace('"file"', '"data"').concat('a\r\n--b--\r\n'), { headers: type }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400, 400]);
    await untilLeft(nothing);
  });

  it('is refused when its file is too large, and leaves nothing', async () => {
    server.limits = { ...readLimits, fileBytes: 1_000_000 };

    const { status } = await post(form([['file', '']], 'x\n'.repeat(500_001), 'x.txt'));

    expect(status).toBe(413);
    await untilLeft(nothing);
  });
});

describe('uploadFile', () => {
  const upload = (source: AsyncIterable<Uint8Array>) =>
    uploadFile({
      db: server.db,
      copy: server.copy,
      events: server.events,
      face: 'rest',
      owner: 'me',
      ownerLimits: null,
      source,
      name: 'x.txt',
      contentType: null,
      options: {},
    });

  async function* pieces(...texts: string[]) {
    for (const text of texts) yield new TextEncoder().encode(text);
  }

  it('stores a file of one large piece and of many small ones', async () => {
    const one = await upload(pieces('a\n'.repeat(300_000)));
    const many = await upload(pieces(...Array<string>(1_000).fill('a\n')));

    expect([one.itemCount, many.itemCount]).toEqual([300_000, 1_000]);
    expect(await readFile(server.db, 'other', one.id)).toBeNull();
  });

  it('throws what its source throws, and leaves nothing', async () => {
    async function* broken() {
      yield* pieces('a\n'.repeat(300_000));
      throw new Error('gone');
    }

    await expect(upload(broken())).rejects.toThrow('gone');
    await untilLeft(nothing);
  });

  it('has a code for what it refuses', async () => {
    await expect(upload(pieces())).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      kind: 'invalid',
    });
    server.limits = readLimits;
    await expect(upload(pieces('PK\u0003\u0004\u0000'))).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      kind: 'unsupported',
    });
  });
});

async function open(text: string): Promise<Socket> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** Sends bytes as they are, and answers with all that comes back. */
async function raw(text: string): Promise<string> {
  const socket = await open(text);
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
    if (!answer.includes('connection: close') && !answer.includes('Connection: close'))
      socket.end();
  });
  await once(socket, 'close');
  return answer;
}
