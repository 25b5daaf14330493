/**
 * parseResults: files of batch results as providers write them, uploaded for real, read line by
 * line.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { withoutRequestIds } from '../../support/request-id.ts';
import { type Data, post } from './support.ts';

const annaKey = 'anna-key-0123456789abcdefgh';
const anna = { authorization: `Bearer ${annaKey}` };
const benKey = 'ben-key-0123456789abcdefghij';
const ben = { authorization: `Bearer ${benKey}` };

let app: App;
beforeAll(async () => {
  app = await startApp({ API_KEYS: `anna:${annaKey},ben:${benKey}` });
});
afterAll(() => app.stop());

async function upload(lines: readonly unknown[], name = 'output.jsonl'): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}`, {
    method: 'POST',
    headers: anna,
    body: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  });
  const { id } = (await response.json()) as { id: string };
  return id;
}

const query = `query($fileId: ID!, $responseSchema: JSONObject, $status: [ItemStatus!], $first: Int, $after: String) {
  parseResults(fileId: $fileId, responseSchema: $responseSchema, status: $status, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { customId status output error { code message } } } } }`;

async function parse(fileId: string, variables: Record<string, unknown> = {}): Promise<Data> {
  const { data, errors } = await app.graphql(query, { fileId, ...variables }, anna);
  expect(errors).toBeUndefined();
  return data?.parseResults;
}

const nodes = ({ edges }: Data): Data[] => edges.map(({ node }: Data) => node);

let requests = 0;
function line(custom_id: string, response: unknown, error: unknown = null) {
  requests += 1;
  return { id: `batch_req_${requests}`, custom_id, response, error };
}
const ok = (body: unknown) => ({ status_code: 200, request_id: 'r', body });
const chat = (message: object, finish_reason = 'stop') =>
  ok({ object: 'chat.completion', choices: [{ index: 0, message, finish_reason }] });
const said = (content: string | null) => chat({ role: 'assistant', content, refusal: null });
const called = (...given: string[]) =>
  chat(
    {
      role: 'assistant',
      content: null,
      tool_calls: given.map((text) => ({
        type: 'function',
        function: { name: 'save', arguments: text },
      })),
    },
    'tool_calls',
  );
const responses = (output: unknown[], more: object = {}) =>
  ok({ object: 'response', status: 'completed', error: null, output, ...more });
const message = (...content: unknown[]) => ({ type: 'message', role: 'assistant', content });
const anthropic = (custom_id: string, result: unknown) => ({ custom_id, result });
const succeeded = (content: unknown[], stop_reason = 'end_turn') => ({
  type: 'succeeded',
  message: { type: 'message', role: 'assistant', content, stop_reason },
});

const schema = { company: 'string', year: 'integer?' };
const acme = { company: 'Acme', year: 1999 };

describe('an answer', () => {
  it.each([
    ['of a chat completion', said(JSON.stringify(acme)), acme],
    ['inside a Markdown fence', said(`\`\`\`json\n${JSON.stringify(acme)}\n\`\`\``), acme],
    [
      'in parts',
      chat({ content: [{ type: 'text', text: '{"company":' }, { text: '"A"}' }] }),
      { company: 'A' },
    ],
    ['of a tool call', called(JSON.stringify(acme)), acme],
    [
      'of an old function call',
      chat(
        { content: null, function_call: { name: 'f', arguments: '{"company":"F"}' } },
        'function_call',
      ),
      { company: 'F' },
    ],
    [
      'of an old completion',
      ok({ choices: [{ text: '{"company":"C"}', finish_reason: 'stop' }] }),
      { company: 'C' },
    ],
    [
      'of the Responses API',
      responses([
        { type: 'reasoning' },
        message({ type: 'output_text', text: JSON.stringify(acme) }),
      ]),
      acme,
    ],
    [
      'of a call in the Responses API',
      responses([{ type: 'function_call', name: 'save', arguments: '{"company":"R"}' }]),
      { company: 'R' },
    ],
  ])('%s is parsed and validated by the schema', async (_what, response, output) => {
    const fileId = await upload([line('a', response)]);

    expect(nodes(await parse(fileId, { responseSchema: schema }))).toEqual([
      { customId: 'a', status: 'SUCCEEDED', output, error: null },
    ]);
  });

  it.each([
    ['text', said('Acme was founded.\n'), 'Acme was founded.\n'],
    ['JSON text', said('{"a": 1}'), '{"a": 1}'],
    ['no text', said(''), ''],
    [
      'the arguments of a call',
      called('{"a": 1, "__proto__": 2}'),
      JSON.parse('{"a":1,"__proto__":2}'),
    ],
    ['arguments that are no JSON', called('a: 1'), 'a: 1'],
    ['several calls', called('{"a":1}', 'b'), [{ a: 1 }, 'b']],
  ])('without a schema is as it was given: %s', async (_what, response, output) => {
    const fileId = await upload([line('a', response)]);

    expect(nodes(await parse(fileId))).toEqual([
      { customId: 'a', status: 'SUCCEEDED', output, error: null },
    ]);
  });

  it('may be held to a JSON Schema, and number and order of its keys stay', async () => {
    const fileId = await upload([line('a', said('{"z": 1, "a": {"b": [true, null]}}'))]);

    const [node] = nodes(
      await parse(fileId, {
        responseSchema: {
          type: 'object',
          properties: { z: { type: 'integer' } },
          additionalProperties: true,
        },
      }),
    );

    expect(JSON.stringify(node?.output)).toBe('{"z":1,"a":{"b":[true,null]}}');
  });
});

describe('what is no good answer', () => {
  it.each([
    [
      'breaks the schema',
      said('{"company": [5]}'),
      null,
      'INVALID_OUTPUT',
      'company must be string',
    ],
    ['is no JSON', said('Acme'), null, 'INVALID_OUTPUT', 'JSON object'],
    ['calls two tools', called('{}', '{}'), null, 'INVALID_OUTPUT', 'one tool call'],
    ['was cut off', chat({ content: '{"comp' }, 'length'), null, 'TRUNCATED', 'limit'],
    [
      'was cut off in a call',
      chat({ content: null, tool_calls: [{ function: { arguments: '{"c' } }] }, 'length'),
      null,
      'TRUNCATED',
      'limit',
    ],
    ['was refused', chat({ content: null, refusal: 'I cannot.' }), null, 'REFUSED', 'I cannot.'],
    ['was filtered', chat({ content: '' }, 'content_filter'), null, 'CONTENT_FILTERED', 'filter'],
    ['has no content', said(null), null, 'PROVIDER_ERROR', 'without content'],
    ['has no choice', ok({ choices: [] }), null, 'PROVIDER_ERROR', 'without a choice'],
    ['is HTML', ok('<html>'), null, 'PROVIDER_ERROR', 'not JSON'],
    ['is null', ok(null), null, 'PROVIDER_ERROR', 'not JSON'],
    [
      'is an error with status 200',
      ok({ error: { code: 'rate_limit_exceeded', message: 'slow' } }),
      null,
      'RATE_LIMITED',
      'slow',
    ],
    [
      'was cut off in the Responses API',
      responses([message({ type: 'output_text', text: '{' })], {
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
      }),
      null,
      'TRUNCATED',
      'limit',
    ],
    [
      'was filtered in the Responses API',
      responses([], { incomplete_details: { reason: 'content_filter' } }),
      null,
      'CONTENT_FILTERED',
      'filter',
    ],
    [
      'was refused in the Responses API',
      responses([message({ type: 'refusal', refusal: 'No.' })]),
      null,
      'REFUSED',
      'No.',
    ],
    [
      'failed in the Responses API',
      responses([], { status: 'failed', error: { code: 'server_error', message: 'oh' } }),
      null,
      'PROVIDER_ERROR',
      'oh',
    ],
    [
      'is a 400',
      { status_code: 400, body: { error: { message: 'Bad', type: 'invalid_request_error' } } },
      null,
      'INVALID_REQUEST',
      'Bad',
    ],
    [
      'must have at most',
      { status_code: 400, body: { error: { message: 'Long', code: 'context_length_exceeded' } } },
      null,
      'CONTEXT_TOO_LONG',
      'Long',
    ],
    [
      'is a 429',
      { status_code: 429, body: { error: { message: 'Slow down' } } },
      null,
      'RATE_LIMITED',
      'Slow down',
    ],
    [
      'is a 401',
      { status_code: 401, body: { error: { message: 'bad key' } } },
      null,
      'INVALID_REQUEST',
      '401',
    ],
    [
      'is a 503 of text',
      { status_code: 503, body: 'upstream' },
      null,
      'PROVIDER_ERROR',
      'upstream',
    ],
    ['is a timeout', { status_code: 504, body: {} }, null, 'TIMEOUT', '504'],
    [
      'is an error without a status',
      null,
      { code: 'server_error', message: 'oops' },
      'PROVIDER_ERROR',
      'server_error): oops',
    ],
    [
      'is an error with a code of ours',
      null,
      { code: 'template_field_missing', message: 'no {a}' },
      'TEMPLATE_FIELD_MISSING',
      'no {a}',
    ],
    ['is an error of text', null, 'lost', 'PROVIDER_ERROR', 'lost'],
    ['is nothing', null, null, 'PROVIDER_ERROR', 'neither'],
    ['is no object', [], null, 'PROVIDER_ERROR', 'neither'],
  ])('%s', async (_what, response, error, code, words) => {
    const fileId = await upload([line('a', response, error)]);

    expect(nodes(await parse(fileId, { responseSchema: schema }))).toEqual([
      {
        customId: 'a',
        status: 'FAILED',
        output: null,
        error: { code, message: expect.stringContaining(words) },
      },
    ]);
  });

  it('never shows a key that the provider repeats', async () => {
    const fileId = await upload([
      line('a', { status_code: 401, body: { error: { message: 'bad key sk-abcdefghijklmnop' } } }),
      line('b', { status_code: 400, body: { error: { message: 'bad key sk-abcdefghijklmnop' } } }),
      line('c', null, { code: 'x', message: 'Bearer sk-abcdefghijklmnop' }),
    ]);

    expect(JSON.stringify(await parse(fileId))).not.toContain('sk-abc');
  });
});

describe('results of Anthropic', () => {
  it('are told as those of OpenAI', async () => {
    const fileId = await upload([
      anthropic('text', succeeded([{ type: 'text', text: '{"company":"A"}' }])),
      anthropic(
        'tool',
        succeeded(
          [
            { type: 'text', text: 'Well:' },
            { type: 'tool_use', name: 'f', input: { company: 'T' } },
          ],
          'tool_use',
        ),
      ),
      anthropic('cut', succeeded([{ type: 'text', text: '{' }], 'max_tokens')),
      anthropic('no', succeeded([{ type: 'text', text: 'No.' }], 'refusal')),
      anthropic('bad', {
        type: 'errored',
        error: { type: 'error', error: { type: 'invalid_request_error', message: 'Bad' } },
      }),
      anthropic('busy', {
        type: 'errored',
        error: { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } },
      }),
      anthropic('late', { type: 'expired' }),
      anthropic('off', { type: 'canceled' }),
      anthropic('what', { type: 'other' }),
    ]);

    const found = nodes(await parse(fileId, { responseSchema: schema }));

    expect(
      found.map(({ customId, status, output, error }) => [
        customId,
        status,
        output ?? error?.code ?? null,
      ]),
    ).toEqual([
      ['text', 'SUCCEEDED', { company: 'A' }],
      ['tool', 'SUCCEEDED', { company: 'T' }],
      ['cut', 'FAILED', 'TRUNCATED'],
      ['no', 'FAILED', 'REFUSED'],
      ['bad', 'FAILED', 'INVALID_REQUEST'],
      ['busy', 'FAILED', 'PROVIDER_ERROR'],
      ['late', 'EXPIRED', null],
      ['off', 'CANCELLED', null],
      ['what', 'FAILED', 'PROVIDER_ERROR'],
    ]);
  });
});

describe('a whole file', () => {
  const kinds = [
    (id: string) => line(id, said(JSON.stringify({ company: id }))),
    (id: string) => line(id, said('{"company": [5]}')),
    (id: string) => line(id, null, { code: 'batch_expired', message: 'late' }),
    (id: string) => line(id, null, { code: 'batch_cancelled', message: 'off' }),
  ];
  const statuses = ['SUCCEEDED', 'FAILED', 'EXPIRED', 'CANCELLED'];
  const size = 2_345;
  // In no order, and some ids twice: the results of a batch and of its second try in one file.
  const order = Array.from({ length: size }, (_, n) => (n * 1_009) % size);
  const idOf = (n: number) => `id-${n % 2_000}`;
  let fileId: string;
  beforeAll(async () => {
    fileId = await upload(order.map((n) => (kinds[n % 4] as (typeof kinds)[0])(idOf(n))));
  });

  /** All pages, one after the other. */
  async function everyPage(variables: Record<string, unknown>, totalCount: number) {
    const seen: Data[] = [];
    let after: string | null = null;
    do {
      const page: Data = await parse(fileId, { responseSchema: schema, after, ...variables });
      expect(page.totalCount).toBe(totalCount);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      seen.push(...nodes(page));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    return seen;
  }

  it('comes page by page, every line in the order of the file', async () => {
    const seen = await everyPage({ first: 1_000 }, size);

    expect(seen.map(({ customId, status }) => [customId, status])).toEqual(
      order.map((n) => [idOf(n), statuses[n % 4]]),
    );
  });

  it.each([[['FAILED']], [['EXPIRED', 'CANCELLED']], [['PENDING']], [[]]])(
    'may be asked for %j alone, with their number',
    async (status: string[]) => {
      const wanted = order.filter((n) => status.includes(statuses[n % 4] as string));

      const seen = await everyPage({ status, first: 400 }, wanted.length);

      expect(seen.map(({ customId }) => customId)).toEqual(wanted.map(idOf));
    },
  );

  it('has other counts under another schema', async () => {
    const counted = async (responseSchema: object | null) =>
      (await parse(fileId, { responseSchema, status: ['SUCCEEDED'], first: 1 })).totalCount;

    const list = { company: 'number[]' };
    const text = order.filter((n) => n % 4 === 0).length;
    const broken = order.filter((n) => n % 4 === 1).length;
    expect(await Promise.all([counted(null), counted(schema), counted(list)])).toEqual([
      text + broken,
      text,
      broken,
    ]);
    expect(await counted(list)).toBe(broken);
  });

  it('is read with 50 results a page, and no more than 1,000', async () => {
    expect((await parse(fileId)).edges).toHaveLength(50);
    expect((await parse(fileId, { after: '999999999999' })).edges).toEqual([]);
    for (const variables of [{ first: 1_001 }, { first: 0 }, { after: 'x' }]) {
      const { errors } = await app.graphql(query, { fileId, ...variables }, anna);
      expect(errors?.[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        issues: [{ path: Object.keys(variables)[0] }],
      });
    }
  });
});

