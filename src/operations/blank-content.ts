/** Items that say nothing: an answer to one would be made up, and paid for. */
import { ItemFailure } from '../core/errors.ts';
import type { PromptItem } from './operation.ts';
import { fieldOf, type Template } from './template.ts';

/** A character that is seen: white space is not, nor what has no width. */
const seen = /[^\s\u200b-\u200f\u2060\ufeff]/;

/**
 * Throws ItemFailure EMPTY_CONTENT where nothing of an item would be sent: its text is blank, and
 * so is all else that the template names, or that its context has.
 */
export function refuseBlank(
  item: PromptItem,
  { template, includeContext }: { template: Template | null; includeContext: boolean },
): void {
  if (seen.test(item.content)) return;
  const others = template
    ? template.placeholders.map((name) => said(item, name))
    : includeContext
      ? Object.values(item.metadata ?? {})
      : [];
  if (others.some((value) => !isBlank(value))) return;
  throw new ItemFailure(
    'EMPTY_CONTENT',
    others.length > 0
      ? 'The text is blank, and so are the other fields that would be sent with it, so that nothing was sent'
      : 'The text is blank, so that nothing was sent',
  );
}

/** A field that the item lacks counts as said: the template fails by its name. */
function said(item: PromptItem, name: string): unknown {
  const value = fieldOf(item, name);
  return value === undefined ? name : value;
}

function isBlank(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && !seen.test(value));
}
