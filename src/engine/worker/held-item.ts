import type { ChunkTrace } from '../../core/trace.ts';
import type { ClaimedChunk } from '../../db/chunks.ts';
import type { OpenItem } from '../../db/items.ts';
import { aloneFromCrashes } from '../../db/reclaims.ts';
import { decodeRow } from '../../files/decoded-row.ts';
import type { RowFile } from '../../files/row.ts';
import type { Gate } from '../../model/limits/permit.ts';
import type { CallOrigin } from '../../telemetry/events.ts';
import { startItem } from '../run/execute.ts';
import type { ItemRun } from '../run/item-run.ts';
import type { Plan } from '../run/plan.ts';

/** A chunk in a worker's hands. `unrecorded` items of it have no row in `results` yet. */
export interface HeldChunk extends ClaimedChunk {
  unrecorded: number;
  /**
   * The part of it that was not sent has been given back. What comes back without a final answer is
   * put `aside`, and given back when nothing else is left of it. `isGiving`: a statement that gives
   * some or all of it back is due or under way, and it is held until that has ended. Null while it
   * is worked on.
   */
  leaving: { aside: HeldItem[]; isGiving: boolean } | null;
  /** Told with each of its calls. */
  readonly origin: CallOrigin;
  /** Its span until that has ended, and when it began; null where traces are off. */
  span: { trace: ChunkTrace; beganAt: number } | null;
}

/**
 * An item in a worker's hands. Its run is made when it is first sent, so that a large buffer stays
 * small.
 */
export interface HeldItem {
  readonly index: number;
  readonly chunk: HeldChunk;
  run(): ItemRun;
  /** The gate of the model that it goes to. */
  gate(): Gate;
  /** A request for it may have gone out. */
  sent: boolean;
  /** Its usage so far; null where it was never sent. */
  spent(): Pick<ItemRun, 'attempts' | 'usage' | 'cutOff'> | null;
  /** Its next request is beyond its first, and waits for a mark of its own. */
  isRepeat: boolean;
  /** Requests beyond its first that were marked. */
  repeats: number;
}

/** The members of its batch that an item needs. */
interface BatchOfItem {
  readonly plan: Plan;
  readonly file: RowFile;
}

/** A class, because there may be a million a minute. */
export class ReadyItem implements HeldItem {
  readonly index: number;
  readonly chunk: HeldChunk;
  sent = false;
  isRepeat = false;
  repeats = 0;
  private readonly batch: BatchOfItem;
  private readonly row: OpenItem;
  private started: ItemRun | null = null;

  constructor(batch: BatchOfItem, chunk: HeldChunk, row: OpenItem) {
    this.index = row.index;
    this.chunk = chunk;
    this.batch = batch;
    this.row = row;
  }

  run(): ItemRun {
    this.started ??= startItem(
      this.batch.plan,
      decodeRow(this.batch.file, this.row),
      this.chunk.origin,
    );
    return this.started;
  }

  gate(): Gate {
    const { model, modelOf } = this.batch.plan;
    return (modelOf ? this.run().model : model).gate;
  }

  spent(): ReturnType<HeldItem['spent']> {
    const { started } = this;
    return started !== null && started.usage.requests > 0 ? started : null;
  }
}

/** The item may be the one that kills workers: no other call of the process goes on beside it. */
export function runsAlone({ chunk }: HeldItem): boolean {
  return chunk.crashes >= aloneFromCrashes;
}

/** The database knows that the item may be sent. */
export function isMarked({ index, chunk, isRepeat }: HeldItem): boolean {
  return index <= chunk.sentTo && !isRepeat;
}

/** An item of a chunk that is being left came back without a final answer. */
export function putAside(item: HeldItem): void {
  item.chunk.leaving?.aside.push(item);
}
