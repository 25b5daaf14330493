/** OpenAI's API as a face of the server: its packages work with this server as their base URL. */
import type { Caller } from '../../app/caller.ts';
import type { LiveCalls } from '../../app/live-call.ts';
import type { RequestLine } from '../../db/driver/request-line.ts';
import type { Providers } from '../../model/providers.ts';
import { routeApi } from '../http/api-routes.ts';
import type { Face } from '../http/face.ts';
import { liveRoute } from '../http/live-route.ts';
import { spokenDialect } from '../http/spoken-dialect.ts';
import { batchRoutes } from './batches.ts';
import { chatWire } from './chat.ts';
import { wordOpenAiError } from './errors.ts';
import { fileRoutes } from './files.ts';
import { modelRoutes } from './models.ts';

export interface OpenAiServices extends Omit<Caller, 'owner' | 'db'> {
  /** The database, an owner at a time. */
  line: RequestLine;
  providers: Providers;
  liveCalls: LiveCalls;
}

export function createOpenAiFace(services: OpenAiServices): Face {
  const covers = (request: Parameters<typeof spokenDialect>[0]) =>
    spokenDialect(request) === 'openai';
  return {
    manner: {
      covers,
      requestIdHeader: 'x-request-id',
      requestIdPrefix: 'req_',
      word: wordOpenAiError,
      wordLate: (body) => `data: ${JSON.stringify(body)}\n\n`,
    },
    routes: [
      routeApi(
        ({ request }) => covers(request),
        [
          ...modelRoutes(services.providers),
          liveRoute(chatWire, services),
          ...fileRoutes(services),
          ...batchRoutes(services),
        ],
      ),
    ],
  };
}
