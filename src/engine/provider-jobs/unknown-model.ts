/**
 * A job that its provider rejected because it does not have the model that all of its requests go
 * to.
 */

import { ItemFailure } from '../../core/errors.ts';
import { readUnansweredAt } from '../../db/items.ts';
import { readInputItems } from '../../db/provider-batch-items.ts';
import { type DecodedRow, decodeRow } from '../../files/row.ts';
import type { JobProblem } from '../../model/batch-api.ts';
import { modelOf } from '../run/plan.ts';
import { failItems } from './fail-items.ts';
import type { HeldJob, Outcome } from './job.ts';

/** Rows that are read together. */
const atOnce = 500;

/**
 * Where the name of the model has another reading, the next input is made by that one. Items that
 * name the model themselves fail, as they do live, and the others go on. Null where none does: then
 * it is the batch's own model.
 */
export async function withoutModel(job: HeldJob, problem: JobProblem): Promise<Outcome | null> {
  const { held, db } = job;
  const indexes = await readInputItems(db.sql, held);
  const failing = new Map<number, ItemFailure>();
  for (let from = 0; from < indexes.length; from += atOnce) {
    for (const { index, item } of await readItems(job, indexes.slice(from, from + atOnce))) {
      const { model, named } = modelOf(job.plan, item);
      if (model.readings?.ruleOut(held.model, { back: false })) {
        return { kind: 'end', status: held.status, round: true };
      }
      if (!named) continue;
      const told = model.readings ? ` ${model.readings.told}` : '';
      const message = `The provider rejected the request (model_not_found): ${problem.message}${told}`;
      failing.set(index, new ItemFailure('INVALID_REQUEST', message));
    }
  }
  const some = await failItems(job, failing);
  return some ? { kind: 'end', status: held.status, round: false } : null;
}

async function readItems(
  { held, file, fileKey, db }: HeldJob,
  indexes: readonly number[],
): Promise<{ index: number; item: DecodedRow }[]> {
  const { batchKey, createdAt: since } = held;
  const rows = await readUnansweredAt(db.sql, { fileKey, batchKey, indexes, since });
  return rows.map((row) => ({ index: row.index, item: decodeRow(file, row) }));
}
