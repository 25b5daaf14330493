/** Winnow as a whole: builds the parts in order of need, and takes them down in reverse. */
import { randomBytes } from 'node:crypto';
import { createCallLedger } from './app/call-ledger.ts';
import { createLiveCalls } from './app/live-call.ts';
import { createOwnerBudget } from './app/owner-budget.ts';
import type { Config } from './config.ts';
import type { Log } from './core/log.ts';
import { createCounter } from './counting/counter.ts';
import { awaitDatabase, startFailureOf } from './db/driver/await-database.ts';
import { type DatabaseOptions, openDatabase } from './db/driver/client.ts';
import { divideConnections } from './db/driver/connections.ts';
import { openCopy } from './db/driver/copy.ts';
import { createRequestLine } from './db/driver/request-line.ts';
import { startEmbeddedPostgres } from './db/embedded/embedded.ts';
import type { ServerEvent } from './db/embedded/guard.ts';
import { migrateDatabase } from './db/migrate.ts';
import { createRoomCheck } from './db/room.ts';
import { readOrMakeSetting } from './db/settings.ts';
import { createProgress } from './engine/live/progress.ts';
import { createLease } from './engine/process/lease.ts';
import { logBatches } from './engine/process/log-batches.ts';
import { createNudges } from './engine/process/nudges.ts';
import { createShares } from './engine/process/shares.ts';
import { createProviderJobs } from './engine/provider-jobs/provider-jobs.ts';
import { createPrefixCount } from './engine/run/count-beginning.ts';
import { createPlanner } from './engine/run/plan.ts';
import { createSummaries } from './engine/summaries/summaries.ts';
import { choosePreviews } from './engine/upkeep/choose-preview.ts';
import { createAnswerCount } from './engine/upkeep/count-answers.ts';
import { indexIds } from './engine/upkeep/index-ids.ts';
import { createFileJanitor } from './engine/upkeep/janitor.ts';
import { matchRows } from './engine/upkeep/match-rows.ts';
import { createPreparation } from './engine/upkeep/prepare.ts';
import { quoteBatches } from './engine/upkeep/quote-batches.ts';
import { createReaper } from './engine/upkeep/reaper.ts';
import { createWorker } from './engine/worker/worker.ts';
import { createAnthropicFace } from './faces/anthropic/face.ts';
import { createConsoleFace } from './faces/console/face.ts';
import { createGraphQLFace } from './faces/graphql/face.ts';
import { createHttpServer } from './faces/http/server.ts';
import { createSignedLinks, newLinkKey } from './faces/http/signed-link.ts';
import { createOpenAiFace } from './faces/openai/face.ts';
import { createRestFace } from './faces/rest/face.ts';
import { createProviders } from './model/providers.ts';
import { startSandbox } from './sandbox/wire/server.ts';
import { createEvents, type Events } from './telemetry/events.ts';
import { logEvents } from './telemetry/log-events.ts';
import { createWebhooks } from './webhooks/deliver.ts';
import { checkWebhookTarget, createResolveName } from './webhooks/dial.ts';
import { newWebhookSecret } from './webhooks/sign.ts';

/** Stands in line for the states of batches: the name of no owner. */
const everybody = '';
/** Calls in flight get this long to finish at an orderly end. */
const shutdownGraceMs = 30_000;

export interface Service {
  /** Where the server listens; null in a process that only works. */
  url: string | null;
  /** Where the data lies, for people. */
  data: string;
  /** What happens in this process. */
  events: Pick<Events, 'on'>;
  /**
   * Takes nothing new, lets calls under way finish, gives back the rest, and closes everything.
   * `hurry` cuts the grace short, also while an orderly end is under way.
   */
  stop(options?: { hurry: boolean }): Promise<void>;
}

export interface StartOptions {
  /** Hears what the start waits for, in sentences for people. */
  tell?: (sentence: string) => void;
  /** Ends a start that waits. */
  signal?: AbortSignal;
}

