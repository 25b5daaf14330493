/** The program: environment in, service up, signals out. It, cli/ and demo/ read process.env. */
import { existsSync } from 'node:fs';
import { findWeakKeys } from './config/weak-keys.ts';
import { type Config, ConfigError, findStrangeVariables, readConfig } from './config.ts';
import { StartFailure } from './core/errors.ts';
import { createLog } from './core/log.ts';
import { migrateOnly } from './service/tables.ts';
import { type Service, startService } from './service.ts';

/** One Ctrl-C may arrive twice: from the terminal, and from the npm above the program. */
const onePressMs = 500;

// In production a file that lies about must not change what the process was given.
if (process.env.NODE_ENV !== 'production' && existsSync('.env')) process.loadEnvFile('.env');

let config: Config;
try {
  config = readConfig(process.env);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const log = createLog(config.logLevel, config);
for (const sentence of findStrangeVariables(process.env)) log.warn(sentence);
for (const sentence of findWeakKeys(config.apiKeys.keys())) log.warn(sentence);

// Taken from the first instant on, so that a Ctrl-C during the start leaves nothing behind either.
let service: Service | null = null;
const starting = new AbortController();
let stopping = false;
let stoppedAt = Number.NEGATIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

try {
  if (config.migrate === 'only') await migrateAndExit(config);
  service = await startService(config, log, { tell: complain, signal: starting.signal });
} catch (error) {
  if (stopping) process.exit(0);
  if (error instanceof StartFailure) complain(error.message);
  else log.error({ err: error }, 'Winnow could not start');
  process.exit(1);
}
if (stopping) await end(service, false);
else process.stdout.write(`${announcement(service)}\n`);

/** For MIGRATE=only: no server and no worker. */
async function migrateAndExit(given: Config): Promise<never> {
  let applied = 0;
  await migrateOnly(given, {
    log,
    tell: complain,
    signal: starting.signal,
    onApplied(migration) {
      applied += 1;
      process.stdout.write(`${migration}\n`);
    },
  });
  if (applied === 0) process.stdout.write('No migration is missing.\n');
  process.exit(0);
}

/** For people, whatever LOG_LEVEL says. */
function complain(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

function stop(): void {
  const now = performance.now();
  if (now - stoppedAt < onePressMs) return;
  const again = stopping;
  stopping = true;
  stoppedAt = now;
  starting.abort(new Error('the start was given up'));
  if (service) void end(service, again);
  // A start that hangs must not outlast its user's patience.
  else if (again) process.exit(130);
}

async function end(running: Service, hurry: boolean): Promise<void> {
  if (!hurry)
    process.stdout.write('\nStopping: calls under way get up to 30 s; once more to hurry.\n');
  await running.stop({ hurry });
  process.exit(0);
}

function announcement({ url, operatorUrl, data, keys }: Service): string {
  // Of this clock, the zero is the start of the process.
  const seconds = (performance.now() / 1_000).toFixed(1);
  const lines = [
    `Winnow is up after ${seconds} s.`,
    ...(url
      ? [
          ...(config.console ? [`  Console     ${url}/console`] : []),
          `  GraphiQL    ${config.graphiql ? `${url}/graphql` : 'off'}`,
          `  GraphQL     ${url}/graphql`,
          `  WebSocket   ${url.replace(/^http/, 'ws')}/graphql`,
        ]
      : ['  Role        worker: it serves no data']),
    ...(operatorUrl ? [`  Probes      ${operatorUrl}/readyz`] : []),
    `  Model       ${modelLine()}`,
    `  Data        ${data}`,
    `  Keys        ${keysLine(keys)}`,
  ];
  return lines.join('\n');
}

function keysLine(inDatabase: number): string {
  const { size } = config.apiKeys;
  const parts = [
    ...(size > 0 ? [`${size} in API_KEYS`] : []),
    ...(inDatabase > 0 ? [`${inDatabase} in the database`] : []),
  ];
  return parts.join(', ') || 'none: only this machine is served';
}

function modelLine(): string {
  return config.defaultModel.startsWith('sandbox/')
    ? `${config.defaultModel}: rules, not a language model; set OPENAI_API_KEY, OPENAI_BASE_URL or ANTHROPIC_API_KEY for one`
    : config.defaultModel;
}
