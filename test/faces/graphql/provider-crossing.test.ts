/**
 * Requests written for either provider, run at either, and results in either shape: every
 * combination says the same.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider, type StubRequest } from '../../support/stub-provider.ts';
import { type Data, readLines, submitMutation, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp(({ origin }) => ({ ANTHROPIC_BASE_URL: origin })));
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.requests.length = 0;
  stub.reply(answer);
});

const isAnthropic = ({ url }: Pick<StubRequest, 'url'>) => url.endsWith('/v1/messages');

const message = (content: unknown[], more: object = {}) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-4-5',
  content,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 5 },
  container: null,
  ...more,
});

const person = { name: 'Åsa 😀' };

/**
 * Saves the person where a tool is there for it, refuses "bad", repeats everything else; as the
 * provider that is asked does.
 */
function answer(request: StubRequest) {
  const { messages, tools } = request.body;
  const text = JSON.stringify(messages.at(-1).content);
  const ofAnthropic = isAnthropic(request);
  if (text.includes('bad')) {
    const error = { type: 'invalid_request_error', message: 'bad request' };
    return { status: 400, body: ofAnthropic ? { type: 'error', error } : { error } };
  }
  if (!tools) {
    return { body: ofAnthropic ? message([{ type: 'text', text: 'Grüße' }]) : completion('Grüße') };
  }
  if (ofAnthropic) {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'save', input: person };
    return { body: message([call], { stop_reason: 'tool_use' }) };
  }
  const called = { name: 'save', arguments: JSON.stringify(person) };
  const tool_calls = [{ id: 'call_1', type: 'function', function: called }];
  return { body: completion(null, { finish: 'tool_calls', tool_calls }) };
}

const parameters = { type: 'object', properties: { name: { type: 'string' } } };
const user = (content: string) => ({ role: 'user', content });
const lines = {
  OpenAI: (custom_id: string, text: string, withTool = false) => ({
    custom_id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: {
      max_tokens: 9,
      messages: [{ role: 'system', content: 'Be brief.' }, user(text)],
      ...(withTool
        ? {
            tools: [{ type: 'function', function: { name: 'save', parameters } }],
            tool_choice: { type: 'function', function: { name: 'save' } },
          }
        : {}),
    },
  }),
  Anthropic: (custom_id: string, text: string, withTool = false) => ({
    custom_id,
    params: {
      max_tokens: 9,
      system: 'Be brief.',
      messages: [user(text)],
      ...(withTool
        ? {
            tools: [{ name: 'save', input_schema: parameters }],
            tool_choice: { type: 'tool', name: 'save' },
          }
        : {}),
    },
  }),
};
const models = { OpenAI: 'stub/base', Anthropic: 'anthropic/claude-haiku-4-5' };
const combinations = (['OpenAI', 'Anthropic'] as const).flatMap((from) =>
  (['OpenAI', 'Anthropic'] as const).map((to) => [from, to] as const),
);

async function upload(rows: string | readonly object[]): Promise<string> {
  const body = typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n');
  const response = await fetch(`${app.url}/files?name=x.jsonl`, { method: 'POST', body });
  return ((await response.json()) as Data).id;
}

async function run(fileId: string, options: object): Promise<string> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation: { chat: options }, source: { fileId } },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
  return id;
}

