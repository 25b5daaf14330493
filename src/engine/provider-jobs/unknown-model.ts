/** A job that its provider rejected because it lacks the model of all its requests. */

import { ItemFailure } from '../../core/errors.ts';
import { readUnansweredAt } from '../../db/items.ts';
import { readInputItems } from '../../db/provider-batch-items.ts';
import { type DecodedRow, decodeRow } from '../../files/decoded-row.ts';
import type { JobProblem } from '../../model/batch-api.ts';
import { modelOf } from '../run/plan.ts';
import { failItems } from './fail-items.ts';
import type { JobStep, StepOutcome } from './job.ts';

/** Rows that are read together. */
const atOnce = 500;

/**
 * Where the name of the model has another reading, the next input is made by that one. Items that
 * name the model themselves fail, as they do live, and the others go on. Null where none does: then
 * it is the batch's own model.
 */
export async function withoutModel(
  step: JobStep,
  problem: JobProblem,
): Promise<StepOutcome | null> {
  const { job, db } = step;
  const indexes = await readInputItems(db.sql, job);
  const failing = new Map<number, ItemFailure>();
  for (let from = 0; from < indexes.length; from += atOnce) {
    for (const { index, item } of await readItems(step, indexes.slice(from, from + atOnce))) {
      const { model, named } = modelOf(step.plan, item);
      if (model.readings?.ruleOut(job.model, { back: false })) {
        return { kind: 'end', status: job.status, round: true };
      }
      if (!named) continue;
      const told = model.readings ? ` ${model.readings.told}` : '';
      const message = `The provider rejected the request (model_not_found): ${problem.message}${told}`;
      failing.set(index, new ItemFailure('INVALID_REQUEST', message));
    }
  }
  const some = await failItems(step, failing);
  return some ? { kind: 'end', status: job.status, round: false } : null;
}

async function readItems(
  { job, file, fileKey, db }: JobStep,
  indexes: readonly number[],
): Promise<{ index: number; item: DecodedRow }[]> {
  const { batchKey, createdAt: since } = job;
  const rows = await readUnansweredAt(db.sql, { fileKey, batchKey, indexes, since });
  return rows.map((row) => ({ index: row.index, item: decodeRow(file, row) }));
}
