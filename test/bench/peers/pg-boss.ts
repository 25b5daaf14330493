/** pg-boss with batches of jobs, results of their own, and bursts. https://pgboss.io/docs */
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import type { BenchItem } from '../request.ts';
import { createCall, enqueueAtOnce, eventually, readItems } from './call.ts';
import type { Peer, PeerSettings } from './peer.ts';

const queue = 'calls';
const poolSize = 20;

export async function startPgBoss(settings: PeerSettings): Promise<Peer> {
  const { databaseUrl: connectionString, concurrency, bossBatchSize } = settings;
  const { call, close } = createCall(settings);
  const pool = new pg.Pool({ connectionString, max: 2 });
  const boss = new PgBoss({ connectionString, max: poolSize });
  boss.on('error', (error: unknown) => process.stderr.write(`pg-boss: ${String(error)}\n`));
  await boss.start();
  await boss.createQueue(queue);

  let unanswered = 0;

  return {
    async prepare(file) {
      const items = await readItems(file);
      unanswered = items.length;
      for (let from = 0; from < items.length; from += enqueueAtOnce) {
        await boss.insert(
          queue,
          items.slice(from, from + enqueueAtOnce).map((data) => ({ data })),
        );
      }
    },
    async run() {
      await boss.work(
        queue,
        {
          batchSize: bossBatchSize,
          localConcurrency: Math.max(1, Math.round(concurrency / bossBatchSize)),
          perJobResults: true,
          burstWhenBatchFull: true,
          pollingIntervalSeconds: 0.5,
        },
        async (jobs: { id: string; data: BenchItem }[]) =>
          await Promise.all(
            jobs.map(async ({ id, data }) => {
              const output = await call(data);
              unanswered -= 1;
              return { id, status: 'completed' as const, output };
            }),
          ),
      );
      await eventually(async () => {
        if (unanswered > 0) return false; // looking costs it CPU
        const { rows } = await pool.query(
          `select 1 from pgboss.job where name = $1 and state < 'completed' limit 1`,
          [queue],
        );
        return rows.length === 0;
      });
      await boss.offWork(queue, { wait: true });
    },
    async stop() {
      await boss.stop({ graceful: false });
      await pool.end();
      await close();
    },
  };
}
