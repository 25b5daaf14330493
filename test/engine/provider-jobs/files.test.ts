/**
 * Files written for a provider's batch API, through that API: unchanged in, and back as that
 * provider writes its results.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../support/app.ts';
import { readItems, untilEnded } from '../worker/support.ts';
import { startProviderJobApp } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startProviderJobApp();
});
afterAll(() => app.stop());

const labels = ['praise', 'complaint'];
const parameters = {
  type: 'object',
  properties: { label: { type: 'string', enum: labels } },
  required: ['label'],
  additionalProperties: false,
};
const texts = ['I love it', 'It is broken', 'bad request'];

const openAiLines = texts.map((content, row) => ({
  custom_id: `row-${row}`,
  method: 'POST',
  url: '/v1/chat/completions',
  body: {
    model: 'rules',
    messages: [{ role: 'user', content }],
    max_completion_tokens: 50,
    tools: [{ type: 'function', function: { name: 'classify', strict: true, parameters } }],
    tool_choice: { type: 'function', function: { name: 'classify' } },
  },
}));
const anthropicLines = texts.map((content, row) => ({
  custom_id: `row-${row}`,
  params: {
    model: 'rules',
    max_tokens: 50,
    messages: [{ role: 'user', content }],
    tools: [{ name: 'classify', input_schema: parameters }],
    tool_choice: { type: 'tool', name: 'classify' },
  },
}));

/** Uploads lines as a batch of chat for a provider, and waits for its end. Returns its id. */
async function run(lines: readonly object[], fields: Record<string, string> = {}): Promise<string> {
  const form = new FormData();
  for (const [name, value] of Object.entries({ operation: 'chat', ...fields }))
    form.set(name, value);
  form.set('file', new File([lines.map((line) => JSON.stringify(line)).join('\n')], 'in.jsonl'));
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  const { batchId, ...rest } = (await response.json()) as { batchId?: string };
  if (!batchId) throw new Error(JSON.stringify(rest));
  await untilEnded(app, batchId);
  return batchId;
}

async function output(id: string, query: string): Promise<any[]> {
  const response = await fetch(`${app.url}/batches/${id}/output?${query}`);
  const text = await response.text();
  return text.trimEnd() === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
}

/** The row that no provider takes. */
function refuseOne(): () => void {
  return app.sandbox.faults.add({
    fault: { kind: 'status', status: 400, message: 'not this one' },
    when: ({ text }) => text === 'bad request',
  });
}

test.each(['live', 'provider_batch'])(
  'a file for OpenAI’s batch API comes back as OpenAI’s lines: %s',
  async (execution) => {
    const allowAll = refuseOne();
    const id = await run(openAiLines, { execution, customIdPrefix: 'run-1/' });
    allowAll();

    const good = await output(id, 'format=openai_jsonl&status=succeeded');
    const bad = await output(id, 'format=openai_jsonl&status=failed');
    expect(good.map(({ custom_id }) => custom_id)).toEqual(['run-1/row-0', 'run-1/row-1']);
    for (const { response, error } of good) {
      expect(error).toBeNull();
      expect(response.status_code).toBe(200);
      const [call] = response.body.choices[0].message.tool_calls;
      expect(call.function.name).toBe('classify');
    }
    for (const line of good) expect(labels).toContain(argumentsOf(line).label);
    expect(bad).toMatchObject([{ custom_id: 'run-1/row-2', error: { code: 'invalid_request' } }]);
  },
);

function argumentsOf({ response }: any): { label: string } {
  return JSON.parse(response.body.choices[0].message.tool_calls[0].function.arguments);
}

test.each(['live', 'provider_batch'])(
  'a file for Anthropic’s batch API comes back in either shape: %s',
  async (execution) => {
    const allowAll = refuseOne();
    const id = await run(anthropicLines, { execution, model: 'anthropic/rules' });
    allowAll();

    const own = await output(id, 'format=anthropic_jsonl');
    const openAi = await output(id, 'format=openai_jsonl&status=succeeded');
    expect(own.map(({ custom_id, result }) => [custom_id, result.type])).toEqual([
      ['row-0', 'succeeded'],
      ['row-1', 'succeeded'],
      ['row-2', 'errored'],
    ]);
    expect(own[0].result.message).toMatchObject({
      type: 'message',
      content: [{ type: 'tool_use', name: 'classify', input: { label: expect.any(String) } }],
    });
    expect(openAi).toHaveLength(2);
    for (const line of openAi) expect(labels).toContain(argumentsOf(line).label);
  },
);

test('what a provider job could not answer is found by its id, with the request as sent, and can be handed over again', async () => {
  const allowAll = refuseOne();
  const id = await run(openAiLines, { execution: 'provider_batch' });
  const { data } = await app.graphql(
    `query($id: ID!) { batch(id: $id) { items(customIds: ["row-2"]) { edges { node { customId status request } } } } }`,
    { id },
  );
  allowAll();
  const failed = await output(id, 'format=jsonl&status=failed&include=request');
  const again = await run(failed, { execution: 'provider_batch' });

  expect(data?.batch.items.edges).toMatchObject([
    { node: { customId: 'row-2', status: 'FAILED', request: openAiLines[2]?.body } },
  ]);
  expect(failed).toHaveLength(1);
  expect((await readItems(app, again)).map(({ customId, status }) => [customId, status])).toEqual([
    ['row-2', 'SUCCEEDED'],
  ]);
});

test('requests of a provider job go to the provider as they came', async () => {
  const sent: any[] = [];
  const stopLooking = app.sandbox.faults.add({
    fault: { kind: 'latency', ms: 0 },
    when: ({ batchId, body }) => {
      if (batchId !== null) sent.push(body);
      return false;
    },
  });
  await run(openAiLines, { execution: 'provider_batch' });
  await run(anthropicLines, { execution: 'provider_batch', model: 'anthropic/rules' });
  stopLooking();

  const byText = (a: any, b: any) =>
    JSON.stringify(a.messages) < JSON.stringify(b.messages) ? -1 : 1;
  const [first, second] = [sent.slice(0, 3).sort(byText), sent.slice(3).sort(byText)];
  expect(first).toEqual(openAiLines.map(({ body }) => body).sort(byText));
  expect(second).toEqual(anthropicLines.map(({ params }) => params).sort(byText));
});
