/** Winnow as a whole: builds the parts in order of need, and takes them down in reverse. */
import type { Config } from './config.ts';
import type { Log } from './core/log.ts';
import { startFailureOf } from './db/driver/await-database.ts';
import { type Database, openDatabase } from './db/driver/client.ts';
import { divideConnections } from './db/driver/connections.ts';
import { withoutOutages } from './db/driver/outage-log.ts';
import { createPresence } from './db/driver/presence.ts';
import { readOrMakeSecret } from './db/sealed-settings.ts';
import { logBatches } from './engine/process/log-batches.ts';
import { createNudges } from './engine/process/nudges.ts';
import { newLinkKey } from './faces/http/signed-link.ts';
import { createReadiness } from './faces/operator/readiness.ts';
import { type Data, openData, type WaitOptions } from './service/data.ts';
import { openDoors } from './service/doors.ts';
import { createEnding, type Ending } from './service/ending.ts';
import { startEngine } from './service/engine.ts';
import { startGauges } from './service/gauges.ts';
import { openModels } from './service/models.ts';
import { openOperator } from './service/operator.ts';
import { watchOwnership } from './service/ownership.ts';
import { startServer } from './service/server.ts';
import { bringTables } from './service/tables.ts';
import { openTracing } from './service/tracing.ts';
import { readWebhookSecrets } from './service/webhook-secrets.ts';
import { logRequests } from './telemetry/access-log.ts';
import { createEvents, type Events } from './telemetry/events.ts';
import { logEvents } from './telemetry/log-events.ts';
import { createWebhooks } from './webhooks/deliver.ts';
import { createOwnerKeys } from './webhooks/owner-keys.ts';

export interface Service extends Pick<Ending, 'stop'> {
  /** Where the server listens; null in a process that only works. */
  url: string | null;
  /** Where METRICS_PORT is reached; null where it is not set. */
  operatorUrl: string | null;
  /** Keys in the database; 0 in a process that only works. */
  keys: number;
  /** Where the data lies, for people. */
  data: string;
  /** The events of this process. */
  events: Pick<Events, 'on'>;
}

/** `signal` ends a start that waits. */
export type StartOptions = Partial<WaitOptions>;

/** Throws StartFailure where its database, its folder or its port is in the way. */
export async function startService(
  config: Config,
  wholeLog: Log,
  { tell = (sentence) => wholeLog.warn(sentence), signal }: StartOptions = {},
): Promise<Service> {
  const events = createEvents(wholeLog);
  logEvents(events, wholeLog);
  if (config.accessLog) logRequests(events, wholeLog);
  const tracing = await openTracing(config, events, wholeLog);
  const presence = createPresence(events);
  const log = withoutOutages(wholeLog, presence);
  const readiness = createReadiness();
  const ending = createEnding(log, { delayMs: config.shutdownDelayMs, onStop: readiness.stop });
  ending.add(async () => presence.stop());
  if (tracing) ending.add(tracing.close);
  let { databaseUrl } = config;
  try {
    // Before the database, so that a start that waits for one is seen to live.
    const operator = await openOperator(config, ending, { readiness, events, log });
    const data = await openData(config, ending, { log, tell, signal });
    databaseUrl = data.databaseUrl;
    await bringTables(data, { migrate: config.migrate, log });
    const serves = config.role !== 'worker';
    const connections = divideConnections(config.databaseConnections, { serves });
    const db = openDatabase(databaseUrl, {
      maxConnections: connections.engine,
      presence,
      events,
      ...data.access,
      ...data.room,
    });
    ending.add(() => db.close());
    readiness.add('migrations', () => true);
    readiness.add('database', () => db.sql`select 1`.then(() => true));
    const ownership = await watchOwnership({ config, db, readiness, log }, ending);
    const isLogged = ['info', 'debug', 'trace'].includes(config.logLevel);
    const batchLines = logBatches(events, { db, log, isLogged, tracing });
    ending.add(() => batchLines.written());
    const models = await openModels(config, ending, { log, events });
    const nudges = createNudges({ db, listenDb: openListening({ config, data }, db, ending), log });
    await nudges.start();
    ending.add(() => nudges.stop());

    // Before the lease: a heartbeat that gets no answer in time breaks all connections.
    const ownerKeys = createOwnerKeys(await readWebhookSecrets(config, db));
    const linkKey = serves ? await readLinkKey(config, db) : null;
    const pools: Pick<Database, 'connections'>[] = [db];
    const served = { config, db, data, connections, presence, pools, nudges, log, events };
    const doors = serves ? await openDoors(served, ending) : null;
    const parts = { config, db, nudges, models, readiness, ownership, log, events, tracing };
    const engine = await startEngine(parts, ending);
    const { metrics } = operator;
    const { metricsPort, metricsToken } = config;
    const isShown = () =>
      metricsPort !== null || (doors !== null && (metricsToken !== null || doors.keyring.isOpen()));
    if (metrics) startGauges(metrics, { ...parts, pools, engine, isShown }, ending);
    const allowPrivate = config.webhookAllowPrivate;
    const { keysOf } = ownerKeys;
    const webhooks = createWebhooks({ db, keysOf, allowPrivate, log, events, tracing });
    await ownership.whenOwn(async () => webhooks.start());
    ending.addHurried(
      () => webhooks.stop(),
      () => webhooks.stop(0),
    );
    const url =
      linkKey === null || doors === null
        ? null
        : await startServer(
            { ...parts, ...doors, presence, linkKey, engine, operator, webhooks, ownerKeys },
            ending,
          );
    const keys = doors?.keyring.size() ?? 0;
    return { url, operatorUrl: operator.url, keys, data: data.place, events, stop: ending.stop };
  } catch (error) {
    await ending.closeAll();
    throw (databaseUrl === null ? null : startFailureOf(error, databaseUrl)) ?? error;
  }
}

/** Where the processes hear each other; null: they poll. Opens no connection by itself. */
function openListening(
  { config: { listens }, data: { databaseUrl, directUrl, access } }: { config: Config; data: Data },
  db: Database,
  ending: Ending,
): Database | null {
  if (!listens) return null;
  if (directUrl === databaseUrl) return db;
  const direct = openDatabase(directUrl, { ...access, pooled: false, maxConnections: 1 });
  ending.add(() => direct.close());
  return direct;
}

/** The key that signs links and cursors. */
async function readLinkKey({ secretsKeys: sealKeys }: Config, db: Database) {
  return await readOrMakeSecret(db, { name: 'link_key', make: newLinkKey, sealKeys });
}
