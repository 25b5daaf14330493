/**
 * A step of the preparation, for batches whose identical rows are to be asked once: finds them by
 * the parts of a row that the prompt takes.
 */
import type { Log } from '../../core/log.ts';
import type { Database } from '../../db/driver/client.ts';
import {
  findTwins,
  giveUpTwins,
  listUnmatched,
  type TakenText,
  type UnmatchedBatch,
} from '../../db/twins.ts';
import { rowFileOf } from '../../files/row.ts';
import { takenTexts } from '../../files/taken-texts.ts';
import { findOperation } from '../../operations/index.ts';
import type { Nudges } from '../process/nudges.ts';
import { batchesAtOnce, type PreparationStep } from './prepare.ts';

export function matchRows({
  db,
  nudges,
  log,
}: {
  db: Database;
  nudges: Nudges;
  log: Log;
}): PreparationStep<UnmatchedBatch> {
  async function match(batch: UnmatchedBatch): Promise<number | null> {
    try {
      return await findTwins(db.sql, batch.key, takenOf(batch));
    } catch (error) {
      if (!isOfTheRows(error)) throw error;
      // The batch is not held up by rows that the database cannot read as they are.
      log.warn({ err: error }, 'could not look for identical rows; all rows are asked');
      await giveUpTwins(db.sql, batch.key);
      return 0;
    }
  }

  return {
    does: 'look for identical rows',
    list: () => listUnmatched(db.sql, batchesAtOnce),
    async advance(batch) {
      if ((await match(batch)) === null) return 'left';
      await nudges.send(batch.key, 'work');
      return 'done';
    },
  };
}

/** SQLSTATE classes 22 and 54: a value is wrong, or too long. It will be so again. */
function isOfTheRows(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(22|54)...$/.test(code);
}

/** The texts in the rows of a batch that its prompts are made of. */
function takenOf({ operation: name, options, file, reading }: UnmatchedBatch): TakenText[] {
  const operation = findOperation(name);
  if (!operation) throw new Error(`there is no operation ${name}`);
  const { takes } = operation.prepare(JSON.parse(options) as Record<string, unknown>);
  return takenTexts(rowFileOf(file, reading), takes);
}
