/** The params that every operation takes. */
import { z } from 'zod';
import type { Sampling } from '../model/request.ts';
import { inNfc } from './choice.ts';
import { checkReferenceDate } from './reference-date.ts';
import { compileTemplate, foreignPlaceholders, TemplateError } from './template.ts';
import { jsonObject, promptText, text } from './text.ts';

/** Parts of a request that Winnow decides, since answers could not be read otherwise. */
const ownBodyKeys = ['model', 'messages', 'response_format', 'stream', 'n'];

/** GraphQL's Int, so that the same numbers are good on every way in. */
const maxInt = 2 ** 31 - 1;

export const sharedParams = {
  model: text({ min: 1, max: 200 }).nullish().meta({
    description:
      "Model that answers, as provider/name, e.g. openai/gpt-4.1-mini. Absent: the server's default model.",
  }),
  temperature: z
    .number()
    .min(0, 'must be between 0 and 2')
    .max(2, 'must be between 0 and 2')
    .nullish()
    .meta({
      description:
        "Randomness of the answer, 0 to 2. Absent: 0 for label, extract and enrich, else the provider's default. Not sent to models that refuse a temperature.",
    }),
  maxOutputTokens: whole(1, 1_000_000, 'must be between 1 and 1,000,000').nullish().meta({
    description:
      "Maximum number of tokens of one answer, 1 to 1,000,000. Absent: the model's own limit.",
  }),
  systemPrompt: promptText().nullish().meta({
    description:
      'System prompt that replaces the whole built-in one, at most 1,000,000 characters. {categories}, {fields} and {instructions} stand for these parts of the built-in prompt; all other braces stay. A prompt with neither categories nor fields is followed by the JSON Schema of the answer. OpenAI and Anthropic themselves show the schema to the model, so nothing follows there.',
  }),
  topP: z
    .number()
    .min(0, 'must be between 0 and 1')
    .max(1, 'must be between 0 and 1')
    .nullish()
    .meta({
      description:
        "Nucleus sampling: only the likeliest tokens up to this share, 0 to 1. Absent: the provider's default.",
    }),
  seed: whole(-maxInt - 1, maxInt, 'must be a 32-bit integer')
    .nullish()
    .meta({
      description:
        'Number that asks the provider for repeatable answers, as far as it can give them. Absent: no seed is sent.',
    }),
  reasoningEffort: text({ min: 1, max: 50 }).nullish().meta({
    description:
      "Amount of thinking of a reasoning model, in the provider's words, e.g. low. Absent: the model's default.",
  }),
  extraBody: jsonObject().superRefine(refuseOwnKeys).nullish().meta({
    description:
      'Fields merged into the request body last, for settings of one provider. Must not set model, messages, response_format, stream or n.',
  }),
  userPromptTemplate: promptText().superRefine(checkTemplate).nullish().meta({
    description:
      'Template of the user message, in examples too, at most 1,000,000 characters. {content} and {any_metadata_field} stand for the item, {{ and }} for braces. The columns of a file that hold the text and the id are fields too. The template must name a field of the item. Absent: the item alone is sent.',
  }),
  includeContext: z.boolean().nullish().default(false).meta({
    description:
      'True: the metadata of the item stands before its content, as a first line of JSON. No effect with a userPromptTemplate, which can name the fields itself.',
  }),
  referenceDate: text({ min: 1, max: 300 }).superRefine(checkReferenceDate).nullish().meta({
    description:
      'Day on which the texts were written, by which "next Friday" becomes a date. YYYY-MM-DD, or {field} for a metadata field that has the day. An item without a date in that field fails. Absent: extract and enrich give null for relative dates.',
  }),
};

/** Parsed `sharedParams`. GraphQL sends explicit nulls, which mean the same as absence. */
export type SharedParams = z.output<z.ZodObject<typeof sharedParams>>;

/** The sampling options of parsed params, nulls left out. */
export function samplingOf(params: SharedParams): Sampling {
  return {
    temperature: params.temperature ?? undefined,
    topP: params.topP ?? undefined,
    seed: params.seed ?? undefined,
    maxOutputTokens: params.maxOutputTokens ?? undefined,
    reasoningEffort: params.reasoningEffort ?? undefined,
    extraBody: params.extraBody ?? undefined,
  };
}

/** The extra instructions, worded for one operation. */
export function instructionsParam(example: string) {
  return promptText()
    .nullish()
    .meta({
      description: `Instructions added to the built-in rules, which they override, e.g. "${example}". At most 1,000,000 characters. Absent: none.`,
    });
}

/** Adds an issue at `path` for each value that repeats another, however its accents are written. */
export function refuseDuplicates(
  values: readonly string[],
  path: (string | number)[],
  context: z.core.$RefinementCtx,
): void {
  const firstIndex = new Map<string, number>();
  for (const [index, value] of values.entries()) {
    const first = firstIndex.get(inNfc(value));
    if (first === undefined) {
      firstIndex.set(inNfc(value), index);
    } else {
      context.addIssue({
        code: 'custom',
        path: [...path, index],
        message: `must differ from ${[...path, first].join('.')}`,
      });
    }
  }
}

/** A whole number within bounds, which are told once, also where it is beyond 2^53. */
function whole(min: number, max: number, problem: string) {
  const error = ({ code }: { code?: string }) => (code?.startsWith('too_') ? problem : undefined);
  return z.int({ error, abort: true }).min(min, problem).max(max, problem);
}

function refuseOwnKeys(body: Record<string, unknown>, context: z.core.$RefinementCtx): void {
  for (const key of ownBodyKeys.filter((own) => Object.hasOwn(body, own))) {
    context.addIssue({ code: 'custom', path: [key], message: 'must not be set here' });
  }
}

function checkTemplate(template: string, context: z.core.$RefinementCtx): void {
  if (context.issues.length > 0) return;
  try {
    const problem = templateProblem(template);
    if (problem !== null) context.addIssue({ code: 'custom', message: problem });
  } catch (error) {
    if (!(error instanceof TemplateError)) {
      throw error;
    }
    context.addIssue({ code: 'custom', message: error.message });
  }
}

/** Why every item would be sent the same text, or one that was not meant. */
function templateProblem(source: string): string | null {
  const template = compileTemplate(source);
  const [foreign] = foreignPlaceholders(template);
  if (foreign !== undefined) return doubledProblem(foreign);
  if (template.names.length === 0) {
    return 'must name a field of the item, since all items would be sent the same text; {content} is the text, {field} any metadata field, and {{ writes a brace';
  }
  if (/\$\{content\}/.test(source)) {
    return `must not have \${content}, which is sent with the $; {content} is the text, and {{ writes a brace`;
  }
  return null;
}

/** Message for a placeholder in doubled braces, as other tools write placeholders. */
export function doubledProblem(text: string): string {
  return `must not have {{${text}}}, which is sent as {${text}} for every item; {content} is the text, {field} any metadata field, and {{ writes a brace`;
}
