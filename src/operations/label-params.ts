/** Params of label: categories, their meanings, examples. */
import { z } from 'zod';
import { inNfc } from './choice.ts';
import { exampleItem, listOfExamples, maxExamples } from './examples.ts';
import { instructionsParam, refuseDuplicates, sharedParams } from './params.ts';
import { jsonObject, text } from './text.ts';

export const minCategories = 2;
export const maxCategories = 500;

const labelExampleInput = z
  .strictObject({
    ...exampleItem,
    labels: z.array(text({ max: 1_000 })).meta({
      description:
        'Right categories for the text: exactly one unless multiLabel is set, or none with allowNone.',
    }),
  })
  .meta({
    id: 'LabelExampleInput',
    description: 'A text with its right labels, shown to the model.',
  });

export const labelParams = z
  .strictObject({
    categories: z
      .array(text({ min: 1, max: 1_000 }))
      .min(minCategories, {
        error: ({ input }) =>
          `must have at least ${minCategories} categories, not ${sizeOf(input)}`,
      })
      .max(maxCategories, {
        error: ({ input }) => `must have at most ${maxCategories} categories, not ${sizeOf(input)}`,
      })
      .meta({
        description: `Categories to choose from, ${minCategories} to ${maxCategories}, each once, none blank. When several fit equally, the first one is chosen.`,
      }),
    categoryDescriptions: jsonObject().nullish().meta({
      description:
        'Meaning of each category, as text by category name, sent to the model. Categories may be left out.',
    }),
    multiLabel: z.boolean().nullish().default(false).meta({
      description:
        'True: every category that applies, or none. False or null: exactly one category.',
    }),
    allowNone: z.boolean().nullish().default(false).meta({
      description:
        'True: an item that fits no category succeeds, with label null and labels empty. False or null: the nearest category is chosen. No effect with multiLabel, where labels may be empty anyway.',
    }),
    instructions: instructionsParam('Judge the tone, not the topic.'),
    examples: listOfExamples(labelExampleInput).meta({
      description: `Labelled texts shown to the model, at most ${maxExamples}. Absent: none.`,
    }),
    ...sharedParams,
  })
  .superRefine((params, context) => {
    refuseDuplicates(params.categories, ['categories'], context);
    checkDescriptions(params, context);
    checkExamples(params, context);
  });

export type LabelParams = z.output<typeof labelParams>;

function checkDescriptions(params: LabelParams, context: z.core.$RefinementCtx): void {
  const categories = new Set(params.categories.map(inNfc));
  for (const [category, description] of Object.entries(params.categoryDescriptions ?? {})) {
    const path = ['categoryDescriptions', category];
    if (!categories.has(inNfc(category))) {
      context.addIssue({ code: 'custom', path, message: 'must be one of the categories' });
    } else if (typeof description !== 'string') {
      context.addIssue({ code: 'custom', path, message: 'must be text' });
    }
  }
}

function checkExamples(params: LabelParams, context: z.core.$RefinementCtx): void {
  const categories = new Set(params.categories.map(inNfc));
  for (const [index, { labels }] of (params.examples ?? []).entries()) {
    const path = ['examples', index, 'labels'];
    const isNone = params.allowNone && labels.length === 0;
    if (!params.multiLabel && labels.length !== 1 && !isNone) {
      const message = `must have exactly 1 label without multiLabel, not ${labels.length}`;
      context.addIssue({ code: 'custom', path, message });
    }
    refuseDuplicates(labels, path, context);
    for (const [position, label] of labels.entries()) {
      if (!categories.has(inNfc(label))) {
        const message = 'must be one of the categories';
        context.addIssue({ code: 'custom', path: [...path, position], message });
      }
    }
  }
}

function sizeOf(input: unknown): number {
  return Array.isArray(input) ? input.length : 0;
}
