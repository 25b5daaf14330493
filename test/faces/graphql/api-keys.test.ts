/** Keys by GraphQL, for a key with ADMIN, and what keys with fewer scopes may do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

const adminKey = 'anna-key-0123456789abcdefgh';
const plainKey = 'anna-key-1123456789abcdefgh';
const benKey = 'ben-key-0123456789abcdefghij';
const as = (key: string) => ({ authorization: `Bearer ${key}` });
const createMutation = `mutation($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey { id name scopes createdAt lastUsedAt expiresAt revokedAt }
    key
  }
}`;
const revokeMutation = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id revokedAt } } }';
const labelMutation =
  'mutation { label(items: [{content: "x"}], options: {categories: ["a", "b"]}) { model } }';

let app: App;
const refused: object[] = [];
beforeAll(async () => {
  app = await startApp({
    API_KEYS: `anna:${adminKey}:admin,anna:${plainKey},ben:${benKey}:admin`,
  });
  app.service.events.on('request.refused', (fact) => void refused.push(fact));
});
afterAll(() => app.stop());

async function create(scopes: string[], input: object = {}, key = adminKey) {
  const wanted = { input: { name: 'a key', scopes, ...input } };
  const { data, errors } = await app.graphql(createMutation, wanted, as(key));
  return { made: data?.createApiKey, error: errors?.[0] };
}

const codeOf = (answer: { errors?: { extensions: Record<string, any> }[] }) =>
  answer.errors?.[0]?.extensions.code ?? null;

describe('createApiKey', () => {
  it('makes a key of its own owner, which is shown once', async () => {
    const expiresAt = '2099-06-30T00:00:00.000Z';
    const { made } = await create(['SUBMIT', 'READ', 'READ'], { name: 'nightly', expiresAt });
    const owner = await app.graphql('{ service { owner } }', {}, as(made.key));
    const list = await app.graphql('{ apiKeys { id name } }', {}, as(adminKey));
    const others = await app.graphql('{ apiKeys { id } }', {}, as(benKey));

    expect(made.key).toMatch(/^wnw_[0-9A-Za-z]{40}$/);
    expect(made.apiKey).toEqual({
      id: made.key.slice(4, 12),
      name: 'nightly',
      scopes: ['READ', 'SUBMIT'],
      createdAt: expect.any(String),
      lastUsedAt: null,
      expiresAt,
      revokedAt: null,
    });
    expect(owner.data?.service.owner).toBe('anna');
    expect(list.data?.apiKeys).toEqual([{ id: made.apiKey.id, name: 'nightly' }]);
    expect(others.data?.apiKeys).toEqual([]);
  });

  it.each([
    ['no scope', { scopes: [] }, 'input.scopes'],
    ['no name', { name: ' ' }, 'input.name'],
    ['a name that is too long', { name: 'x'.repeat(201) }, 'input.name'],
    ['an expiry in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'input.expiresAt'],
  ])('refuses %s', async (_what, input, path) => {
    const { error } = await create(['READ'], input);

    expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', issues: [{ path }] });
  });

  it('gives no scope that the caller lacks', async () => {
    const { made: admin } = await create(['READ', 'ADMIN']);
    const { error } = await create(['READ', 'SUBMIT'], {}, admin.key);
    const { made } = await create(['READ'], {}, admin.key);

    expect([error?.extensions.code, error?.message]).toEqual([
      'FORBIDDEN',
      expect.stringContaining('SUBMIT'),
    ]);
    expect(made.apiKey.scopes).toEqual(['READ']);
  });
});

describe('revokeApiKey', () => {
  it('revokes a key of its own owner, once and for all', async () => {
    const { made } = await create(['READ']);
    const { id } = made.apiKey;
    const foreign = await app.graphql(revokeMutation, { id }, as(benKey));
    const first = await app.graphql(revokeMutation, { id }, as(adminKey));
    const again = await app.graphql(revokeMutation, { id }, as(adminKey));

    expect(codeOf(foreign)).toBe('NOT_FOUND');
    expect(codeOf(await app.graphql(revokeMutation, { id: 'x' }, as(adminKey)))).toBe('NOT_FOUND');
    expect(again.data).toEqual(first.data);
    await until(
      async () => (await app.graphql('{ __typename }', {}, as(made.key))).status === 401,
      { deadlineMs: 15_000, what: 'a key that is refused' },
    );
    const { errors } = await app.graphql('{ __typename }', {}, as(made.key));
    expect(errors?.[0]?.message).toContain('expired or was revoked');
  });
});

describe('a key without a scope', () => {
  it('is FORBIDDEN what needs it, whatever the field', async () => {
    const { made: read } = await create(['READ']);
    const { made: submit } = await create(['SUBMIT']);
    refused.length = 0;

    const asked = [
      await app.graphql(labelMutation, {}, as(read.key)),
      await app.graphql('mutation { cancelBatch(id: "x") { batch { id } } }', {}, as(read.key)),
      await app.graphql('{ apiKeys { id } }', {}, as(plainKey)),
      await app.graphql(createMutation, { input: { name: 'x', scopes: ['READ'] } }, as(plainKey)),
      await app.graphql('{ service { version } }', {}, as(submit.key)),
    ];

    expect(asked.map(({ errors }) => errors?.[0]?.message)).toEqual([
      expect.stringContaining('SUBMIT'),
      expect.stringContaining('SUBMIT'),
      expect.stringContaining('ADMIN'),
      expect.stringContaining('ADMIN'),
      expect.stringContaining('READ'),
    ]);
    expect(asked.map(codeOf)).toEqual(Array(5).fill('FORBIDDEN'));
    expect(refused).toEqual(Array(5).fill({ reason: 'scope', owner: 'anna' }));
    expect(codeOf(await app.graphql(labelMutation, {}, as(submit.key)))).toBeNull();
  });

  it('is 403 on routes, in the words of each API', async () => {
    const { made: read } = await create(['READ']);
    const post = async (path: string, headers = {}) => {
      const response = await fetch(`${app.url}${path}`, {
        method: 'POST',
        headers: { ...as(read.key), 'content-type': 'application/json', ...headers },
        body: '{}',
      });
      return [response.status, await response.json()];
    };
    const message = expect.stringContaining('SUBMIT');

    expect(await post('/files')).toEqual([
      403,
      { error: { code: 'FORBIDDEN', message, requestId: expect.any(String) } },
    ]);
    expect(await post('/v1/batches')).toEqual([
      403,
      { error: expect.objectContaining({ message }) },
    ]);
    expect(await post('/v1/messages', { 'anthropic-version': '2023-06-01' })).toEqual([
      403,
      expect.objectContaining({ error: { type: 'permission_error', message } }),
    ]);
  });
});
