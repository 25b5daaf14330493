/**
 * Names with a slash at a server that speaks Anthropic's API: a router that calls its models
 * anthropic/….
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import { startWithoutList } from '../../support/without-list.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

const claude = 'anthropic/claude-x';
let sandbox: Sandbox;
let silent: Awaited<ReturnType<typeof startWithoutList>>;
beforeAll(async () => {
  sandbox = await startFaultySandbox({ models: ['rules', claude] });
  silent = await startWithoutList(sandbox.url);
});
afterAll(async () => {
  await silent.close();
  await sandbox.close();
});

async function run(app: App, execution: string): Promise<Data> {
  const requests = [claude, 'anthropic/gone', 'rules'].map((model) => ({
    custom_id: model,
    params: { model, max_tokens: 50, messages: [{ role: 'user', content: 'Good morning.' }] },
  }));
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation: { chat: {} }, source: { requests }, execution },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  await untilEnded(app, id);
  const answer = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { status items { edges { node { output error { code message } } } } } }',
    { id },
  );
  const { status, items } = (answer.data?.batch ?? {}) as Data;
  return { status, items: items.edges.map(({ node }: Data) => node) };
}

it.each([
  ['LIVE', 'lists it'],
  ['LIVE', 'lists nothing'],
  ['PROVIDER_BATCH', 'lists it'],
  ['PROVIDER_BATCH', 'lists nothing'],
])(
  '%s: a name goes whole where the server %s, and one that is not there fails alone',
  async (execution, how) => {
    const base = how === 'lists it' ? sandbox.anthropicUrl : silent.url;
    const env = {
      ANTHROPIC_BASE_URL: base,
      PROVIDER_BATCH_POLL_MS: '50',
      DEFAULT_MODEL: 'anthropic/rules',
    };
    const app = await startApp(env, { sandbox });
    try {
      const { status, items } = await run(app, execution);

      expect(status).toBe('COMPLETED');
      expect(items.map(({ output, error }: Data) => output?.response.model ?? error.code)).toEqual([
        claude,
        'INVALID_REQUEST',
        'rules',
      ]);
      expect(items[1].error.message).toContain('"gone" of anthropic');
      expect(items[1].error.message).toContain('"anthropic/gone" of anthropic');
    } finally {
      await app.stop();
    }
  },
);
