/** Live requests: faults, delays, limits and the journal around a good answer. */
import { anthropicDialect } from '../wire/anthropic/dialect.ts';
import type { ChatRequest } from '../wire/chat-request.ts';
import type { Equipment } from '../wire/equipment.ts';
import { send } from '../wire/reply.ts';
import { estimatePromptTokens } from '../wire/tokens.ts';
import { alterBy } from './content.ts';
import { fail } from './failures.ts';
import { type Fault, type FaultRegistry, type FaultRequest, isContentFault } from './faults.ts';
import type { Journal } from './journal.ts';
import {
  anthropicRateHeaders,
  createRateLimiter,
  type RateLimiter,
  type RateLimits,
} from './rate-limit.ts';

export interface LiveOptions {
  faults: FaultRegistry<Fault, FaultRequest>;
  journal: Journal;
  /** Milliseconds that an answer waits. */
  delay: () => number;
  limits: RateLimits | null;
  /** Called after every arrival and end. */
  changed: () => void;
}

export interface Live {
  readonly inFlight: number;
  readonly handle: Equipment['live'];
  /** Sets other limits from now on, with full buckets; null for none. */
  limit(limits: RateLimits | null): void;
}

export function createLive({ faults, journal, delay, limits, changed }: LiveOptions): Live {
  let inFlight = 0;
  let limiters: { openAi: RateLimiter; anthropic: RateLimiter } | null = null;
  limit(limits);

  function limit(next: RateLimits | null): void {
    const clock = () => performance.now();
    limiters = next && {
      openAi: createRateLimiter(next, clock),
      anthropic: createRateLimiter(next, clock, anthropicRateHeaders),
    };
  }

  const handle: Equipment['live'] = ({ exchange, body, text }, good) => {
    const { request, response, dialect } = exchange;
    const entry = journal.received(body, request.headers);
    inFlight++;
    const number = journal.count;
    const asked = typeof body === 'string' ? null : body;
    const { fault, latencyMs } = faults.decide({ body: asked, text, number, batchId: null });
    let timer: NodeJS.Timeout | undefined;
    response.once('close', () => {
      clearTimeout(timer);
      inFlight--;
      journal.ended(entry, response.writableFinished ? response.statusCode : null);
      changed();
    });
    changed();

    const limiter = limiters?.[dialect === anthropicDialect ? 'anthropic' : 'openAi'];
    const headers = (parsed: ChatRequest) => limiter?.take(estimatedTokens(parsed)) ?? {};
    const answer = (): void => {
      if (response.destroyed) return;
      try {
        if (fault && !isContentFault(fault)) fail(exchange, fault, () => good({ headers }));
        else send(response, good({ headers, alter: fault && alterBy(fault) }));
      } catch (error) {
        exchange.refuse(error);
      }
    };
    const waitMs = delay() + latencyMs;
    if (waitMs > 0) timer = setTimeout(answer, waitMs);
    else answer();
  };

  return {
    get inFlight() {
      return inFlight;
    },
    handle,
    limit,
  };
}

/** The tokens that a request takes of its limit: those of its prompt and the most of its answer. */
function estimatedTokens({ messages, maxTokens }: ChatRequest): number {
  return estimatePromptTokens(messages) + (maxTokens ?? 16);
}
