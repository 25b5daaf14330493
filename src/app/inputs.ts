/** Checks of every input that is stored or sent on, whichever operation it is for. */
import { z } from 'zod';
import { withoutBlanks } from '../core/blank-characters.ts';
import { maxCustomIdLength } from '../core/ids.ts';
import { isRecord, type JsonRecord, maxJsonDepth } from '../core/json.ts';
import { textProblem } from '../core/text.ts';
import type { Dialect } from '../model/request.ts';
import { roundingProblem, storableText } from '../operations/text.ts';

/** Items that a synchronous mutation answers at once. */
export const maxSyncItems = 50;
/** Items that a submit takes inline; more go through a file. */
export const maxInlineItems = 10_000;

/** Enough to correct a value by. */
const maxJsonIssues = 20;

/**
 * A JSON object whose keys, strings and numbers can all be kept exactly. It is handed on as it is:
 * a copy of zod's would lose a key named __proto__.
 */
export const storableJsonObject = z
  .custom<JsonRecord>(isRecord, 'must be a JSON object')
  .superRefine((value, context) => {
    let issues = 0;
    const refuse = (path: (string | number)[], message: string) => {
      issues += 1;
      // A copy: zod writes the rest of the way into the path it is given.
      context.addIssue({ code: 'custom', path: [...path], message });
    };
    // A list of what is still to be looked at, not a recursion, which a deep value would overflow.
    const pending: { value: unknown; path: (string | number)[] }[] = [{ value, path: [] }];
    for (let next = pending.pop(); next && issues < maxJsonIssues; next = pending.pop()) {
      const { value: inner, path } = next;
      const problem = valueProblem(inner);
      if (problem) refuse(path, problem);
      if (typeof inner !== 'object' || inner === null) continue;
      if (path.length >= maxJsonDepth) {
        refuse([], `must not be nested deeper than ${maxJsonDepth} levels`);
        return;
      }
      for (const [key, child] of Object.entries(inner)) {
        const keyProblem = textProblem(key);
        if (keyProblem && issues < maxJsonIssues) refuse(path, `a key ${keyProblem}`);
        pending.push({ value: child, path: [...path, Array.isArray(inner) ? Number(key) : key] });
      }
    }
  });

function valueProblem(value: unknown): string | null {
  return typeof value === 'string' ? textProblem(value) : roundingProblem(value);
}

export const item = z.object({
  content: storableText,
  customId: storableText
    .refine(
      (id) => withoutBlanks(id) !== '',
      'must not be blank; leave customId out to use the index of the item',
    )
    .max(maxCustomIdLength, `must have at most ${maxCustomIdLength} characters`)
    .nullish(),
  metadata: storableJsonObject.nullish(),
});

/** An item with its defaults: the index as custom id, no metadata. */
export interface CheckedItem {
  customId: string;
  content: string;
  metadata: Record<string, unknown> | null;
  /** The body where it is a complete chat request, in place of content and metadata. */
  request?: Record<string, unknown> | null;
  /** Whose API the request is written for; OpenAI's when absent. */
  dialect?: Dialect;
}

const withDefaults = (items: z.output<typeof item>[]): CheckedItem[] =>
  items.map(({ content, customId, metadata }, index) => ({
    content,
    customId: customId ?? String(index),
    metadata: metadata ?? null,
  }));

/** Ids that differ in white space alone are one, as they are in files: scripts take it off. */
export function refuseRepeatedIds(
  items: readonly CheckedItem[],
  context: z.RefinementCtx,
  field = 'customId',
): void {
  const seen = new Map<string, number>();
  for (const [index, { customId }] of items.entries()) {
    const bare = withoutBlanks(customId);
    const before = seen.get(bare);
    if (before === undefined) {
      seen.set(bare, index);
      continue;
    }
    const both =
      items[before]?.customId === customId ? 'both have' : 'have, apart from white space,';
    context.addIssue({
      code: 'custom',
      path: [index, field],
      message: `must be unique: items ${before} and ${index} ${both} "${customId}"; an item without a custom id has its index`,
    });
  }
}

export const syncItems = z
  .array(item)
  .min(1, 'must have at least 1 item')
  .max(maxSyncItems, `must have at most ${maxSyncItems} items; submitBatch takes more`)
  .transform(withDefaults)
  .superRefine((items, context) => refuseRepeatedIds(items, context));

export const inlineSize = (items: readonly unknown[], context: z.RefinementCtx) => {
  if (items.length > maxInlineItems) {
    context.addIssue({
      code: 'custom',
      params: { code: 'PAYLOAD_TOO_LARGE' },
      message: `A request must have at most ${maxInlineItems} inline items, not ${items.length}; upload more as a file`,
    });
    return z.NEVER;
  }
  return undefined;
};

export const inlineItems = z
  .array(z.unknown())
  .min(1, 'must have at least 1 item')
  .superRefine(inlineSize)
  .pipe(z.array(item))
  .transform(withDefaults)
  .superRefine((items, context) => refuseRepeatedIds(items, context));

export const inlineTexts = z
  .array(z.unknown())
  .min(1, 'must have at least 1 text')
  .superRefine(inlineSize)
  .pipe(z.array(storableText));

/** A column name may be longer, but none that a person would name. */
const maxFieldLength = 1_000;
export const maxExpirySeconds = 30 * 24 * 60 * 60;
/** Longer than this nothing need be told to be deleted. */
const maxRetainSeconds = 3_650 * 24 * 60 * 60;

/** Items that a preview may have. */
export const previewItems = { min: 10, max: 1_000 };
const previewRange = {
  error: ({ input }: { input?: unknown }) =>
    `must be ${previewItems.min} to ${previewItems.max.toLocaleString('en')}, not ${String(input)}`,
};

/** USD: beyond it, sums are no longer exact to a millionth. */
const maxLimitUsd = 1_000_000_000;

/** Fields of a submit beside operation and source, the same for all ways in. */
export const batchFields = {
  name: storableText.max(200, 'must have at most 200 characters').nullish(),
  metadata: storableJsonObject.nullish(),
  idempotencyKey: storableText
    .min(1, 'must not be empty')
    .max(200, 'must have at most 200 characters')
    .nullish(),
  webhookUrl: storableText.max(2_000, 'must have at most 2,000 characters').nullish(),
  contentField: storableText
    .min(1, 'must not be empty; leave contentField out for the field of the upload')
    .max(maxFieldLength, `must have at most ${maxFieldLength} characters`)
    .nullish(),
  customIdField: storableText
    .max(maxFieldLength, `must have at most ${maxFieldLength} characters`)
    .nullish(),
  customIdPrefix: storableText.max(100, 'must have at most 100 characters').nullish(),
  promptCaching: z.boolean().nullish(),
  expiresInSeconds: z
    .int()
    .min(1, 'must be at least 1')
    .max(maxExpirySeconds, `must be at most ${maxExpirySeconds} (30 days)`)
    .nullish(),
  retainSeconds: z
    .int()
    .min(1, 'must be at least 1')
    .max(maxRetainSeconds, `must be at most ${maxRetainSeconds} (3,650 days)`)
    .nullish(),
  maxCostUsd: z
    .number()
    .positive({ error: ({ input }) => `must be above 0, not ${String(input)}` })
    .max(maxLimitUsd, {
      error: ({ input }) =>
        `must be at most ${maxLimitUsd.toLocaleString('en')}, not ${String(input)}; leave it out for no limit`,
    })
    .nullish(),
  preview: z
    .int()
    .min(previewItems.min, previewRange)
    .max(previewItems.max, previewRange)
    .nullish(),
};
