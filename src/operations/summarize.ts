/** summarize: each item in short, as text or as an object. */
import { z } from 'zod';
import type { Operation } from './operation.ts';
import { instructionsParam, sharedParams } from './params.ts';
import { hasContext, inputRule, instructionsPart, paragraphs } from './prompt.ts';
import { prepareResponse } from './response.ts';
import {
  checkResponseFormat,
  type ExpectedAnswer,
  objectPart,
  responseData,
  responseFormatParam,
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
    description: 'Summary of the item. Null with a JSON response format, and when the item failed.',
  }),
  data: responseData,
});

export const summarize: Operation<typeof summarizeParams> = {
  name: 'summarize',
  description: 'Summarizes each item.',
  params: summarizeParams,
  optionsOptional: true,
  result: summarizeResult,

  deduplicates: true,

  prepare: (params, time) =>
    prepareResponse('summarize', params, {
      textField: 'summary',
      time,
      system: (answer) => systemPrompt(params, answer),
    }),
};

function systemPrompt(params: z.output<typeof summarizeParams>, answer: ExpectedAnswer): string {
  const { format } = answer;
  const isFree = params.responseFormat?.type === 'JSON_OBJECT' && !answer.fields;
  const source = hasContext(params) ? 'the text and its context say' : 'the text says';
  return paragraphs(
    'You summarize texts.',
    inputRule(params),
    `- Say what matters most in the text: its point, then the facts, names and numbers that carry it.
- Say only what ${source}. Add no opinion, no advice and no knowledge of your own.
- Write in the language of the text, in one to three sentences, and never more than the text itself has.`,
    format.type === 'text'
      ? 'Answer with the summary alone, as plain text: no heading, no quotes, no words about the summary.'
      : isFree
        ? 'Answer with one JSON object. Put the summary under the key "summary" unless the instructions name other keys.'
        : objectPart(answer),
    instructionsPart(params.instructions),
  );
}
