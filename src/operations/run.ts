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
  data: z.unknown().nullable().meta({
    description: 'Answer to a JSON response format. Null with TEXT, and when the item failed.',
  }),
});

export const run: Operation<typeof runParams> = {
  name: 'run',
  description: 'Runs your own task on each item.',
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
