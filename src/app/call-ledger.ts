/**
 * The cost of calls outside of batches, for the ledger: summed in memory, and written once a second
 * and at the end. A process that is killed loses what it has not written, a second at most.
 */
import { randomBytes } from 'node:crypto';
import type { Log } from '../core/log.ts';
import { createLooper } from '../core/looper.ts';
import { knownUsage, noUsage, type Usage } from '../core/usage.ts';
import type { Database } from '../db/driver/client.ts';
import type { RenamedOwner } from '../db/driver/notifications.ts';
import { deleteOldErasures } from '../db/erasures.ts';
import {
  deleteOldSpending,
  readMonth,
  type WrittenSpending,
  writeCallSpending,
} from '../db/spending.ts';

const intervalMs = 1_000;
const sweepEveryMs = 24 * 60 * 60 * 1_000;

/** Where calls of an owner are added up. A call keeps the one that it began with. */
export interface CallAccount {
  /** Adds what a call has used; nothing where nothing was sent. */
  add(model: string, usage: Usage): void;
}

export interface CallLedger {
  accountOf(owner: string): CallAccount;
  /**
   * An owner was erased: what its calls cost until now goes by the other name, those under way
   * too. What begins from now on is the owner's again.
   */
  rename(owner: RenamedOwner): void;
  start(): void;
  /** Writes what is left. */
  stop(): Promise<void>;
}

interface Account {
  /** Key of its rows. */
  key: bigint;
  owner: string;
  /** Its name is the one that an erased owner was given. */
  isErased: boolean;
  /** By performance.now(). */
  begunAt: number;
  /** By model. */
  sums: Map<string, Sum>;
}

interface Sum {
  account: Account;
  model: string;
  month: string;
  /** The part that stands in the database, of that month. */
  written: Usage;
  /** The part that does not stand there yet. */
  pending: Usage;
}

export function createCallLedger({ db, log }: { db: Database; log: Log }): CallLedger {
  const current = new Map<string, Account>();
  /** Sums that are to be written, those of erased owners included. */
  const waiting = new Set<Sum>();
  let month = '';
  let timer: NodeJS.Timeout | null = null;
  let sweptAt = 0;

  function add(account: Account, model: string, usage: Usage): void {
    if (usage.requests === 0) return;
    const begun = { account, model, month, written: noUsage, pending: noUsage };
    const sum = account.sums.get(model) ?? begun;
    account.sums.set(model, sum);
    sum.pending = knownUsage([sum.pending, usage]);
    waiting.add(sum);
  }

  function rename(account: Account, erasedAs: string): void {
    if (current.get(account.owner) === account) current.delete(account.owner);
    account.owner = erasedAs;
    account.isErased = true;
  }

  async function write(): Promise<void> {
    if (Date.now() >= sweptAt + sweepEveryMs) {
      await deleteOldSpending(db.sql);
      await deleteOldErasures(db.sql);
      sweptAt = Date.now();
    }
    while (waiting.size > 0 && !(await writeWaiting([...waiting]))) month = await readMonth(db.sql);
  }

  /** False where something is left, because the month has changed or an owner was erased. */
  async function writeWaiting(sums: readonly Sum[]): Promise<boolean> {
    // All of the sum, so that a statement whose answer was lost can be done again.
    const given = sums.map((sum) => {
      const { key, owner, isErased, begunAt } = sum.account;
      const age = (performance.now() - begunAt) / 1_000;
      const written = sum.month === month ? sum.written : noUsage;
      const usage = knownUsage([written, sum.pending]);
      return { sum, spent: sum.pending, key, owner, isErased, age, model: sum.model, usage };
    });
    for (const { sum } of given) sum.pending = noUsage;
    let done: WrittenSpending = { isWritten: () => false, renamed: new Map() };
    try {
      done = await writeCallSpending(db.sql, month, given);
    } finally {
      for (const { sum, spent, usage } of given) {
        if (done.isWritten(sum.account.key, sum.model))
          Object.assign(sum, { month, written: usage });
        else sum.pending = knownUsage([sum.pending, spent]);
        if (sum.pending.requests === 0) waiting.delete(sum);
      }
    }
    for (const { account } of sums) {
      const owner = done.renamed.get(account.key);
      if (owner !== undefined) rename(account, owner);
    }
    return given.every(({ key, model }) => done.isWritten(key, model));
  }

  const writes = createLooper(write, (error) =>
    log.warn({ err: error }, 'could not write the cost of calls; trying again'),
  );

  return {
    accountOf(owner) {
      const account = current.get(owner) ?? beginAccount(owner);
      current.set(owner, account);
      return { add: (model, usage) => add(account, model, usage) };
    },
    rename({ owner, erasedAs }) {
      const account = current.get(owner);
      if (account) rename(account, erasedAs);
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

function beginAccount(owner: string): Account {
  return { key: newKey(), owner, isErased: false, begunAt: performance.now(), sums: new Map() };
}

/** Below 0, where no batch has one. */
function newKey(): bigint {
  return -(randomBytes(8).readBigUInt64BE() >> 2n) - 1n;
}
