import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { apiKeys, type OwnKey } from './config/api-keys.ts';
import { budgets } from './config/budgets.ts';
import {
  type DatabaseSettings,
  databaseSettings,
  databaseVariables,
} from './config/database-settings.ts';
import { bool, integer, oneOf, optionalInteger } from './config/kinds.ts';
import { limits } from './config/limits.ts';
import { type LogSettings, logSettings, logVariables } from './config/log-settings.ts';
import {
  type OperatorSettings,
  operatorSettings,
  operatorVariables,
} from './config/operator-settings.ts';
import { prices } from './config/price-settings.ts';
import { httpUrl, providers } from './config/provider-settings.ts';
import { retentionSettings, retentionVariables } from './config/retention-settings.ts';
import { fileVariable, readSecretFiles } from './config/secret-files.ts';
import { extraBody, secretsKey } from './config/secret-settings.ts';
import { tellStrangeVariables } from './config/strange-variables.ts';
import { describeIssue, textOf } from './config/text.ts';
import { type IsProxy, trustedProxies } from './config/trusted-proxies.ts';
import type { LimitsByOwner } from './core/limits.ts';
import type { OwnerLimits } from './db/owner-limits.ts';
import type { Retention } from './db/retention.ts';
import type { OwnPrices } from './model/prices.ts';
import type { ProviderConfig } from './model/provider-config.ts';
import { parseWebhookSecrets } from './webhooks/sign.ts';

/** Everything that can be set from outside, parsed once. */
export interface Config extends DatabaseSettings, LogSettings, OperatorSettings {
  port: number;
  host: string;
  dataDirectory: string;
  providers: ProviderConfig[];
  /** By provider/name; what the built-in list has otherwise, or lacks. */
  prices: Readonly<Record<string, OwnPrices>>;
  defaultModel: string;
  workerConcurrency: number;
  workerLeaseMs: number;
  modelTimeoutMs: number;
  /** Milliseconds between two looks at a provider's batch; null: more rarely the older it is. */
  providerBatchPollMs: number | null;
  role: 'all' | 'api' | 'worker';
  /** What each key of the environment stands for. */
  apiKeys: ReadonlyMap<string, OwnKey>;
  /** Whose word on the address of a client is taken; null: nobody's. */
  trustedProxies: IsProxy | null;
  /** What owners may spend in a month. */
  budgets: OwnerLimits;
  /** What seals the secrets in the database: the first, or during a change another. */
  secretsKeys: readonly Buffer[];
  /** Fields of a request that callers may set by `extraBody`; null: all. */
  extraBody: ReadonlySet<string> | null;
  /** What goes by itself. */
  retention: Retention;
  /** What owners may take. */
  limits: LimitsByOwner;
  console: boolean;
  graphiql: boolean;
  introspection: boolean;
  /** Where clients reach the server, without a trailing slash; null: where it listens. */
  publicUrl: string | null;
  /** What signs webhooks, several during a rotation; null: one is made and kept in the database. */
  webhookSecrets: string | null;
  /** Webhooks may go to http and to private addresses. */
  webhookAllowPrivate: boolean;
}

/** Every bad variable in one error, so that one restart is enough to correct them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const environment = z.object({
  PORT: integer(4000, 0, 65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  ...operatorVariables,
  ...databaseVariables,
  DATA_DIR: z.string().min(1).default('.data'),
  OPENAI_API_KEY: z.string().min(1).optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  OPENAI_REQUESTS_PER_MINUTE: optionalInteger(1, 1_000_000_000),
  OPENAI_TOKENS_PER_MINUTE: optionalInteger(1, 1_000_000_000),
  ANTHROPIC_API_KEY: z.string().min(1).optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
  PROVIDERS: providers,
  PRICES: prices,
  DEFAULT_MODEL: z
    .string()
    .regex(/^[^/\s]+\/\S+$/, 'is not provider/name, such as openai/gpt-4.1-mini')
    .optional(),
  WORKER_CONCURRENCY: integer(64, 1, 10_000),
  WORKER_LEASE_MS: integer(30_000, 1_000, 600_000),
  MODEL_TIMEOUT_MS: integer(120_000, 100, 3_600_000),
  PROVIDER_BATCH_POLL_MS: optionalInteger(50, 3_600_000),
  ROLE: oneOf(['all', 'api', 'worker']).default('all'),
  API_KEYS: apiKeys,
  TRUSTED_PROXIES: trustedProxies,
  BUDGETS: budgets,
  ...retentionVariables,
  LIMITS: limits,
  SECRETS_KEY: secretsKey,
  EXTRA_BODY: extraBody,
  CONSOLE: bool(true, 'on', 'off'),
  GRAPHIQL: bool(true, 'on', 'off'),
  INTROSPECTION: bool(true, 'on', 'off'),
  PUBLIC_URL: httpUrl.optional(),
  WEBHOOK_SECRET: z
    .string()
    .superRefine((text, context) => {
      try {
        parseWebhookSecrets(text);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
      }
    })
    .optional(),
  WEBHOOK_ALLOW_PRIVATE: bool(false),
  ...logVariables,
});

/** Each may be given as a file: what its name says to be a secret, and what may hold one. */
const ownSecrets = Object.keys(environment.shape).filter((name) =>
  /_(KEYS?|TOKEN|SECRET)$|^DATABASE_URL|^PROVIDERS$/.test(name),
);

const openaiBaseUrl = 'https://api.openai.com/v1';
const anthropicBaseUrl = 'https://api.anthropic.com';

