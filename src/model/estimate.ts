import type { ModelRequest, PromptRequest } from './model.ts';

/**
 * Characters of a token, about; OpenAI's own rule of thumb for English. Other texts have up to three
 * times as many tokens, which the ratio of the plan corrects.
 */
const charsPerToken = 4;

/**
 * Tokens that a request may need: its prompt by length, its answer by its limit or 200. A complete
 * request is as long as the JSON that is sent of it.
 */
export function estimateTokens(request: ModelRequest, sentLength: number): number {
  const chars = 'body' in request ? sentLength : promptChars(request);
  return Math.ceil(chars / charsPerToken) + (request.maxOutputTokens ?? 200);
}

function promptChars(request: PromptRequest): number {
  let chars = 0;
  for (const { content } of request.messages) chars += content.length;
  return chars;
}
