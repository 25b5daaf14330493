/**
 * Tells whoever looks at a batch why it does not get on: its provider is down, or said to keep off. A gate belongs to one process; what it
 * says is noted on the batches that this worker holds, again as long as it lasts, so that it needs no taking back.
 */

import type { Log } from '../../core/log.ts';
import { noteWaiting } from '../../db/batch-life.ts';
import type { Sql } from '../../db/driver/client.ts';
import type { HeldBatch, Holdings } from './held-batch.ts';

/** A batch that gets on again within this is not waiting. */
const worthTellingMs = 1_000;

export interface WaitingNotes {
  /** Notes what has changed since the last time. Never rejects. */
  tell(): Promise<void>;
}

export function createWaitingNotes({
  sql,
  held,
  onNoted,
  log,
}: {
  sql: Sql;
  held: Holdings;
  onNoted: (batchKey: bigint) => void;
  log: Log;
}): WaitingNotes {
  /** Until when each batch was last said to wait. */
  const told = new WeakMap<HeldBatch, number>();

  async function tellOf(batch: HeldBatch): Promise<void> {
    // Requests may go to models of their own: the next one's counts.
    const gate = batch.ready[0]?.gate() ?? batch.plan.model.gate;
    const blocked = gate.blocked();
    if (!blocked || blocked.reason === 'paced') return;
    const until = blocked.until.getTime();
    if (until - Date.now() < worthTellingMs || until === told.get(batch)) return;
    told.set(batch, until);
    const { message: reason, since } = blocked;
    await noteWaiting(sql, batch.key, { reason, since, until: blocked.until });
    onNoted(batch.key);
  }

  return {
    async tell() {
      try {
        await Promise.all([...held.values()].map(tellOf));
      } catch (error) {
        log.warn({ err: error }, 'could not note why a batch waits');
      }
    },
  };
}
