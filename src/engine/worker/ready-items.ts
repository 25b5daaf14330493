/** The items of a held batch that wait to be sent. They go out in the order that they stand in. */
import type { OpenItem } from '../../db/items.ts';
import type { HeldBatch } from './held-batch.ts';
import { type HeldChunk, type HeldItem, isMarked, ReadyItem } from './held-item.ts';

/** The count in the worker's state that this file keeps. */
export interface ReadyCount {
  /** Items of all batches that wait to be sent. */
  ready: number;
}

/** Puts the items of a claimed chunk behind what is ready. */
export function addReady(
  count: ReadyCount,
  batch: HeldBatch,
  { chunk, items }: { chunk: HeldChunk; items: readonly OpenItem[] },
): void {
  for (const item of items) batch.ready.push(new ReadyItem(batch, chunk, item));
  count.ready += items.length;
}

/** Takes the next item to be sent. */
export function takeReady(count: ReadyCount, { ready }: HeldBatch): void {
  const item = ready.shift();
  if (!item) return;
  item.sent = true;
  count.ready -= 1;
}

/** Puts an item that is to be sent again in front of all that are not marked. */
export function returnReady(count: ReadyCount, batch: HeldBatch, item: HeldItem): void {
  const { ready, marking } = batch;
  ready.splice(item.isRepeat ? countMarked(batch) + marking : 0, 0, item);
  count.ready += 1;
}

/** Nothing more of the batch is sent. */
export function clearReady(count: ReadyCount, { ready }: HeldBatch): void {
  count.ready -= ready.length;
  ready.length = 0;
}

/** Items in front that are marked. Behind the first other, none is. */
export function countMarked({ ready }: Pick<HeldBatch, 'ready'>): number {
  let [from, to] = [0, ready.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = ready[middle];
    if (item && isMarked(item)) from = middle + 1;
    else to = middle;
  }
  return from;
}
