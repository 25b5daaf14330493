/** chat: rows that are complete chat requests, sent as they are. */
import { z } from 'zod';
import { InvalidOutput, ItemFailure } from '../core/errors.ts';
import { parseKeepingNumbers } from '../core/exact-json.ts';
import { isRecord, type JsonRecord } from '../core/json.ts';
import { replaceUnstorable } from '../core/text.ts';
import { toCompletion } from '../model/completion-shapes.ts';
import { firstChoice } from '../model/first-choice.ts';
import { ownValue, tidy } from './answer.ts';
import { createCheckTime } from './check-time.ts';
import { type AnswerSchema, prepareAnswerSchema } from './json-schema/answer-schema.ts';
import type { Operation } from './operation.ts';
import { sharedParams } from './params.ts';
import { checkAnswerSchema } from './response-format.ts';
import { schemaObject } from './text.ts';

const {
  systemPrompt: _system,
  userPromptTemplate: _template,
  includeContext: _context,
  referenceDate: _date,
  ...modelParams
} = sharedParams;

const chatParams = z
  .strictObject({
    responseSchema: schemaObject().nullish().meta({
      description:
        'Schema of the answers, or of the arguments of the one tool call: a JSON Schema, or the short form. At most 100,000 characters. Absent: any answer is valid.',
    }),
    ...modelParams,
  })
  .superRefine(({ responseSchema }, context) => {
    if (responseSchema) checkAnswerSchema(responseSchema, ['responseSchema'], context);
  });

const chatResult = z.object({
  text: z.string().nullable().meta({
    description:
      'Content of the first choice. Empty when the model called a tool; CSV has the arguments then. Null when the item failed.',
  }),
  data: z.unknown().nullable().meta({
    description:
      'Answer parsed by responseSchema. Null without a responseSchema, and when the item failed.',
  }),
  response: z.record(z.string(), z.unknown()).nullable().meta({
    description:
      'Whole answer as the provider sent it: a chat completion, or an Anthropic message. Null when the item failed.',
  }),
});

export const chat: Operation<typeof chatParams> = {
  name: 'chat',
  description:
    'Sends rows that are complete chat requests. Options replace fields of the request, and a request may name its own model.',
  params: chatParams,
  optionsOptional: true,
  result: chatResult,
  whole: true,

  prepare(params, time = createCheckTime()) {
    const schema = params.responseSchema ? prepareAnswerSchema(params.responseSchema) : null;
    return {
      placeholders: [],
      format: { type: 'text' },
      logprobs: false,
      columns: ['text', ...(schema ? (schema.columns ?? ['data']) : [])],
      cells: (output) => cellsOf(output, schema),
      messages: () => [],
      body({ request }) {
        if (request) {
          refuseSeveralAnswers(request);
          return request;
        }
        throw new ItemFailure(
          'INVALID_REQUEST',
          'The row must be a chat request: {"messages": […]}, or a line {"custom_id": "…", "url": "/v1/chat/completions", "body": {"messages": […]}}, or {"custom_id": "…", "params": {"messages": […]}}',
        );
      },
      parse({ text, completion = {} }) {
        if (schema) refuseUnfinished(completion);
        return {
          text: replaceUnstorable(text),
          data: schema ? schema.read(structuredText(text, completion), { time }) : null,
          response: tidy(completion),
        };
      },
      written: ({ text, completion = {} }) => writtenText(text, completion),
      completion(output) {
        const response = isRecord(output) ? ownValue(output, 'response') : null;
        return isRecord(response) ? response : null;
      },
      result: (output) => {
        const stored = isRecord(output) ? output : {};
        return {
          text: ownValue(stored, 'text') ?? null,
          data: ownValue(stored, 'data') ?? null,
          response: ownValue(stored, 'response') ?? null,
        };
      },
    };
  },
};

