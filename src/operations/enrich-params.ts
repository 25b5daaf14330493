/** What enrich is asked for: fields, their types and values. */
import { z } from 'zod';
import { isObject, ownValue } from './answer.ts';
import { refuseDuplicates, sharedParams } from './params.ts';
import { jsonObject, jsonValue, promptText, text } from './text.ts';

const MAX_FIELDS = 100;
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

const validValues = z
  .array(text({ min: 1, max: 1_000 }))
  .min(1, 'needs at least 1 value')
  .max(MAX_VALUES, `takes at most ${MAX_VALUES} values`);

const enrichFieldInput = z
  .strictObject({
    name: text({ min: 1, max: 200 }).meta({
      description: 'The key of the value in the answer, unique among the fields.',
    }),
    type: enrichFieldType.nullish().default('TEXT').meta({ description: 'What its values are.' }),
    description: promptText().nullish().meta({
      description: 'What the field means; sent to the model. Its name alone when absent.',
    }),
    validValues: validValues.nullish().meta({
      description:
        'The only values allowed, 1 to 500. Required for CATEGORICAL unless runtimeCategories has them; not for NUMERIC, BOOLEAN and DATE.',
    }),
    examples: z
      .array(jsonValue())
      .max(MAX_EXAMPLES, `takes at most ${MAX_EXAMPLES} examples`)
      .nullish()
      .meta({ description: 'Values as they should look, at most 20; sent to the model.' }),
  })
  .meta({ id: 'EnrichFieldInput', description: 'A field to be filled in; its name is enough.' });

export const enrichParams = z
  .strictObject({
    fields: z
      .array(enrichFieldInput)
      .min(1, 'needs at least 1 field')
      .max(MAX_FIELDS, `takes at most ${MAX_FIELDS} fields`)
      .meta({ description: 'The fields to fill in for each item, 1 to 100.' }),
    runtimeCategories: jsonObject().nullish().meta({
      description:
        'Lists of valid values by field name, which override those of the field: for values that are only known at run time.',
    }),
    includeContext: z.boolean().nullish().default(false).meta({
      description:
        'Put the metadata of the item before its content, as a first line of JSON. Has no effect with a userPromptTemplate, which can name the fields itself.',
    }),
    ...sharedParams,
  })
  .superRefine((params, context) => {
    refuseDuplicates(
      params.fields.map(({ name }) => name),
      ['fields'],
      context,
    );
    for (const [index, field] of params.fields.entries()) {
      checkField(params, field, index, context);
    }
    checkRuntimeCategories(params, context);
  });

export type EnrichParams = z.output<typeof enrichParams>;
export type EnrichField = EnrichParams['fields'][number];

/** The values that a field may take; null when any may. */
export function allowedValues(params: EnrichParams, field: EnrichField): readonly string[] | null {
  const runtime = ownValue(params.runtimeCategories ?? {}, field.name);
  return Array.isArray(runtime) ? runtime.map(String) : (field.validValues ?? null);
}

function checkField(
  params: EnrichParams,
  { name, type, validValues: values }: EnrichField,
  index: number,
  context: z.core.$RefinementCtx,
): void {
  const path = ['fields', index];
  const hasRuntimeValues = Object.hasOwn(params.runtimeCategories ?? {}, name);
  if (name === '__proto__') {
    context.addIssue({
      code: 'custom',
      path: [...path, 'name'],
      message: 'is not usable as a name',
    });
  }
  if (type === 'CATEGORICAL' && !values && !hasRuntimeValues) {
    const message = 'is required for CATEGORICAL, here or in runtimeCategories';
    context.addIssue({ code: 'custom', path: [...path, 'validValues'], message });
  }
  if (type === 'NUMERIC' || type === 'BOOLEAN' || type === 'DATE') {
    const message = `must be absent for ${type}`;
    if (values) {
      context.addIssue({ code: 'custom', path: [...path, 'validValues'], message });
    }
    if (hasRuntimeValues) {
      context.addIssue({ code: 'custom', path: ['runtimeCategories', name], message });
    }
  }
  refuseDuplicates(values ?? [], [...path, 'validValues'], context);
}

function checkRuntimeCategories(params: EnrichParams, context: z.core.$RefinementCtx): void {
  const categories = isObject(params.runtimeCategories) ? params.runtimeCategories : {};
  for (const [name, values] of Object.entries(categories)) {
    const path = ['runtimeCategories', name];
    if (!params.fields.some((field) => field.name === name)) {
      context.addIssue({ code: 'custom', path, message: 'is not the name of a field' });
    }
    const { error, data = [] } = validValues.safeParse(values);
    for (const issue of error?.issues ?? []) {
      const message = issue.code === 'invalid_type' ? 'must be a list of texts' : issue.message;
      context.addIssue({ code: 'custom', path: [...path, ...issue.path], message });
    }
    refuseDuplicates(data, path, context);
  }
}
