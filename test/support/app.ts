import { type Client, createClient } from 'graphql-ws';
import pino from 'pino';
import { inject } from 'vitest';
import WebSocket from 'ws';
import { readConfig } from '../../src/config.ts';
import { lineFormatters } from '../../src/core/log.ts';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { type Service, startService } from '../../src/service.ts';
import { createTestDatabase } from './database.ts';
import { createTrail, type Trail } from './trail.ts';

/** An answer of the GraphQL endpoint. */
export interface Answer<Data = Record<string, any>> {
  status: number;
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, any> }[];
}

/**
 * A whole Winnow on a database of its own, over real HTTP, with a sandbox that the test can drive
 * to fail as provider `test`. Its trail tells of this process alone.
 */
export interface App extends Trail {
  url: string;
  databaseUrl: string;
  /** Answers as `test/rules`, which is also the default model. */
  sandbox: Sandbox;
  service: Service;
  graphql<Data = Record<string, any>>(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>;
  /** A graphql-ws client; disposed of with the app. */
  socket(connectionParams?: Record<string, unknown>): Client;
  stop(): Promise<void>;
}

/** THROUGH_POOLER: `direct` with an address past PgBouncer, `only` without one. */
function roadTo(databaseUrl: string): Record<string, string> {
  const poolerUrl = inject('poolerUrl');
  // Another one is a proxy of the test.
  if (poolerUrl === null || new URL(databaseUrl).port !== new URL(inject('postgresUrl')).port) {
    return { DATABASE_URL: databaseUrl };
  }
  const pooled = new URL(databaseUrl);
  pooled.port = new URL(poolerUrl).port;
  return process.env.THROUGH_POOLER === 'direct'
    ? { DATABASE_URL: pooled.href, DATABASE_URL_DIRECT: databaseUrl }
    : { DATABASE_URL: pooled.href, LISTEN: 'off' };
}

/**
 * Further variables override; `databaseUrl` and `sandbox` let two apps share one; what is logged
 * goes to `logTo`.
 */
export async function startApp(
  env: Record<string, string> = {},
  shared: { databaseUrl?: string; sandbox?: Sandbox; logTo?: pino.DestinationStream } = {},
): Promise<App> {
  const database = shared.databaseUrl ? null : await createTestDatabase();
  const databaseUrl = shared.databaseUrl ?? database?.url ?? '';
  const sandbox = shared.sandbox ?? (await startFaultySandbox());
  const config = readConfig({
    PORT: '0',
    ...roadTo(databaseUrl),
    PROVIDERS: JSON.stringify({ test: { baseURL: sandbox.url, models: ['rules'] } }),
    DEFAULT_MODEL: 'test/rules',
    // Each connection is a process of Postgres, which reads its catalogue and plans by itself.
    DATABASE_CONNECTIONS: '12',
    PROVIDER_BATCH_POLL_MS: '50',
    // Each start would bundle it, or look for the bundle.
    CONSOLE: 'off',
    ...env,
  });
  const service = await startService(
    config,
    pino(
      { level: env.LOG_LEVEL ?? 'silent', formatters: lineFormatters },
      shared.logTo ?? pino.destination(2),
    ),
  );
  const url = service.url ?? '';
  const sockets: Client[] = [];

  return {
    ...createTrail(service.events),
    url,
    databaseUrl,
    sandbox,
    service,
    async graphql(query, variables = {}, headers = {}) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return { status: response.status, ...((await response.json()) as object) };
    },
    socket(connectionParams) {
      const client = createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        ...(connectionParams ? { connectionParams } : {}),
      });
      sockets.push(client);
      return client;
    },
    async stop() {
      await Promise.all(sockets.map((client) => client.dispose()));
      await service.stop({ hurry: true });
      if (!shared.sandbox) await sandbox.close();
      await database?.drop();
    },
  };
}
