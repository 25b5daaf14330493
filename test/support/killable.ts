/** A server with a faulty sandbox that is killed and started again at the same address. */
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { createTestDatabase } from './database.ts';
import { freePort } from './free-port.ts';
import { type Program, startProgram } from './program.ts';
import { until } from './until.ts';

export interface Killable {
  url: string;
  sandbox: Sandbox;
  /** Resolves once the server is up again. */
  start(): Promise<void>;
  kill(): Promise<void>;
  /** The end of all. */
  remove(): Promise<void>;
}

/** Starts it. The sandbox answers after `latencyMs`. */
export async function startKillable(options: {
  latencyMs: number;
  concurrency: number;
  leaseMs: number;
}): Promise<Killable> {
  const database = await createTestDatabase();
  const sandbox = await startFaultySandbox({ latencyMs: options.latencyMs });
  const port = await freePort();
  let program: Program;

  async function start(): Promise<void> {
    program = startProgram({
      DATABASE_URL: database.url,
      PORT: String(port),
      PROVIDERS: JSON.stringify({ test: { baseURL: sandbox.url, models: ['rules'] } }),
      DEFAULT_MODEL: 'test/rules',
      WORKER_CONCURRENCY: String(options.concurrency),
      WORKER_LEASE_MS: String(options.leaseMs),
    });
    await until(() => program.out.includes('Winnow is up'), {
      deadlineMs: 20_000,
      what: `a start: ${program.errors}`,
    });
  }

  async function kill(): Promise<void> {
    program.process.kill('SIGKILL');
    await program.ended;
  }

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    sandbox,
    start,
    kill,
    async remove() {
      await kill();
      await sandbox.close();
      await database.drop();
    },
  };
}
