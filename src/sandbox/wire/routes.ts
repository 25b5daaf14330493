/** Routes requests to their answers. */

import { createRules } from '../rules/answer.ts';
import { createMessageBatchRoutes } from './anthropic/batch-routes.ts';
import { anthropicDialect } from './anthropic/dialect.ts';
import { createMessageAnswerer } from './anthropic/message-answerer.ts';
import { createBatchRoutes } from './batch/batch-routes.ts';
import type { Batches, BatchOptions } from './batch/batches.ts';
import { createFileRoutes } from './batch/file-routes.ts';
import { createChatAnswerer } from './chat-answerer.ts';
import { unknownModel } from './chat-request.ts';
import { createCompleter } from './completion.ts';
import { type Dialect, openAiDialect } from './dialect.ts';
import type { Call, Equipment } from './equipment.ts';
import { type Exchange, unknownUrl } from './exchange.ts';
import { maxJsonBytes, receive } from './incoming.ts';
import { type Answerer, answerLive } from './live.ts';
import { json, send } from './reply.ts';

export interface RoutesOptions {
  batches: Batches;
  models: readonly string[];
  refuse: ReadonlySet<string>;
  contextTokens: number;
  promptCache: boolean;
  batchLimits: BatchOptions;
  equipment: Equipment | null;
}

export interface Routes {
  dialectOf(path: string): Dialect;
  /** Answers, now or later. Throws the ApiError of a request that nobody answers. */
  handle(exchange: Exchange): void;
}

export function createRoutes(options: RoutesOptions): Routes {
  const { batches, models, refuse, contextTokens, promptCache, equipment } = options;
  const started = Math.floor(Date.now() / 1_000);
  const complete = createCompleter({ rules: createRules(), contextTokens, promptCache });
  let answers = 0;
  const nextId = () => (++answers).toString(36).padStart(24, '0');
  const call: Call =
    equipment?.call ?? ((exchange, _call, work) => send(exchange.response, work()));
  const chat = createChatAnswerer({ models, refuse }, { complete, nextId });
  const files = createFileRoutes({ batches, call });
  const limits = options.batchLimits;
  const openAiBatches = createBatchRoutes({
    batches,
    call,
    rows: { answerer: chat, dialect: openAiDialect, equipment },
    models,
    limits,
    nextId,
  });
  const messages = createMessageAnswerer({ models, refuse }, { complete, contextTokens, nextId });
  const messageBatches = createMessageBatchRoutes({
    batches,
    call,
    rows: { answerer: messages, dialect: anthropicDialect, equipment },
    limits,
    nextId,
  });

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
    dialectOf: (path) => (isUnder(path, '/v1/messages') ? anthropicDialect : openAiDialect),
    handle(exchange) {
      const { request, response, path, requestId } = exchange;
      const answer = (answerer: Answerer): void =>
        receive(exchange, maxJsonBytes, (body) =>
          answerLive(body.toString('utf8'), exchange, { answerer, equipment }),
        );
      if (request.method === 'POST' && path === '/v1/chat/completions') answer(chat);
      else if (request.method === 'POST' && path === '/v1/messages') answer(messages);
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
