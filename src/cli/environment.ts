/** The environment of a command that does a server's work, as `npm start` reads it. */
import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import type { Environment } from './shell.ts';

/** With what `.env` has and the environment has not; in production that file is not read. */
export function withEnvFile(given: Environment): Environment {
  const isRead = given.NODE_ENV !== 'production' && existsSync('.env');
  return { ...(isRead ? parseEnv(readFileSync('.env', 'utf8')) : {}), ...given };
}
