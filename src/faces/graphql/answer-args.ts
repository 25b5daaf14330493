/** Arguments by which items are found by their answers, in lists and in links to outputs. */
import { z } from 'zod';
import { maxLabels } from '../../app/answer-filter.ts';
import { storableText } from '../../operations/text.ts';

const maxLabelsText = maxLabels.toLocaleString('en');

export const labelsArg = {
  description: `Only succeeded items with one of these labels, at most ${maxLabelsText}. With multiLabel, any of an item's labels counts. None for an empty list. BAD_USER_INPUT where the operation has no labels.`,
  validate: {
    schema: z
      .array(storableText)
      .max(maxLabels, `must have at most ${maxLabelsText} labels`)
      .nullish() as never,
  },
};

const range = 'must be between 0 and 1';
const validate = { schema: z.number().min(0, range).max(1, range).nullish() as never };

export const confidenceBelowArg = {
  description:
    'Only succeeded items whose confidence is less than this, 0 to 1. Items without a confidence are left out.',
  validate,
};

export const confidenceFromArg = {
  description:
    'Only succeeded items whose confidence is this or more, 0 to 1. Items without a confidence are left out.',
  validate,
};
