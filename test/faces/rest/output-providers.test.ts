/**
 * Results as OpenAI's and Anthropic's batch APIs give them, of every operation and provider, and
 * back through parseResults.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ItemErrorCode } from '../../../src/core/errors.ts';
import { openDatabase } from '../../../src/db/driver/client.ts';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, refusal, type StubProvider } from '../../support/stub-provider.ts';
import {
  type Data,
  labelOptions,
  readLines,
  submitMutation,
  untilEnded,
} from '../graphql/support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(() => ({ DEFAULT_MODEL: 'stub/größe' })));
});
afterAll(() => app.stop());

const formats = ['openai_jsonl', 'anthropic_jsonl'] as const;

async function submit(operation: object, source: object, input: object = {}): Promise<string> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation, source, ...input },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  await untilEnded(app, id);
  return id;
}

async function download(id: string, format: string, query = ''): Promise<string> {
  const response = await fetch(`${app.url}/batches/${id}/output?format=${format}${query}`);
  expect(response.status).toBe(200);
  return await response.text();
}

/** What a file of results says, as it is found and read when it is uploaded. */
async function parseFile(text: string, variables: object = {}): Promise<Data[]> {
  const response = await fetch(`${app.url}/files?name=results.jsonl`, {
    method: 'POST',
    body: text,
  });
  const file = (await response.json()) as Data;
  expect(file).toMatchObject({ format: 'OPENAI_RESULTS', rejectedCount: 0 });
  const { data, errors } = await app.graphql(
    `query ($fileId: ID!, $responseSchema: JSONObject, $status: [ItemStatus!]) {
       parseResults(fileId: $fileId, responseSchema: $responseSchema, status: $status) {
         edges { node { customId status output error { code message } } } } }`,
    { fileId: file.id, ...variables },
  );
  expect(errors).toBeUndefined();
  return data?.parseResults.edges.map(({ node }: Data) => node);
}

