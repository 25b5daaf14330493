/** The face of another vendor's API: all requests under /v1 that speak its dialect. */
import type { Caller, ModelsOfOwner } from '../../app/caller.ts';
import type { LiveCalls } from '../../app/live-call.ts';
import type { RequestLine } from '../../db/driver/request-line.ts';
import type { Dialect } from '../../model/request.ts';
import { type ApiRoute, routeApi } from './api-routes.ts';
import type { Face, Manner } from './face.ts';
import { type LiveWire, liveRoute } from './live-route.ts';
import { type ModelWire, modelRoutes } from './model-routes.ts';
import { spokenDialect } from './spoken-dialect.ts';

export interface DialectServices
  extends Omit<Caller, 'owner' | 'db' | 'asking' | keyof ModelsOfOwner> {
  /** The database, an owner at a time. */
  line: RequestLine;
  modelsOf(owner: string): ModelsOfOwner;
  liveCalls: LiveCalls;
}

/** The words of one API. */
interface DialectWords {
  dialect: Dialect;
  manner: Omit<Manner, 'covers'>;
  models: ModelWire;
  live: LiveWire;
}

/** `routes` come behind those of models and live calls. */
export function createDialectFace(
  { dialect, manner, models, live }: DialectWords,
  services: DialectServices,
  routes: readonly ApiRoute[],
): Face {
  const covers: Manner['covers'] = (request) => spokenDialect(request) === dialect;
  return {
    manner: { ...manner, covers },
    routes: [
      routeApi(
        ({ request }) => covers(request),
        [...modelRoutes(models, services), liveRoute(live, services), ...routes],
      ),
    ],
  };
}
