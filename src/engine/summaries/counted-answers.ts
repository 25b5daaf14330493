import type { BatchRecord } from '../../db/batches.ts';
import { findOperation } from '../../operations/index.ts';
import type { CountedAnswers } from '../../operations/operation.ts';

const nothing: CountedAnswers = { label: null, fields: [], hasConfidence: false };

/** Options may be long: they are read once for all counts of a record. */
const known = new WeakMap<object, CountedAnswers>();

/** The answers of a batch that can be counted. */
export function countedAnswers(batch: Pick<BatchRecord, 'operation' | 'options'>): CountedAnswers {
  const found = known.get(batch);
  if (found) return found;
  const options = JSON.parse(batch.options) as Record<string, unknown>;
  const counted = findOperation(batch.operation)?.counted?.(options) ?? nothing;
  known.set(batch, counted);
  return counted;
}
