/** What is checked of every input that is stored or sent on, whichever operation it is for. */
import { z } from 'zod';

/** Items that a synchronous mutation answers at once. */
export const maxSyncItems = 50;
/** Items that a submit takes inline; more go through a file. */
export const maxInlineItems = 10_000;
const maxCustomIdLength = 512;

/** Why a text cannot be kept exactly, or null. Postgres has no NUL, and UTF-8 no lone surrogate: changing them silently is worse than refusing them. */
function textProblem(text: string): string | null {
  if (text.includes('\u0000'))
    return 'holds a NUL character (U+0000), which cannot be stored; remove it';
  if (!text.isWellFormed())
    return 'holds half of a surrogate pair, which is not valid Unicode; remove or complete it';
  return null;
}

export const storableText = z.string().superRefine((text, context) => {
  const problem = textProblem(text);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

const maxJsonDepth = 100;

/** A JSON object whose keys and strings can all be kept exactly. */
export const storableJsonObject = z
  .record(z.string(), z.unknown())
  .superRefine((value, context) => {
    const pending: { value: unknown; path: (string | number)[] }[] = [{ value, path: [] }];
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { value: inner, path } = next;
      if (typeof inner === 'string') {
        const problem = textProblem(inner);
        if (problem) context.addIssue({ code: 'custom', path, message: problem });
      } else if (typeof inner === 'object' && inner !== null) {
        if (path.length >= maxJsonDepth) {
          context.addIssue({
            code: 'custom',
            message: `is nested deeper than ${maxJsonDepth} levels`,
          });
          return;
        }
        for (const [key, child] of Object.entries(inner)) {
          const problem = textProblem(key);
          if (problem) context.addIssue({ code: 'custom', path, message: `a key ${problem}` });
          pending.push({ value: child, path: [...path, Array.isArray(inner) ? Number(key) : key] });
        }
      }
    }
  });

const item = z.object({
  content: storableText,
  customId: storableText
    .min(1, 'is empty; leave it out to use the item’s index')
    .max(maxCustomIdLength, `is longer than ${maxCustomIdLength} characters`)
    .nullish(),
  metadata: storableJsonObject.nullish(),
});

/** An item with its defaults: the index as custom id, no metadata. */
export interface CheckedItem {
  customId: string;
  content: string;
  metadata: Record<string, unknown> | null;
}

const withDefaults = (items: z.output<typeof item>[]): CheckedItem[] =>
  items.map(({ content, customId, metadata }, index) => ({
    content,
    customId: customId ?? String(index),
    metadata: metadata ?? null,
  }));

function refuseDuplicates(items: readonly CheckedItem[], context: z.RefinementCtx): void {
  const seen = new Map<string, number>();
  for (const [index, { customId }] of items.entries()) {
    const before = seen.get(customId);
    if (before === undefined) {
      seen.set(customId, index);
      continue;
    }
    context.addIssue({
      code: 'custom',
      path: [index, 'customId'],
      message: `"${customId}" is the custom id of item ${before} already; custom ids are unique (an item without one has its index)`,
    });
  }
}

export const syncItems = z
  .array(item)
  .min(1, 'needs at least 1 item')
  .max(maxSyncItems, `takes at most ${maxSyncItems} items at once; submitBatch takes more`)
  .transform(withDefaults)
  .superRefine(refuseDuplicates);

const inlineSize = (items: readonly unknown[], context: z.RefinementCtx) => {
  if (items.length > maxInlineItems) {
    context.addIssue({
      code: 'custom',
      params: { code: 'PAYLOAD_TOO_LARGE' },
      message: `${items.length} items are given inline, ${maxInlineItems} are allowed; upload more as a file`,
    });
    return z.NEVER;
  }
  return undefined;
};

export const inlineItems = z
  .array(z.unknown())
  .min(1, 'needs at least 1 item')
  .superRefine(inlineSize)
  .pipe(z.array(item))
  .transform(withDefaults)
  .superRefine(refuseDuplicates);

export const inlineTexts = z
  .array(z.unknown())
  .min(1, 'needs at least 1 text')
  .superRefine(inlineSize)
  .pipe(z.array(storableText));
