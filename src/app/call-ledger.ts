/**
 * What calls outside of batches cost, for the ledger: summed in memory, and written once a second
 * and at the end. A process that is killed loses what it has not written, a second at most.
 */
import { randomBytes } from 'node:crypto';
import type { Log } from '../core/log.ts';
import { createLooper } from '../core/looper.ts';
import { knownUsage, noUsage, type Usage } from '../core/usage.ts';
import type { Database } from '../db/driver/client.ts';
import { deleteOldSpending, readMonth, writeCallSpending } from '../db/spending.ts';

const intervalMs = 1_000;
const sweepEveryMs = 24 * 60 * 60 * 1_000;

export interface CallLedger {
  /** Adds what a call of an owner has used; nothing where nothing was sent. */
  add(owner: string, model: string, usage: Usage): void;
  start(): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

interface Sum {
  key: bigint;
  owner: string;
  model: string;
  /** What stands in the database, of the present month. */
  written: Usage;
  /** What does not yet. */
  pending: Usage;
}

export function createCallLedger({ db, log }: { db: Database; log: Log }): CallLedger {
  /** By owner and model. */
  const sums = new Map<string, Sum>();
  const keys = new Map<string, bigint>();
  let month = '';
  let timer: NodeJS.Timeout | null = null;
  let sweptAt = 0;

  async function write(): Promise<void> {
    if (Date.now() >= sweptAt + sweepEveryMs) {
      await deleteOldSpending(db.sql);
      sweptAt = Date.now();
    }
    const waiting = [...sums.values()].filter(({ pending }) => pending.requests > 0);
    if (waiting.length === 0) return;
    // All of the sum, so that a statement whose answer was lost can be done again.
    const wholes = waiting.map((sum) => knownUsage([sum.written, sum.pending]));
    const spent = waiting.map((sum) => sum.pending);
    for (const sum of waiting) sum.pending = { ...noUsage };
    let isWritten = false;
    try {
      const given = waiting.map(({ key, owner, model }, at) => {
        return { key, owner, model, usage: wholes[at] ?? noUsage };
      });
      isWritten = await writeCallSpending(db.sql, month, given);
    } finally {
      for (const [at, sum] of waiting.entries()) {
        if (isWritten) sum.written = wholes[at] ?? noUsage;
        else sum.pending = knownUsage([sum.pending, spent[at] ?? noUsage]);
      }
    }
    if (!isWritten) await beginMonth();
  }

  /** What was written stays with its month. */
  async function beginMonth(): Promise<void> {
    month = await readMonth(db.sql);
    for (const sum of sums.values()) sum.written = noUsage;
    await write();
  }

  const writes = createLooper(write, (error) =>
    log.warn({ err: error }, 'could not write the cost of calls; trying again'),
  );

  return {
    add(owner, model, usage) {
      if (usage.requests === 0) return;
      const name = `${owner} ${model}`;
      const key = keys.get(owner) ?? newKey();
      keys.set(owner, key);
      const sum = sums.get(name) ?? { key, owner, model, written: noUsage, pending: noUsage };
      sum.pending = knownUsage([sum.pending, usage]);
      sums.set(name, sum);
    },
    start() {
      timer = setInterval(writes.run, intervalMs);
      timer.unref();
      void writes.run();
    },
    async stop() {
      if (timer) clearInterval(timer);
      await writes.run();
      await writes.stop();
    },
  };
}

/** Below 0, where no batch has one. */
function newKey(): bigint {
  return -(randomBytes(8).readBigUInt64BE() >> 2n) - 1n;
}
