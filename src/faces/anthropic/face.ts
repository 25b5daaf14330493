/**
 * Anthropic's API as a face of the server: its packages work with this server as their base URL.
 */
import type { Caller } from '../../app/caller.ts';
import type { LiveCalls } from '../../app/live-call.ts';
import type { RequestLine } from '../../db/driver/request-line.ts';
import type { Providers } from '../../model/providers.ts';
import { routeApi } from '../http/api-routes.ts';
import type { Face } from '../http/face.ts';
import { liveRoute } from '../http/live-route.ts';
import { spokenDialect } from '../http/spoken-dialect.ts';
import { batchRoutes } from './batches.ts';
import { wordAnthropicError } from './errors.ts';
import { messagesWire } from './messages.ts';
import { modelRoutes } from './models.ts';

export interface AnthropicServices extends Omit<Caller, 'owner' | 'db'> {
  /** The database, an owner at a time. */
  line: RequestLine;
  providers: Providers;
  liveCalls: LiveCalls;
}

/** `publicUrl`: where clients reach this server; null: by the address that they asked. */
export function createAnthropicFace(
  services: AnthropicServices,
  { publicUrl }: { publicUrl: string | null },
): Face {
  const covers = (request: Parameters<typeof spokenDialect>[0]) =>
    spokenDialect(request) === 'anthropic';
  return {
    manner: {
      covers,
      requestIdHeader: 'request-id',
      requestIdPrefix: 'req_',
      word: wordAnthropicError,
      wordLate: (body) => `event: error\ndata: ${JSON.stringify(body)}\n\n`,
    },
    routes: [
      routeApi(
        ({ request }) => covers(request),
        [
          ...modelRoutes(services.providers),
          liveRoute(messagesWire, services),
          ...batchRoutes(services, publicUrl),
        ],
      ),
    ],
  };
}
