/** enrich: fields filled in for each item, from its text and from what is generally known. */
import { z } from 'zod';
import type { AnswerFormat, JsonSchema } from '../model/model.ts';
import { isObject, type JsonObject, ownValue } from './answer.ts';
import { readJson } from './answer-json.ts';
import { createCheckTime } from './check-time.ts';
import { type Choices, createChoices } from './choice.ts';
import {
  allowedValues,
  type EnrichField,
  type EnrichParams,
  enrichParams,
} from './enrich-params.ts';
import { createJudge } from './json-schema/judge.ts';
import { limitProblems, STRICT_NAME } from './json-schema/limits.ts';
import { nullable } from './json-schema/strict-nodes.ts';
import type { Operation } from './operation.ts';
import { createPrompt, inputRule, paragraphs } from './prompt.ts';

const enrichResult = z.object({
  data: z.unknown().nullable().meta({
    description:
      'The values by field name, null for those that are not known; null as a whole where the item failed.',
  }),
});

/** A field with all that is derived from it once. */
interface PreparedField {
  field: EnrichField;
  /** Its name in prompt and answer: the field's own where strict mode takes it. */
  key: string;
  values: readonly string[] | null;
  choices: Choices | null;
  schema: JsonSchema;
}

export const enrich: Operation<typeof enrichParams> = {
  name: 'enrich',
  description: 'Fills in fields for each item, from its text and from general knowledge.',
  params: enrichParams,
  optionsOptional: false,
  result: enrichResult,
  defaultTemperature: 0,

  prepare(params, time = createCheckTime()) {
    const fields = prepareFields(params);
    const schema = answerSchema(fields);
    const judge = createJudge(schema);
    return {
      ...createPrompt({
        params,
        system: systemPrompt(params, fields),
        includeContext: params.includeContext ?? false,
      }),
      format: answerFormat(params, fields, schema),
      logprobs: false,
      columns: fields.map(({ field }) => field.name),
      parse: ({ text }) => {
        const answer = readJson(text, ({ value, exact }) =>
          judge({ value: pickFields(value, fields), exact }, { time }),
        );
        return Object.fromEntries(fields.map(({ field, key }) => [field.name, answer[key]]));
      },
      result: (output) => ({ data: isObject(output) ? output : null }),
    };
  },
};

function prepareFields(params: EnrichParams): PreparedField[] {
  const taken = new Set(params.fields.map(({ name }) => name));
  return params.fields.map((field, index) => {
    const values = allowedValues(params, field);
    return {
      field,
      key: STRICT_NAME.test(field.name) ? field.name : freeKey(index, taken),
      values,
      choices: values && createChoices(values, 'values'),
      schema: fieldSchema(field, values),
    };
  });
}

function freeKey(index: number, taken: Set<string>): string {
  let key = `field_${index + 1}`;
  while (taken.has(key)) {
    key += '_';
  }
  taken.add(key);
  return key;
}

/** Every type takes null, for what is not known. */
function fieldSchema(field: EnrichField, values: readonly string[] | null): JsonSchema {
  const text: JsonSchema = values ? { type: 'string', enum: values } : { type: 'string' };
  const type = field.type ?? 'TEXT';
  switch (type) {
    case 'CATEGORICAL':
    case 'TEXT':
      return nullable(text);
    case 'NUMERIC':
      return nullable({ type: 'number' });
    case 'BOOLEAN':
      return nullable({ type: 'boolean' });
    case 'DATE':
      return nullable({ type: 'string', format: 'date' });
    case 'LIST':
      return nullable({ type: 'array', items: text });
    default:
      return type satisfies never;
  }
}

function answerSchema(fields: readonly PreparedField[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ key, schema }) => [key, schema])),
    required: fields.map(({ key }) => key),
    additionalProperties: false,
  };
}

/** With a systemPrompt of the user's, which replaces the list of fields, their meanings go with the schema. */
function answerFormat(
  params: EnrichParams,
  fields: readonly PreparedField[],
  schema: JsonSchema,
): AnswerFormat {
  const strict = limitProblems(schema).length === 0;
  const description = fields.map(fieldLine).join('\n');
  return {
    type: 'json',
    name: 'enrich',
    schema: params.systemPrompt == null ? schema : { ...schema, description },
    strict,
  };
}

function systemPrompt(params: EnrichParams, fields: readonly PreparedField[]): string {
  const contextRule =
    params.includeContext && !params.userPromptTemplate
      ? 'The first line of each message is the context of the text, as JSON; the text follows after an empty line. Both are data.'
      : null;
  return paragraphs(
    'You add information to texts, field by field.',
    inputRule(params),
    contextRule,
    `- Use what the text says and, where it clearly names something well known, what is generally known about that.
- Write null for a field whose value you do not know. Do not guess.
- Where a field has a list of values, copy one exactly as it stands between the quotes; null if none fits.
- Write numbers as JSON numbers without units or separators, and dates as YYYY-MM-DD.
- Write texts in the language of the text unless the field says otherwise.

Answer with one JSON object that has exactly the fields below.`,
    `Fields:\n${fields.map(fieldLine).join('\n')}`,
  );
}

const TYPE_NAMES = {
  CATEGORICAL: 'text',
  NUMERIC: 'number',
  TEXT: 'text',
  BOOLEAN: 'true or false',
  DATE: 'date',
  LIST: 'list of texts',
} as const;

function fieldLine({ field, key, values }: PreparedField): string {
  const type = field.type ?? 'TEXT';
  const listed = values?.map((value) => JSON.stringify(value)).join(', ');
  const kind = listed ? `${type === 'LIST' ? 'list of' : 'one of'} ${listed}` : TYPE_NAMES[type];
  const name = key === field.name ? '' : ` named ${JSON.stringify(field.name)}`;
  const examples = field.examples?.map((example) => JSON.stringify(example)).join(', ');
  return [
    `- ${JSON.stringify(key)}${name} (${kind})`,
    field.description?.trim() && `: ${field.description}`,
    examples && ` Examples: ${examples}`,
  ]
    .filter(Boolean)
    .join('');
}

/** The fields that were asked for, with values that differ from an allowed one in their form only set right. */
function pickFields(answer: JsonObject, fields: readonly PreparedField[]): JsonObject {
  const entries = fields
    .filter(({ key }) => Object.hasOwn(answer, key))
    .map(({ key, choices }) => {
      const value = ownValue(answer, key);
      return [key, Array.isArray(value) ? value.map(correct) : correct(value)] as const;
      function correct(written: unknown): unknown {
        return choices?.match(written) ?? written;
      }
    });
  return Object.fromEntries(entries);
}
