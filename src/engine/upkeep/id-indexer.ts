/**
 * Makes batches ready that take their custom ids from another field than the upload did: indexes
 * the ids, and stops the batch where two rows have the same one. Runs in every process; each step
 * is one statement, and one process at a batch.
 */

import { maxCustomIdLength } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import { createLooper } from '../../core/looper.ts';
import { beginFailure } from '../../db/batch-life.ts';
import {
  type CustomIdProblem,
  type ItemPlace,
  indexCustomIds,
  listUnindexed,
  type UnindexedBatch,
} from '../../db/custom-ids.ts';
import type { Database } from '../../db/driver/client.ts';
import { namesOf } from '../../files/row.ts';
import type { Nudges } from '../process/nudges.ts';

/** Submits are signalled. This is the backstop, also for the work of a process that died. */
const intervalMs = 1_000;

export interface IdIndexer {
  start(): void;
  stop(): Promise<void>;
}

export function createIdIndexer({
  db,
  nudges,
  log,
}: {
  db: Database;
  nudges: Nudges;
  log: Log;
}): IdIndexer {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let unsubscribe = () => undefined as unknown;

  async function indexAll(): Promise<void> {
    for (const batch of await listUnindexed(db.sql)) await indexBatch(batch);
  }

  async function indexBatch(batch: UnindexedBatch): Promise<void> {
    const { key, customIdField: name } = batch;
    while (!stopped) {
      const step = await indexCustomIds(db.sql, key, { name, column: columnOf(batch) });
      if (!step) return;
      if (step.problems.length > 0) {
        const message = messageFor(batch, step.problems);
        if (await beginFailure(db, key, { code: 'DUPLICATE_CUSTOM_ID', message })) {
          await nudges.send(key, 'stop');
        }
        return;
      }
      if (step.done) {
        await nudges.send(key, 'work');
        return;
      }
    }
  }

  const looks = createLooper(indexAll, (error) =>
    log.warn({ err: error }, 'could not index custom ids; trying again'),
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

/** Where a row of cells has the field; null where rows are objects. */
function columnOf({ format, columns, customIdField }: UnindexedBatch): number | null {
  return format === 'CSV'
    ? namesOf({ format, columns: JSON.parse(columns) as string[] }).indexOf(customIdField)
    : null;
}

function messageFor(
  { customIdField: field, isNumbered }: UnindexedBatch,
  problems: readonly CustomIdProblem[],
): string {
  const what = isNumbered ? 'row' : 'item';
  const at = ({ index, row }: ItemPlace) => (isNumbered ? row : index);
  const parts = problems.map(({ customId, first, second }) =>
    second === null
      ? `the one of ${what} ${at(first)}, ${JSON.stringify(customId.toWellFormed())}…, has more than ${maxCustomIdLength} characters`
      : `${what}s ${at(first)} and ${at(second)} both have ${JSON.stringify(customId)}`,
  );
  return `${JSON.stringify(field)} does not hold custom ids: ${parts.join('; ')}. Submit with another customIdField, or an empty one for the places of the rows in the file`;
}
