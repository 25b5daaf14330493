/** summarize: each item in short, as text or as an object. */
import { z } from 'zod';
import { isObject, ownValue } from './answer.ts';
import { createCheckTime } from './check-time.ts';
import type { Operation } from './operation.ts';
import { instructionsParam, sharedParams } from './params.ts';
import { createPrompt, inputRule, instructionsPart, paragraphs } from './prompt.ts';
import {
  type Answer,
  checkResponseFormat,
  responseAnswer,
  responseFormatParam,
  withInstructions,
} from './response-format.ts';

const summarizeParams = z
  .strictObject({
    instructions: instructionsParam('One sentence, for a reader in a hurry.'),
    responseFormat: responseFormatParam,
    ...sharedParams,
  })
  .superRefine(({ responseFormat }, context) => checkResponseFormat(responseFormat, context));

const summarizeResult = z.object({
  summary: z.string().nullable().meta({
    description: 'The summary; null with a JSON response format, and where the item failed.',
  }),
  data: z.unknown().nullable().meta({
    description: 'The answer to a JSON response format; null with TEXT, and where the item failed.',
  }),
});

export const summarize: Operation<typeof summarizeParams> = {
  name: 'summarize',
  description: 'Summarizes each item.',
  params: summarizeParams,
  optionsOptional: true,
  result: summarizeResult,

  prepare(params, time = createCheckTime()) {
    const answer = responseAnswer('summarize', params.responseFormat, {
      textField: 'summary',
      time,
    });
    const isText = answer.format.type === 'text';
    return {
      ...createPrompt({
        params,
        system: systemPrompt(params, answer),
        appendix: isText ? instructionsPart(params.instructions) : null,
      }),
      format: withInstructions(answer.format, params),
      logprobs: false,
      columns: answer.columns,
      parse: ({ text }) => answer.read(text),
      result: (output) => {
        const stored = isObject(output) ? output : null;
        return {
          summary: stored && isText ? (ownValue(stored, 'summary') ?? null) : null,
          data: isText ? null : stored,
        };
      },
    };
  },
};

function systemPrompt(
  params: z.output<typeof summarizeParams>,
  { format, fields }: Answer,
): string {
  return paragraphs(
    'You summarize texts.',
    inputRule(params),
    `- Say what matters most in the text: its point, then the facts, names and numbers that carry it.
- Say only what the text says. Add no opinion, no advice and no knowledge of your own.
- Write in the language of the text, in one to three sentences, and never more than the text itself has.`,
    format.type === 'text'
      ? 'Answer with the summary alone, as plain text: no heading, no quotes, no words about the summary.'
      : fields
        ? 'Answer with one JSON object that has exactly the fields below.'
        : 'Answer with one JSON object. Put the summary under the key "summary" unless the instructions name other keys.',
    fields && `Fields:\n${fields}`,
    instructionsPart(params.instructions),
  );
}
