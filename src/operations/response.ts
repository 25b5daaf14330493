/** run and summarize, bound to their params: the answer is text, or data in a response format. */
import { isRecord } from '../core/json.ts';
import { ownValue, readText } from './answer.ts';
import { createCheckTime } from './check-time.ts';
import { prepareAnswerSchema } from './json-schema/answer-schema.ts';
import type { PreparedOperation } from './operation.ts';
import { type OwnSystemPrompt, ownSystemPrompt } from './own-system-prompt.ts';
import type { SharedParams } from './params.ts';
import { createPrompt, instructionsPart } from './prompt.ts';
import {
  type ExpectedAnswer,
  objectAnswer,
  type ResponseFormat,
  type ResponseOptions,
  schemaAnswer,
  withInstructions,
} from './response-format.ts';

interface ResponseParams extends SharedParams {
  instructions?: string | null | undefined;
  responseFormat?: ResponseFormat;
}

/** Text is stored under `textField`; `system` is the built-in system prompt for an answer. */
export function prepareResponse(
  name: string,
  params: ResponseParams,
  {
    textField,
    time = createCheckTime(),
    system,
  }: {
    textField: string;
    time: ResponseOptions['time'] | undefined;
    system: (answer: ExpectedAnswer) => string;
  },
): PreparedOperation {
  const { instructions, responseFormat, systemPrompt } = params;
  const answer = responseAnswer(name, responseFormat, { textField, time, instructions });
  const { fields, format, columns } = answer;
  const isText = format.type === 'text';
  const own = ownSystemPrompt(systemPrompt, { fields, instructions });
  const appendix = isText ? textAppendix(instructions, own) : null;
  return {
    ...createPrompt({ params, system: system(answer), own, appendix }),
    format: withInstructions(format, instructions, own),
    logprobs: false,
    columns,
    parse: ({ text }) => answer.read(text),
    result(output) {
      const stored = isRecord(output) ? output : null;
      return {
        [textField]: stored && isText ? (ownValue(stored, textField) ?? null) : null,
        data: isText ? null : stored,
      };
    },
  };
}

function responseAnswer(
  name: string,
  format: ResponseFormat,
  { textField, time, instructions }: ResponseOptions & { textField: string },
): ExpectedAnswer {
  const type = format?.type ?? 'TEXT';
  switch (type) {
    case 'JSON_SCHEMA':
      return schemaAnswer(name, prepareAnswerSchema(format?.schema ?? {}), time);
    case 'JSON_OBJECT':
      return objectAnswer(name, { time, instructions, sure: true });
    case 'TEXT':
      return {
        format: { type: 'text' },
        fields: null,
        columns: [textField],
        read: (text) => ({ [textField]: readText(text) }),
        check: () => undefined,
      };
    default:
      return type satisfies never;
  }
}

/** The instructions, where a user's own systemPrompt has no place for them. */
function textAppendix(
  instructions: string | null | undefined,
  own: OwnSystemPrompt | null,
): string | null {
  return own?.has('instructions') ? null : instructionsPart(instructions);
}
