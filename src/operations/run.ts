/** run: any task, in the user's words. */
import { z } from 'zod';
import type { Operation } from './operation.ts';
import { instructionsParam, sharedParams } from './params.ts';
import { inputRule, paragraphs } from './prompt.ts';
import { prepareResponse } from './response.ts';
import {
  checkResponseFormat,
  type ExpectedAnswer,
  objectPart,
  responseData,
  responseFormatParam,
} from './response-format.ts';
import { text } from './text.ts';

const runParams = z
  .strictObject({
    operation: text({ min: 1, max: 200 }).nullish().meta({
      description: 'Name of the task, shown to the model, e.g. classify. Absent: none.',
    }),
    instructions: instructionsParam('').meta({
      description:
        'Task for each item, e.g. "Translate into French." At most 1,000,000 characters. One of instructions, systemPrompt and userPromptTemplate is required. In a systemPrompt, {instructions} stands for the task. Without that placeholder, the task follows the systemPrompt, or stands in the schema of a JSON response format.',
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
    description: 'Answer as text. Null with a JSON response format, and when the item failed.',
  }),
  data: responseData,
});

export const run: Operation<typeof runParams> = {
  name: 'run',
  description: 'Runs your own task on each item.',
  params: runParams,
  optionsOptional: false,
  result: runResult,

  prepare: (params, time) =>
    prepareResponse('run', params, {
      textField: 'text',
      time,
      system: (answer) => systemPrompt(params, answer),
    }),
};

function systemPrompt(params: z.output<typeof runParams>, answer: ExpectedAnswer): string {
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
