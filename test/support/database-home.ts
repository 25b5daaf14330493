import { statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';

/** In bytes. A whole run takes a fifth of it for databases, and as much again for programs. */
const roomBytes = 6e9;

/**
 * The folder in which tests make folders for Postgres: one in memory where there is room. A
 * database is 400 files, and a disk takes ten times as long to make them as the rest of its
 * cloning, the more so the more were deleted just before.
 */
export function databaseHome(): string {
  const memory = '/dev/shm';
  try {
    const { bavail, bsize } = statfsSync(memory);
    return Math.min(bavail * bsize, freemem()) > roomBytes ? memory : tmpdir();
  } catch {
    return tmpdir();
  }
}
