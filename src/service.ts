/** Winnow as a whole: builds the parts in the order in which they need each other, and takes them down the other way round. */
import { createProgress } from './batches/progress.ts';
import { createReaper } from './batches/reaper.ts';
import { createSignals } from './batches/signals.ts';
import { createWorker, type Worker } from './batches/worker.ts';
import type { Config } from './config.ts';
import { openDatabase } from './db/client.ts';
import { startEmbeddedPostgres } from './db/embedded.ts';
import { migrateDatabase } from './db/migrate.ts';
import { createPlanner } from './execute.ts';
import type { Log } from './log.ts';
import { createProviders } from './model/providers.ts';
import { startSandbox } from './sandbox/server.ts';
import { createHttpServer } from './server.ts';

/** Calls in flight get this long to finish at an orderly end. */
const shutdownGraceMs = 30_000;

export interface Service {
  /** Where the server listens; null in a process that only works. */
  url: string | null;
  /** Where the data lies, for people. */
  data: string;
  /**
   * Takes nothing new, lets calls under way finish, gives back the rest, and closes everything. `hurry` cuts the grace
   * short, also while an orderly end is under way.
   */
  stop(options?: { hurry: boolean }): Promise<void>;
}

export async function startService(config: Config, log: Log): Promise<Service> {
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  let worker: Worker | null = null;

  async function stopAll(): Promise<void> {
    for (const step of undo.reverse()) {
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, 'a part could not be closed in order');
      }
    }
  }

  try {
    let { databaseUrl } = config;
    let data = 'the database of DATABASE_URL';
    if (databaseUrl === null) {
      const postgres = await startEmbeddedPostgres({
        directory: `${config.dataDirectory}/postgres`,
      });
      undo.push(() => postgres.stop());
      databaseUrl = postgres.url;
      data = config.dataDirectory;
    }
    await migrateDatabase(databaseUrl);
    const db = openDatabase(databaseUrl);
    undo.push(() => db.close());

    const sandbox = await startSandbox();
    undo.push(() => sandbox.close());
    const providers = createProviders({
      configs: [
        ...config.providers,
        {
          name: 'sandbox',
          baseUrl: sandbox.url,
          apiKey: null,
          headers: {},
          query: {},
          models: ['rules'],
          closed: true,
        },
      ],
      timeoutMs: config.modelTimeoutMs,
      concurrency: config.workerConcurrency,
      log,
    });
    undo.push(() => providers.close());
    const preparePlan = createPlanner({ providers, defaultModel: config.defaultModel });

    const signals = createSignals({ db, log });
    await signals.start();
    undo.push(() => signals.stop());

    if (config.role !== 'api') {
      const running = createWorker({
        db,
        signals,
        preparePlan: ({ operation, options }) =>
          preparePlan(operation, JSON.parse(options) as Record<string, unknown>),
        concurrency: config.workerConcurrency,
        leaseMs: config.workerLeaseMs,
        log,
      });
      await running.start();
      undo.push(() => running.stop(shutdownGraceMs));
      worker = running;
    }
    const reaper = createReaper({ db, signals, log });
    await reaper.start();
    undo.push(() => reaper.stop());

    let url: string | null = null;
    if (config.role !== 'worker') {
      const progress = createProgress({ db, signals, log });
      progress.start();
      undo.push(async () => progress.stop());
      const server = createHttpServer({
        config,
        services: {
          db,
          signals,
          progress,
          providers,
          defaultModel: config.defaultModel,
          preparePlan,
        },
        log,
      });
      url = await server.listen();
      undo.push(() => server.close(shutdownGraceMs));
    }

    return {
      url,
      data,
      stop(options) {
        stopping ??= stopAll();
        if (options?.hurry) void worker?.stop(0); // the end under way waits for it, and has its errors
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}