/** Asked by default, of the first configured provider: small, cheap, with structured output. */
const defaultModels = { openai: 'openai/gpt-4.1-mini', anthropic: 'anthropic/claude-haiku-4-5' };

/** The configuration in an environment. Throws one ConfigError that names every bad variable. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  // An empty variable is one that was not set: compose files and .env templates leave them so.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const { env: given, problems: fileProblems } = readSecrets(set);
  const parsed = environment.safeParse(given, { error: textOf });
  const problems = parsed.success
    ? fileProblems
    : [...fileProblems, ...parsed.error.issues.map(describeIssue)];

  const configs: ProviderConfig[] = [];
  if (parsed.success) {
    const { data } = parsed;
    if (data.OPENAI_API_KEY || data.OPENAI_BASE_URL) {
      configs.push({
        ...plain('openai'),
        baseUrl: data.OPENAI_BASE_URL ?? openaiBaseUrl,
        apiKey: data.OPENAI_API_KEY ?? null,
        limits: {
          requestsPerMinute: data.OPENAI_REQUESTS_PER_MINUTE,
          tokensPerMinute: data.OPENAI_TOKENS_PER_MINUTE,
        },
      });
    }
    if (data.ANTHROPIC_API_KEY || data.ANTHROPIC_BASE_URL) {
      configs.push({
        ...plain('anthropic'),
        protocol: 'anthropic',
        baseUrl: data.ANTHROPIC_BASE_URL ?? anthropicBaseUrl,
        apiKey: data.ANTHROPIC_API_KEY ?? null,
      });
    }
    for (const [name, entry] of Object.entries(data.PROVIDERS)) {
      const apiKey = entry.apiKeyEnv === undefined ? null : given[entry.apiKeyEnv];
      if (apiKey === undefined) {
        problems.push(`PROVIDERS.${name}.apiKeyEnv: the variable ${entry.apiKeyEnv} is not set`);
      }
      const { baseURL, headers, query, limits, models, batches } = entry;
      const { models: limitsOfModels, ...limitsOfEach } = limits ?? { models: {} };
      configs.push({
        ...plain(name),
        baseUrl: baseURL,
        apiKey: apiKey ?? null,
        headers,
        query,
        limits: limitsOfEach,
        modelLimits: limitsOfModels,
        models,
        batches,
      });
    }
    const defaultProvider = data.DEFAULT_MODEL?.split('/')[0];
    if (
      defaultProvider &&
      defaultProvider !== 'sandbox' &&
      !configs.some(({ name }) => name === defaultProvider)
    ) {
      problems.push(`DEFAULT_MODEL: provider ${defaultProvider} is not configured`);
    }
  }
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(
      `The environment has ${problems.length} bad variable(s):\n  ${problems.join('\n  ')}`,
    );
  }

  const { data } = parsed;
  const has = (provider: string) => configs.some(({ name }) => name === provider);
  const defaultModel =
    data.DEFAULT_MODEL ??
    (has('openai')
      ? defaultModels.openai
      : has('anthropic')
        ? defaultModels.anthropic
        : 'sandbox/rules');
  return {
    port: data.PORT,
    host: data.HOST,
    ...operatorSettings(data),
    ...databaseSettings(data),
    dataDirectory: resolve(data.DATA_DIR),
    providers: configs,
    prices: data.PRICES,
    defaultModel,
    workerConcurrency: data.WORKER_CONCURRENCY,
    workerLeaseMs: data.WORKER_LEASE_MS,
    modelTimeoutMs: data.MODEL_TIMEOUT_MS,
    providerBatchPollMs: data.PROVIDER_BATCH_POLL_MS ?? null,
    role: data.ROLE,
    apiKeys: data.API_KEYS,
    trustedProxies: data.TRUSTED_PROXIES,
    budgets: data.BUDGETS,
    retention: retentionSettings(data),
    limits: data.LIMITS,
    secretsKeys: data.SECRETS_KEY,
    extraBody: data.EXTRA_BODY,
    console: data.CONSOLE,
    graphiql: data.GRAPHIQL,
    introspection: data.INTROSPECTION,
    publicUrl: data.PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    webhookSecrets: data.WEBHOOK_SECRET ?? null,
    webhookAllowPrivate: data.WEBHOOK_ALLOW_PRIVATE,
    ...logSettings(data),
  };
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function plain(name: string) {
  return { name, headers: {}, query: {}, models: [], closed: false };
}

/** Every variable that Winnow reads, those aside that PROVIDERS names. */
export const variableNames: readonly string[] = Object.keys(environment.shape);

/** The variables that look like ours and are none, a sentence each. */
export function findStrangeVariables(
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const { env: given, named } = readSecrets(env);
  const files = [...ownSecrets, ...named].map(fileVariable);
  return tellStrangeVariables(given, variableNames, new Set([...named, ...files]));
}

/** The environment with its secrets, also those that stand in files. */
function readSecrets(env: Readonly<Record<string, string | undefined>>) {
  const own = readSecretFiles(env, ownSecrets);
  const entries = providers.safeParse(own.env.PROVIDERS || undefined).data ?? {};
  const named = Object.values(entries)
    .flatMap(({ apiKeyEnv }) => apiKeyEnv ?? [])
    .filter((name) => !ownSecrets.includes(name));
  const all = readSecretFiles(own.env, named);
  return { env: all.env, problems: [...own.problems, ...all.problems], named };
}
