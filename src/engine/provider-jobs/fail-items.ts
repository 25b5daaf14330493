/** Items that fail without an answer: nothing was asked, or the provider took none of it. */

import { type ItemError, type ItemFailure, itemMessage } from '../../core/errors.ts';
import { noUsage } from '../../core/usage.ts';
import { readHeldChunks } from '../../db/provider-batch-items.ts';
import type { NewResult } from '../../db/results.ts';
import { chunkOf } from './chunk-of.ts';
import { type JobStep, record } from './job.ts';

/** Results that are recorded together. */
const atOnce = 500;

/**
 * Records why each of these items failed, by its index. False where there are none. Those that it
 * does not hold (any more) have their result: it is a step that is done again.
 */
export async function failItems(
  step: JobStep,
  failing: ReadonlyMap<number, ItemFailure>,
): Promise<boolean> {
  const { job, db } = step;
  const firsts = (await readHeldChunks(db.sql, job)).map(({ first }) => first);
  const results: NewResult[] = [];
  for (const [index, failure] of failing) {
    const first = chunkOf(firsts, index);
    if (first !== null) results.push(failureOf(index, first, failure));
  }
  for (let from = 0; from < results.length; from += atOnce) {
    await record(step, results.slice(from, from + atOnce));
  }
  return failing.size > 0;
}

/** The result of an item whose chunk begins at `first`, and of which nothing was taken. */
export function failureOf(index: number, first: number, { code, message }: ItemError): NewResult {
  return {
    index,
    first,
    attempts: 0,
    usage: noUsage,
    outcome: { status: 'FAILED', error: { code, message: itemMessage(message) } },
  };
}
