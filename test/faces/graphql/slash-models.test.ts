/**
 * Models whose names have a slash, at servers that call their models so: rows, options, the default
 * model, live and by provider jobs.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { type App, startApp } from '../../support/app.ts';
import {
  completion,
  refusal,
  type StubProvider,
  type StubRequest,
  startStubProvider,
} from '../../support/stub-provider.ts';
import { startWithoutList } from '../../support/without-list.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

const oss = 'openai/gpt-oss-20b';
const llama = 'meta-llama/Meta-Llama-3-8B-Instruct';
const slashModels = new URL('../../cases/slash-models.jsonl', import.meta.url);

/** Answers to these names alone, as most servers do. */
const only =
  (...names: string[]) =>
  ({ body }: StubRequest) =>
    names.includes(body.model)
      ? { body: { ...completion(body.model), model: body.model } }
      : refusal(404, { code: 'model_not_found', message: 'no such model' });

let stub: StubProvider;
beforeAll(async () => {
  stub = await startStubProvider();
});
afterAll(async () => {
  await stub.close();
});
beforeEach(() => {
  stub.requests.length = 0;
  stub.models = null;
});

const sent = () => stub.requests.map(({ body }) => body.model as string);
const row = (model: string | undefined, content = 'x') => ({
  ...(model === undefined ? {} : { model }),
  messages: [{ role: 'user', content }],
});

