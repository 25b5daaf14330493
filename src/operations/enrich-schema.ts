/** Keys of enrich's fields in the answer, and the schema of the answer. */
import type { JsonRecord } from '../core/json.ts';
import type { JsonSchema } from '../model/request.ts';
import { ownValue } from './answer.ts';
import { type Choices, createChoices } from './choice.ts';
import { allowedValues, type EnrichField, type EnrichFields } from './enrich-fields.ts';
import { strictName } from './json-schema/limits.ts';
import { nullable } from './json-schema/strict-nodes.ts';

/** A field with all that is derived from it once. */
export interface PreparedField {
  field: EnrichField;
  /** Its name in prompt and answer: the field's own where strict mode takes it. */
  key: string;
  values: readonly string[] | null;
  choices: Choices | null;
  schema: JsonSchema;
}

/** The fields with all that is derived from them once. */
export function prepareFields(params: EnrichFields): PreparedField[] {
  const taken = new Set(params.fields.map(({ name }) => name));
  return params.fields.map((field, index) => {
    const values = allowedValues(params, field);
    return {
      field,
      key: strictName.test(field.name) ? field.name : freeKey(index, taken),
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

/** The schema of the answer: every field, null where it is not known. */
export function answerSchema(fields: readonly PreparedField[]): JsonSchema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ key, schema }) => [key, schema])),
    required: fields.map(({ key }) => key),
    additionalProperties: false,
  };
}

/** Data, which has the fields under their own names, as the model writes it. */
export function toAnswer(data: JsonRecord, fields: readonly PreparedField[]): JsonRecord {
  return Object.fromEntries(fields.map(({ field, key }) => [key, ownValue(data, field.name)]));
}

/** The fields asked for, with values set right that differ from an allowed one in form only. */
export function pickFields(answer: JsonRecord, fields: readonly PreparedField[]): JsonRecord {
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
