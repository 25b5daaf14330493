import type { Sql } from './client.ts';

/**
 * What the processes tell each other about a batch. Only a hint to look sooner: every listener also polls, so a lost
 * notification costs time, never truth.
 * - `work`: chunks of it were opened, a worker may claim them
 * - `stop`: it is being ended or has failed, workers must drop it
 * - `progress`: its state changed
 */
export type BatchSignal = 'work' | 'stop' | 'progress';

const channel = 'winnow_batches';

/** Tells every process, this one included. Never part of a write to items: NOTIFY takes a lock over all commits. */
export async function notifyBatch(sql: Sql, batchKey: bigint, signal: BatchSignal): Promise<void> {
  await sql`select pg_notify(${channel}, ${`${signal}:${batchKey}`})`;
}

/**
 * Listens until the returned function is called. `onConnect` runs at every (re)connection: what was sent before
 * it is lost, so the caller looks for itself then.
 */
export async function listenToBatches(
  sql: Sql,
  onSignal: (batchKey: bigint, signal: BatchSignal) => void,
  onConnect: () => void,
): Promise<() => Promise<void>> {
  const listener = await sql.listen(
    channel,
    (payload) => {
      const [signal, key] = payload.split(':');
      if (key && (signal === 'work' || signal === 'stop' || signal === 'progress')) {
        onSignal(BigInt(key), signal);
      }
    },
    onConnect,
  );
  return () => listener.unlisten();
}
