/**
 * graphile-worker, set up as its documentation on performance says: a local queue, completions in batches, a pool of 25.
 * https://worker.graphile.org/docs/performance
 */
import { Logger, makeWorkerUtils, run, WorkerPreset } from 'graphile-worker';
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

  return {
    async prepare(file) {
      round += 1;
      const items = await readItems(file);
      for (let from = 0; from < items.length; from += enqueueAtOnce) {
        await utils.addJobs(
          items
            .slice(from, from + enqueueAtOnce)
            .map((payload) => ({ identifier: 'call', payload })),
        );
      }
    },
    async run() {
      const runner = await run({
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
          },
        },
      });
      await eventually(async () => {
        const { rows } = await pool.query('select 1 from graphile_worker.jobs limit 1');
        return rows.length === 0;
      });
      await runner.stop();
    },
    async stop() {
      await utils.release();
      await pool.end();
      await close();
    },
  };
}
