/** The variables of who may use the server, for what, and how much. */
import { apiKeys } from './api-keys.ts';
import { budgets } from './budgets.ts';
import { limits } from './limits.ts';
import { extraBody, secretsKey } from './secret-settings.ts';
import { trustedProxies } from './trusted-proxies.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const ownerVariables = {
  API_KEYS: variable(
    'Keys of owners, of 24 or more URL-safe characters: `owner:key,owner:key:admin`. Keys of `winnow keys create` come and go without a restart.',
    apiKeys,
    { values: 'a list with commas' },
  ),
  TRUSTED_PROXIES: variable(
    'Addresses and networks of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.',
    trustedProxies,
    { values: 'a list with commas: `10.0.0.0/8,::1`' },
  ),
  BUDGETS: variable('What owners may spend in a month; `*` is for all others.', budgets, {
    values: 'JSON',
    example: '{"acme": {"monthlyUsd": 50}, "*": {"monthlyUsd": 200}}',
  }),
  LIMITS: variable('What owners may take; `*` is for all others.', limits, {
    values: 'JSON',
    example: '{"acme": {"activeBatches": 20, "modelCalls": 32}, "*": {"itemsPerDay": 1000000}}',
  }),
  EXTRA_BODY: variable('Fields that `extraBody` may set. `allow`: all.', extraBody, {
    values: '`allow`, or names with commas',
  }),
  SECRETS_KEY: variable(
    'What seals the secrets that are kept in the database: 32 bytes, as `openssl rand -base64 32` prints.',
    secretsKey,
    { values: 'base64' },
  ),
};
