/** Sums over the answers of a batch: their labels, confidences and times. */
import { z } from 'zod';
import {
  type ConfidenceBin as ConfidenceBinModel,
  confidenceBins,
  type LabelCount as LabelCountModel,
  labelCounts,
  medianConfidence,
  type TimelinePoint as TimelinePointModel,
  timelinePoints,
} from '../../app/answer-sums.ts';
import { storableText } from '../../operations/text.ts';
import { builder } from './builder.ts';

const defaultLabels = 50;
const maxLabels = 500;
const defaultBins = 20;
const maxBins = 100;
const defaultPoints = 120;
const maxPoints = 500;

/** A statement over what is new of the batch, which may be all of its answers. */
const statementCost = 200;

function upTo(max: number) {
  const message = `must be between 1 and ${max}`;
  return { schema: z.int().min(1, message).max(max, message).nullish() as never };
}

/** A size to be refused costs no more than the largest. */
function listCost(size: number | null | undefined, { usual, max }: { usual: number; max: number }) {
  return { field: statementCost, multiplier: Math.max(1, Math.min(size ?? usual, max)) };
}

const LabelCount = builder.objectRef<LabelCountModel>('LabelCount').implement({
  description: 'Number of items with one label.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'Items with this label.' }),
    label: t.exposeString('label', {
      nullable: true,
      description:
        'The label. Null counts the answers that name none: an enrich field whose value is not known, or a multiLabel answer without any label.',
    }),
    share: t.exposeFloat('share', {
      description:
        'count divided by the succeeded items of the batch, 0 to 1. With multiLabel the shares may add up to more than 1.',
    }),
  }),
});

const ConfidenceBin = builder.objectRef<ConfidenceBinModel>('ConfidenceBin').implement({
  description: 'Number of items with a confidence within one interval.',
  fields: (t) => ({
    count: t.exposeInt('count', { description: 'Items in this interval.' }),
    from: t.exposeFloat('from', {
      description: 'The lowest confidence that belongs to this interval.',
    }),
    to: t.exposeFloat('to', {
      description: 'Lower edge of the next interval. The last interval contains 1.',
    }),
  }),
});

const TimelinePoint = builder.objectRef<TimelinePointModel>('TimelinePoint').implement({
  description: 'The answers that were recorded within one interval of time.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'Time at which the interval begins.' }),
    costUsd: t.exposeFloat('costUsd', {
      nullable: true,
      description:
        'Cost of these answers in USD. Null where no price is known, never 0 for that reason.',
    }),
    failed: t.exposeInt('failed', {
      description:
        'Items that failed within the interval. A retried item counts where its latest answer was recorded.',
    }),
    seconds: t.exposeFloat('seconds', {
      description: 'Length of the interval. Its answers divided by its seconds are the pace.',
    }),
    succeeded: t.exposeInt('succeeded', {
      description: 'Items that succeeded within the interval.',
    }),
  }),
});

builder.objectFields('Batch', (t) => ({
  confidence: t.field({
    type: [ConfidenceBin],
    description:
      'Number of succeeded items with a confidence in each interval, the lowest interval first. An item without a confidence is in no interval. Empty where no item has a confidence.',
    args: {
      bins: t.arg.int({
        defaultValue: defaultBins,
        description: `Into how many equal intervals 0 to 1 is divided, 1 to ${maxBins}. The edges are rounded to thousandths.`,
        validate: upTo(maxBins),
      }),
    },
    complexity: ({ bins }) => listCost(bins, { usual: defaultBins, max: maxBins }),
    resolve: (batch, { bins }, context) => confidenceBins(context, batch, bins ?? defaultBins),
  }),
  labels: t.field({
    type: [LabelCount],
    description:
      'Number of items with each label, the most frequent label first. Only succeeded items count. With multiLabel an item counts for each of its labels. Empty for an operation without labels.',
    args: {
      field: t.arg.string({
        description:
          'A field of the answers of enrich or extract that is counted in place of the label. Its values must be a closed list: CATEGORICAL, BOOLEAN, or an enum of the JSON Schema. BAD_USER_INPUT for any other field; the message names the fields that can be counted.',
        validate: { schema: storableText.nullish() as never },
      }),
      first: t.arg.int({
        defaultValue: defaultLabels,
        description: `Maximum number of labels, 1 to ${maxLabels}.`,
        validate: upTo(maxLabels),
      }),
    },
    complexity: ({ first }) => listCost(first, { usual: defaultLabels, max: maxLabels }),
    resolve: async (batch, { field, first }, context) => {
      const asked = { field: field ?? null, first: first ?? defaultLabels };
      const counts = await labelCounts(context, batch, asked);
      const bytes = counts.reduce((sum, { label }) => sum + Buffer.byteLength(label ?? ''), 0);
      context.budget.send(bytes, null);
      return counts;
    },
  }),
  medianConfidence: t.float({
    nullable: true,
    description:
      'The confidence that half of the items with a confidence reach, to a thousandth. Null where no item has a confidence.',
    complexity: { field: statementCost, multiplier: 1 },
    resolve: (batch, _args, context) => medianConfidence(context, batch),
  }),
  timeline: t.field({
    type: [TimelinePoint],
    description:
      'Answers by the time of their record: the time from the first answer to the last one in intervals of equal length, the earliest first. An interval without an answer is left out. Empty before the first answer.',
    args: {
      points: t.arg.int({
        defaultValue: defaultPoints,
        description: `Maximum number of intervals, 1 to ${maxPoints}.`,
        validate: upTo(maxPoints),
      }),
    },
    complexity: ({ points }) => listCost(points, { usual: defaultPoints, max: maxPoints }),
    resolve: (batch, { points }, context) =>
      timelinePoints(context, batch, points ?? defaultPoints),
  }),
}));
