/** The fields that enrich fills in: their types and values. */
import { z } from 'zod';
import type { JsonRecord } from '../core/json.ts';
import { ownValue } from './answer.ts';
import { jsonValue, promptText, text } from './text.ts';

export const maxValidValues = 500;
const maxExamples = 20;

const enrichFieldType = z.enum(['CATEGORICAL', 'NUMERIC', 'TEXT', 'BOOLEAN', 'DATE', 'LIST']).meta({
  id: 'EnrichFieldType',
  description: 'Type of the values of a field.',
  values: {
    CATEGORICAL: 'One of the valid values.',
    NUMERIC: 'A number.',
    TEXT: 'Text, or one of the valid values where the field has some.',
    BOOLEAN: 'True or false.',
    DATE: 'A calendar date, YYYY-MM-DD.',
    LIST: 'A list of texts, or of valid values where the field has some.',
  },
});

export const validValues = z
  .array(text({ min: 1, max: 1_000 }))
  .min(1, 'must have at least 1 value')
  .max(maxValidValues, `must have at most ${maxValidValues} values`);

export const enrichFieldInput = z
  .strictObject({
    name: text({ min: 1, max: 200 }).meta({
      description: 'Key of the value in the answer, unique among the fields.',
    }),
    type: enrichFieldType
      .nullish()
      .default('TEXT')
      .meta({ description: 'Type of the values of the field.' }),
    description: promptText().nullish().meta({
      description: 'Meaning of the field, sent to the model. Absent: the name alone is sent.',
    }),
    validValues: validValues.nullish().meta({
      description: `Values that the field may have, 1 to ${maxValidValues}. Required for CATEGORICAL unless runtimeCategories has them. Must be absent for NUMERIC, BOOLEAN and DATE.`,
    }),
    examples: z
      .array(jsonValue())
      .max(maxExamples, `must have at most ${maxExamples} examples`)
      .nullish()
      .meta({
        description: `Values in the right form, at most ${maxExamples}, sent to the model.`,
      }),
  })
  .meta({ id: 'EnrichFieldInput', description: 'A field to fill in. Only the name is required.' });

export type EnrichField = z.output<typeof enrichFieldInput>;

/** The fields of a request, and the values that override theirs. */
export interface EnrichFields {
  fields: readonly EnrichField[];
  runtimeCategories?: JsonRecord | null | undefined;
}

/** The values that a field may take; null when any may. */
export function allowedValues(
  { runtimeCategories }: EnrichFields,
  field: EnrichField,
): readonly string[] | null {
  const runtime = ownValue(runtimeCategories ?? {}, field.name);
  return Array.isArray(runtime) ? runtime.map(String) : (field.validValues ?? null);
}

/**
 * True where each value of a field is one of a known list. Those of LIST are lists of such values.
 */
export function hasClosedList(params: EnrichFields, field: EnrichField): boolean {
  if (field.type === 'BOOLEAN') return true;
  return field.type !== 'LIST' && allowedValues(params, field) !== null;
}
