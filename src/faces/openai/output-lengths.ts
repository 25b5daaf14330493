/** How long the outputs of ended batches are: counted once, when somebody asks. */
import { operationOf } from '../../app/stored-operation.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { RequestAccess } from '../../db/driver/request-line.ts';
import { type OutputBytes, storeOutputBytes } from '../../db/output-files.ts';
import { measureOutput, openAiWriter } from '../../files/write/output.ts';

export interface OutputLengths {
  /** Of a batch that has ended. */
  of(access: RequestAccess, batch: BatchRecord): Promise<OutputBytes>;
}

export function createOutputLengths(): OutputLengths {
  /** By the batch and its end, which a retry moves. */
  const counting = new Map<string, Promise<OutputBytes>>();

  async function count(access: RequestAccess, batch: BatchRecord): Promise<OutputBytes> {
    const writer = await openAiWriter(access.db, batch, operationOf(batch));
    const bytes = await measureOutput(access, batch, writer);
    await storeOutputBytes(access.db, batch, bytes);
    return bytes;
  }

  return {
    async of(access, batch) {
      const { key, completedAt, outputBytes, errorBytes } = batch;
      if (outputBytes !== null && errorBytes !== null) {
        return { output: outputBytes, errors: errorBytes };
      }
      const name = `${key} ${completedAt?.getTime()}`;
      const counted =
        counting.get(name) ?? count(access, batch).finally(() => counting.delete(name));
      counting.set(name, counted);
      return await counted;
    },
  };
}
