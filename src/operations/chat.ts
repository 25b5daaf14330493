/** chat: rows that are complete chat requests, sent as they are. */
import { z } from 'zod';
import { InvalidOutput } from '../errors.ts';
import { isObject, type JsonObject, ownValue } from './answer.ts';
import { prepareAnswerSchema } from './json-schema/answer-schema.ts';
import type { Operation } from './operation.ts';
import { sharedParams } from './params.ts';
import { checkAnswerSchema } from './response-format.ts';
import { jsonObject } from './text.ts';

const { systemPrompt: _system, userPromptTemplate: _template, ...modelParams } = sharedParams;

const chatParams = z
  .strictObject({
    responseSchema: jsonObject().nullish().meta({
      description:
        'A JSON Schema, or the short form, that answers (or the arguments of the one tool call) are parsed and validated against. Any answer is good when absent. At most 100,000 characters.',
    }),
    ...modelParams,
  })
  .superRefine(({ responseSchema }, context) => {
    if (responseSchema) checkAnswerSchema(responseSchema, ['responseSchema'], context);
  });

const chatResult = z.object({
  text: z.string().nullable().meta({
    description:
      'The content of the first choice; empty where the model called a tool. Null where the item failed.',
  }),
  data: z.unknown().nullable().meta({
    description:
      'The answer, parsed by responseSchema; null without one, and where the item failed.',
  }),
  response: z.record(z.string(), z.unknown()).nullable().meta({
    description: 'The whole chat completion, as the provider sent it; null where the item failed.',
  }),
});

export const chat: Operation<typeof chatParams> = {
  name: 'chat',
  description: 'Sends rows that are complete chat requests, as they are.',
  params: chatParams,
  optionsOptional: true,
  result: chatResult,
  whole: true,

  prepare(params) {
    const schema = params.responseSchema ? prepareAnswerSchema(params.responseSchema) : null;
    return {
      placeholders: [],
      format: { type: 'text' },
      logprobs: false,
      columns: schema ? ['text', 'data'] : ['text'],
      messages: () => [],
      body: ({ request }) => request ?? {},
      parse: ({ text, completion = {} }) => ({
        text,
        data: schema ? schema.read(structuredText(text, completion)) : null,
        response: completion,
      }),
      result: (output) => {
        const stored = isObject(output) ? output : {};
        return {
          text: ownValue(stored, 'text') ?? null,
          data: ownValue(stored, 'data') ?? null,
          response: ownValue(stored, 'response') ?? null,
        };
      },
    };
  },
};

/** Where the structured answer stands: in the arguments of the one tool call, else in the content. */
function structuredText(text: string, completion: Readonly<JsonObject>): string {
  const choices = completion.choices;
  const choice: unknown = Array.isArray(choices) ? choices[0] : null;
  const message = isObject(choice) && isObject(choice.message) ? choice.message : {};
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  if (calls.length > 1) throw new InvalidOutput('exactly one tool call is expected');
  const call: unknown = calls[0];
  const called = isObject(call) && isObject(call.function) ? call.function.arguments : null;
  return typeof called === 'string' ? called : text;
}
