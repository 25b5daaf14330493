/** Requests that are answered at once. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Alter, Equipment, Good } from './equipment.ts';
import type { Exchange } from './exchange.ts';
import { lastText, readJson } from './incoming.ts';
import { json, send, stream } from './reply.ts';

export interface AnswerContext {
  alter: Alter | null;
  /** True for a row of a batch. */
  isBatch: boolean;
}

/**
 * One protocol's way to read a request and to write its answer. Both throw an ApiError where the
 * request is at fault.
 */
export interface Answerer {
  read(body: unknown, headers: IncomingHttpHeaders): ChatRequest;
  /** The body of a 200. */
  answer(request: ChatRequest, context: AnswerContext): object;
  /** The events of a 200 that comes in pieces, as text. */
  stream(request: ChatRequest, context: AnswerContext): string[];
}

/** Answers a request whose body is `text`. Throws an ApiError where the request is at fault. */
export function answerLive(
  text: string,
  exchange: Exchange,
  { answerer, equipment }: { answerer: Answerer; equipment: Equipment | null },
): void {
  const { request, response, requestId, dialect } = exchange;
  const { body, malformed } = readJson(text);
  const good: Good = ({ alter = null, headers = () => ({}) } = {}) => {
    if (malformed) throw malformedBody();
    const parsed = answerer.read(body, request.headers);
    const more = headers(parsed);
    const all = { [dialect.requestIdHeader]: requestId, ...dialect.headers, ...more };
    const context = { alter, isBatch: false };
    return parsed.stream
      ? stream(answerer.stream(parsed, context), all)
      : json(200, answerer.answer(parsed, context), all);
  };
  if (!equipment) send(response, good());
  else equipment.live({ exchange, body: malformed ? text : body, text: lastText(body) }, good);
}

export function malformedBody(): ApiError {
  return new ApiError(
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
  );
}