async function itemsOf(id: string): Promise<Data[]> {
  const { data } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { items { edges { node {
       customId status request output usage { inputTokens cachedInputTokens outputTokens } result { ... on ChatResult { text data response } } } } } } }`,
    { id },
  );
  return data?.batch.items.edges.map(({ node }: Data) => node);
}

const output = async (id: string, query: string): Promise<string> =>
  await (await fetch(`${app.url}/batches/${id}/output?${query}`)).text();

async function parseFile(text: string): Promise<Data[]> {
  const { data } = await app.graphql(
    'query ($id: ID!) { parseResults(fileId: $id) { edges { node { customId status output error { code } } } } }',
    { id: await upload(text) },
  );
  return data?.parseResults.edges.map(({ node }: Data) => node);
}

describe.each(combinations)('lines of %s, run at %s', (from, to) => {
  const line = lines[from];

  it('are sent as the provider takes them, and are so told', async () => {
    const fileId = await upload([line('text', 'Hi'), line('tool', 'Save it', true)]);
    const id = await run(fileId, { model: models[to] });
    const items = await itemsOf(id);

    expect(stub.requests.map(isAnthropic)).toEqual([to === 'Anthropic', to === 'Anthropic']);
    for (const { request } of items) {
      const { model: _model, ...own } = request;
      const sent = stub.requests.map(({ body }) => body);
      expect(sent).toContainEqual(request);
      // In the shape that they came in they stay what they are.
      const { params, body } = line('x', request.tools ? 'Save it' : 'Hi', !!request.tools) as Data;
      if (from === to) expect(own).toMatchObject(params ?? body);
      if (to === 'Anthropic') expect(request.system).toEqual(expect.anything());
      else expect(request.messages[0]).toEqual({ role: 'system', content: 'Be brief.' });
      if (!request.tools) continue;
      const [tool] = request.tools;
      expect(to === 'Anthropic' ? tool.input_schema : tool.function.parameters).toEqual(parameters);
      expect(request.tool_choice.name ?? request.tool_choice.function.name).toBe('save');
    }
  });

  it('give the same results in both shapes, and from both files again', async () => {
    const fileId = await upload([
      line('text', 'Hi'),
      line('tool', 'Save it', true),
      line('bad', 'bad'),
    ]);
    const id = await run(fileId, { model: models[to] });
    const openai = await output(id, 'format=openai_jsonl');
    const anthropic = await output(id, 'format=anthropic_jsonl');
    const own = (await itemsOf(id)).map(({ output: answered }) => answered?.response);

    const completions = readLines(openai).map(({ response }) => response?.body);
    const messages = readLines(anthropic).map(({ result }) => result.message);
    expect((to === 'Anthropic' ? messages : completions).slice(0, 2)).toEqual(own.slice(0, 2));
    expect(completions[0]).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Grüße' }, finish_reason: 'stop' }],
    });
    expect(completions[1].choices[0]).toMatchObject({
      message: { tool_calls: [{ function: { name: 'save' } }] },
      finish_reason: 'tool_calls',
    });
    expect(messages[0]).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'Grüße' }],
      stop_reason: 'end_turn',
    });
    expect(messages[1]).toMatchObject({
      content: [{ type: 'tool_use', name: 'save', input: person }],
      stop_reason: 'tool_use',
    });
    expect(completions[0].usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 5 });
    expect(messages[0].usage.output_tokens).toBe(5);
    for (const text of [openai, anthropic]) {
      expect(await parseFile(text)).toMatchObject([
        { customId: 'text', status: 'SUCCEEDED', output: 'Grüße' },
        { customId: 'tool', status: 'SUCCEEDED', output: person },
        { customId: 'bad', status: 'FAILED', error: { code: 'INVALID_REQUEST' } },
      ]);
    }
  });

  it('are held to a schema, in the arguments of their tool call', async () => {
    const fileId = await upload([line('tool', 'Save it', true), line('text', 'Hi')]);
    const id = await run(fileId, { model: models[to], responseSchema: { name: 'string' } });
    const items = await itemsOf(id);

    expect(items.map(({ status, result }) => [status, result?.data])).toEqual([
      ['SUCCEEDED', person],
      ['FAILED', null],
    ]);
  });

  it('that failed there are run at the other provider, as they were sent', async () => {
    const fileId = await upload([line('text', 'Hi'), line('b', 'bad', true)]);
    const id = await run(fileId, { model: models[to] });
    const failed = await output(id, 'status=failed&include=request');
    stub.reply((request) =>
      answer({ ...request, body: { ...request.body, messages: [user('x')] } }),
    );
    stub.requests.length = 0;

    const other = to === 'OpenAI' ? 'Anthropic' : 'OpenAI';
    const again = await run(await upload(failed), { model: models[other] });

    expect((await itemsOf(again)).map(({ customId, status }) => [customId, status])).toEqual([
      ['b', 'SUCCEEDED'],
    ]);
    expect(stub.requests.map(isAnthropic)).toEqual([other === 'Anthropic']);
    const [{ body } = { body: {} }] = stub.requests;
    expect(JSON.stringify([body.system, body.messages])).toContain('Be brief.');
    expect(body.tools).toHaveLength(1);
  });
});

describe('rows that name their own model', () => {
  it('go to Anthropic where they are written for it, and else to the batch’s provider', async () => {
    const named = (line: Data, model: string): Data =>
      line.params
        ? { ...line, params: { ...line.params, model } }
        : { ...line, body: { ...line.body, model } };
    const sentTo = async (rows: Data[]) => {
      stub.requests.length = 0;
      const id = await run(await upload(rows), {});
      const { data } = await app.graphql('query ($id: ID!) { batch(id: $id) { model } }', { id });
      const sent = stub.requests.map((one) => [isAnthropic(one), one.body.model]);
      return [data?.batch.model, ...sent];
    };

    expect(await sentTo([named(lines.Anthropic('a', 'Hi'), 'claude-sonnet-4-5')])).toEqual([
      'anthropic/claude-sonnet-4-5',
      [true, 'claude-sonnet-4-5'],
    ]);
    expect(await sentTo([named(lines.Anthropic('a', 'Hi'), 'stub/other')])).toEqual([
      'stub/other',
      [false, 'other'],
    ]);
    expect(await sentTo([named(lines.OpenAI('a', 'Hi'), 'claude-sonnet-4-5')])).toEqual([
      'stub/claude-sonnet-4-5',
      [false, 'claude-sonnet-4-5'],
    ]);
    expect(await sentTo([lines.Anthropic('a', 'Hi')])).toEqual(['stub/base', [false, 'base']]);
  });

  it('go to the batch’s provider where Anthropic is not configured', async () => {
    const alone = await startApp({
      PROVIDERS: JSON.stringify({ stub: { baseURL: stub.url } }),
      DEFAULT_MODEL: 'stub/base',
    });
    try {
      const { params } = lines.Anthropic('a', 'Hi');
      const { data } = await alone.graphql(submitMutation, {
        input: {
          operation: { chat: {} },
          source: { requests: [{ custom_id: 'a', params: { ...params, model: 'claude-x' } }] },
        },
      });
      await untilEnded(alone, data?.submitBatch.batch.id);

      expect(stub.requests.map((one) => [isAnthropic(one), one.body.model])).toEqual([
        [false, 'claude-x'],
      ]);
    } finally {
      await alone.stop();
    }
  });
});
