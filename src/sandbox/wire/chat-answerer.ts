/** OpenAI's chat completions, read and answered. */
import { type ChatRequest, createRequestParser, type RequestRules } from './chat-request.ts';
import { streamCompletion } from './chunks.ts';
import type { Completer, Completion } from './completion.ts';
import type { AnswerContext, Answerer } from './live.ts';

/** `nextId`: a name for the next answer, unique in this sandbox. */
export function createChatAnswerer(
  rules: RequestRules,
  { complete, nextId }: { complete: Completer; nextId: () => string },
): Answerer {
  const parse = createRequestParser(rules);
  const answer = (request: ChatRequest, { alter }: AnswerContext): Completion =>
    complete(request, {
      id: `chatcmpl-${nextId()}`,
      created: Math.floor(Date.now() / 1_000),
      alter,
    });
  return {
    read: (body) => parse(body),
    answer,
    stream: (request, context) =>
      streamCompletion(answer(request, context), request.stream ?? { withUsage: false }),
  };
}
