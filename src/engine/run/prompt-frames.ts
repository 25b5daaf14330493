/**
 * The frame that a model puts around the texts of a prompt, and the way that it is told of a
 * schema. Pure.
 */
import type { Dialect, JsonSchema } from '../../model/request.ts';

/** Tokens of the frame of a prompt, and of each message. */
export interface Frame {
  prompt: number;
  message: number;
}

/**
 * OpenAI: https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken; Anthropic: as
 * ai-tokenizer measured it.
 */
export const frames: Readonly<Record<Dialect, Frame>> = {
  openai: { prompt: 3, message: 4 },
  anthropic: { prompt: 6, message: 2 },
};

/** OpenAI's, around an answer's schema: openai-cookbook#2140 and #2102. */
export const schemaFrameTokens = 9;

/** A schema as it stands in the prompt: without what only says how strict it is. */
export function countedSchema(schema: JsonSchema): string {
  return JSON.stringify(schema, (key, value: unknown) =>
    (key === 'required' && Array.isArray(value)) ||
    (key === 'additionalProperties' && typeof value === 'boolean') ||
    (key === '$schema' && typeof value === 'string')
      ? undefined
      : value,
  );
}
