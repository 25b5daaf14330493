/** Which model an item goes to, where its request names one. */
import { ItemFailure } from '../../core/errors.ts';
import type { Model } from '../../model/model.ts';
import type { PromptItem } from '../../operations/operation.ts';
import { modelOf, type Plan } from './plan.ts';

/** The model that an item goes to; the plan's, with the reason, where it can go to none. */
export function modelFor(
  plan: Plan,
  item: PromptItem,
): { model: Model; named: boolean; failure: ItemFailure | null } {
  try {
    return { ...modelOf(plan, item), failure: null };
  } catch (error) {
    if (error instanceof ItemFailure) return { model: plan.model, named: true, failure: error };
    throw error;
  }
}
