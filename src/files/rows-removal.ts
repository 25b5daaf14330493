import type { Builder } from '../db/driver/client.ts';
import { deleteRows, readRowsEnd } from '../db/file-rows.ts';

/** Rows removed by one statement: a step holds its locks and its disk for a moment only. */
const removalStep = 20_000;

/**
 * Removes all rows of a file in steps. Safe beside itself, and to be called again. `take` does each
 * step, when there is time for it.
 */
export async function removeRows(
  db: Builder,
  fileKey: bigint,
  take: (step: () => Promise<void>) => Promise<void> = (step) => step(),
): Promise<void> {
  const end = await readRowsEnd(db, fileKey);
  for (let first = 0; first < end; first += removalStep) {
    await take(() => deleteRows(db, fileKey, { first, end: first + removalStep }));
  }
}
