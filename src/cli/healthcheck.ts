/**
 * The health of the server that this environment describes: exit 0 or 1. Run as it stands it
 * loads nothing of Winnow, so that a container can ask often.
 */
import { existsSync, realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

type Environment = Readonly<Record<string, string | undefined>>;

/** Longer than a look at the database may take. */
const patienceMs = 4_000;

/** Null where all ports of the process are ready, else a sentence that says what is not. */
export async function findUnready(env: Environment): Promise<string | null> {
  const ports = portsOf(env);
  if (ports.length === 0) return 'METRICS_PORT must be set: a worker has no other port';
  for (const port of ports) {
    const address = `http://${hostOf(env)}:${port}/readyz`;
    try {
      const signal = AbortSignal.timeout(patienceMs);
      const { status } = await fetch(address, { signal });
      if (status !== 200) return `${address} answers ${status}`;
    } catch {
      return `${address} does not answer`;
    }
  }
  return null;
}

function portsOf({ PORT, METRICS_PORT, ROLE }: Environment): string[] {
  return [...(METRICS_PORT ? [METRICS_PORT] : []), ...(ROLE === 'worker' ? [] : [PORT || '4000'])];
}

/** Where an address that means every address is reached from this machine. */
function hostOf({ HOST }: Environment): string {
  const host = HOST || '127.0.0.1';
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** The variables of the server of this folder, `.env` included where the server reads it. */
export function readEnvironment(): Environment {
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

const [, file] = process.argv;
if (file && import.meta.url === pathToFileURL(realpathSync(file)).href) {
  const unready = await findUnready(readEnvironment());
  if (unready !== null) process.stderr.write(`${unready}\n`);
  process.exitCode = unready === null ? 0 : 1;
}
