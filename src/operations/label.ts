/** label: one category, or all that apply, out of a given list. */
import { z } from 'zod';
import { InvalidOutput } from '../core/errors.ts';
import { isRecord } from '../core/json.ts';
import type { TokenLogprob } from '../model/model.ts';
import type { AnswerFormat } from '../model/request.ts';
import { ownValue } from './answer.ts';
import { readJson } from './answer-json.ts';
import { type Choices, createChoices, inNfc } from './choice.ts';
import { type Confidence, chooseConfidence, valueProbability } from './confidence.ts';
import { limitProblems } from './json-schema/limits.ts';
import { nullable } from './json-schema/strict-nodes.ts';
import { type LabelParams, labelParams } from './label-params.ts';
import type { Operation } from './operation.ts';
import { type OwnSystemPrompt, ownSystemPrompt } from './own-system-prompt.ts';
import { createPrompt, inputRule, instructionsPart, paragraphs } from './prompt.ts';
import { withInstructions } from './response-format.ts';

const confidenceMethod = z.enum(['LOGPROBS', 'MODEL_REPORTED', 'AGREEMENT']).meta({
  id: 'ConfidenceMethod',
  description: 'Source of a confidence. A confidence is never a constant.',
  values: {
    LOGPROBS: 'Probabilities that the model gave to the tokens of the label.',
    MODEL_REPORTED: 'A number that the model wrote about its own answer, often too high.',
    AGREEMENT: 'Share of repeated answers that agree. No operation uses this method yet.',
  },
});

const labelResult = z.object({
  label: z.string().nullable().meta({
    description:
      'Chosen category. Null with multiLabel, when no category fits (allowNone), and when the item failed.',
  }),
  labels: z.array(z.string()).nullable().meta({
    description:
      'Chosen categories, in the order of the options. Without multiLabel: the one label. Empty when no category fits. Null when the item failed.',
  }),
  confidence: z.number().nullable().meta({
    description:
      'Probability that the answer is right, 0 to 1. Null when nothing supports a confidence.',
  }),
  confidenceMethod: confidenceMethod.nullable().meta({
    description: 'Source of the confidence. Null without a confidence.',
  }),
});

type LabelAnswer = { text: string; logprobs: readonly TokenLogprob[] | null };

export const label: Operation<typeof labelParams> = {
  name: 'label',
  description: 'Sorts each item into one of the given categories, or into all that apply.',
  params: labelParams,
  optionsOptional: false,
  result: labelResult,
  defaultTemperature: 0,
  deduplicates: true,

  counted: ({ multiLabel }) => ({
    label: multiLabel ? { member: 'labels', isList: true } : { member: 'label', isList: false },
    fields: [],
    hasConfidence: true,
  }),

  prepare(params) {
    const multiLabel = params.multiLabel ?? false;
    const choices = createChoices(params.categories, 'categories');
    const own = ownSystemPrompt(params.systemPrompt, {
      categories: `${categoryLines(params)}${params.allowNone && !multiLabel ? '\n- null, if none of these fits' : ''}`,
      instructions: params.instructions,
    });
    return {
      ...createPrompt({
        params,
        system: systemPrompt(params, multiLabel),
        own,
        examples: (params.examples ?? []).map(({ labels, ...example }) => ({
          ...example,
          // Without a confidence: any number here would be copied.
          answer: exampleAnswer(
            labels.map((label) => choices.match(label) ?? label),
            multiLabel,
          ),
        })),
      }),
      format: answerFormat(params, multiLabel, own),
      logprobs: !multiLabel,
      columns: [multiLabel ? 'labels' : 'label', 'confidence', 'confidenceMethod'],
      outputNames: { confidenceMethod: 'confidence_method' },
      parse: (answer) =>
        multiLabel ? readLabels(answer, choices, params) : readLabel(answer, choices, params),
      result: readResult,
      confidence: readConfidence,
    };
  },
};

function systemPrompt(params: LabelParams, multiLabel: boolean): string {
  const rules = multiLabel
    ? `Choose every category from the list below that clearly applies to the text.
- Copy each category exactly as it stands between the quotes, whatever language the text is in.
- Choose none that is only hinted at. If none applies, answer with an empty list.

Answer with one JSON object: {"labels": [the categories], "confidence": the probability from 0 to 1 that exactly these apply}`
    : `Choose the one category from the list below that fits the text as a whole best.
- Copy the category exactly as it stands between the quotes, whatever language the text is in.
- If several fit, choose the most specific one; if these are equally specific, the one that stands first in the list.
${noneRule(params)}

Answer with one JSON object: {"label": the category, "confidence": the probability from 0 to 1 that it is right}`;

  return paragraphs(
    'You label texts.',
    inputRule(params),
    rules,
    (params.examples ?? []).length > 0 &&
      'The examples leave the confidence out, so that it is not copied; your answer has it.',
    `Categories:\n${categoryLines(params)}`,
    instructionsPart(params.instructions),
  );
}

