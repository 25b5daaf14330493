/**
 * Requests that are answered at once: faults, limits and the journal around what a protocol
 * answers.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from './api-error.ts';
import type { ChatRequest } from './chat-request.ts';
import type { Exchange } from './exchange.ts';
import type { FaultRequest } from './faults.ts';
import { type ContentFault, type Fault, type FaultRegistry, isContentFault } from './faults.ts';
import { lastText, readJson } from './incoming.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { RateLimiter } from './rate-limit.ts';
import { fail, json, type Reply, send } from './reply.ts';
import { estimatePromptTokens } from './tokens.ts';

export interface AnswerContext {
  fault: ContentFault | null;
  /** True for a row of a batch. */
  batch: boolean;
}

/**
 * One protocol's way to read a request and to write its answer. Both throw an ApiError where the
 * request is at fault.
 */
export interface Answerer {
  read(body: unknown, headers: IncomingHttpHeaders): ChatRequest;
  /** The body of a 200. */
  answer(request: ChatRequest, context: AnswerContext): object;
}

export interface LiveOptions {
  faults: FaultRegistry<Fault, FaultRequest>;
  journal: Journal;
  /** What every answer waits, in milliseconds. */
  delay: () => number;
  /** Called after every arrival and end. */
  changed: () => void;
}

export interface Live {
  readonly inFlight: number;
  handle(
    text: string,
    exchange: Exchange,
    protocol: { answerer: Answerer; limiter: RateLimiter | null },
  ): void;
}

export function createLive({ faults, journal, delay, changed }: LiveOptions): Live {
  let inFlight = 0;

  function ended(entry: JournalEntry | null, { response }: Exchange): void {
    inFlight--;
    journal.ended(entry, response.writableFinished ? response.statusCode : null);
    changed();
  }

  return {
    get inFlight() {
      return inFlight;
    },
    handle(text, exchange, { answerer, limiter }) {
      const { request, response, requestId, dialect } = exchange;
      const { body, malformed } = readJson(text);
      const entry = journal.received(malformed ? text : body, request.headers);
      inFlight++;
      const fate = faults.empty
        ? null
        : faults.decide({ body, text: lastText(body), number: journal.count, batchId: null });
      const waitMs = delay() + (fate?.latencyMs ?? 0);
      let timer: NodeJS.Timeout | undefined;
      response.once('close', () => {
        clearTimeout(timer);
        ended(entry, exchange);
      });
      changed();

      const good = (content: boolean): Reply => {
        if (malformed) throw malformedBody();
        const parsed = answerer.read(body, request.headers);
        const headers = limiter?.take(estimatedTokens(parsed)) ?? {};
        const fault = content && fate?.fault && isContentFault(fate.fault) ? fate.fault : null;
        return json(200, answerer.answer(parsed, { fault, batch: false }), {
          [dialect.requestIdHeader]: requestId,
          ...dialect.headers,
          ...headers,
        });
      };
      const answer = (): void => {
        if (response.destroyed) return;
        try {
          const fault = fate?.fault ?? null;
          if (fault && !isContentFault(fault)) fail(exchange, fault, () => good(false));
          else send(response, good(true));
        } catch (error) {
          exchange.refuse(error);
        }
      };
      if (waitMs > 0) timer = setTimeout(answer, waitMs);
      else answer();
    },
  };
}

export function malformedBody(): ApiError {
  return new ApiError(
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
  );
}

/** What the limiter takes for a request before it is answered: its prompt, and what it may say. */
function estimatedTokens({ messages, maxTokens }: ChatRequest): number {
  return estimatePromptTokens(messages) + (maxTokens ?? 16);
}
