/** Lengths of the outputs of ended batches: counted once, when somebody asks. */
import { operationOf } from '../../app/stored-operation.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { RequestAccess } from '../../db/driver/request-line.ts';
import { type OutputBytes, storeOutputBytes } from '../../db/output-files.ts';
import { measureOutput, openAiWriter } from '../../files/write/output.ts';

export interface OutputLengths {
  /**
   * Lengths of the outputs of a batch that has ended. Nothing is counted on once nobody asks any
   * more: then it rejects with the reason of the last signal.
   */
  of(access: RequestAccess, batch: BatchRecord, signal: AbortSignal): Promise<OutputBytes>;
}

interface Counting {
  bytes: Promise<OutputBytes>;
  stop: AbortController;
  /** Number of requests that ask for it. */
  readers: number;
}

export function createOutputLengths(): OutputLengths {
  /** By the batch and its end, which a retry moves. */
  const counting = new Map<string, Counting>();

  async function count(
    access: RequestAccess,
    batch: BatchRecord,
    signal: AbortSignal,
  ): Promise<OutputBytes> {
    const writer = await openAiWriter(access.db, batch, operationOf(batch));
    const bytes = await measureOutput(access, batch, { writer, signal });
    await storeOutputBytes(access.db, batch, bytes);
    return bytes;
  }

  function begin(access: RequestAccess, batch: BatchRecord, name: string): Counting {
    const stop = new AbortController();
    const bytes = count(access, batch, stop.signal).finally(() => {
      if (counting.get(name)?.stop === stop) counting.delete(name);
    });
    const begun = { bytes, stop, readers: 0 };
    counting.set(name, begun);
    return begun;
  }

  return {
    async of(access, batch, signal) {
      signal.throwIfAborted();
      const { key, completedAt, outputBytes, errorBytes } = batch;
      if (outputBytes !== null && errorBytes !== null) {
        return { output: outputBytes, errors: errorBytes };
      }
      const name = `${key} ${completedAt?.getTime()}`;
      const counted = counting.get(name) ?? begin(access, batch, name);
      counted.readers += 1;
      const leave = () => {
        counted.readers -= 1;
        if (counted.readers > 0) return;
        counting.delete(name);
        counted.stop.abort(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      try {
        return await counted.bytes;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
  };
}