describe('what cannot be asked', () => {
  it('an unknown, foreign, malformed or deleted file is NOT_FOUND, all alike', async () => {
    const ofAnna = await upload([line('a', said('x'))]);
    const deleted = await upload([line('a', said('x'))]);
    await app.graphql(
      'mutation($id: ID!) { deleteFile(id: $id) { deletedId } }',
      { id: deleted },
      anna,
    );

    const ask = (fileId: string, headers: Record<string, string>) =>
      post(app, { query, variables: { fileId } }, headers);
    const answers = [
      await ask(`file_${'7'.repeat(25)}`, anna),
      await ask(ofAnna, ben),
      await ask(deleted, anna),
      await ask('nonsense', anna),
    ];

    for (const { text, body } of answers) {
      expect(withoutRequestIds(text)).toBe(withoutRequestIds(answers[0]?.text ?? ''));
      expect(body.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    }
  });

  it('a file of another format is BAD_USER_INPUT, and says what it is', async () => {
    const fileId = await upload(['a,b', '1,2'], 'x.csv');

    const { errors } = await app.graphql(query, { fileId }, anna);

    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: 'fileId', message: expect.stringMatching(/OPENAI_RESULTS.*CSV/) }],
    });
  });

  it.each([
    ['a type that is none', { a: 'strnig' }, /^responseSchema/],
    ['no object', { type: 'array', items: { type: 'string' } }, /^responseSchema$/],
    [
      'a reference elsewhere',
      { type: 'object', properties: { a: { $ref: 'http://x/y' } } },
      /^responseSchema/,
    ],
    [
      'too much',
      { type: 'object', properties: {}, description: 'x'.repeat(100_001) },
      /^responseSchema$/,
    ],
  ])('a schema with %s is BAD_USER_INPUT', async (_what, responseSchema, path) => {
    const fileId = await upload([line('a', said('{}'))]);

    const { errors } = await app.graphql(query, { fileId, responseSchema }, anna);

    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.extensions.issues[0].path).toMatch(path);
  });

  it('a schema that takes for ever costs an answer, not the server', async () => {
    const responseSchema = {
      type: 'object',
      properties: { a: { type: 'string', pattern: '^(a+)+$' } },
    };
    const fileId = await upload(
      Array.from({ length: 20 }, (_, n) => line(`${n}`, said(`{"a": "${'a'.repeat(40)}!"}`))),
    );

    const found = nodes(await parse(fileId, { responseSchema, status: ['FAILED'] }));

    expect(found.map(({ error }) => error.code)).toEqual(Array(20).fill('INVALID_OUTPUT'));
  });

  it('more filtered reads than one request may ask for', async () => {
    const fileId = await upload([line('a', said('x'))]);
    const reads = Array.from(
      { length: 14 },
      (_, n) => `a${n}: parseResults(fileId: "${fileId}", status: FAILED, first: 1) { totalCount }`,
    );

    const { errors } = await app.graphql(`{ ${reads.join(' ')} }`, {}, anna);

    expect(errors?.[0]?.message).toContain('must cost at most');
  });
});

describe('the format', () => {
  it.each([
    ['without ids', { custom_id: 'a', response: { status_code: 200, body: {} }, error: null }],
    ['of errors', line('a', null, { code: 'x' })],
    ['of Anthropic', anthropic('a', { type: 'expired' })],
  ])('of results %s is found', async (_what, first) => {
    const fileId = await upload([first], 'results.jsonl');

    const { data } = await app.graphql(
      'query($id: ID!) { file(id: $id) { format customIdField } }',
      { id: fileId },
      anna,
    );

    expect(data?.file).toEqual({ format: 'OPENAI_RESULTS', customIdField: 'custom_id' });
  });

  it('is told of lines that have no result, or no custom id, by their numbers', async () => {
    const response = await fetch(`${app.url}/files?name=x.jsonl`, {
      method: 'POST',
      headers: anna,
      body: [line('a', said('x')), { id: 'b', custom_id: 'b' }, { id: 'c', error: {} }]
        .map((one) => JSON.stringify(one))
        .join('\n'),
    });

    expect(await response.json()).toMatchObject({
      itemCount: 1,
      rejections: [
        { row: 2, reason: expect.stringContaining('neither') },
        { row: 3, reason: expect.stringContaining('custom id') },
      ],
    });
  });
});
