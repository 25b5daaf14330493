/** The fields that enrich fills in: their types and values. */
import { z } from 'zod';
import { type JsonObject, ownValue } from './answer.ts';
import { jsonValue, promptText, text } from './text.ts';

const MAX_VALUES = 500;
const MAX_EXAMPLES = 20;

const enrichFieldType = z.enum(['CATEGORICAL', 'NUMERIC', 'TEXT', 'BOOLEAN', 'DATE', 'LIST']).meta({
  id: 'EnrichFieldType',
  description: "What a field's values are.",
  values: {
    CATEGORICAL: 'One of the valid values.',
    NUMERIC: 'A number.',
    TEXT: 'Text; one of the valid values where the field has some.',
    BOOLEAN: 'True or false.',
    DATE: 'A calendar date, YYYY-MM-DD.',
    LIST: 'A list of texts; of valid values where the field has some.',
  },
});

export const validValues = z
  .array(text({ min: 1, max: 1_000 }))
  .min(1, 'needs at least 1 value')
  .max(MAX_VALUES, `takes at most ${MAX_VALUES} values`);

export const enrichFieldInput = z
  .strictObject({
    name: text({ min: 1, max: 200 }).meta({
      description: 'The key of the value in the answer, unique among the fields.',
    }),
    type: enrichFieldType.nullish().default('TEXT').meta({ description: 'What its values are.' }),
    description: promptText().nullish().meta({
      description: 'What the field means; sent to the model. Its name alone when absent.',
    }),
    validValues: validValues.nullish().meta({
      description: `The only values allowed, 1 to ${MAX_VALUES}. Required for CATEGORICAL unless runtimeCategories has them; not for NUMERIC, BOOLEAN and DATE.`,
    }),
    examples: z
      .array(jsonValue())
      .max(MAX_EXAMPLES, `takes at most ${MAX_EXAMPLES} examples`)
      .nullish()
      .meta({
        description: `Values as they should look, at most ${MAX_EXAMPLES}; sent to the model.`,
      }),
  })
  .meta({ id: 'EnrichFieldInput', description: 'A field to be filled in; its name is enough.' });

export type EnrichField = z.output<typeof enrichFieldInput>;

/** The fields of a request, and the values that override theirs. */
export interface EnrichFields {
  fields: readonly EnrichField[];
  runtimeCategories?: JsonObject | null | undefined;
}

/** The values that a field may take; null when any may. */
export function allowedValues(
  { runtimeCategories }: EnrichFields,
  field: EnrichField,
): readonly string[] | null {
  const runtime = ownValue(runtimeCategories ?? {}, field.name);
  return Array.isArray(runtime) ? runtime.map(String) : (field.validValues ?? null);
}
