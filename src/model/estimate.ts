import type { AnswerFormat, ChatMessage, ModelRequest } from './request.ts';

/**
 * Characters of a token, about; OpenAI's own rule of thumb for English. Other texts have up to
 * three times as many tokens, which the ratio of the plan corrects.
 */
const charsPerToken = 4;

/**
 * Tokens that a request may need: its prompt by length, its answer by its limit or 200. A complete
 * request is as long as the JSON that is sent of it.
 */
export function estimateTokens(request: ModelRequest, sentLength: number): number {
  const chars = 'body' in request ? sentLength : charsOf(request.messages);
  return Math.ceil(chars / charsPerToken) + (request.maxOutputTokens ?? 200);
}

/** Greatest factor by which the estimate lies above the count: for English. */
const maxOverestimate = 1.31;
/**
 * Greatest part by which it lies below: for columns of numbers, and for what is not written in
 * Latin letters.
 */
const maxUnderestimate = { ascii: 0.45, other: 0.17 };

/**
 * Between how many tokens the beginning of a prompt has, by its length: the messages, and the
 * schema that the answer must match.
 */
export function estimatePrefixTokens({
  messages,
  format,
}: {
  messages: readonly ChatMessage[];
  format: AnswerFormat;
}): { least: number; most: number } {
  const schema = format.type === 'json' ? JSON.stringify(format.schema) : '';
  const texts = [schema, ...messages.map(({ content }) => content)].join('');
  const others = texts.match(/[^\0-\x7f]/g)?.length ?? 0;
  const tokensOf = (chars: number) => chars / charsPerToken;
  return {
    least: Math.floor(tokensOf(texts.length) / maxOverestimate),
    most: Math.ceil(
      tokensOf(texts.length - others) / maxUnderestimate.ascii +
        tokensOf(others) / maxUnderestimate.other,
    ),
  };
}

function charsOf(messages: readonly ChatMessage[]): number {
  let chars = 0;
  for (const { content } of messages) chars += content.length;
  return chars;
}
