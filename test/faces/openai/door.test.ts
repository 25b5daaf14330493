/** What OpenAI's package is told of models, and of requests that are refused, whatever they ask. */
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

let app: App;
let keyed: App;
let client: OpenAI;
beforeAll(async () => {
  app = await startApp();
  keyed = await startApp({ API_KEYS: 'ada:the-right-key-of-ada-0123' });
  client = clientOf(app, 'any');
});
afterAll(async () => {
  await app.stop();
  await keyed.stop();
});

function clientOf({ url }: App, apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
}

async function ask(path: string, init: RequestInit = {}, { url } = app) {
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe('models', () => {
  it('are listed with every key', async () => {
    const { data } = await client.models.list();

    const [first] = data;
    expect(data.map(({ id }) => id)).toEqual(['test/rules', 'sandbox/rules']);
    expect(first).toEqual({
      id: 'test/rules',
      object: 'model',
      created: expect.any(Number),
      owned_by: 'test',
    });
    expect(Number.isInteger(first?.created)).toBe(true);
  });

  it('are found by their id, whose slash comes as it is or encoded', async () => {
    expect((await client.models.retrieve('test/rules')).id).toBe('test/rules');
    expect((await ask('/v1/models/test/rules')).body.id).toBe('test/rules');
  });

  it('are found where their provider has more than it lists', async () => {
    expect((await client.models.retrieve('test/another')).owned_by).toBe('test');
  });

  it.each(['no-such-model', 'sandbox/another', 'nobody/rules', '%'])(
    'are 404 model_not_found where unknown: %s',
    async (id) => {
      const failure = await client.models.retrieve(id).catch((error: unknown) => error);

      expect(failure).toBeInstanceOf(OpenAI.NotFoundError);
      expect(failure).toMatchObject({
        status: 404,
        code: 'model_not_found',
        param: 'model',
        type: 'invalid_request_error',
      });
    },
  );
});

describe('a request that is refused', () => {
  it('is told in OpenAI’s four keys, and named by x-request-id, as the log names it', async () => {
    const { status, headers, body } = await ask('/v1/nothing');

    expect(status).toBe(404);
    expect(body).toEqual({
      error: {
        message: 'There is nothing at /v1/nothing',
        type: 'invalid_request_error',
        param: null,
        code: 'unknown_url',
      },
    });
    expect(headers.get('x-request-id')).toMatch(/^req_[\w-]+$/);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it.each(['', '/v1/v1'])(
    'is told how a base URL must end, where it ends with %j',
    async (base) => {
      const packaged = new OpenAI({ baseURL: `${app.url}${base}`, apiKey: 'any', maxRetries: 0 });

      await expect(packaged.models.list()).rejects.toMatchObject({
        status: 404,
        message: expect.stringContaining(
          `There is nothing at ${base}/models; the base URL must end with /v1 for OpenAI's packages`,
        ),
      });
    },
  );

  it('has the methods that there are, where its own is not one', async () => {
    const { status, headers } = await ask('/v1/models', { method: 'DELETE' });

    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET');
  });

  it.each(['/v1/models', '/v1/nothing'])('needs a key at %s', async (path) => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': 'wrong' }]) {
      const { status, body } = await ask(path, { headers: headers as HeadersInit }, keyed);
      expect(status).toBe(401);
      expect(body.error).toMatchObject({
        type: 'invalid_request_error',
        code: 'invalid_api_key',
      });
    }
  });

  it('is let in by a key in either header', async () => {
    expect((await clientOf(keyed, 'the-right-key-of-ada-0123').models.list()).data).toHaveLength(2);
    const headers = { 'x-api-key': 'the-right-key-of-ada-0123' };
    expect((await ask('/v1/models', { headers }, keyed)).status).toBe(200);
  });

  it('is one of a page of another origin, on a server without keys', async () => {
    const headers = { origin: 'https://example.org' };
    const { status, body } = await ask('/v1/models', { headers });

    expect(status).toBe(403);
    expect(body.error.type).toBe('invalid_request_error');
  });

  it('is one that a Winnow server sends: its base URL leads in a circle', async () => {
    const { status, body } = await ask('/v1/models', { headers: { 'x-winnow-hop': '1' } });

    expect(status).toBe(403);
    expect(body.error.message).toMatch(/base URL/);
  });
});

it('lets a page of this machine send what the package sends', async () => {
  const response = await fetch(`${app.url}/v1/models`, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:5173',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-stainless-os',
    },
  });

  expect(response.status).toBe(204);
  expect(response.headers.get('access-control-allow-headers')).toMatch(/x-stainless-os/);
  expect(response.headers.get('access-control-allow-methods')).toMatch(/DELETE/);
});
