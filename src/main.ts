/** The program: environment in, service up, signals out. The only reader of process.env. */
import { existsSync } from 'node:fs';
import { type Config, ConfigError, readConfig } from './config.ts';
import { createLog } from './log.ts';
import { type Service, startService } from './service.ts';

/** One press of Ctrl-C may arrive twice: from the terminal, and from the npm that the program runs under. */
const onePressMs = 500;

if (existsSync('.env')) process.loadEnvFile('.env');

let config: Config;
try {
  config = readConfig(process.env);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

const log = createLog(config.logLevel, config);
const startedAt = performance.now();

// Taken from the first instant on, so that a Ctrl-C during the start leaves nothing behind either.
let service: Service | null = null;
let stopping = false;
let stoppedAt = Number.NEGATIVE_INFINITY;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

try {
  service = await startService(config, log);
} catch (error) {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    process.stderr.write(
      `${config.host}:${config.port} is in use, perhaps by another Winnow; set PORT to another port\n`,
    );
  } else log.error({ err: error }, 'Winnow could not start');
  process.exit(1);
}
if (stopping) await end(service, false);
else process.stdout.write(`${announcement(service, performance.now() - startedAt)}\n`);

function stop(): void {
  const now = performance.now();
  if (now - stoppedAt < onePressMs) return;
  const again = stopping;
  stopping = true;
  stoppedAt = now;
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

function announcement({ url, data }: Service, ms: number): string {
  const lines = [
    `Winnow is up after ${(ms / 1000).toFixed(1)} s.`,
    ...(url
      ? [
          `  GraphiQL    ${config.graphiql ? `${url}/graphql` : 'off'}`,
          `  GraphQL     ${url}/graphql`,
          `  WebSocket   ${url.replace(/^http/, 'ws')}/graphql`,
        ]
      : ['  Role        worker: it serves nothing']),
    `  Model       ${modelLine()}`,
    `  Data        ${data}`,
    `  Keys        ${config.apiKeys.size > 0 ? `${config.apiKeys.size} in API_KEYS` : 'none: only this machine is served'}`,
  ];
  return lines.join('\n');
}

function modelLine(): string {
  return config.defaultModel.startsWith('sandbox/')
    ? `${config.defaultModel}: rules, not a language model; set OPENAI_API_KEY, OPENAI_BASE_URL or ANTHROPIC_API_KEY for one`
    : config.defaultModel;
}
