/** Looks for held batches that are not to be worked on now. */
import { giveBackUnsent } from './give-back.ts';
import { drop } from './release.ts';
import type { WorkerState } from './state.ts';

/**
 * Drops what is being ended, has ended, or is gone, and gives back what was not sent of what is
 * paused. Never rejects.
 */
export async function letGoOfHalted(state: WorkerState): Promise<void> {
  const { batches, statements, log } = state;
  if (batches.size === 0 || state.isLookingForHalted) return;
  state.isLookingForHalted = true;
  try {
    const { stopped, paused, bounded } = await statements.readHalted([...batches.keys()]);
    for (const key of stopped) {
      const batch = batches.get(key);
      if (batch) void drop(state, batch); // never rejects
    }
    for (const key of bounded) {
      const batch = batches.get(key);
      if (batch) batch.isBounded = true;
    }
    for (const key of paused) {
      const batch = batches.get(key);
      if (batch) void giveBackUnsent(state, batch); // never rejects
    }
  } catch (error) {
    log.warn({ err: error }, 'could not look for stopped and paused batches');
  } finally {
    state.isLookingForHalted = false;
  }
}
