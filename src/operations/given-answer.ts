/** Answers that were given elsewhere: read as those of chat are. */
import type { JsonRecord } from '../core/json.ts';
import { calledWith, structuredText } from './chat.ts';
import type { CheckTime } from './check-time.ts';
import { prepareAnswerSchema } from './json-schema/answer-schema.ts';
import { checkAnswerSchema } from './response-format.ts';
import { schemaObject } from './text.ts';

export interface GivenAnswer {
  text: string;
  /** The chat completion that the text is from. */
  completion: Readonly<JsonRecord>;
}

/** A user's answer schema, as extract takes it. */
export const answerSchemaParam = schemaObject().superRefine((schema, context) =>
  checkAnswerSchema(schema, [], context),
);

/**
 * Makes a reader of answers. With a schema, the result is the object in the answer or in the
 * arguments of its only tool call, valid against the schema. Long integers keep all digits, since
 * nobody can be asked for a string any more. Throws InvalidOutput. Without a schema, the result is
 * the text, or the arguments of its tool calls.
 */
export function createAnswerReader(
  schema: JsonRecord | null,
  time: CheckTime,
): (answer: GivenAnswer) => unknown {
  const prepared = schema ? prepareAnswerSchema(schema) : null;
  return ({ text, completion }) => {
    if (prepared) {
      return prepared.read(structuredText(text, completion), { time, longIntegers: true });
    }
    const called = calledWith(completion);
    return called === undefined ? text : called;
  };
}