async function itemsOf(id: string): Promise<Data[]> {
  const { data } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { items(first: 1000) { edges { node {
       customId status output error { code message } } } } } }`,
    { id },
  );
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

/** An answer for every way in which one can end, by the text that is asked. */
const answers: Record<string, Data> = {
  text: completion('Grüße 価格 😀 "quoted"\n', {
    usage: { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
  }),
  empty: completion(''),
  tool: completion(null, {
    finish: 'tool_calls',
    tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'save', arguments: '{"name":"Åsa"}' } },
    ],
  }),
  both: completion('Well:', {
    finish: 'tool_calls',
    tool_calls: ['{"name":"A"}', '{"name":"B"}'].map((text, at) => ({
      id: `call_${at}`,
      type: 'function',
      function: { name: 'save', arguments: text },
    })),
  }),
  cut: completion('{"na', { finish: 'length' }),
  declined: completion(null, { refusal: 'I will not.' }),
};
const asked = [...Object.keys(answers), 'bad'];

beforeEach(() => {
  stub.reply(({ body }) => {
    const { content } = body.messages.at(-1);
    return answers[content]
      ? { body: answers[content] }
      : refusal(400, { message: 'Größe unbekannt' });
  });
});

describe('chat', () => {
  let id: string;
  beforeAll(async () => {
    stub.reply(({ body }) => {
      const answer = answers[body.messages.at(-1).content];
      return answer ? { body: answer } : refusal(400, { message: 'Größe unbekannt' });
    });
    id = await submit(
      { chat: {} },
      {
        requests: asked.map((content) => ({
          custom_id: `é-${content}`,
          body: { messages: [{ role: 'user', content }] },
        })),
      },
    );
  });

  it('has the completion as it came in OpenAI’s lines', async () => {
    const lines = readLines(await download(id, 'openai_jsonl'));

    expect(lines.map(({ custom_id }) => custom_id)).toEqual(asked.map((name) => `é-${name}`));
    for (const { response, error, custom_id } of lines.slice(0, -1)) {
      expect(response.body).toEqual(answers[custom_id.slice(2)]);
      expect(error).toBeNull();
    }
    expect(lines.at(-1)).toMatchObject({
      response: { status_code: 400, body: { error: { type: 'invalid_request_error' } } },
      error: { code: 'invalid_request', message: expect.stringContaining('Größe unbekannt') },
    });
  });

  it('has it as a message in Anthropic’s', async () => {
    const lines = readLines(await download(id, 'anthropic_jsonl'));
    const of = (name: string) =>
      lines.find(({ custom_id }) => custom_id === `é-${name}`)?.result as Data;

    expect(lines.map((line) => Object.keys(line))).toEqual(
      asked.map(() => ['custom_id', 'result']),
    );
    expect(of('text')).toEqual({
      type: 'succeeded',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'stub',
        content: [{ type: 'text', text: 'Grüße 価格 😀 "quoted"\n' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: {
          input_tokens: 6,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 4,
          cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
          output_tokens_details: { thinking_tokens: 0 },
          output_tokens: 5,
        },
      },
    });
    expect(of('both').message).toMatchObject({
      content: [
        { type: 'text', text: 'Well:' },
        { type: 'tool_use', id: 'call_0', name: 'save', input: { name: 'A' } },
        { type: 'tool_use', id: 'call_1', name: 'save', input: { name: 'B' } },
      ],
      stop_reason: 'tool_use',
    });
    expect(of('cut').message.stop_reason).toBe('max_tokens');
    expect(of('declined').message.stop_reason).toBe('refusal');
    expect(of('bad')).toEqual({
      type: 'errored',
      error: {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: expect.stringContaining('Größe unbekannt'),
          code: 'invalid_request',
        },
        request_id: expect.stringMatching(/^req_\w+_\d+$/),
      },
    });
  });

  it.each(formats)('says the same when its %s is uploaded and parsed', async (format) => {
    const text = await download(id, format);
    const plain = await parseFile(text);
    const typed = await parseFile(text, { responseSchema: { name: 'string' } });
    const items = await itemsOf(id);

    expect(plain.map(({ customId, output, error }) => [customId, output ?? error.code])).toEqual([
      ['é-text', 'Grüße 価格 😀 "quoted"\n'],
      ['é-empty', ''],
      ['é-tool', { name: 'Åsa' }],
      ['é-both', [{ name: 'A' }, { name: 'B' }]],
      ['é-cut', 'TRUNCATED'],
      ['é-declined', 'REFUSED'],
      ['é-bad', 'INVALID_REQUEST'],
    ]);
    expect(plain.at(-1)?.error).toEqual(items.at(-1)?.error);
    expect(typed.map(({ output, error }) => output ?? error.code)).toEqual([
      'INVALID_OUTPUT',
      'INVALID_OUTPUT',
      { name: 'Åsa' },
      'INVALID_OUTPUT',
      'TRUNCATED',
      'REFUSED',
      'INVALID_REQUEST',
    ]);
  });

  it.each(formats)('has successes and failures apart in %s, and after an index', async (format) => {
    const ids = async (query: string) =>
      readLines(await download(id, format, query)).map(({ custom_id }) => custom_id);

    expect(await ids('&status=failed')).toEqual(['é-bad']);
    expect(await ids('&status=succeeded&after=3')).toEqual(['é-cut', 'é-declined']);
    const all = await download(id, format);
    expect((await parseFile(all, { status: ['FAILED'] })).map(({ customId }) => customId)).toEqual([
      'é-cut',
      'é-declined',
      'é-bad',
    ]);
    expect(await parseFile(all, { status: ['SUCCEEDED'] })).toHaveLength(4);
  });
});

describe('every other operation', () => {
  const texts = ['I love it, thank you!', 'Größe ist "falsch".', 'Terrible 😀'];

  it.each<[string, object]>([
    ['label', { label: { ...labelOptions, model: 'sandbox/rules' } }],
    ['extract', { extract: { schema: { product: 'string?' }, model: 'sandbox/rules' } }],
    ['summarize', { summarize: { model: 'sandbox/rules' } }],
    ['run', { run: { instructions: 'Repeat.', model: 'sandbox/rules' } }],
  ])('%s says the same in both shapes, uploaded and parsed again', async (_name, operation) => {
    const id = await submit(operation, {
      items: texts.map((content, at) => ({ content, customId: `ü${at}` })),
    });
    const items = await itemsOf(id);

    for (const format of formats) {
      const parsed = await parseFile(await download(id, format));

      expect(parsed.map(({ customId, status }) => [customId, status])).toEqual(
        texts.map((_, at) => [`ü${at}`, 'SUCCEEDED']),
      );
      for (const [at, { output }] of parsed.entries()) {
        const own = items[at]?.output;
        const isText = Object.keys(own).length === 1 && ['summary', 'text'].some((n) => n in own);
        if (isText) expect(output).toBe(Object.values(own)[0]);
        else expect(JSON.parse(output)).toEqual(own);
      }
    }
  });

  it('is a message with the batch’s model and what it cost', async () => {
    const id = await submit({ run: { instructions: 'x' } }, { texts: ['text'] });
    const [line] = readLines(await download(id, 'anthropic_jsonl'));

    expect(line?.result.message).toEqual({
      id: `msg_${id.slice('batch_'.length)}_0`,
      type: 'message',
      role: 'assistant',
      model: 'stub/größe',
      content: [{ type: 'text', text: 'Grüße 価格 😀 "quoted"' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: {
        input_tokens: 6,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 4,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens_details: { thinking_tokens: 0 },
        output_tokens: 5,
      },
    });
  });
});

describe('an error', () => {
  /** Of every code: the status and type that OpenAI's API would have answered with. */
  const told: Record<ItemErrorCode, [status: number, type: string]> = {
    INVALID_OUTPUT: [500, 'server_error'],
    TRUNCATED: [400, 'invalid_request_error'],
    REFUSED: [400, 'invalid_request_error'],
    CONTENT_FILTERED: [400, 'invalid_request_error'],
    CONTEXT_TOO_LONG: [400, 'invalid_request_error'],
    INVALID_REQUEST: [400, 'invalid_request_error'],
    TEMPLATE_FIELD_MISSING: [400, 'invalid_request_error'],
    RATE_LIMITED: [429, 'requests'],
    TIMEOUT: [504, 'server_error'],
    PROVIDER_ERROR: [500, 'server_error'],
    WORKER_CRASHED: [500, 'server_error'],
    EMPTY_CONTENT: [400, 'invalid_request_error'],
    INTERNAL: [500, 'server_error'],
  };
  const codes = Object.keys(told);

  async function failWithEachCode(): Promise<string> {
    const id = await submit({ run: { instructions: 'x' } }, { texts: codes.map(() => 'bad') });
    const db = openDatabase(app.databaseUrl);
    await db.sql`
      update results r set error_code = c.code, error_message = 'Größe: ' || c.code
      from batches b, unnest(${codes}::text[]) with ordinality as c(code, place)
      where b.id = ${id} and r.batch_key = b.key and r.index = c.place - 1`;
    await db.close();
    return id;
  }

  it('has a response and an error with one message, and every code is found again', async () => {
    const id = await failWithEachCode();
    const lines = readLines(await download(id, 'openai_jsonl'));

    expect(lines).toEqual(
      Object.entries(told).map(([name, [status_code, type]], index) => {
        const code = name.toLowerCase();
        const message = `Größe: ${name}`;
        return {
          id: `batch_req_${id.slice('batch_'.length)}_${index}`,
          custom_id: String(index),
          response: {
            status_code,
            request_id: expect.stringMatching(/^req_/),
            body: { error: { message, type, param: null, code } },
          },
          error: { code, message },
        };
      }),
    );
    for (const format of formats) {
      const parsed = await parseFile(await download(id, format));
      expect(parsed.map(({ error }) => error.code)).toEqual(codes);
    }
  });

  it('is read from the response where a tool kept no more than that', async () => {
    const id = await failWithEachCode();
    const lines = readLines(await download(id, 'openai_jsonl'));
    const cut = lines.map((line) => JSON.stringify({ ...line, error: null })).join('\n');

    expect((await parseFile(cut)).map(({ error }) => error.code)).toEqual(codes);
  });
});

describe('what was never answered', () => {
  const draft = { autoStart: false };
  const source = { texts: ['a', 'b'] };
  const operation = { run: { instructions: 'x' } };

  it('is in no file before it has ended, and then cancelled or expired in the provider’s words', async () => {
    const { data } = await app.graphql(submitMutation, {
      input: { operation, source, ...draft, customIdPrefix: 'p-' },
    });
    const id = data?.submitBatch.batch.id as string;
    for (const format of formats) expect(await download(id, format)).toBe('');
    await app.graphql('mutation ($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id);
    const expired = await submit(operation, source, { ...draft, expiresInSeconds: 1 });

    expect(await download(id, 'anthropic_jsonl')).toBe(
      '{"custom_id":"p-0","result":{"type":"canceled"}}\n{"custom_id":"p-1","result":{"type":"canceled"}}\n',
    );
    expect(readLines(await download(expired, 'anthropic_jsonl'))).toEqual(
      ['0', '1'].map((custom_id) => ({ custom_id, result: { type: 'expired' } })),
    );
    for (const format of formats) {
      for (const [batch, status] of [
        [id, 'CANCELLED'],
        [expired, 'EXPIRED'],
      ] as const) {
        const parsed = await parseFile(await download(batch, format));
        expect(parsed.map((one) => one.status)).toEqual([status, status]);
      }
    }
  });
});

describe('the download', () => {
  it.each(formats)(
    'of %s is an attachment of lines, with a key or a link alike',
    async (format) => {
      const id = await submit({ run: { instructions: 'x' } }, { texts: ['text'] });
      const { data } = await app.graphql(
        `query ($id: ID!) { batch(id: $id) { outputUrl(format: ${format.toUpperCase()}, status: SUCCEEDED) } }`,
        { id },
      );
      const linked = await fetch(data?.batch.outputUrl);
      const text = await linked.text();

      expect(linked.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
      expect(linked.headers.get('content-disposition')).toBe(`attachment; filename="${id}.jsonl"`);
      expect(text).toBe(await download(id, format));
      expect(readLines(text)).toHaveLength(1);
      const refused = await fetch(
        `${app.url}/batches/${id}/output?format=${format}&include=request`,
      );
      expect([refused.status, await refused.text()]).toEqual([
        400,
        expect.stringContaining('json or jsonl'),
      ]);
    },
  );
});
