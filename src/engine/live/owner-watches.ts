/** Those who watch all batches of an owner. Nothing is told twice in a row. */
import { type BatchFilter, type BatchRecord, matchesFilter } from '../../db/batches.ts';
import { type Channel, createChannel } from './channel.ts';

/** Most batches of which it is remembered what was told. */
const maxTold = 1_000;

interface OwnerWatch {
  tell(batch: BatchRecord, state: string): void;
}

export interface OwnerWatches {
  /** The batches of `readFirst`, then every batch of an owner that is told and matches. */
  watch(
    owner: string,
    filter: BatchFilter,
    readFirst?: () => Promise<readonly BatchRecord[]>,
  ): Channel<BatchRecord>;
  tell(batch: BatchRecord): void;
  isEmpty(): boolean;
  /** Owners whose batches are watched. */
  names(): string[];
}

/** The watches of one process. */
export function createOwnerWatches(): OwnerWatches {
  const owners = new Map<string, Set<OwnerWatch>>();
  /** By key; the longest untold goes first. */
  const told = new Map<bigint, string>();

  return {
    watch(owner, filter, readFirst) {
      const watches = owners.get(owner) ?? new Set();
      owners.set(owner, watches);
      const channel = createChannel<BatchRecord>(() => {
        watches.delete(watch);
        if (watches.size === 0) owners.delete(owner);
        if (owners.size === 0) told.clear();
      });
      const watch = createWatch(channel, filter, readFirst);
      watches.add(watch);
      return channel;
    },

    tell(batch) {
      const watches = owners.get(batch.owner);
      const state = stateOf(batch);
      if (!watches || told.get(batch.key) === state) return;
      told.delete(batch.key);
      told.set(batch.key, state);
      const [longestUntold] = told.keys();
      if (told.size > maxTold && longestUntold !== undefined) told.delete(longestUntold);
      for (const watch of watches) watch.tell(batch, state);
    },

    isEmpty: () => owners.size === 0,
    names: () => [...owners.keys()],
  };
}

function createWatch(
  channel: Channel<BatchRecord>,
  filter: BatchFilter,
  readFirst: (() => Promise<readonly BatchRecord[]>) | undefined,
): OwnerWatch {
  /** States that were told of batches before they changed. */
  const first = new Map<bigint, string>();
  /** Changes while the first are read are newer than they are. */
  let changed: Set<bigint> | null = readFirst ? new Set() : null;
  readFirst?.().then(
    (batches) => {
      for (const batch of batches) {
        if (changed?.has(batch.key)) continue;
        first.set(batch.key, stateOf(batch));
        channel.push(batch.key, batch);
      }
      changed = null;
    },
    (error: Error) => channel.fail(error),
  );
  return {
    tell(batch, state) {
      if (!matchesFilter(batch, filter)) return;
      changed?.add(batch.key);
      if (first.get(batch.key) !== state) channel.push(batch.key, batch);
      first.delete(batch.key);
    },
  };
}

/** The visible state of a batch; two that are equal are told once. */
export function stateOf(batch: BatchRecord): string {
  const { status, seq, processing, resentRequests, providerState, waitingUntil, rescuedAt } = batch;
  const { pauseReason, pauseMessage, maxCostUsd, contentDeletedAt } = batch;
  return `${status} ${seq} ${processing} ${resentRequests} ${providerState ?? ''} ${waitingUntil?.getTime() ?? ''} ${rescuedAt?.getTime() ?? ''} ${maxCostUsd ?? ''} ${contentDeletedAt?.getTime() ?? ''} ${pauseReason === null ? '' : `${pauseReason} ${pauseMessage}`}`;
}
