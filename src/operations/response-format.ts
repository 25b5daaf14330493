/** Form of an answer: text, any JSON object, or an object of a given schema. */
import { z } from 'zod';
import type { JsonRecord } from '../core/json.ts';
import type { AnswerFormat } from '../model/request.ts';
import type { CheckTime } from './check-time.ts';
import { readJsonObject } from './exact-numbers.ts';
import { namesIn } from './instruction-names.ts';
import {
  type AnswerSchema,
  answerSchemaIssues,
  prepareNamedFields,
} from './json-schema/answer-schema.ts';
import type { OwnSystemPrompt } from './own-system-prompt.ts';
import { schemaObject } from './text.ts';

const responseFormat = z.enum(['TEXT', 'JSON_OBJECT', 'JSON_SCHEMA']).meta({
  id: 'ResponseFormat',
  description: 'Form of an answer.',
  values: {
    TEXT: 'Plain text.',
    JSON_OBJECT:
      'A JSON object with the keys that the instructions list ("with the keys: summary, mood"). Each value is a text, number, true or false, list of texts or null. Without listed keys: any JSON object, whose keys may differ from row to row.',
    JSON_SCHEMA: 'A JSON object that is valid against the given schema.',
  },
});

const responseFormatInput = z
  .strictObject({
    type: responseFormat.meta({ description: 'Form of the answer.' }),
    schema: schemaObject().nullish().meta({
      description:
        'A JSON Schema of an object, or the short form {company: "string", year: "integer"}. At most 100,000 characters. Required for JSON_SCHEMA, must be absent otherwise.',
    }),
  })
  .meta({
    id: 'ResponseFormatInput',
    description: 'Form of an answer, with its schema for JSON_SCHEMA.',
  });

/** The param of that name, worded alike for every operation that has it. */
export const responseFormatParam = responseFormatInput.nullish().meta({
  description: 'Form of the answer. Absent: TEXT.',
});

/** The result's field of that name, worded alike too. */
export const responseData = z.unknown().nullable().meta({
  description: 'Answer to a JSON response format. Null with TEXT, and when the item failed.',
});

export type ResponseFormat = z.output<typeof responseFormatParam>;

/** Format that the model must follow, and the reader of its answer. */
export interface ExpectedAnswer {
  readonly format: AnswerFormat;
  /** The fields of a schema as a list for the prompt; null without one. */
  readonly fields: string | null;
  readonly columns: readonly string[] | null;
  /** Throws InvalidOutput. */
  read(text: string): JsonRecord;
  /** Holds an example's answer to the schema, if there is one. Throws InvalidOutput. */
  check(value: JsonRecord): void;
}

/** Adds the issues of a user's schema under `path`. */
export function checkAnswerSchema(
  schema: JsonRecord,
  path: string[],
  context: z.core.$RefinementCtx,
): void {
  for (const issue of answerSchemaIssues(schema)) {
    context.addIssue({ code: 'custom', path: [...path, ...issue.path], message: issue.message });
  }
}

/** Adds an issue where schema and type do not go together, or the schema is none. */
export function checkResponseFormat(format: ResponseFormat, context: z.core.$RefinementCtx): void {
  const path = ['responseFormat', 'schema'];
  if (format?.schema && format.type === 'JSON_SCHEMA') {
    checkAnswerSchema(format.schema, path, context);
  } else if (format?.schema) {
    context.addIssue({ code: 'custom', path, message: `must be absent for ${format.type}` });
  } else if (format?.type === 'JSON_SCHEMA') {
    context.addIssue({ code: 'custom', path, message: 'is required for JSON_SCHEMA' });
  }
}

/** An answer that is held to a user's schema. */
export function schemaAnswer(
  name: string,
  answerSchema: AnswerSchema,
  time: CheckTime,
): ExpectedAnswer {
  const { schema, strict, description, columns } = answerSchema;
  return {
    format: { type: 'json', name, schema, strict },
    fields: description,
    columns,
    read: (text) => answerSchema.read(text, { time }),
    check: (value) => answerSchema.check(value, time),
  };
}

export interface ResponseOptions {
  /** Time for the checks of the operation's answers. */
  time: CheckTime;
  instructions: string | null | undefined;
}

/**
 * An answer that has the fields that the instructions list, each a text, number, true or false,
 * list of texts or null; any JSON object where they list none.
 */
export function objectAnswer(
  name: string,
  { time, instructions, sure = false }: ResponseOptions & { sure?: boolean },
): ExpectedAnswer {
  const fields = namesIn(instructions ?? '', { sure });
  if (fields.length > 0) return schemaAnswer(name, prepareNamedFields(fields), time);
  return {
    format: { type: 'json', name, schema: { type: 'object' }, strict: false },
    fields: null,
    columns: null,
    read: readJsonObject,
    check: () => undefined,
  };
}

/** The format, its schema described by instructions that a user's own systemPrompt lacks. */
export function withInstructions(
  format: AnswerFormat,
  instructions: string | null | undefined,
  own: OwnSystemPrompt | null,
): AnswerFormat {
  if (format.type === 'text' || !own || own.has('instructions') || !instructions?.trim()) {
    return format;
  }
  const parts = [format.schema.description, instructions];
  const description = parts.filter((part) => typeof part === 'string').join('\n\n');
  return { ...format, schema: { ...format.schema, description } };
}

/** The sentence that asks for a JSON answer, and the list of its fields. */
export function objectPart({
  fields,
  columns,
}: Pick<ExpectedAnswer, 'fields' | 'columns'>): string {
  if (!fields) return 'Answer with one JSON object and nothing else.';
  const exactly = columns ? 'exactly ' : '';
  return `Answer with one JSON object that has ${exactly}the fields below.\n\nFields:\n${fields}`;
}
