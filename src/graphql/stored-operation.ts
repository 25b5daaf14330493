import type { BatchRecord } from '../db/batches.ts';
import { findOperation } from '../operations/index.ts';
import type { PreparedOperation } from '../operations/operation.ts';

/** Preparing compiles templates and answer schemas; a page of 1,000 items of one batch does it once. */
const prepared = new WeakMap<object, PreparedOperation>();

/**
 * The operation of a batch as it was submitted, to read its answers by. Without its model: the answers stay readable when the
 * provider is configured no more.
 */
export function operationOf(batch: Pick<BatchRecord, 'operation' | 'options'>): PreparedOperation {
  const known = prepared.get(batch);
  if (known) return known;
  const operation = findOperation(batch.operation);
  if (!operation) throw new Error(`there is no operation ${batch.operation}`);
  const made = operation.prepare(JSON.parse(batch.options) as Record<string, unknown>);
  prepared.set(batch, made);
  return made;
}
