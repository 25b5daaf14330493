import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { OwnKey } from './config/api-keys.ts';
import {
  type DatabaseSettings,
  databaseSettings,
  databaseVariables,
} from './config/database-settings.ts';
import { listeningVariables } from './config/listening-settings.ts';
import { type LogSettings, logSettings, logVariables } from './config/log-settings.ts';
import {
  anthropicBaseUrl,
  defaultModels,
  modelVariables,
  openaiBaseUrl,
} from './config/model-settings.ts';
import {
  type OperatorSettings,
  operatorProblems,
  operatorSettings,
  operatorVariables,
} from './config/operator-settings.ts';
import { ownerVariables } from './config/owner-settings.ts';
import { pageVariables } from './config/page-settings.ts';
import { providers } from './config/provider-settings.ts';
import {
  retentionProblems,
  retentionSettings,
  retentionVariables,
} from './config/retention-settings.ts';
import { fileVariable, readSecretFiles } from './config/secret-files.ts';
import { tellStrangeVariables } from './config/strange-variables.ts';
import { describeIssue, textOf } from './config/text.ts';
import { traceSettings, traceVariables } from './config/trace-settings.ts';
import type { IsProxy } from './config/trusted-proxies.ts';
import type { VariableGroup } from './config/variable.ts';
import { webhookVariables } from './config/webhook-settings.ts';
import { workerVariables } from './config/worker-settings.ts';
import type { LimitsByOwner } from './core/limits.ts';
import type { OwnerLimits } from './db/owner-limits.ts';
import type { Retention } from './db/retention.ts';
import type { OwnPrices } from './model/prices.ts';
import type { ProviderConfig } from './model/provider-config.ts';
import type { TraceSettings } from './telemetry/tracing.ts';

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
  /** The owner and scopes of each key of the environment. */
  apiKeys: ReadonlyMap<string, OwnKey>;
  /** Whose word on the address of a client is taken; null: nobody's. */
  trustedProxies: IsProxy | null;
  /** Owners' limits of spending in a month. */
  budgets: OwnerLimits;
  /** Keys that seal the secrets in the database: the first, or during a change another. */
  secretsKeys: readonly Buffer[];
  /** Fields of a request that callers may set by `extraBody`; null: all. */
  extraBody: ReadonlySet<string> | null;
  /** Times after which things are deleted by themselves. */
  retention: Retention;
  /** Limits of owners. */
  limits: LimitsByOwner;
  console: boolean;
  graphiql: boolean;
  introspection: boolean;
  /** Where clients reach the server, without a trailing slash; null: where it listens. */
  publicUrl: string | null;
  /**
   * Secrets that sign webhooks, several during a rotation; null: one is made and kept in the
   * database.
   */
  webhookSecrets: string | null;
  /** Webhooks may go to http and to private addresses. */
  webhookAllowPrivate: boolean;
  /** Null: traces are off. */
  traces: TraceSettings | null;
}

/** Every bad variable in one error, so that one restart is enough to correct them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** All variables by theme, in the order of the documents, which are printed from this. */
export const variableGroups: readonly VariableGroup[] = [
  {
    title: 'Where it listens',
    introduction: 'Without a key only loopback addresses are allowed.',
    variables: listeningVariables,
  },
  {
    title: 'Where the data is',
    introduction: 'Without `DATABASE_URL` an embedded Postgres runs in `DATA_DIR`.',
    variables: databaseVariables,
  },
  {
    title: 'Models',
    introduction: 'The models of the sandbox need none of these.',
    variables: modelVariables,
  },
  { title: 'Work', introduction: '', variables: workerVariables },
  {
    title: 'Owners',
    introduction:
      'Who may use the server: see [API keys and owners](#api-keys-and-owners). Every process must have the same values.',
    variables: ownerVariables,
  },
  {
    title: 'Retention',
    introduction: 'What is deleted by itself. Fractions of days are allowed.',
    variables: retentionVariables,
  },
  { title: 'Webhooks', introduction: '', variables: webhookVariables },
  { title: 'Pages', introduction: '', variables: pageVariables },
  {
    title: 'Probes, metrics, and the end of a process',
    introduction: '',
    variables: operatorVariables,
  },
  { title: 'The log', introduction: '', variables: logVariables },
  {
    title: 'Traces',
    introduction:
      'A collector takes them as OTLP, JSON over HTTP: see [operating](../operating.md#traces).',
    variables: traceVariables,
  },
];

const environment = z.object({
  ...listeningVariables,
  ...databaseVariables,
  ...modelVariables,
  ...workerVariables,
  ...ownerVariables,
  ...retentionVariables,
  ...webhookVariables,
  ...pageVariables,
  ...operatorVariables,
  ...logVariables,
  ...traceVariables,
});

/** Each may be given as a file: what its name says to be a secret, and what may hold one. */
const ownSecrets = Object.keys(environment.shape).filter((name) =>
  /_(KEYS?|TOKEN|SECRET|OTLP_HEADERS)$|^DATABASE_URL|^PROVIDERS$/.test(name),
);

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
    problems.push(...retentionProblems(data), ...operatorProblems(data));
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
        : defaultModels.neither);
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
    traces: traceSettings(data),
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
