/** OpenAI's chat completions, read and answered. */
import { createRequestParser, type RequestRules } from './chat-request.ts';
import type { Completer } from './completion.ts';
import type { Answerer } from './live.ts';

/** `nextId`: a name for the next answer, unique in this sandbox. */
export function createChatAnswerer(
  rules: RequestRules,
  { complete, nextId }: { complete: Completer; nextId: () => string },
): Answerer {
  const parse = createRequestParser(rules);
  return {
    read: (body) => parse(body),
    answer: (request, { alter }) =>
      complete(request, {
        id: `chatcmpl-${nextId()}`,
        created: Math.floor(Date.now() / 1_000),
        alter,
      }),
  };
}
