/** enrich: fields filled in for each item, from its text and from what is generally known. */
import { z } from 'zod';
import { isRecord } from '../core/json.ts';
import type { AnswerFormat, JsonSchema } from '../model/request.ts';
import { readJson } from './answer-json.ts';
import { createCheckTime } from './check-time.ts';
import { hasClosedList } from './enrich-fields.ts';
import { type EnrichParams, enrichParams } from './enrich-params.ts';
import {
  answerSchema,
  type PreparedField,
  pickFields,
  prepareFields,
  toAnswer,
} from './enrich-schema.ts';
import { promptExamples } from './examples.ts';
import { createJudge } from './json-schema/judge.ts';
import { limitProblems } from './json-schema/limits.ts';
import { knownForm } from './known-forms.ts';
import type { Operation } from './operation.ts';
import { type OwnSystemPrompt, ownSystemPrompt } from './own-system-prompt.ts';
import { createPrompt, hasContext, inputRule, paragraphs, relativeDateRule } from './prompt.ts';

const enrichResult = z.object({
  data: z.unknown().nullable().meta({
    description:
      'Values by field name, null for values that are not known. Null as a whole when the item failed.',
  }),
});

export const enrich: Operation<typeof enrichParams> = {
  name: 'enrich',
  description: 'Fills in fields for each item, from its text and from general knowledge.',
  params: enrichParams,
  optionsOptional: false,
  result: enrichResult,
  defaultTemperature: 0,
  deduplicates: true,

  counted: (params) => ({
    label: null,
    fields: params.fields.filter((field) => hasClosedList(params, field)).map(({ name }) => name),
    hasConfidence: false,
  }),

  prepare(params, time = createCheckTime()) {
    const fields = prepareFields(params);
    const schema = answerSchema(fields);
    const judge = createJudge({ schema });
    const own = ownSystemPrompt(params.systemPrompt, { fields: fieldLines(fields) });
    return {
      ...createPrompt({
        params,
        system: systemPrompt(params, fields),
        own,
        examples: promptExamples(params.examples, (output) => toAnswer(output, fields)),
      }),
      format: answerFormat(fields, schema, own),
      logprobs: false,
      columns: fields.map(({ field }) => field.name),
      parse: ({ text }) => {
        const answer = readJson(text, ({ value, exact }) =>
          judge({ value: pickFields(value, fields), exact }, { time }),
        );
        return Object.fromEntries(fields.map(({ field, key }) => [field.name, answer[key]]));
      },
      result: (output) => ({ data: isRecord(output) ? output : null }),
    };
  },
};

/** Where a user's own systemPrompt has no place for the fields, the schema has their meanings. */
function answerFormat(
  fields: readonly PreparedField[],
  schema: JsonSchema,
  own: OwnSystemPrompt | null,
): AnswerFormat {
  const strict = limitProblems(schema).length === 0;
  const isDescribed = own !== null && !own.has('fields');
  return {
    type: 'json',
    name: 'enrich',
    schema: isDescribed ? { ...schema, description: fieldLines(fields) } : schema,
    strict,
  };
}

function systemPrompt(params: EnrichParams, fields: readonly PreparedField[]): string {
  const source = hasContext(params) ? 'the text and its context say' : 'the text says';
  return paragraphs(
    'You add information to texts, field by field.',
    inputRule(params),
    `- Use what ${source} and, where it clearly names something well known, what is generally known about that.
- Write null for a field whose value you do not know. Do not guess.
- Where a field has a list of values, copy one exactly as it stands between the quotes; null if none fits.
- Write numbers as JSON numbers without units or separators, "12 %" as 12, and dates as YYYY-MM-DD.${relativeDateRule(params, 'is not known (null)')}
- Write texts in the language of the text.
- What a field itself says goes before these rules, also on units and percent.

Answer with one JSON object that has exactly the fields below.`,
    `Fields:\n${fieldLines(fields)}`,
  );
}

const typeNames = {
  CATEGORICAL: 'text',
  NUMERIC: 'number',
  TEXT: 'text',
  BOOLEAN: 'true or false',
  DATE: 'date',
  LIST: 'list of texts',
} as const;

function fieldLines(fields: readonly PreparedField[]): string {
  return fields.map(fieldLine).join('\n');
}

function fieldLine({ field, key, values }: PreparedField): string {
  const type = field.type ?? 'TEXT';
  const listed = values?.map((value) => JSON.stringify(value)).join(', ');
  const kind = listed ? `${type === 'LIST' ? 'list of' : 'one of'} ${listed}` : typeNames[type];
  const name = key === field.name ? '' : ` named ${JSON.stringify(field.name)}`;
  const head = `- ${JSON.stringify(key)}${name} (${kind} or null)`;
  const examples = field.examples?.map((example) => JSON.stringify(example)).join(', ');
  const said = field.description?.trim() || (examples || listed ? null : formOf(field));
  if (!examples) return said ? `${head}: ${said}` : head;
  return `${head}: ${said ? `${sentence(said)} ` : ''}Examples: ${examples}`;
}

/** Known form of a field whose values are texts. */
function formOf({ name, type }: PreparedField['field']): string | null {
  return (type ?? 'TEXT') === 'TEXT' || type === 'LIST' ? knownForm(name) : null;
}

/** The text with a mark at its end. */
function sentence(text: string): string {
  return /[.!?:;…]$/.test(text) ? text : `${text}.`;
}
