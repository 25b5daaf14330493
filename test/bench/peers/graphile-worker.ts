/**
 * graphile-worker, set up as its documentation on performance says: a local queue, completions in
 * batches, a pool of 25. https://worker.graphile.org/docs/performance
 */
import { Logger, makeWorkerUtils, type Runner, run, WorkerPreset } from 'graphile-worker';
import pg from 'pg';
import type { BenchItem } from '../request.ts';
import { createCall, enqueueAtOnce, eventually, readItems } from './call.ts';
import type { Peer, PeerSettings } from './peer.ts';

const silent = new Logger(() => () => undefined);
const poolSize = 25;

export async function startGraphileWorker(settings: PeerSettings): Promise<Peer> {
  const { databaseUrl: connectionString, concurrency } = settings;
  const { call, close } = createCall(settings);
  const pool = new pg.Pool({ connectionString, max: 2 });
  const utils = await makeWorkerUtils({ connectionString, logger: silent });
  await utils.migrate();
  await pool.query(
    'create table answers (run int not null, id text not null, answer json not null, usage json not null, primary key (run, id))',
  );
  let round = 0;
  let jobs = 0;
  /** Ended after the measuring only: the CPU of connections that have gone cannot be read. */
  let runner: Runner | null = null;

  return {
    async prepare(file) {
      await runner?.stop();
      runner = null;
      round += 1;
      const items = await readItems(file);
      jobs = items.length;
      for (let from = 0; from < items.length; from += enqueueAtOnce) {
        await utils.addJobs(
          items
            .slice(from, from + enqueueAtOnce)
            .map((payload) => ({ identifier: 'call', payload })),
        );
      }
    },
    async run() {
      let stored = 0;
      runner = await run({
        preset: {
          extends: [WorkerPreset],
          worker: {
            connectionString,
            concurrentJobs: concurrency,
            maxPoolSize: poolSize,
            localQueue: { size: Math.max(500, 2 * concurrency) },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
            logger: silent,
          },
        },
        noHandleSignals: true,
        taskList: {
          async call(payload, helpers) {
            const item = payload as BenchItem;
            const { answer, usage } = await call(item);
            await helpers.query('insert into answers values ($1, $2, $3, $4)', [
              round,
              item.id,
              JSON.stringify(answer),
              JSON.stringify(usage),
            ]);
            stored += 1;
          },
        },
      });
      await eventually(async () => {
        if (stored < jobs) return false;
        const { rows } = await pool.query('select 1 from graphile_worker.jobs limit 1');
        return rows.length === 0;
      });
    },
    async stop() {
      await runner?.stop();
      await utils.release();
      await pool.end();
      await close();
    },
  };
}
