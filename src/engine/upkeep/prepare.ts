/**
 * Prepares batches: what is to be known or set right before their first item is sent. Runs in every
 * process, whatever its role. Each step keeps its progress in the batch's row, does one statement
 * at a time, and lets one process at a batch; what a process that died left is done by another.
 */

import type { Log } from '../../core/log.ts';
import { createLooper } from '../../core/looper.ts';
import type { Nudges } from '../process/nudges.ts';

/** Submits are signalled. This is the backstop, also for the work of a process that died. */
const intervalMs = 1_000;
/** Batches that a step takes before the steps before it look again. */
export const batchesAtOnce = 10;

/**
 * One step of the preparation. A batch is in the list of a step once it needs no step before it:
 * the statement that lists says so by the columns of those.
 */
export interface PreparationStep<Batch = unknown> {
  /** In words that follow "could not". */
  does: string;
  /** The oldest batches that wait for this step, `batchesAtOnce` at most. */
  list(): Promise<Batch[]>;
  /**
   * Takes a batch one statement further. `again`: there is more of it to do. `done`: it no longer
   * waits for this step. `left`: another process is at it.
   */
  advance(batch: Batch): Promise<'again' | 'done' | 'left'>;
}

export interface Preparation {
  start(): void;
  /** Resolves when the statement under way is over. */
  stop(): Promise<void>;
}

/** Steps are taken in their order. A step that fails is tried again, and holds up no other. */
export function createPreparation({
  steps,
  nudges,
  log,
}: {
  steps: readonly PreparationStep[];
  nudges: Nudges;
  log: Log;
}): Preparation {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let unsubscribe = () => undefined as unknown;

  async function prepareAll(): Promise<void> {
    for (let hasMore = true; hasMore && !stopped; ) {
      hasMore = false;
      for (const step of steps) if (await take(step)) hasMore = true;
    }
  }

  /** Takes the step with each batch that waits for it. Whether others may wait behind those. */
  async function take(step: PreparationStep): Promise<boolean> {
    try {
      const batches = await step.list();
      let done = 0;
      for (const batch of batches) if (await prepare(step, batch)) done += 1;
      return batches.length === batchesAtOnce && done > 0;
    } catch (error) {
      log.warn({ err: error }, `could not ${step.does}; trying again`);
      return false;
    }
  }

  async function prepare(step: PreparationStep, batch: unknown): Promise<boolean> {
    while (!stopped) {
      const progress = await step.advance(batch);
      if (progress !== 'again') return progress === 'done';
    }
    return false;
  }

  const looks = createLooper(prepareAll, (error) =>
    log.warn({ err: error }, 'could not prepare batches; trying again'),
  );

  return {
    start() {
      unsubscribe = nudges.subscribe((hint) => {
        if (hint === null || hint.nudge === 'work') void looks.run();
      });
      timer = setInterval(looks.run, intervalMs);
      timer.unref();
      void looks.run();
    },
    async stop() {
      stopped = true;
      unsubscribe();
      if (timer) clearInterval(timer);
      await looks.stop();
    },
  };
}
