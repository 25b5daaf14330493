/** Params of enrich: fields, values that override those of fields, examples. */
import { z } from 'zod';
import { isRecord, type JsonRecord } from '../core/json.ts';
import { createCheckTime } from './check-time.ts';
import { type EnrichField, enrichFieldInput, validValues } from './enrich-fields.ts';
import { answerSchema, prepareFields } from './enrich-schema.ts';
import { checkExamples, examplesParam } from './examples.ts';
import { createJudge } from './json-schema/judge.ts';
import { refuseDuplicates, sharedParams } from './params.ts';
import { jsonObject } from './text.ts';

export const maxEnrichFields = 100;

export const enrichParams = z
  .strictObject({
    fields: z
      .array(enrichFieldInput)
      .min(1, 'must have at least 1 field')
      .max(maxEnrichFields, `must have at most ${maxEnrichFields} fields`)
      .meta({ description: `Fields to fill in for each item, 1 to ${maxEnrichFields}.` }),
    runtimeCategories: jsonObject().nullish().meta({
      description:
        'Lists of valid values by field name, for values that are only known at run time. A list overrides the validValues of its field.',
    }),
    examples: examplesParam('EnrichExampleInput', 'enrich'),
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
    if (context.issues.length > 0 || !params.examples?.length) return;
    // Under the names of the fields, as the caller knows them.
    const named = prepareFields(params).map((one) => ({ ...one, key: one.field.name }));
    const time = createCheckTime();
    const judge = createJudge({ schema: answerSchema(named) });
    const check = (value: JsonRecord) => judge({ value, exact: null }, { time, exactly: true });
    checkExamples(params.examples, check, context);
  });

export type EnrichParams = z.output<typeof enrichParams>;
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
      message: 'must not be __proto__',
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
  const categories = isRecord(params.runtimeCategories) ? params.runtimeCategories : {};
  for (const [name, values] of Object.entries(categories)) {
    const path = ['runtimeCategories', name];
    if (!params.fields.some((field) => field.name === name)) {
      context.addIssue({ code: 'custom', path, message: 'must be the name of a field' });
    }
    const { error, data = [] } = validValues.safeParse(values);
    for (const issue of error?.issues ?? []) {
      const message = issue.code === 'invalid_type' ? 'must be a list of texts' : issue.message;
      context.addIssue({ code: 'custom', path: [...path, ...issue.path], message });
    }
    refuseDuplicates(data, path, context);
  }
}
