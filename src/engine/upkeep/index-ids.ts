/**
 * A step of the preparation, for batches that take their custom ids from another field than the
 * upload did: indexes the ids, and stops the batch where two rows have the same one.
 */

import { maxCustomIdLength } from '../../core/ids.ts';
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
import { batchesAtOnce, type PreparationStep } from './prepare.ts';

export function indexIds({
  db,
  nudges,
}: {
  db: Database;
  nudges: Nudges;
}): PreparationStep<UnindexedBatch> {
  return {
    does: 'index custom ids',
    list: () => listUnindexed(db.sql, batchesAtOnce),
    async advance(batch) {
      const { key, customIdField: name } = batch;
      const step = await indexCustomIds(db.sql, key, { name, column: columnOf(batch) });
      if (!step) return 'left';
      if (step.problems.length > 0) {
        const message = messageFor(batch, step.problems);
        if (await beginFailure(db, key, { code: 'DUPLICATE_CUSTOM_ID', message })) {
          await nudges.send(key, 'stop');
        }
        return 'done';
      }
      if (!step.done) return 'again';
      await nudges.send(key, 'work');
      return 'done';
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
