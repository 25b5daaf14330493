/** extract: values out of a text, into an object of a given schema or of fields that the instructions name. */
import { z } from 'zod';
import { isObject } from './answer.ts';
import { createCheckTime } from './check-time.ts';
import { prepareAnswerSchema } from './json-schema/answer-schema.ts';
import type { Operation } from './operation.ts';
import { instructionsParam, sharedParams } from './params.ts';
import { createPrompt, inputRule, instructionsPart, paragraphs } from './prompt.ts';
import {
  checkAnswerSchema,
  objectAnswer,
  schemaAnswer,
  withInstructions,
} from './response-format.ts';
import { jsonObject } from './text.ts';

const extractParams = z
  .strictObject({
    schema: jsonObject().nullish().meta({
      description:
        'The fields to extract: the short form {company: "string", revenue: "number", year: "integer", tags: "string[]"}, or a JSON Schema of an object. In the short form a value that the text does not state is null, or left out with a ? ("integer?"). Required unless instructions are given. At most 100,000 characters.',
    }),
    instructions: instructionsParam('Extract: person_name, title, company').meta({
      description:
        'What to extract and how, in words, e.g. "Extract: person_name, title, company". Required unless a schema is given; at most 1,000,000 characters.',
    }),
    ...sharedParams,
  })
  .superRefine(({ schema, instructions }, context) => {
    if (schema) {
      checkAnswerSchema(schema, ['schema'], context);
    } else if (!instructions?.trim()) {
      const message = 'is required unless instructions say what to extract';
      context.addIssue({ code: 'custom', path: ['schema'], message });
    }
  });

const extractResult = z.object({
  data: z.unknown().nullable().meta({
    description: 'The extracted values by field name; null where the item failed.',
  }),
});

export const extract: Operation<typeof extractParams> = {
  name: 'extract',
  description: 'Extracts structured data from each item.',
  params: extractParams,
  optionsOptional: false,
  result: extractResult,
  defaultTemperature: 0,

  prepare(params, time = createCheckTime()) {
    const { fields, format, columns, read } = params.schema
      ? schemaAnswer('extract', prepareAnswerSchema(params.schema), time)
      : objectAnswer('extract');
    return {
      ...createPrompt({ params, system: systemPrompt(params, fields) }),
      format: withInstructions(format, params),
      logprobs: false,
      columns,
      parse: ({ text }) => read(text),
      result: (output) => ({ data: isObject(output) ? output : null }),
    };
  },
};

function systemPrompt(params: z.output<typeof extractParams>, fields: string | null): string {
  return paragraphs(
    'You extract data from texts.',
    inputRule(params),
    `- Take every value from the text itself. Do not guess, and add nothing from general knowledge.
- Where the text does not state a value, write null; where it names nothing for a list, write [].
- Keep names and quotations as the text spells them, in its language.
- Write numbers as JSON numbers without units, currency signs or separators: "1.5 million" is 1500000.
- Write dates as YYYY-MM-DD unless another form is asked for.`,
    fields
      ? 'Answer with one JSON object that has exactly the fields below.'
      : 'Answer with one JSON object. Use the field names in the instructions as its keys, spelled as they are.',
    fields && `Fields:\n${fields}`,
    instructionsPart(params.instructions),
  );
}
