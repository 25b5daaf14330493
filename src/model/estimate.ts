import type { ModelRequest } from './model.ts';

/** Characters of a token, about; OpenAI's own rule of thumb for English. Usage corrects it. */
const charsPerToken = 4;

/** Tokens that a request may need: its prompt by length, its answer by its limit or 200. */
export function estimateTokens(request: ModelRequest): number {
  return Math.ceil(promptChars(request) / charsPerToken) + (request.maxOutputTokens ?? 200);
}

function promptChars(request: ModelRequest): number {
  if ('body' in request) return JSON.stringify(request.body.messages)?.length ?? 0;
  let chars = 0;
  for (const { content } of request.messages) chars += content.length;
  return chars;
}
