/**
 * Tool results with pictures and errors, written for Anthropic and run at a model of another
 * provider.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import type { StubProvider } from '../../support/stub-provider.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

const file = new URL('../../cases/tool-result-image.jsonl', import.meta.url);

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
afterAll(() => app.stop());
beforeEach(() => {
  stub.requests.length = 0;
});

async function run(source: object): Promise<Data> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation: { chat: {} }, source },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  expect(await untilEnded(app, id)).toMatchObject({ counts: { succeeded: 1 } });
  return stub.requests[0]?.body as Data;
}

const told = [
  { role: 'user', content: 'look at it' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 't1', type: 'function', function: { name: 'shot' } }],
  },
  { role: 'tool', tool_call_id: 't1', content: 'Error: a screenshot:' },
  {
    role: 'user',
    content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }],
  },
];

it('reach it with the picture and the error, out of a file', async () => {
  const uploaded = await fetch(`${app.url}/files?name=tool-result-image.jsonl`, {
    method: 'POST',
    body: await readFile(file),
  });
  const { id: fileId } = (await uploaded.json()) as Data;

  const sent = await run({ fileId });

  expect(sent.model).toBe('claude-x');
  expect(sent.messages).toMatchObject(told);
  expect(sent.messages[1].tool_calls[0].function.arguments).toBe('{"n":12345678901234567890}');
});

it('reach it with the picture and the error, inline', async () => {
  // GraphQL's own readers would round the number, so it is refused there.
  const request: unknown = JSON.parse((await readFile(file, 'utf8')).replace(/\d{20}/, '1'));

  const sent = await run({ requests: [request] });

  expect(sent.messages).toMatchObject(told);
});