/** Throws StartFailure where its database, its folder or its port is in the way. */
export async function startService(
  config: Config,
  log: Log,
  { tell = (sentence) => log.warn(sentence), signal }: StartOptions = {},
): Promise<Service> {
  const undo: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | null = null;
  /** Work of the engine, which begins no call once the process is to stop. */
  const working: { stop(graceMs: number): Promise<void> }[] = [];
  /** Cuts the grace of what has one short. */
  const hurries: (() => Promise<unknown>)[] = [];

  async function stopAll(): Promise<void> {
    for (const step of undo.reverse()) {
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, 'a part could not be closed in order');
      }
    }
  }

  const events = createEvents(log);
  logEvents(events, log);
  let { databaseUrl } = config;
  try {
    let data = 'the database of DATABASE_URL';
    let room: Pick<DatabaseOptions, 'checkRoom'> = {};
    if (databaseUrl === null) {
      const postgres = await startEmbeddedPostgres({
        directory: `${config.dataDirectory}/postgres`,
        onEvent: (event) => tellOfDatabase(event, log),
      });
      undo.push(() => postgres.stop());
      databaseUrl = postgres.url;
      data = config.dataDirectory;
      room = { checkRoom: createRoomCheck(data) };
    } else await awaitDatabase(databaseUrl, { tell, signal });
    await migrateDatabase(databaseUrl);
    const serves = config.role !== 'worker';
    const connections = divideConnections(config.databaseConnections, { serves });
    const db = openDatabase(databaseUrl, { maxConnections: connections.engine, ...room });
    undo.push(() => db.close());
    const batchLines = logBatches(events, { db, log });
    undo.push(() => batchLines.written());

    // Other accounts of this machine could otherwise read every owner's rows from the sandbox.
    const sandboxKey = randomBytes(24).toString('base64url');
    const sandbox = await startSandbox({ apiKey: sandboxKey });
    undo.push(() => sandbox.close());
    const providers = createProviders({
      configs: [
        ...config.providers,
        {
          name: 'sandbox',
          baseUrl: sandbox.url,
          apiKey: sandboxKey,
          headers: {},
          query: {},
          models: ['rules'],
          closed: true,
          batches: true,
        },
      ],
      timeoutMs: config.modelTimeoutMs,
      concurrency: config.workerConcurrency,
      defaultModel: config.defaultModel,
      prices: config.prices,
      log,
      events,
    });
    undo.push(() => providers.close());
    const counter = createCounter();
    undo.push(() => counter.stop());
    const preparePlan = createPlanner({
      providers,
      defaultModel: config.defaultModel,
      countPrefix: createPrefixCount(counter),
      events,
    });

    const prepareStored = ({ operation, options, model }: StoredOperation) =>
      preparePlan(operation, JSON.parse(options) as Record<string, unknown>, model);

    const nudges = createNudges({ db, log });
    await nudges.start();
    undo.push(() => nudges.stop());

    // Before the lease: a heartbeat that gets no answer in time breaks all connections.
    const webhookSecrets =
      config.webhookSecrets ?? (await readOrMakeSetting(db, 'webhook_secret', newWebhookSecret));
    const links = serves
      ? createSignedLinks({ key: await readOrMakeSetting(db, 'link_key', newLinkKey) })
      : null;

    const stateOf = () => {
      const activity = providers.activity();
      return Object.keys(activity).length === 0 ? null : JSON.stringify(activity);
    };
    let ownId = (): string | null => null;
    if (config.role !== 'api') {
      const lease = createLease({
        db,
        leaseMs: config.workerLeaseMs,
        concurrency: config.workerConcurrency,
        stateOf,
        log,
        events,
      });
      ownId = lease.id;
      await lease.start();
      undo.push(() => lease.stop());
      const worker = createWorker({
        db,
        limits: config.budgets,
        nudges,
        preparePlan: prepareStored,
        concurrency: config.workerConcurrency,
        lease,
        log,
        events,
      });
      const providerJobs = createProviderJobs({
        db,
        limits: config.budgets,
        nudges,
        preparePlan: prepareStored,
        lease,
        pollMs: config.providerBatchPollMs,
        log,
        events,
      });
      for (const part of [worker, providerJobs]) {
        await part.start();
        undo.push(() => part.stop(shutdownGraceMs));
        hurries.push(() => part.stop(0));
        working.push(part);
      }
    }
    const shares = createShares({
      db,
      works: config.role !== 'api',
      leaseMs: config.workerLeaseMs,
      share: providers.share,
      stateOf,
      log,
    });
    await shares.start();
    undo.push(() => shares.stop());
    const reaper = createReaper({ db, limits: config.budgets, nudges, log, events });
    await reaper.start();
    undo.push(() => reaper.stop());

    const preparation = createPreparation({
      steps: [
        indexIds({ db, nudges }),
        matchRows({ db, nudges, log }),
        quoteBatches({ db, counter, preparePlan: prepareStored, pricesOf: providers.prices, log }),
        choosePreviews({ db, nudges }),
      ],
      nudges,
      log,
    });
    preparation.start();
    undo.push(() => preparation.stop());

    const summaries = createSummaries({ db, log });
    const answerCount = createAnswerCount({ db, summaries, events, log });
    answerCount.start();
    undo.push(() => answerCount.stop());

    const janitor = createFileJanitor({ db, log });
    await janitor.start();
    undo.push(() => janitor.stop());

    const webhooks = createWebhooks({
      db,
      secrets: webhookSecrets,
      allowPrivate: config.webhookAllowPrivate,
      log,
      events,
    });
    webhooks.start();
    undo.push(() => webhooks.stop());
    hurries.push(() => webhooks.stop(0));

    let url: string | null = null;
    if (links !== null) {
      const { requests, copies } = connections;
      const requestDb = openDatabase(databaseUrl, { maxConnections: requests, ...room });
      undo.push(() => requestDb.close());
      const copy = openCopy(databaseUrl, { maxConnections: copies });
      undo.push(() => copy.close());
      const line = createRequestLine({ db: requestDb, copy }, { statements: requests, copies });
      const callLedger = createCallLedger({ db, log });
      callLedger.start();
      const ownerBudget = createOwnerBudget({ db, providers, limits: config.budgets, log });
      undo.push(() => callLedger.stop());
      const progress = createProgress({
        db: line.of(everybody).db,
        dbOf: (owner) => line.of(owner).db,
        nudges,
        log,
      });
      progress.start();
      undo.push(async () => progress.stop());
      const services = {
        line,
        links,
        nudges,
        progress,
        summaries,
        providers,
        counter,
        defaultModel: config.defaultModel,
        withKeys: config.apiKeys.size > 0,
        ownProcess: {
          id: () => shares.id ?? ownId(),
          concurrency: config.workerConcurrency,
        },
        callLedger,
        ownerBudget,
        limits: config.budgets,
        concurrency: config.workerConcurrency,
        liveCalls: createLiveCalls({
          providers,
          callLedger,
          ownerBudget,
          defaultModel: config.defaultModel,
          timeoutMs: config.modelTimeoutMs,
        }),
        log,
        events,
        preparePlan,
        webhooks,
        checkWebhook: createWebhookCheck(config.webhookAllowPrivate),
      };
      const { introspection, publicUrl } = config;
      const server = createHttpServer({
        config,
        faces: [
          createConsoleFace({
            withConsole: config.console,
            withGraphiQL: config.graphiql,
            withKeys: config.apiKeys.size > 0,
            publicUrl,
            dataDirectory: config.dataDirectory,
            log,
          }),
          createRestFace({ services, db }),
          createGraphQLFace({ services, introspection, publicUrl, log }),
          createOpenAiFace(services),
          createAnthropicFace(services, { publicUrl }),
        ],
        log,
      });
      url = await server.listen();
      undo.push(() => server.close(shutdownGraceMs));
      hurries.push(() => server.close(0));
    }

    return {
      url,
      data,
      events,
      stop(options) {
        if (!stopping) {
          // No new calls while requests that are under way are waited for; the end below waits for
          // the same.
          for (const part of working) void part.stop(shutdownGraceMs).catch(() => undefined);
          stopping = stopAll();
        }
        // The end under way waits for the same, and has its errors.
        if (options?.hurry) for (const hurry of hurries) void hurry().catch(() => undefined);
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw (databaseUrl === null ? null : startFailureOf(error, databaseUrl)) ?? error;
  }
}

function tellOfDatabase(event: ServerEvent, log: Log): void {
  if (event.kind === 'restarted')
    log.warn('the embedded Postgres had ended, and was started again');
  else
    log.error(
      { err: event.error },
      'the embedded Postgres does not start again, or cannot be looked for; trying again',
    );
}

/** As a batch has it stored. */
interface StoredOperation {
  operation: string;
  /** JSON text. */
  options: string;
  model: string;
}

/** What is wrong with a webhook's URL, by its text and addresses; null when it may be called. */
function createWebhookCheck(allowPrivate: boolean): (url: string) => Promise<string | null> {
  const resolveName = createResolveName({ allowPrivate });
  return (url) => checkWebhookTarget(url, { allowPrivate, resolveName });
}