function exampleAnswer(labels: readonly string[], multiLabel: boolean): string {
  return JSON.stringify(multiLabel ? { labels } : { label: labels[0] ?? null });
}

/** Rule for texts that fit no category: the nearest one would say what the text does not. */
function noneRule({ allowNone }: LabelParams): string {
  const other = '- If none fits, choose a category such as "other" if there is one, else';
  return allowNone
    ? `${other} write null.`
    : `${other} the nearest one, with a confidence under 0.5.`;
}

function categoryLines({ categories, categoryDescriptions }: LabelParams): string {
  const descriptions = new Map(
    Object.entries(categoryDescriptions ?? {}).map(([name, meaning]) => [inNfc(name), meaning]),
  );
  return categories
    .map((category) => {
      const description = descriptions.get(inNfc(category));
      return typeof description === 'string' && description.trim() !== ''
        ? `- ${JSON.stringify(category)}: ${description}`
        : `- ${JSON.stringify(category)}`;
    })
    .join('\n');
}

/** Where a user's own systemPrompt lacks the categories, their meanings go with the schema. */
function answerFormat(
  params: LabelParams,
  multiLabel: boolean,
  own: OwnSystemPrompt | null,
): AnswerFormat {
  const isDescribed = own && !own.has('categories') && isRecord(params.categoryDescriptions);
  const category = {
    type: 'string',
    enum: params.categories,
    ...(isDescribed ? { description: categoryLines(params) } : {}),
  };
  const schema = {
    type: 'object',
    properties: {
      ...(multiLabel
        ? { labels: { type: 'array', items: category } }
        : { label: params.allowNone ? nullable(category) : category }),
      confidence: { type: 'number', description: 'Probability that this is right, 0 to 1' },
    },
    required: [multiLabel ? 'labels' : 'label', 'confidence'],
    additionalProperties: false,
  };
  const strict = limitProblems(schema).length === 0;
  return withInstructions(
    { type: 'json', name: 'label', schema, strict },
    params.instructions,
    own,
  );
}

function readLabel(
  answer: LabelAnswer,
  choices: Choices,
  { categories, allowNone }: LabelParams,
): { label: string | null } & Confidence {
  return readJson(answer.text, (found) => {
    const written = ownValue(found.value, 'label');
    const reported = ownValue(found.value, 'confidence');
    const chosen = choices.match(written);
    if (chosen === null && allowNone && saysNone(written)) {
      return { label: null, ...chooseConfidence(null, reported) };
    }
    if (chosen === null) {
      const orNull = allowNone ? ', or null' : '';
      throw new InvalidOutput(`label must be ${choices.list}${orNull}`, {
        told: `label must be ${choices.shortList}${orNull}`,
      });
    }
    const closed = categories.some((other) => other !== chosen && other.startsWith(chosen));
    const probability =
      written === chosen ? valueProbability(answer, found, { key: 'label', closed }) : null;
    return { label: chosen, ...chooseConfidence(probability, reported, { forced: !allowNone }) };
  });
}

/** Null, also as a text. A key that is not there says nothing. */
function saysNone(written: unknown): boolean {
  return (
    written === null || (typeof written === 'string' && /^\s*(?:null|none)?\.?\s*$/i.test(written))
  );
}

function readLabels(
  answer: LabelAnswer,
  choices: Choices,
  { categories }: LabelParams,
): { labels: string[] } & Confidence {
  return readJson(answer.text, ({ value }) => {
    const written = ownValue(value, 'labels');
    if (!Array.isArray(written)) {
      throw new InvalidOutput('labels must be a list of categories');
    }
    const chosen = written.map((entry, index) => {
      const category = choices.match(entry);
      if (category === null) {
        throw new InvalidOutput(`labels/${index} must be ${choices.list}`, {
          told: `labels/${index} must be ${choices.shortList}`,
        });
      }
      return category;
    });
    const labels = categories.filter((category) => chosen.includes(category));
    return { labels, ...chooseConfidence(null, ownValue(value, 'confidence')) };
  });
}

function readConfidence(output: unknown): number | null {
  const stored = isRecord(output) ? ownValue(output, 'confidence') : null;
  return typeof stored === 'number' ? stored : null;
}

/** A stored label that is null says that no category fits; a list is what multiLabel stores. */
function readResult(output: unknown): Record<string, unknown> {
  const stored = isRecord(output) ? output : {};
  const chosen = ownValue(stored, 'label') ?? null;
  return {
    label: chosen,
    labels: chosen === null ? (ownValue(stored, 'labels') ?? []) : [chosen],
    confidence: ownValue(stored, 'confidence') ?? null,
    confidenceMethod: ownValue(stored, 'confidenceMethod') ?? null,
  };
}
