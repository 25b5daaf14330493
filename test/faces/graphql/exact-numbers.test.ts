/**
 * Numbers that JavaScript would round: from a model's answer and from a request, through the
 * database, to every output.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider, type StubReply } from '../../support/stub-provider.ts';
import { type AnswerCase, caseText, readCase, runCase } from './case-support.ts';
import { type Data, post, submitMutation, untilEnded } from './support.ts';

const digits = '12345678901234567890';
const odd = '9007199254740993';
const decimal = '0.12345678901234567890123';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ origin }) => ({ ANTHROPIC_BASE_URL: origin })));
});
afterAll(() => app.stop());

const run = (given: AnswerCase, more: Record<string, unknown> = {}) =>
  runCase(app, stub, given, { more });

const extract = (schema: object, answer: string): AnswerCase => ({
  operation: 'extract',
  options: { schema },
  item: 'A text',
  answers: [answer],
});

describe('a number in an answer', () => {
  it('that no integer can hold fails its item, at once, and says what to do', async () => {
    const { result, text, requests } = await run(readCase('big-number.answer.json'));

    expect(result).toMatchObject({ data: null, error: { code: 'INVALID_OUTPUT' } });
    expect(result.error.message).toContain('order_id');
    expect(result.error.message).toContain('write it as a string');
    expect(text).not.toContain('12345678901234567000');
    expect(requests).toBe(1);
  });

  it('is its digits where text is wanted', async () => {
    const { result, requests } = await run(readCase('big-number-in-text.answer.json'));

    expect(result).toMatchObject({ data: { order_id: odd }, error: null });
    expect(requests).toBe(1);
  });

  it('is its digits in lists, nested objects and alternatives of text, and as a valid value', async () => {
    const schema = {
      type: 'object',
      properties: {
        ids: { type: 'array', items: { type: 'string', pattern: '^\\d+$' } },
        order: { type: 'object', properties: { id: { type: ['string', 'null'] } } },
        kind: { enum: ['1', odd] },
      },
    };
    const { result, requests } = await run(
      extract(schema, `{"ids": [${digits}, 5], "order": {"id": ${odd}}, "kind": ${odd}}`),
    );

    expect(result.data).toEqual({ ids: [digits, '5'], order: { id: odd }, kind: odd });
    expect(requests).toBe(1);
  });

  it.each([
    ['number', digits],
    ['number', decimal],
    ['number', `-${digits}.5`],
    ['number', '1.00000000000000000001e3'],
  ])('of type %s keeps all digits of %s', async (type, number) => {
    const { text, result } = await run(extract({ n: type }, `{"n": ${number}}`));

    expect(result.error).toBeNull();
    expect(text).toContain(`"data":{"n":${number}}`);
  });

  it.each([
    ['1.50', '1.50'],
    ['1e3', '1e3'],
    ['-0', '-0'],
    ['0.0000001', '0.0000001'],
    ['1.10', '1.10'],
  ])('is the text that it was written as where text is wanted: %s', async (number, written) => {
    const { result } = await run(extract({ version: 'string' }, `{"version": ${number}}`));

    expect(result.data).toEqual({ version: written });
  });

  it('that stands as text is held to the same: its digits, or what to do', async () => {
    const number = await run(extract({ n: 'number' }, `{"n": "${decimal}"}`));
    const integer = await run(extract({ n: 'integer' }, `{"n": "${digits}"}`));

    expect(number.text).toContain(`"data":{"n":${decimal}}`);
    expect(integer.result.error.message).toContain('write it as a string');
    expect(integer.requests).toBe(1);
  });

  it('that comes back the same in another form is a number like any other', async () => {
    const { result } = await run(extract({ n: 'integer', f: 'number' }, '{"n": 1e3, "f": 1.50}'));

    expect(result.data).toEqual({ n: 1000, f: 1.5 });
  });

  it('keeps its digits in an object of any shape, and as a number of enrich', async () => {
    const free = await run({
      operation: 'run',
      options: { responseFormat: { type: 'JSON_OBJECT' }, instructions: 'List ids.' },
      item: 'A text',
      answers: [`Here: {"ids": [${odd}, {"of": ${decimal}}]}`],
    });
    const field = await run({
      operation: 'enrich',
      options: { fields: [{ name: 'n', type: 'NUMERIC' }, { name: 't' }] },
      item: 'A text',
      answers: [`{"n": ${decimal}, "t": ${odd}}`],
    });

    expect(free.text).toContain(`"data":{"ids":[${odd},{"of":${decimal}}]}`);
    expect(field.text).toContain(`"data":{"n":${decimal},"t":"${odd}"}`);
    expect(field.requests).toBe(1);
  });

  it('that is no finite one is refused', async () => {
    const { result } = await run(extract({ n: 'number' }, '{"n": 1e999}'));

    expect(result.error.code).toBe('INVALID_OUTPUT');
  });

  it('keeps its digits in what a batch stores and in every output of it', async () => {
    const id = await submit(
      { run: { responseFormat: { type: 'JSON_OBJECT' }, instructions: 'List ids.' } },
      { texts: ['A text'] },
      { body: completion(`{"id": ${odd}, "share": ${decimal}}`) },
    );

    const { text } = await post(app, {
      query:
        'query($id: ID!) { batch(id: $id) { items { nodes: edges { node { output result { ... on RunResult { data } } } } } } }',
      variables: { id },
    });
    const stored = `{"id":${odd},"share":${decimal}}`;
    expect(text.split(stored)).toHaveLength(3);
    const events = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({
        query: `subscription { batchResults(id: ${JSON.stringify(id)}) { items { output } } }`,
      }),
    });
    expect(await events.text()).toContain(`"output":${stored}`);
    expect(await output(id, 'jsonl')).toContain(`"output":${stored}`);
    expect(await output(id, 'csv')).toContain(stored.replaceAll('"', '""'));
    expect(await output(id, 'openai_jsonl')).toContain(JSON.stringify(stored).slice(1, -1));
  });

  it('keeps its digits in the columns of a schema', async () => {
    const id = await submit(
      { extract: { schema: { a: 'number', list: 'number[]' } } },
      { texts: ['A text'] },
      { body: completion(`{"a": ${decimal}, "list": [${digits}]}`) },
    );

    expect(await output(id, 'csv')).toContain(`,${decimal},[${digits}],`);
  });
});

describe('a number in a request and in a tool call', () => {
  const called = (given: string): StubReply => {
    const tool_calls = [
      { id: 'c1', type: 'function', function: { name: 'Order', arguments: given } },
    ];
    return { body: completion(null, { finish: 'tool_calls', tool_calls }) };
  };

  it('is sent and stored with every digit', async () => {
    const fileId = await upload('big.jsonl', caseText('big-number-tool-call.jsonl'));
    const id = await submit({ chat: {} }, { fileId }, called(`{"order_id": ${odd}}`));

    expect(stub.requests[0]?.text).toContain(`"seed":${digits}`);
    expect(await output(id, 'jsonl')).toContain(`{\\"order_id\\": ${odd}}`);
    expect(await output(id, 'anthropic_jsonl')).toContain(`"input":{"order_id":${odd}}`);
  });

  it('has its digits in a history that is translated for the other provider', async () => {
    const anthropic = caseText('tool-result-image.jsonl').replace('claude-x', 'stub/other');
    const toOpenAi = await upload('shot.jsonl', anthropic);
    await submit({ chat: {} }, { fileId: toOpenAi }, { body: completion('ok') });
    expect(stub.requests[0]?.text).toContain(`"arguments":"{\\"n\\":${digits}}"`);

    const call = {
      id: 'c1',
      type: 'function',
      function: { name: 'f', arguments: `{"n": ${odd}}` },
    };
    const messages = [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ];
    const toAnthropic = await upload(
      'go.jsonl',
      JSON.stringify({ custom_id: 'a', body: { messages } }),
    );
    await submit(
      { chat: { model: 'anthropic/claude-x' } },
      { fileId: toAnthropic },
      { body: message(`[{"type": "text", "text": "ok"}]`) },
    );
    expect(stub.requests[0]?.text).toContain(`"input":{"n":${odd}}`);
  });

  it('keeps its digits in an answer of Anthropic, stored, validated, and as a completion', async () => {
    const use = `[{"type": "tool_use", "id": "t1", "name": "f", "input": {"n": ${odd}, "f": ${decimal}}}]`;
    const source = { requests: [{ messages: [{ role: 'user', content: 'go' }] }] };
    const model = 'anthropic/claude-x';
    const stored = await submit({ chat: { model } }, source, { body: message(use) });
    const held = await submit(
      { chat: { model, responseSchema: { n: 'string', f: 'number' } } },
      source,
      { body: message(use) },
    );

    expect(await output(stored, 'jsonl')).toContain(`"input":{"n":${odd},"f":${decimal}}`);
    expect(await output(stored, 'openai_jsonl')).toContain(`{\\"n\\":${odd},\\"f\\":${decimal}}`);
    expect(await output(held, 'jsonl')).toContain(`"data":{"n":"${odd}","f":${decimal}}`);
  });
});

describe('a number in a file of results', () => {
  const query = `query($fileId: ID!, $responseSchema: JSONObject) {
    parseResults(fileId: $fileId, responseSchema: $responseSchema) {
      edges { node { customId status output error { code message } } } } }`;
  const parse = async (responseSchema: object | null) => {
    const fileId = await upload('results.jsonl', caseText('results-mixed.jsonl'));
    const { body, text } = await post(app, { query, variables: { fileId, responseSchema } });
    const nodes = body.data?.parseResults.edges.map(({ node }: Data) => node);
    return { text, of: (id: string) => nodes.find(({ customId }: Data) => customId === id) };
  };

  it('keeps its digits, and a thought and another order of choices are no matter', async () => {
    const { text, of } = await parse({ order_id: 'integer' });

    expect(text).toContain(`"customId":"big","status":"SUCCEEDED","output":{"order_id":${digits}}`);
    expect(text).toContain(`"customId":"tool","status":"SUCCEEDED","output":{"order_id":${odd}}`);
    expect(of('second-first').output).toEqual({ order_id: 1 });
    expect(of('think').output).toEqual({ order_id: 5 });
  });

  it('is its digits where text is wanted', async () => {
    const { of } = await parse({ order_id: 'string' });

    expect(['big', 'second-first', 'tool', 'think'].map((id) => of(id).output.order_id)).toEqual([
      digits,
      '1',
      odd,
      '5',
    ]);
  });

  it('is what it was without a schema', async () => {
    const { text, of } = await parse(null);

    expect(of('big').output).toBe(`{"order_id": ${digits}}`);
    expect(text).toContain(`"customId":"tool","status":"SUCCEEDED","output":{"order_id":${odd}}`);
    expect(of('second-first').output).toBe('{"order_id": 1}');
  });
});

describe('of several choices the one with index 0', () => {
  const choice = (index: number, content: string) => ({
    index,
    finish_reason: 'stop',
    message: { role: 'assistant', content },
  });
  const body = { ...completion(''), choices: [choice(1, '{"n": 2}'), choice(0, '{"n": 1}')] };

  it('is the answer of an operation', async () => {
    const { result } = await runCase(app, stub, extract({ n: 'integer' }, ''), {
      reply: () => ({ body }),
    });

    expect(result.data).toEqual({ n: 1 });
  });

  it('is the answer of chat, and its message in the other shape', async () => {
    const source = { requests: [{ messages: [{ role: 'user', content: 'go' }] }] };
    const id = await submit({ chat: { responseSchema: { n: 'integer' } } }, source, { body });

    const [record = ''] = (await output(id, 'jsonl')).split('\n');
    expect(JSON.parse(record).output).toMatchObject({ text: '{"n": 1}', data: { n: 1 } });
    const message = JSON.parse(await output(id, 'anthropic_jsonl')).result.message;
    expect(message.content).toEqual([{ type: 'text', text: '{"n": 1}' }]);
  });
});

/** A message of Anthropic's, its content as JSON text. */
function message(content: string): string {
  return `{"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": ${content},
    "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}}`;
}

/** Submits a batch whose items are answered so, and waits for its end. */
async function submit(operation: object, source: object, reply: StubReply): Promise<string> {
  stub.requests.length = 0;
  stub.reply(reply);
  const answer = await app.graphql(submitMutation, { input: { operation, source } });
  expect(answer.errors).toBeUndefined();
  const id = answer.data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED', counts: { failed: 0 } });
  return id;
}

async function upload(name: string, body: string): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  expect(response.status).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

async function output(id: string, format: string): Promise<string> {
  return await (await fetch(`${app.url}/batches/${id}/output?format=${format}`)).text();
}
