/** Query.service.models: every configured provider, and nothing that nobody knows. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type StubProvider, startStubProvider } from '../../support/stub-provider.ts';
import type { Data } from './support.ts';

let stub: StubProvider;
beforeAll(async () => {
  stub = await startStubProvider();
});
afterAll(async () => {
  await stub.close();
});
beforeEach(() => {
  stub.models = null;
});

async function modelsOf(app: App): Promise<Record<string, boolean | null>> {
  const { data, errors } = await app.graphql('{ service { models { id providerBatch } } }');
  expect(errors).toBeUndefined();
  const models: Data[] = data?.service.models;
  return Object.fromEntries(models.map(({ id, providerBatch }) => [id, providerBatch]));
}

async function withApp(env: Record<string, string>, use: (app: App) => Promise<void>) {
  const app = await startApp(env);
  try {
    await use(app);
  } finally {
    await app.stop();
  }
}

it('lists what the configuration or the server lists, and no batch API that nobody knows of', async () => {
  stub.models = ['llama', 'openai/gpt-oss-20b'];
  const env = {
    OPENAI_BASE_URL: stub.url,
    ANTHROPIC_BASE_URL: stub.origin,
    PROVIDERS: JSON.stringify({
      listed: { baseURL: stub.url, models: ['a'], batches: true },
      without: { baseURL: stub.url, batches: false },
    }),
    DEFAULT_MODEL: 'openai/llama',
  };

  await withApp(env, async (app) => {
    const before = stub.listed;
    const models = await modelsOf(app);
    await modelsOf(app);

    expect(models).toEqual({
      'openai/llama': null,
      'openai/openai/gpt-oss-20b': null,
      'anthropic/llama': null,
      'anthropic/openai/gpt-oss-20b': null,
      'listed/a': true,
      'without/llama': false,
      'without/openai/gpt-oss-20b': false,
      'sandbox/rules': true,
    });
    // Each once, for a while.
    expect(stub.listed - before).toBe(3);
  });
});

it('lists what is asked by default where a server lists nothing', async () => {
  const env = {
    OPENAI_BASE_URL: stub.url,
    ANTHROPIC_BASE_URL: stub.origin,
    PROVIDERS: '{}',
    DEFAULT_MODEL: 'openai/llama',
  };

  await withApp(env, async (app) => {
    expect(await modelsOf(app)).toEqual({
      'openai/llama': null,
      'anthropic/claude-haiku-4-5': null,
      'sandbox/rules': true,
    });
  });
});

it('knows of OpenAI’s own server', async () => {
  await withApp({ OPENAI_API_KEY: 'sk-x', PROVIDERS: '{}', DEFAULT_MODEL: '' }, async (app) => {
    expect(await modelsOf(app)).toMatchObject({ 'openai/gpt-4.1-mini': true });
  });
});

it('does not wait for a server that says nothing', async () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const env = { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, DEFAULT_MODEL: 'openai/llama' };

  await withApp(env, async (app) => {
    expect(await modelsOf(app)).toMatchObject({ 'openai/llama': null });
  });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

it.each(['<html>', '{"data": 5}', '[{"id": "x y"}, {"id": 5}, null, {"id": ""}]'])(
  'takes nothing out of %s',
  async (body) => {
    const answers = createServer((socket) => {
      socket.once('data', () => {
        const head = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
        socket.end(head + body);
      });
    }).listen(0, '127.0.0.1');
    await once(answers, 'listening');
    const { port } = answers.address() as AddressInfo;
    const env = { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, DEFAULT_MODEL: 'openai/llama' };

    await withApp(env, async (app) => {
      expect(await modelsOf(app)).toMatchObject({ 'openai/llama': null });
    });
    answers.close();
  },
);
