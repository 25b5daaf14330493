/** Which request goes where, and what answers it. */

import { createRules } from '../rules/answer.ts';
import { createMessageBatchRoutes } from './anthropic/batch-routes.ts';
import { anthropicDialect, anthropicRateHeaders } from './anthropic/dialect.ts';
import { createMessageAnswerer } from './anthropic/message-answerer.ts';
import { createBatchRoutes } from './batch/batch-routes.ts';
import type { Batches, BatchOptions } from './batch/batches.ts';
import { createCalls } from './batch/calls.ts';
import { createFileRoutes } from './batch/file-routes.ts';
import { createChatAnswerer } from './chat-answerer.ts';
import { unknownModel } from './chat-request.ts';
import { createCompleter } from './completion.ts';
import { type Dialect, openAiDialect } from './dialect.ts';
import { type Exchange, unknownUrl } from './exchange.ts';
import type { Fault, FaultRegistry, FaultRequest } from './faults.ts';
import { MAX_JSON_BYTES, receive } from './incoming.ts';
import type { Answerer, Live } from './live.ts';
import { createRateLimiter, type RateLimiter, type RateLimits } from './rate-limit.ts';
import { json, send } from './reply.ts';

export interface RoutesOptions {
  live: Live;
  batches: Batches;
  faults: FaultRegistry<Fault, FaultRequest>;
  /** Called after every call that may have changed a batch. */
  changed: () => void;
  models: readonly string[];
  refuse: ReadonlySet<string>;
  contextTokens: number;
  promptCache: boolean;
  batchLimits: BatchOptions;
  limits: RateLimits | null;
}

export interface Routes {
  dialectOf(path: string): Dialect;
  /** Answers, now or later. Throws the ApiError of a request that nobody answers. */
  handle(exchange: Exchange): void;
  limit(limits: RateLimits | null): void;
}

export function createRoutes(options: RoutesOptions): Routes {
  const { live, batches, faults, changed, models, refuse, contextTokens, promptCache } = options;
  const { batchLimits } = options;
  const started = Math.floor(Date.now() / 1_000);
  const complete = createCompleter({ rules: createRules(), contextTokens, promptCache });
  let answers = 0;
  const nextId = () => (++answers).toString(36).padStart(24, '0');
  const chat = createChatAnswerer({ models, refuse }, { complete, nextId });
  const openAiCalls = createCalls('openai', { batches, changed });
  const files = createFileRoutes({ batches, call: openAiCalls });
  const openAiBatches = createBatchRoutes({
    batches,
    call: openAiCalls,
    rows: { answerer: chat, dialect: openAiDialect, faults },
    models,
    limits: batchLimits,
    nextId,
  });
  const messages = createMessageAnswerer({ models, refuse }, { complete, contextTokens, nextId });
  const messageBatches = createMessageBatchRoutes({
    batches,
    call: createCalls('anthropic', { batches, changed }),
    rows: { answerer: messages, dialect: anthropicDialect, faults },
    limits: batchLimits,
    nextId,
  });
  let limiters: { chat: RateLimiter; messages: RateLimiter } | null;
  limit(options.limits);

  function limit(limits: RateLimits | null): void {
    const clock = () => performance.now();
    limiters = limits && {
      chat: createRateLimiter(limits, clock),
      messages: createRateLimiter(limits, clock, anthropicRateHeaders),
    };
  }

  function modelList(path: string): object {
    const list = models.map((id) => ({
      id,
      object: 'model',
      created: started,
      owned_by: 'winnow',
    }));
    if (path === '/v1/models') return { object: 'list', data: list };
    const wanted = decodeURIComponent(path.slice('/v1/models/'.length));
    const found = list.find(({ id }) => id === wanted);
    if (!found) throw unknownModel(wanted);
    return found;
  }

  return {
    limit,
    dialectOf: (path) => (isUnder(path, '/v1/messages') ? anthropicDialect : openAiDialect),
    handle(exchange) {
      const { request, response, path, requestId } = exchange;
      const answerLive = (answerer: Answerer, limiter: RateLimiter | undefined): void =>
        receive(exchange, MAX_JSON_BYTES, (body) =>
          live.handle(body.toString('utf8'), exchange, { answerer, limiter: limiter ?? null }),
        );
      if (request.method === 'POST' && path === '/v1/chat/completions')
        answerLive(chat, limiters?.chat);
      else if (request.method === 'POST' && path === '/v1/messages')
        answerLive(messages, limiters?.messages);
      else if (isUnder(path, '/v1/files')) files(exchange);
      else if (isUnder(path, '/v1/batches')) openAiBatches(exchange);
      else if (isUnder(path, '/v1/messages/batches')) messageBatches(exchange);
      else if (request.method === 'GET' && isUnder(path, '/v1/models'))
        send(response, json(200, modelList(path), { 'x-request-id': requestId }));
      else throw unknownUrl(exchange);
    },
  };
}

function isUnder(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}
