/** Where traces are off, nothing of OpenTelemetry's SDK is loaded. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';

const root = new URL('../..', import.meta.url);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Starts a service and ends it; all packages of OpenTelemetry that were loaded. */
async function loadedBy(env: Record<string, string>): Promise<string[]> {
  const script = `
    import { createRequire } from 'node:module';
    import { readConfig } from './src/config.ts';
    import { createLog } from './src/core/log.ts';
    import { startService } from './src/service.ts';
    const config = readConfig(process.env);
    const service = await startService(config, createLog('silent', { role: 'all' }));
    await fetch(service.url + '/metrics');
    await service.stop({ hurry: true });
    const names = Object.keys(createRequire(import.meta.url).cache).flatMap(
      (path) => /@opentelemetry\\/[^/]+/.exec(path) ?? [],
    );
    process.stdout.write(JSON.stringify([...new Set(names)]));
    process.exit(0);`;
  const args = [...nodeFlags, '--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: {
      ...nodeEnv,
      PATH: process.env.PATH ?? '',
      DATABASE_URL: database.url,
      PORT: '0',
      CONSOLE: 'off',
      ...env,
    },
  });
  return JSON.parse(stdout) as string[];
}

const collector = 'http://127.0.0.1:9';

it.each([
  ['no collector is named', {}],
  ['it is disabled', { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_SDK_DISABLED: 'true' }],
])(
  'where %s, only the types of prom-client and of the packages of providers',
  async (_what, env) => {
    // @opentelemetry/api is a dependency of prom-client and of @anthropic-ai/sdk, which load it.
    expect(await loadedBy(env)).toEqual(['@opentelemetry/api']);
  },
);

it('where one is named, what sends to it', async () => {
  const loaded = await loadedBy({ OTEL_EXPORTER_OTLP_ENDPOINT: collector });
  expect(loaded).toContain('@opentelemetry/sdk-trace-base');
  expect(loaded).toContain('@opentelemetry/exporter-trace-otlp-http');
});
