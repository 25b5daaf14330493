/** Keys of the caller's owner, for a key with ADMIN. */
import { createApiKey } from '../../app/api-keys.ts';
import { AppError, BadUserInput } from '../../core/errors.ts';
import { type Scope, scopeNames } from '../../core/scopes.ts';
import { type ApiKeyRecord, listApiKeys, maxListedKeys, revokeApiKey } from '../../db/api-keys.ts';
import { builder, notFound } from './builder.ts';
import { forAdmin } from './scopes.ts';

const descriptions: Readonly<Record<Scope, string>> = {
  READ: 'Queries, subscriptions and downloads.',
  SUBMIT: 'Everything that stores, starts, stops, sends or deletes.',
  ADMIN: 'Keys, webhook secret and limits of the owner.',
};

const ApiKeyScope = builder.enumType('ApiKeyScope', {
  description: 'A right of a key.',
  values: Object.fromEntries(
    scopeNames.map((value) => [value, { value, description: descriptions[value] }]),
  ) as Record<Scope, { value: Scope; description: string }>,
});

const ApiKey = builder.objectRef<ApiKeyRecord>('ApiKey').implement({
  description: 'A key, without the key itself.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Public part of the key.' }),
    name: t.exposeString('name', { description: 'A name for people.' }),
    scopes: t.field({
      type: [ApiKeyScope],
      description: 'Scopes of the key.',
      resolve: ({ scopes }) => [...scopes],
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      description: 'Time at which the key was made.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Last use, to the minute. Null: never.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'End of its validity. Null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the key was revoked. Null: it was not.',
    }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: [ApiKey],
    description: `The caller's keys, never the keys themselves: those that are neither revoked nor expired first, then the newest, ${maxListedKeys.toLocaleString('en')} at most. Needs the scope ADMIN.`,
    extensions: forAdmin,
    resolve: (_root, _args, { db, owner }) => listApiKeys(db, owner),
  }),
);

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A key to be made.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'A name for people.' }),
    scopes: t.field({
      type: [ApiKeyScope],
      required: true,
      description: "Scopes of the key; none that the caller's own key lacks.",
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'End of its validity, in the future. Absent: never.',
    }),
  }),
});

interface Created {
  apiKey: ApiKeyRecord;
  key: string;
}

const CreateApiKeyPayload = builder.objectRef<Created>('CreateApiKeyPayload').implement({
  description: 'A new key.',
  fields: (t) => ({
    apiKey: t.expose('apiKey', { type: ApiKey, description: 'The key without its secret.' }),
    key: t.exposeString('key', { description: 'The key. It is not shown again.' }),
  }),
});

builder.mutationField('createApiKey', (t) =>
  t.field({
    type: CreateApiKeyPayload,
    description:
      "Makes a key for the caller's owner. The key is shown once. Needs the scope ADMIN.",
    extensions: forAdmin,
    args: {
      input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key to be made.' }),
    },
    resolve: async (_root, { input }, { db, owner, scopes: held, nudges, events, asking }) => {
      const { name, scopes, expiresAt = null } = input;
      const lacking = scopes.find((scope) => !held.has(scope));
      if (lacking) {
        const message = `The key must have the scope ${lacking} itself to give it to another`;
        throw new AppError('FORBIDDEN', message);
      }
      const created = await createApiKey(db, { owner, name, scopes, expiresAt }).catch(atInput);
      await nudges.sendKey(created.apiKey.id, asking);
      events.emit('key.created', { key: created.apiKey.id, owner, cause: asking });
      return created;
    },
  }),
);

function atInput(error: unknown): never {
  if (!(error instanceof BadUserInput)) throw error;
  throw new BadUserInput(
    error.issues.map(({ path, message }) => ({ path: `input.${path}`, message })),
  );
}

const RevokeApiKeyPayload = builder
  .objectRef<{ apiKey: ApiKeyRecord }>('RevokeApiKeyPayload')
  .implement({
    description: 'A revoked key.',
    fields: (t) => ({
      apiKey: t.expose('apiKey', { type: ApiKey, description: 'The key as it now stands.' }),
    }),
  });

builder.mutationField('revokeApiKey', (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    description:
      "Revokes a key of the caller's owner. Every process refuses it within 10 s. Batches that it submitted go on. Needs the scope ADMIN.",
    extensions: forAdmin,
    args: {
      id: t.arg.id({
        required: true,
        description: 'Public part of the key. NOT_FOUND for an unknown one.',
      }),
    },
    resolve: async (_root, { id }, { db, owner, nudges, events, asking }) => {
      const apiKey = await revokeApiKey(db, id, owner);
      if (!apiKey) throw notFound('key');
      await nudges.sendKey(id, asking);
      events.emit('key.revoked', { key: id, owner, cause: asking });
      return { apiKey };
    },
  }),
);
