/**
 * Figures that are read when somebody looks at the metrics, and those of the database, read every
 * five seconds.
 */
import { statfs } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { createLooper } from '../core/looper.ts';
import { version } from '../core/version.ts';
import type { Database } from '../db/driver/client.ts';
import { countEnded, type Overview, readOverview } from '../db/overview.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';
import type { Ending } from './ending.ts';
import type { Engine } from './engine.ts';
import type { Models } from './models.ts';

const overviewEveryMs = 5_000;
/** Counting what has ended reads all batches: it waits so many times as long as it took. */
const endedPauses = 20;

interface GaugeParts {
  config: Config;
  db: Database;
  /** All pools of the process. */
  pools: readonly Pick<Database, 'connections'>[];
  models: Models;
  engine: Engine;
  /** True where anybody can be shown the metrics, now. */
  isShown(): boolean;
}

/** Sets all gauges of a process that has started. */
export function startGauges(metrics: Metrics, parts: GaugeParts, ending: Ending): void {
  tellProcess(metrics, parts);
  tellModels(metrics, parts);
  tellOverview(metrics, parts, ending);
}

function tellProcess(metrics: Metrics, { config, db, pools, engine }: GaugeParts): void {
  metrics.gauges(['workerSlots', 'workerSlotsUsed'], (set) => {
    if (config.role === 'api') return;
    set('workerSlots', [], config.workerConcurrency);
    set('workerSlotsUsed', [], engine.slotsUsed());
  });
  metrics.gauges(['dbConnections'], (set) => {
    const all = pools.map((pool) => pool.connections());
    for (const state of ['open', 'busy', 'waiting'] as const) {
      set(
        'dbConnections',
        [state],
        all.reduce((sum, pool) => sum + pool[state], 0),
      );
    }
  });
  metrics.gauges(['storageFree', 'storageSize'], async (set) => {
    // With DATABASE_URL the folder may be missing.
    const disk = await statfs(config.dataDirectory).catch(() => null);
    if (disk === null) return;
    set('storageFree', [], disk.bavail * disk.bsize);
    set('storageSize', [], disk.blocks * disk.bsize);
  });
  let postgres = '';
  void db.sql<{ version: string }[]>`select current_setting('server_version') as version`.then(
    ([found]) => {
      postgres = found?.version.split(' ')[0] ?? '';
    },
    () => undefined, // it stays unknown
  );
  metrics.gauges(['buildInfo'], (set) =>
    set('buildInfo', [version, process.versions.node, postgres, config.role], 1),
  );
}

function tellModels(metrics: Metrics, { models }: GaugeParts): void {
  metrics.gauges(['callsInFlight', 'gateOpen'], (set) => {
    const sums = new Map<string, number>();
    for (const { model, inFlight, closed } of models.providers.gates()) {
      const labels = metrics.modelLabels(model);
      const name = labels.join('/');
      const sum = (sums.get(name) ?? 0) + inFlight;
      sums.set(name, sum);
      set('callsInFlight', labels, sum);
      set('gateOpen', [...labels, closed ?? ''], closed === null ? 1 : 0);
    }
  });
}

function tellOverview(metrics: Metrics, { db, engine, isShown }: GaugeParts, ending: Ending): void {
  let overview: Overview | null = null;
  let ended: Awaited<ReturnType<typeof countEnded>> = [];
  let endedDueAt = Number.NEGATIVE_INFINITY;
  const looks = createLooper(
    async () => {
      const id = isShown() ? engine.processId() : null;
      const found = id === null ? null : await readOverview(db.sql, id);
      const begunAt = performance.now();
      if (found !== null && begunAt >= endedDueAt) {
        ended = await countEnded(db.sql);
        const tookMs = performance.now() - begunAt;
        endedDueAt = begunAt + endedPauses * tookMs;
      }
      overview = found;
    },
    () => {
      overview = null; // what is not known is not told
    },
  );
  const timer = setInterval(looks.run, overviewEveryMs);
  timer.unref();
  void looks.run();
  ending.add(async () => {
    clearInterval(timer);
    await looks.stop();
  });
  const names = [
    'itemsWaiting',
    'itemsInFlight',
    'oldestWaiting',
    'batches',
    'providerBatches',
  ] as const;
  metrics.gauges(names, (set) => {
    if (overview === null) return;
    for (const execution of ['LIVE', 'PROVIDER_BATCH'] as const) {
      const load = overview.loads.find((one) => one.execution === execution);
      const lane = [execution === 'LIVE' ? 'live' : 'provider_batch'];
      set('itemsWaiting', lane, load?.waiting ?? 0);
      set('itemsInFlight', lane, load?.inFlight ?? 0);
      set('oldestWaiting', lane, load?.oldestSeconds ?? 0);
    }
    for (const { status, batches } of [...overview.active, ...ended]) {
      set('batches', [status.toLowerCase()], batches);
    }
    for (const { provider, state, batches } of overview.providerBatches) {
      set('providerBatches', [provider, state], batches);
    }
  });
}