/** The answer, then the fields of a schema, or all data if the schema allows other fields. */
function cellsOf(output: unknown, schema: AnswerSchema | null): unknown[] {
  const { text, data, response } = isRecord(output) ? output : {};
  const called = isRecord(response) ? calledWith(response) : undefined;
  const fields = isRecord(data) ? data : {};
  return [
    called ?? text,
    ...(schema ? (schema.columns?.map((name) => ownValue(fields, name)) ?? [data]) : []),
  ];
}

/** All of them would be paid, and one read. */
function refuseSeveralAnswers({ n }: Readonly<JsonRecord>): void {
  // A number that is too long to hold stands for its own text.
  const count = isRecord(n) ? Number(JSON.stringify(n)) : Number(n);
  if (count > 1) {
    throw new ItemFailure(
      'INVALID_REQUEST',
      'n must be 1, since one answer is read; leave n out, or send the request as several rows',
    );
  }
}

/** The structured answer: the arguments of the only tool call, else the content. */
export function structuredText(text: string, completion: Readonly<JsonRecord>): string {
  const calls = toolCalls(completion);
  if (calls.length > 1) throw new InvalidOutput('exactly one tool call is expected');
  const call: unknown = calls[0];
  const called = isRecord(call) && isRecord(call.function) ? call.function.arguments : null;
  return typeof called === 'string' ? called : text;
}

/** Text that the model wrote: its answer, else its refusal, else its tool calls' arguments. */
export function writtenText(text: string, completion: Readonly<JsonRecord>): string {
  if (text.trim() !== '') return text;
  const { refusal } = choiceOf(completion).message;
  if (typeof refusal === 'string' && refusal !== '') return refusal;
  return toolCalls(completion)
    .map((call) => (isRecord(call) && isRecord(call.function) ? call.function.arguments : null))
    .filter((given) => typeof given === 'string')
    .join('\n');
}

/** The tool calls of an answer's first choice. */
function toolCalls(completion: Readonly<JsonRecord>): readonly unknown[] {
  const { message } = choiceOf(completion);
  return Array.isArray(message.tool_calls) ? message.tool_calls : [];
}

/** Arguments of the only tool call, or a list of those of several. Undefined without a call. */
export function calledWith(completion: Readonly<JsonRecord>): unknown {
  const called = toolCalls(completion).map(argumentsOf);
  return called.length > 1 ? called : called[0];
}

/** Parsed if they are a JSON object, else the text they are. */
function argumentsOf(call: unknown): unknown {
  const { function: called, custom } = isRecord(call) ? call : {};
  const given = isRecord(called) ? called.arguments : isRecord(custom) ? custom.input : null;
  if (typeof given !== 'string') return null;
  try {
    const parsed = tidy(parseKeepingNumbers(given));
    return isRecord(parsed) ? parsed : given;
  } catch {
    return given;
  }
}

/** Refuses an answer to a schema that was cut off: asking again would not help. */
function refuseUnfinished(completion: Readonly<JsonRecord>): void {
  const { finishReason, message } = choiceOf(completion);
  if (typeof message.refusal === 'string' && message.refusal !== '') {
    throw new ItemFailure('REFUSED', 'The model refused to answer');
  }
  if (finishReason === 'length') {
    throw new ItemFailure(
      'TRUNCATED',
      'The answer reached the limit on output tokens before its end',
    );
  }
  if (finishReason === 'content_filter') {
    throw new ItemFailure('CONTENT_FILTERED', 'The provider’s content filter stopped the answer');
  }
}

/** First choice of a chat completion, or of an answer in another shape. */
function choiceOf(answer: Readonly<JsonRecord>): {
  finishReason: unknown;
  message: JsonRecord;
} {
  const completion = toCompletion(answer);
  const choice = isRecord(completion) ? firstChoice(completion.choices) : undefined;
  if (!choice) return { finishReason: null, message: {} };
  return {
    finishReason: choice.finish_reason,
    message: isRecord(choice.message) ? choice.message : {},
  };
}
