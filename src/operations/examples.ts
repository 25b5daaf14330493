/** Examples of extract and enrich: a text and the right answer, as turns of the conversation. */
import { z } from 'zod';
import { InvalidOutput } from '../core/errors.ts';
import type { JsonRecord } from '../core/json.ts';
import type { PromptExample } from './prompt.ts';
import { jsonObject, promptText } from './text.ts';

export const maxExamples = 100;

/** The item of an example of any operation. */
export const exampleItem = {
  content: promptText().meta({ description: 'Text of the example.' }),
  metadata: jsonObject().nullish().meta({
    description:
      'Metadata of the example, for templates that name fields, includeContext and referenceDate.',
  }),
};

/** At most `maxExamples` of an example. */
export function listOfExamples<Example extends z.ZodType>(example: Example) {
  return z.array(example).max(maxExamples, `must have at most ${maxExamples} examples`).nullish();
}

/** The param of that name for an operation whose input of an example is called `id`. */
export function examplesParam(id: string, operation: string) {
  const example = z
    .strictObject({
      ...exampleItem,
      output: jsonObject().meta({
        description: 'Right answer, as it would be in data. Must match the same schema.',
      }),
    })
    .meta({ id, description: `Example of ${operation}: a text with its right answer.` });
  return listOfExamples(example).meta({
    description: `Texts with their right answers, shown to the model, at most ${maxExamples}. A userPromptTemplate applies to examples too. Absent: none.`,
  });
}

type Examples = z.output<ReturnType<typeof examplesParam>>;

/** Adds an issue for each example whose output `check` throws InvalidOutput for. */
export function checkExamples(
  examples: Examples,
  check: (output: JsonRecord) => void,
  context: z.core.$RefinementCtx,
): void {
  for (const [index, { output }] of (examples ?? []).entries()) {
    try {
      check(output);
    } catch (error) {
      if (!(error instanceof InvalidOutput)) throw error;
      const message = `must be a valid answer: ${error.message}`;
      context.addIssue({ code: 'custom', path: ['examples', index, 'output'], message });
    }
  }
}

/** As turns of the conversation; `write` says how the model would write an output. */
export function promptExamples(
  examples: Examples,
  write: (output: JsonRecord) => JsonRecord = (output) => output,
): PromptExample[] {
  return (examples ?? []).map(({ output, ...example }) => ({
    ...example,
    answer: JSON.stringify(write(output)),
  }));
}
