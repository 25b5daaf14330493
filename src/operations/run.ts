/** run: any task, in the user's words. */
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
import { text } from './text.ts';

const runParams = z
  .strictObject({
    operation: text({ min: 1, max: 200 }).nullish().meta({
      description: 'A name for the task, shown to the model, e.g. classify. None when absent.',
    }),
    instructions: instructionsParam('').meta({
      description:
        'What to do with each item, e.g. "Translate into French." One of instructions, systemPrompt and userPromptTemplate is required. Behind a systemPrompt where both are given (with a JSON response format, in its schema). At most 1,000,000 characters.',
    }),
    responseFormat: responseFormatParam,
    ...sharedParams,
  })
  .superRefine(({ instructions, systemPrompt, userPromptTemplate, responseFormat }, context) => {
    if (![instructions, systemPrompt, userPromptTemplate].some((value) => value?.trim())) {
      const message = 'one of instructions, systemPrompt and userPromptTemplate is required';
      context.addIssue({ code: 'custom', path: ['instructions'], message });
    }
    checkResponseFormat(responseFormat, context);
  });

const runResult = z.object({
  text: z.string().nullable().meta({
    description: 'The answer as text; null with a JSON response format, and where the item failed.',
  }),
  data: z.unknown().nullable().meta({
    description: 'The answer to a JSON response format; null with TEXT, and where the item failed.',
  }),
});

export const run: Operation<typeof runParams> = {
  name: 'run',
  description: 'Runs a task of your own on each item.',
  params: runParams,
  optionsOptional: false,
  result: runResult,

  prepare(params, time = createCheckTime()) {
    const answer = responseAnswer('run', params.responseFormat, { textField: 'text', time });
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
      parse: ({ text: answerText }) => answer.read(answerText),
      result: (output) => {
        const stored = isObject(output) ? output : null;
        return {
          text: stored && isText ? (ownValue(stored, 'text') ?? null) : null,
          data: isText ? null : stored,
        };
      },
    };
  },
};

function systemPrompt(params: z.output<typeof runParams>, { format, fields }: Answer): string {
  return paragraphs(
    params.userPromptTemplate
      ? 'You carry out the task that you are given.'
      : 'You carry out one task on each text that you are given.',
    inputRule(params),
    format.type === 'text'
      ? 'Answer with the outcome alone, as plain text: no introduction, no comment.'
      : fields
        ? 'Answer with one JSON object that has exactly the fields below.'
        : 'Answer with one JSON object and nothing else.',
    fields && `Fields:\n${fields}`,
    params.operation && `Task: ${params.operation}`,
    params.instructions?.trim() && `Instructions:\n${params.instructions}`,
  );
}
