/** extract: values of a text, by a schema or by fields named in the instructions. */
import { z } from 'zod';
import { isRecord } from '../core/json.ts';
import { type CheckTime, createCheckTime } from './check-time.ts';
import { checkExamples, examplesParam, promptExamples } from './examples.ts';
import { prepareAnswerSchema } from './json-schema/answer-schema.ts';
import type { Operation } from './operation.ts';
import { ownSystemPrompt } from './own-system-prompt.ts';
import { instructionsParam, sharedParams } from './params.ts';
import {
  createPrompt,
  hasContext,
  inputRule,
  instructionsPart,
  paragraphs,
  relativeDateRule,
} from './prompt.ts';
import {
  checkAnswerSchema,
  type ExpectedAnswer,
  objectAnswer,
  objectPart,
  schemaAnswer,
  withInstructions,
} from './response-format.ts';
import { schemaObject } from './text.ts';

const extractParams = z
  .strictObject({
    schema: schemaObject().nullish().meta({
      description:
        'Fields to extract: the short form {company: "string", revenue: "number", year: "integer", tags: "string[]"}, or a JSON Schema of an object. In the short form, a value that the text does not state is null, or left out with a ? ("integer?"). At most 100,000 characters. Required unless instructions are given.',
    }),
    instructions: instructionsParam('Extract: person_name, title, company').meta({
      description:
        'Values to extract, in words, at most 1,000,000 characters. Required unless a schema is given. Without a schema, names listed behind a colon ("Extract: person_name, title (as written), company", or one per line) are the keys of every answer. Each value is a text, number, true or false, list of texts or null. Without listed names, keys may differ from row to row.',
    }),
    examples: examplesParam('ExtractExampleInput', 'extract'),
    ...sharedParams,
  })
  .superRefine((params, context) => {
    const { schema, instructions, examples } = params;
    if (schema) {
      checkAnswerSchema(schema, ['schema'], context);
    } else if (!instructions?.trim()) {
      const message = 'is required unless instructions say what to extract';
      context.addIssue({ code: 'custom', path: ['schema'], message });
    }
    if (context.issues.length === 0)
      checkExamples(examples, answerOf(params, createCheckTime()).check, context);
  });

const extractResult = z.object({
  data: z.unknown().nullable().meta({
    description: 'Extracted values by field name. Null when the item failed.',
  }),
});

export const extract: Operation<typeof extractParams> = {
  name: 'extract',
  description: 'Extracts structured data from each item.',
  params: extractParams,
  optionsOptional: false,
  result: extractResult,
  defaultTemperature: 0,
  deduplicates: true,

  counted: ({ schema }) => ({
    label: null,
    fields: schema ? prepareAnswerSchema(schema).closedLists : [],
    hasConfidence: false,
  }),

  prepare(params, time = createCheckTime()) {
    const answer = answerOf(params, time);
    const { fields, format, columns, read } = answer;
    const { instructions } = params;
    const own = ownSystemPrompt(params.systemPrompt, { fields, instructions });
    return {
      ...createPrompt({
        params,
        system: systemPrompt(params, answer),
        own,
        examples: promptExamples(params.examples),
      }),
      format: withInstructions(format, instructions, own),
      logprobs: false,
      columns,
      parse: ({ text }) => read(text),
      result: (output) => ({ data: isRecord(output) ? output : null }),
    };
  },
};

function answerOf(
  { schema, instructions }: Pick<z.output<typeof extractParams>, 'schema' | 'instructions'>,
  time: CheckTime,
): ExpectedAnswer {
  return schema
    ? schemaAnswer('extract', prepareAnswerSchema(schema), time)
    : objectAnswer('extract', { instructions, time });
}

function systemPrompt(params: z.output<typeof extractParams>, answer: ExpectedAnswer): string {
  const hasFields = answer.fields !== null && answer.fields !== '';
  const isOpen = !hasFields && params.schema;
  const notStated = hasFields
    ? 'write null if the field takes null, [] for any other list, else what its line says'
    : isOpen
      ? 'leave it out'
      : 'write null, and [] for a list';
  const unknown = hasFields
    ? 'counts as not stated (null if the field takes null)'
    : `counts as not stated${isOpen ? '' : ' (null)'}`;
  const source = hasContext(params) ? 'the text itself or its context' : 'the text itself';
  return paragraphs(
    'You extract data from texts.',
    inputRule(params),
    `- Take every value from ${source}. Do not guess, and add nothing from general knowledge.
- Where the text does not state a value, ${notStated}.
- Keep names and quotations as the text spells them, in its language.
- Write numbers as JSON numbers without units, currency signs or separators: "1.5 million" is 1500000, "12 %" is 12.
- Write dates as YYYY-MM-DD unless another form is asked for.${relativeDateRule(params, unknown)}${
      hasFields
        ? "\n- A field's own description goes before these rules, also on units and percent."
        : ''
    }`,
    hasFields || isOpen
      ? objectPart(answer)
      : 'Answer with one JSON object. Use the field names in the instructions as its keys, spelled as they are.',
    instructionsPart(params.instructions),
  );
}
