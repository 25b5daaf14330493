/** The room on the embedded database's disk: Postgres would stop at its end. */
import { statfs } from 'node:fs/promises';
import { AppError } from '../core/errors.ts';

/** Free space that Postgres needs for its log and for the answers of batches that run. */
export const minFreeBytes = 512 * 1024 * 1024;
export const minFreeShare = 0.02;
const lookEveryMs = 1_000;

/**
 * Throws STORAGE_FULL when hardly anything of the disk that `directory` is on is free. Looks at the
 * disk once a second at most.
 */
export function createRoomCheck(directory: string): () => Promise<void> {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isFull = false;

  return async () => {
    if (performance.now() - lookedAt > lookEveryMs) {
      lookedAt = performance.now();
      const { bavail, blocks, bsize } = await statfs(directory);
      isFull = bavail * bsize < Math.max(minFreeBytes, blocks * bsize * minFreeShare);
    }
    if (isFull) {
      throw new AppError(
        'STORAGE_FULL',
        'The disk of this server is nearly full (less than 512 MB or 2 % is free), so nothing new is stored; delete files and batches, or ask its operator for room',
      );
    }
  };
}
