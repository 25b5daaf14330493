/** compose.yaml, as the program that reads such files understands it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { variableNames } from '../../src/config.ts';
import { type Check, root, run, tryRun } from './checks.ts';

interface Service {
  environment?: Readonly<Record<string, string>>;
  volumes?: readonly string[];
  ports?: readonly string[];
  deploy?: { replicas?: number };
}

/** Variables without which the file is refused. */
const env = { ...process.env, POSTGRES_PASSWORD: 'a-password' };
const file = join(root, 'compose.yaml');

export const compose: Check = {
  name: 'compose.yaml is read, demands a password, and names what there is',
  needs: { 'docker-compose': 'docker-compose' },
  async run() {
    const text = await run('docker-compose', ['-f', file, 'config'], { env });
    const { services } = parse(text) as { services: Record<string, Service> };
    for (const [name, service] of Object.entries(services)) look(name, service);
    for (const name of ['api', 'worker']) {
      if (services[name]?.deploy?.replicas !== 2) throw new Error(`${name} must run twice`);
    }
    await refuseWithoutPassword();
    await refuseMisspelt();
    return `${Object.keys(services).length} services`;
  },
};

function look(name: string, { environment = {}, volumes = [], ports = [] }: Service): void {
  const isOurs = environment.DATABASE_URL !== undefined;
  const strange = Object.keys(environment).filter((one) => isOurs && !variableNames.includes(one));
  if (strange.length > 0) throw new Error(`${name} has unknown variables: ${strange.join(', ')}`);
  for (const volume of volumes) {
    const [source = ''] = volume.split(':');
    if (source.startsWith('/') && !existsSync(source)) throw new Error(`${source} must exist`);
  }
  const open = ports.filter((port) => name !== 'proxy' && !port.startsWith('127.0.0.1:'));
  if (open.length > 0) throw new Error(`${name} must not publish ${open.join(', ')}`);
}

async function refuseWithoutPassword(): Promise<void> {
  const { POSTGRES_PASSWORD: _, ...without } = env;
  const { code, text } = await tryRun('docker-compose', ['-f', file, 'config'], { env: without });
  if (code === 0 || !text.includes('must be set'))
    throw new Error(`without POSTGRES_PASSWORD the file must be refused: ${text}`);
}

/** The reader sees what is wrong: else its silence would say nothing. */
async function refuseMisspelt(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'winnow-compose-'));
  const misspelt = join(folder, 'compose.yaml');
  writeFileSync(misspelt, readFileSync(file, 'utf8').replace('    expose:', '    exposes:'));
  const { code } = await tryRun('docker-compose', ['-f', misspelt, 'config'], { env });
  rmSync(folder, { recursive: true });
  if (code === 0) throw new Error('a misspelt key must be refused');
}
