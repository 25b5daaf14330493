/** run: any task, in the user's words. */
import { z } from 'zod';
import { isObject, ownValue } from './answer.ts';
import { createCheckTime } from './check-time.ts';
import type { Operation } from './operation.ts';
import { ownSystemPrompt } from './own-system-prompt.ts';
import { instructionsParam, sharedParams } from './params.ts';
import { createPrompt, inputRule, paragraphs } from './prompt.ts';
import {
  type Answer,
  checkResponseFormat,
  objectPart,
  responseAnswer,
  responseFormatParam,
  textAppendix,
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
        'What to do with each item, e.g. "Translate into French." One of instructions, systemPrompt and userPromptTemplate is required. With a systemPrompt too, they stand where it has {instructions}, else behind it (with a JSON response format, in its schema). At most 1,000,000 characters.',
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
    const { instructions } = params;
    const answer = responseAnswer('run', params.responseFormat, {
      textField: 'text',
      time,
      instructions,
    });
    const isText = answer.format.type === 'text';
    const own = ownSystemPrompt(params.systemPrompt, { fields: answer.fields, instructions });
    return {
      ...createPrompt({
        params,
        system: systemPrompt(params, answer),
        own,
        appendix: textAppendix(answer, instructions, own),
      }),
      format: withInstructions(answer.format, instructions, own),
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

function systemPrompt(params: z.output<typeof runParams>, answer: Answer): string {
  return paragraphs(
    params.userPromptTemplate
      ? 'You carry out the task that you are given.'
      : 'You carry out one task on each text that you are given.',
    inputRule(params),
    answer.format.type === 'text'
      ? 'Answer with the outcome alone, as plain text: no introduction, no comment.'
      : objectPart(answer),
    params.operation && `Task: ${params.operation}`,
    params.instructions?.trim() && `Instructions:\n${params.instructions}`,
  );
}
