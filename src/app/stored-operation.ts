/** The operation of a batch as it was submitted: for its answers, and to show what it sends. */

import { BadUserInput, ItemFailure } from '../core/errors.ts';
import type { BatchRecord } from '../db/batches.ts';
import { beginCaching } from '../engine/run/caching.ts';
import { modelOf, type Plan, requestBody } from '../engine/run/plan.ts';
import { findOperation } from '../operations/index.ts';
import type { PreparedOperation, PromptItem } from '../operations/operation.ts';
import type { Caller } from './caller.ts';

type StoredBatch = Pick<BatchRecord, 'operation' | 'options' | 'model'>;
type SentBatch = StoredBatch & Pick<BatchRecord, 'promptCaching' | 'total'>;

/** Preparing compiles templates and schemas: once for a page of items of one batch. */
const prepared = new WeakMap<object, PreparedOperation>();
const plans = new WeakMap<object, Plan | null>();

/** Without its model: the answers stay readable when the provider is configured no more. */
export function operationOf(batch: StoredBatch): PreparedOperation {
  const known = prepared.get(batch);
  if (known) return known;
  const operation = findOperation(batch.operation);
  if (!operation) throw new Error(`there is no operation ${batch.operation}`);
  const made = operation.prepare(JSON.parse(batch.options) as Record<string, unknown>);
  prepared.set(batch, made);
  return made;
}

/** The body that an item is sent with; null where it cannot be, or its model is unknown here. */
export function bodyFor(
  batch: SentBatch,
  item: PromptItem,
  preparePlan: Caller['preparePlan'],
): Record<string, unknown> | null {
  const plan = keptPlan(batch, preparePlan);
  if (!plan) return null;
  void beginCaching(plan, [item], { asked: batch.promptCaching, items: batch.total, atOnce: 1 });
  return requestBody(plan, item);
}

/** The model that an item is asked of, as provider/name; null where that is unknown here. */
export function modelIdFor(
  batch: StoredBatch,
  item: PromptItem,
  preparePlan: Caller['preparePlan'],
): string | null {
  const plan = keptPlan(batch, preparePlan);
  if (!plan) return null;
  try {
    return modelOf(plan, item).model.id;
  } catch (error) {
    if (error instanceof ItemFailure) return null;
    throw error;
  }
}

function keptPlan(batch: StoredBatch, preparePlan: Caller['preparePlan']): Plan | null {
  let plan = plans.get(batch);
  if (plan === undefined) {
    plan = planOf(batch, preparePlan);
    plans.set(batch, plan);
  }
  return plan;
}

function planOf(
  { operation, options, model }: StoredBatch,
  preparePlan: Caller['preparePlan'],
): Plan | null {
  try {
    return preparePlan(operation, JSON.parse(options) as Record<string, unknown>, model);
  } catch (error) {
    if (error instanceof BadUserInput) return null;
    throw error;
  }
}