async function upload(app: App, name: string, body: BodyInit): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}`, { method: 'POST', body });
  return ((await response.json()) as Data).id;
}

async function run(app: App, source: object, input: object = {}): Promise<Data> {
  const { data, errors } = await app.graphql(submitMutation, {
    input: { operation: { chat: {} }, source, ...input },
  });
  expect(errors).toBeUndefined();
  const id = data?.submitBatch.batch.id as string;
  await untilEnded(app, id);
  const answer = await app.graphql(
    `query ($id: ID!) { batch(id: $id) { status error errorCode model items { edges { node {
       customId status output error { code message } } } } } }`,
    { id },
  );
  const { items, ...batch } = (answer.data?.batch ?? {}) as Data;
  return { id, ...batch, items: items.edges.map(({ node }: Data) => node) };
}

/** A server of the user's own behind OPENAI_BASE_URL, asked anew what it lists. */
async function withServer<T>(env: Record<string, string>, use: (app: App) => Promise<T>) {
  const app = await startApp({
    OPENAI_BASE_URL: stub.url,
    DEFAULT_MODEL: `openai/${llama}`,
    ...env,
  });
  try {
    return await use(app);
  } finally {
    await app.stop();
  }
}

describe('a row’s model', () => {
  it('goes out by its whole name where the server lists it', async () => {
    stub.models = [oss, llama];
    stub.reply(({ body }) => ({ body: completion(body.model) }));

    await withServer({}, async (app) => {
      const fileId = await upload(app, 'slash-models.jsonl', await readFile(slashModels, 'utf8'));
      const batch = await run(app, { fileId });

      expect(batch.items.map(({ status }: Data) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expect(sent().sort()).toEqual([llama, oss]);
      expect(stub.listed).toBe(1);
    });
  });

  it('goes out by its whole name once more where the server does not have the other', async () => {
    stub.reply(only(oss, llama));

    await withServer({}, async (app) => {
      const fileId = await upload(app, 'slash-models.jsonl', await readFile(slashModels, 'utf8'));
      const batch = await run(app, { fileId });

      expect(batch.items.map(({ status }: Data) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expect(sent().sort()).toEqual(['gpt-oss-20b', llama, oss].sort());
      // What was learned holds: the name that is not there is not tried for every row.
      stub.requests.length = 0;
      await run(app, { requests: [row(oss), row(oss), row(oss)] });
      expect(sent()).toEqual([oss, oss, oss]);
    });
  });

  it('of a router is not another provider’s, where the router lists it', async () => {
    const claude = 'anthropic/claude-3.5-sonnet';
    const router = await startStubProvider();
    router.models = [claude];
    const env = {
      PROVIDERS: JSON.stringify({ router: { baseURL: router.url } }),
      ANTHROPIC_BASE_URL: stub.origin,
      DEFAULT_MODEL: 'router/base',
    };
    await withServer(env, async (app) => {
      const { items } = await run(app, { requests: [row(claude), row('router/base')] });

      expect(items.map(({ status }: Data) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expect(router.requests.map(({ body }) => body.model).sort()).toEqual([claude, 'base']);
      expect(stub.requests).toEqual([]);
    });
    await router.close();
  });

  it('is one of its configuration’s without a question', async () => {
    stub.reply(({ body }) => ({ body: completion(body.model) }));
    const listed = stub.listed;
    const own = { baseURL: stub.url, models: ['twin/large', 'small'] };
    const env = {
      PROVIDERS: JSON.stringify({ own, twin: { baseURL: stub.url } }),
      DEFAULT_MODEL: 'own/small',
    };

    await withServer(env, async (app) => {
      await run(app, { requests: [row('twin/large'), row('small'), row('own/small')] });

      expect(sent().sort()).toEqual(['small', 'small', 'twin/large']);
      expect(stub.listed).toBe(listed);
    });
  });

  it('that nobody has fails that row alone, and both readings are named', async () => {
    stub.reply(only(llama));

    await withServer({}, async (app) => {
      const { status, items } = await run(app, {
        requests: [row('openai/gone'), row(llama), row('lost'), row(llama)],
      });

      expect(status).toBe('COMPLETED');
      expect(items.map(({ error }: Data) => error?.code)).toEqual([
        'INVALID_REQUEST',
        undefined,
        'INVALID_REQUEST',
        undefined,
      ]);
      expect(items[0].error.message).toContain('"gone" of openai');
      expect(items[0].error.message).toContain('"openai/gone" of openai');
      // Nobody wrote a slash there.
      expect(sent().sort()).toEqual(['gone', 'lost', llama, llama, 'openai/gone']);
    });
  });
});

it('a first row’s model that nobody has takes no other row with it', async () => {
  stub.reply(only(llama));

  await withServer({}, async (app) => {
    const requests = [row('lost'), row(undefined), row(llama)];
    const { status, items } = await run(app, { requests });

    expect(status).toBe('COMPLETED');
    expect(items.map(({ error }: Data) => error?.code)).toEqual([
      'INVALID_REQUEST',
      // A row that names none goes where the first one does.
      'INVALID_REQUEST',
      undefined,
    ]);
  });
  // The server's own model is everybody's.
  stub.reply(only());
  await withServer({}, async (app) => {
    const { status, errorCode } = await run(app, { requests: [row(undefined), row(undefined)] });

    expect([status, errorCode]).toEqual(['FAILED', 'UNKNOWN_MODEL']);
  });
});

describe('the model of options, and that of the server', () => {
  const label = { label: { categories: ['a', 'b'] } };
  const texts = { texts: ['one', 'two'] };
  const answer =
    (...names: string[]) =>
    (request: StubRequest) =>
      names.includes(request.body.model)
        ? { body: completion('{"label":"a","confidence":1}') }
        : only()(request);

  it('go out by the whole name where the server lists it', async () => {
    stub.models = [oss];
    stub.reply(({ body }) => ({
      body: completion(`{"label":"a","confidence":1,"m":"${body.model}"}`),
    }));

    await withServer({ DEFAULT_MODEL: oss }, async (app) => {
      const byDefault = await run(app, texts, { operation: label });
      const chosen = { label: { ...label.label, model: oss } };
      await run(app, texts, { operation: chosen });

      expect(byDefault.model).toBe(`openai/${oss}`);
      expect(new Set(sent())).toEqual(new Set([oss]));
    });
  });

  it('go out by the whole name where the server does not have the other', async () => {
    stub.reply(answer(oss));

    await withServer({ DEFAULT_MODEL: oss }, async (app) => {
      const { status } = await run(app, texts, { operation: label });
      const now = await app.graphql(
        `mutation { label(items: [{ content: "x" }], options: { categories: ["a", "b"], model: "${oss}" }) { model results { label } } }`,
      );

      expect(status).toBe('COMPLETED');
      expect(now.data?.label).toEqual({ model: `openai/${oss}`, results: [{ label: 'a' }] });
    });
  });

  it('that nobody has stop the batch, and both readings are named', async () => {
    stub.reply(answer());

    await withServer({ DEFAULT_MODEL: oss }, async (app) => {
      const { status, errorCode, error } = await run(app, texts, { operation: label });

      expect([status, errorCode]).toEqual(['FAILED', 'UNKNOWN_MODEL']);
      expect(error).toContain('"gpt-oss-20b" of openai');
      expect(error).toContain(`"${oss}" of openai`);
    });
  });

  it('that somebody fetches later are asked by the shorter name again', async () => {
    await withServer({ DEFAULT_MODEL: oss }, async (app) => {
      stub.reply(answer());
      const { id } = await run(app, texts, { operation: label });

      stub.reply(answer('gpt-oss-20b'));
      await app.graphql('mutation ($id: ID!) { retryBatch(id: $id) { retriedItems } }', { id });
      const ended = await untilEnded(app, id);

      expect(ended).toMatchObject({ status: 'COMPLETED', counts: { succeeded: 2 } });
    });
  });
});

describe('in the provider’s batch API', () => {
  const byProvider = { execution: 'PROVIDER_BATCH' };
  const rows = (...models: (string | undefined)[]) => ({
    requests: models.map((model) => row(model)),
  });

  /** In front of the sandbox, with or without its list of models. */
  async function withSandbox<T>(
    models: string[],
    { lists }: { lists: boolean },
    use: (app: App) => Promise<T>,
  ): Promise<T> {
    const sandbox = await startFaultySandbox({ models });
    const silent = await startWithoutList(sandbox.url);
    const env = { OPENAI_BASE_URL: lists ? sandbox.url : silent.url, PROVIDER_BATCH_POLL_MS: '50' };
    const app = await startApp({ ...env, DEFAULT_MODEL: 'openai/rules' }, { sandbox });
    try {
      return await use(app);
    } finally {
      await app.stop();
      await silent.close();
      await sandbox.close();
    }
  }

  const answered = ({ output, error }: Data) => output?.response.model ?? error.code;

  it('a listed name goes whole, and one that is not there fails its rows alone', async () => {
    await withSandbox(['rules', oss], { lists: true }, async (app) => {
      const given = rows(oss, 'openai/gone', undefined, 'rules');
      const { status, items } = await run(app, given, byProvider);

      expect(status).toBe('COMPLETED');
      expect(items.map(answered)).toEqual([oss, 'INVALID_REQUEST', oss, 'rules']);
      expect(items[1].error.message).toContain('"openai/gone" of openai');
    });
  });

  it('a name that is not there is tried whole in the next job', async () => {
    await withSandbox(['rules', oss], { lists: false }, async (app) => {
      const { status, items } = await run(app, rows(oss, 'rules', 'openai/gone'), byProvider);

      expect(status).toBe('COMPLETED');
      expect(items.map(answered)).toEqual([oss, 'rules', 'INVALID_REQUEST']);
      expect(items[2].error.message).toContain('"gone" of openai');
    });
  });

  it('the model of the options is tried whole in the next job, and its absence stops the batch', async () => {
    await withSandbox(['rules', oss], { lists: false }, async (app) => {
      const operation = (model: string) => ({ chat: { model } });

      const found = await run(app, rows(undefined), { ...byProvider, operation: operation(oss) });
      const gone = await run(app, rows(undefined), {
        ...byProvider,
        operation: operation('openai/no'),
      });

      expect(found.items.map(answered)).toEqual([oss]);
      expect([gone.status, gone.errorCode]).toEqual(['FAILED', 'UNKNOWN_MODEL']);
      expect(gone.error).toContain('"openai/no" of openai');
    });
  });
});
