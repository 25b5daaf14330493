import type { Nudges } from '../process/nudges.ts';

/** Five a second for each batch: with the flush, subscribers know a result within 300 ms. */
const intervalMs = 200;

/**
 * Tells everybody that a batch has changed: at once if nothing was said lately, else at the end of
 * the interval, so that the last change is always told.
 */
export function createPublisher(nudges: Nudges) {
  const batches = new Map<bigint, { timer: NodeJS.Timeout; again: boolean }>();

  function publish(batchKey: bigint): void {
    const pending = batches.get(batchKey);
    if (pending) {
      pending.again = true;
      return;
    }
    void nudges.send(batchKey, 'progress'); // never rejects
    const timer = setTimeout(() => {
      const { again } = batches.get(batchKey) ?? { again: false };
      batches.delete(batchKey);
      if (again) publish(batchKey);
    }, intervalMs);
    timer.unref();
    batches.set(batchKey, { timer, again: false });
  }

  return {
    publish,
    /** The batch has ended: tell it now, and forget about it. */
    async publishLast(batchKey: bigint): Promise<void> {
      clearTimeout(batches.get(batchKey)?.timer);
      batches.delete(batchKey);
      await nudges.send(batchKey, 'progress');
    },
  };
}

export type Publisher = ReturnType<typeof createPublisher>;
