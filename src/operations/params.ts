/** The params that every operation takes. */
import { z } from 'zod';
import type { Sampling } from '../model/model.ts';
import { inNfc } from './choice.ts';
import { checkReferenceDate } from './reference-date.ts';
import { compileTemplate, foreignPlaceholders, TemplateError } from './template.ts';
import { jsonObject, promptText, text } from './text.ts';

/** What Winnow itself decides about a request; an answer could not be read if these were changed. */
const OWN_BODY_KEYS = ['model', 'messages', 'response_format', 'stream', 'n'];

/** GraphQL's Int, so that the same numbers are good on every road in. */
const MAX_INT = 2 ** 31 - 1;

export const sharedParams = {
  model: text({ min: 1, max: 200 }).nullish().meta({
    description:
      "Which model answers, as provider/name, e.g. openai/gpt-4.1-mini. The server's default model when absent.",
  }),
  temperature: z
    .number()
    .min(0, 'must be between 0 and 2')
    .max(2, 'must be between 0 and 2')
    .nullish()
    .meta({
      description:
        "Randomness of the answer, 0 to 2. When absent it is 0 for label, extract and enrich, which ask for the one right answer, and the provider's default for the others. Left out for models that refuse it.",
    }),
  maxOutputTokens: whole(1, 1_000_000, 'must be between 1 and 1,000,000').nullish().meta({
    description:
      "The most tokens that one answer may take, 1 to 1,000,000. The model's own limit when absent.",
  }),
  systemPrompt: promptText().nullish().meta({
    description:
      'Replaces the whole built-in system prompt. {categories}, {fields} and {instructions} in it stand for these parts of the built-in one; all other braces stay as they are. Where it has neither categories nor fields, the answer’s JSON Schema is stated behind it, unless the provider is OpenAI or Anthropic itself, which show the model the schema. At most 1,000,000 characters.',
  }),
  topP: z
    .number()
    .min(0, 'must be between 0 and 1')
    .max(1, 'must be between 0 and 1')
    .nullish()
    .meta({
      description:
        "Nucleus sampling: only the likeliest tokens up to this share, 0 to 1. The provider's default when absent.",
    }),
  seed: whole(-MAX_INT - 1, MAX_INT, 'must be a 32-bit integer')
    .nullish()
    .meta({
      description:
        'Asks the provider for repeatable answers, as far as it can give them. None is sent when absent.',
    }),
  reasoningEffort: text({ min: 1, max: 50 }).nullish().meta({
    description:
      "How much a reasoning model thinks first, in the provider's own words, e.g. low. Its default when absent.",
  }),
  extraBody: jsonObject().superRefine(refuseOwnKeys).nullish().meta({
    description:
      'Merged into the request body last, for what one provider alone knows. Must not set model, messages, response_format, stream or n.',
  }),
  userPromptTemplate: promptText().superRefine(checkTemplate).nullish().meta({
    description:
      'Replaces the built-in user message, in examples too: {content} and {any_metadata_field} stand for the item, {{ and }} for braces; the columns of a file that hold the text and the id are fields too. One that names nothing of the item is refused. The item alone is sent when absent. At most 1,000,000 characters.',
  }),
  includeContext: z.boolean().nullish().default(false).meta({
    description:
      'Put the metadata of the item before its content, as a first line of JSON. Has no effect with a userPromptTemplate, which can name the fields itself.',
  }),
  referenceDate: text({ min: 1, max: 300 }).superRefine(checkReferenceDate).nullish().meta({
    description:
      'The day on which the texts were written, by which “next Friday” becomes a date: YYYY-MM-DD, or {field} for a metadata field that has it; an item without a date there fails. When absent, relative dates are not known: extract and enrich give null for them.',
  }),
};

/** What `sharedParams` parse to. GraphQL sends explicit nulls, which mean the same as absence. */
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
      description: `What to heed besides the built-in rules, which it overrides, e.g. "${example}". Nothing when absent. At most 1,000,000 characters.`,
    });
}

/**
 * Adds an issue for every value that repeats an earlier one, be it with its accents written in the
 * other way. `path` leads to the list.
 */
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
        message: `repeats ${[...path, first].join('.')}`,
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
  for (const key of OWN_BODY_KEYS.filter((own) => Object.hasOwn(body, own))) {
    context.addIssue({ code: 'custom', path: [key], message: 'cannot be set here' });
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
    return 'names nothing of the item, so that all would be sent the same; {content} is the text, {field} any metadata field, and {{ writes a brace';
  }
  if (/\$\{content\}/.test(source)) {
    return `has \${content}, which is sent with the $; {content} is the text, and {{ writes a brace`;
  }
  return null;
}

/** What is said of a placeholder in doubled braces, as other tools have them. */
export function doubledProblem(text: string): string {
  return `has {{${text}}}, which is sent as {${text}}, the same for every item; {content} is the text, {field} any metadata field, and {{ writes a brace`;
}
