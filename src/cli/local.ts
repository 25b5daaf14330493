/** Winnow inside the command: server, worker and database, loaded only when they are asked for. */
import { withEnvFile } from './environment.ts';
import { NoServer, WrongUse } from './failure.ts';
import type { Environment } from './shell.ts';

export interface LocalWinnow {
  url: string;
  /** Null where no key is needed. */
  apiKey: string | null;
  /** Ends in order; `hurry` does not wait for calls under way. */
  stop(options: { hurry: boolean }): Promise<void>;
}

/**
 * Starts with the environment and `.env` as `npm start` does, without PORT on a free one. Throws
 * WrongUse for wrong variables, NoServer where database, folder or port are in the way.
 */
export async function startLocal(
  given: Environment,
  { tell, signal }: { tell: (sentence: string) => void; signal: AbortSignal },
): Promise<LocalWinnow> {
  const { ConfigError, readConfig } = await import('../config.ts');
  const { StartFailure } = await import('../core/errors.ts');
  const { createLog } = await import('../core/log.ts');
  const { startService } = await import('../service.ts');

  const env = withEnvFile(given);
  try {
    const config = readConfig({
      // A command is over before anybody looks at a page.
      CONSOLE: 'off',
      ...env,
      PORT: env.PORT || '0',
      ROLE: 'all',
      LOG_LEVEL: env.LOG_LEVEL || 'error',
    });
    const log = createLog(config.logLevel, config);
    const service = await startService(config, log, { tell, signal });
    const [anyKey = null] = config.apiKeys.keys();
    return {
      url: service.url ?? '',
      apiKey: env.WINNOW_API_KEY || anyKey,
      stop: (options) => service.stop(options),
    };
  } catch (error) {
    if (error instanceof ConfigError) throw new WrongUse(error.message);
    if (error instanceof StartFailure) throw new NoServer(error.message);
    throw error;
  }
}
