import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, readConfig } from '../config.ts';
import { createLog } from '../core/log.ts';
import { type Service, startService } from '../service.ts';

/** A Winnow that belongs to the demo alone. */
export interface OwnWinnow {
  url: string;
  /** Starts the work on batches. Before, requests go to the sandbox alone. */
  startWorker(): Promise<void>;
  stop(options: { hurry: boolean }): Promise<void>;
}

/**
 * Settings that go before the environment, so that the demo never touches a running server or its
 * data. '' is "not set".
 */
const ownSettings = {
  PORT: '0',
  HOST: '127.0.0.1',
  DATABASE_URL: '',
  API_KEYS: '',
  PUBLIC_URL: '',
  ROLE: '',
  CONSOLE: 'on',
  GRAPHIQL: 'on',
  INTROSPECTION: 'on',
};

/** Settings that choose a model. */
const modelSettings = {
  OPENAI_API_KEY: '',
  OPENAI_BASE_URL: '',
  ANTHROPIC_API_KEY: '',
  ANTHROPIC_BASE_URL: '',
  PROVIDERS: '',
  DEFAULT_MODEL: '',
};

/** The environment's models and limits with the demo's own place. Throws ConfigError. */
export function ownConfig(
  environment: Readonly<Record<string, string | undefined>>,
  { directory, sandbox }: { directory: string; sandbox: boolean },
): Config {
  return readConfig({
    ...environment,
    ...ownSettings,
    ...(sandbox ? modelSettings : {}),
    DATA_DIR: directory,
    LOG_LEVEL: environment.LOG_LEVEL || 'error',
  });
}

/**
 * Starts the server, and the worker only on demand: a worker continues the batches of a killed run
 * at once, without consent. Throws when another demo is up in the same folder.
 */
export async function startOwnWinnow(config: Config): Promise<OwnWinnow> {
  const log = createLog(config.logLevel, config);
  const note = join(config.dataDirectory, 'demo.url');
  await mkdir(config.dataDirectory, { recursive: true });
  await refuseSecond(note, config.dataDirectory);
  const server = await startService({ ...config, role: 'api' }, log);
  const url = server.url ?? '';
  await writeFile(note, url);
  let worker: Service | null = null;

  return {
    url,
    async startWorker() {
      worker = await startService({ ...config, role: 'worker' }, log);
    },
    async stop(options) {
      await worker?.stop(options);
      await server.stop(options);
      await rm(note, { force: true });
    },
  };
}

const answerDeadlineMs = 2_000;

/**
 * Two demos in one folder would take each other's batches. The note of a killed demo names a server
 * that does not answer.
 */
async function refuseSecond(note: string, directory: string): Promise<void> {
  const url = await readFile(note, 'utf8').catch(() => null);
  if (url === null) return;
  const isUp = await fetch(`${url}/graphql?query={__typename}`, {
    signal: AbortSignal.timeout(answerDeadlineMs),
  }).then(
    ({ ok }) => ok,
    () => false,
  );
  if (isUp) {
    throw new Error(
      `Another demo is up in ${directory}, at ${url}/graphql: end it with Ctrl-C, or give this one a folder of its own with --data.`,
    );
  }
}
