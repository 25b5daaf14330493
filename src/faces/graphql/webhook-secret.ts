/** The secret that signs the webhooks of an owner. */
import { builder } from './builder.ts';
import { forAdmin } from './scopes.ts';

builder.queryField('webhookSecret', (t) =>
  t.string({
    description: "Secret that signs the caller's webhooks, as whsec_… Needs the scope ADMIN.",
    extensions: forAdmin,
    resolve: (_root, _args, { webhookSecretOf, owner, withKeys }) =>
      webhookSecretOf(owner, { isOpen: !withKeys }),
  }),
);
