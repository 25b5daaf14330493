/** What Anthropic's package is told of models, and of requests that are refused. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';

let app: App;
let keyed: App;
let client: Anthropic;
beforeAll(async () => {
  app = await startApp();
  keyed = await startApp({ API_KEYS: 'ada:the-right-key-of-ada-0123' });
  client = clientOf(app, 'any');
});
afterAll(async () => {
  await app.stop();
  await keyed.stop();
});

function clientOf({ url }: App, apiKey: string): Anthropic {
  return new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );
}

describe('models', () => {
  it('are listed in Anthropic’s shape, by the version header', async () => {
    const page = await client.models.list();

    expect(page.data.map(({ id, type }) => [id, type])).toEqual([
      ['test/rules', 'model'],
      ['sandbox/rules', 'model'],
    ]);
    expect(page).toMatchObject({
      has_more: false,
      first_id: 'test/rules',
      last_id: 'sandbox/rules',
    });
    expect(new Date(page.data[0]?.created_at ?? '').getTime()).not.toBeNaN();
  });

  it('are found by their id', async () => {
    expect(await client.models.retrieve('test/rules')).toMatchObject({
      type: 'model',
      display_name: 'test/rules',
    });
  });

  it('are 404 not_found_error where unknown', async () => {
    const failure = await failureOf(client.models.retrieve('no-such-model'));

    expect(failure).toBeInstanceOf(Anthropic.NotFoundError);
    expect(failure).toMatchObject({
      error: { type: 'error', error: { type: 'not_found_error' } },
    });
  });
});

describe('a request that is refused', () => {
  it('is told in Anthropic’s words, and named by request-id', async () => {
    const response = await fetch(`${app.url}/v1/messages/nothing`);
    const body = await response.json();

    expect(response.status).toBe(404);
    expect(body).toEqual({
      type: 'error',
      error: { type: 'not_found_error', message: expect.any(String) },
      request_id: response.headers.get('request-id'),
    });
    expect(body.request_id).toMatch(/^req_/);
  });

  it('is one with a wrong key', async () => {
    const failure = await failureOf(clientOf(keyed, 'wrong').models.list());

    expect(failure).toBeInstanceOf(Anthropic.AuthenticationError);
    expect(failure).toMatchObject({ error: { error: { type: 'authentication_error' } } });
    expect((await clientOf(keyed, 'the-right-key-of-ada-0123').models.list()).data).toHaveLength(2);
  });

  it('is one of a page of another origin, on a server without keys', async () => {
    const response = await fetch(`${app.url}/v1/messages`, {
      method: 'POST',
      headers: { origin: 'https://example.org' },
    });

    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { type: 'permission_error' } });
  });
});
