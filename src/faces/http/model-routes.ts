/** `GET /v1/models` and one of them, as an API of another vendor writes a model. */

import type { ModelsOfOwner } from '../../app/caller.ts';
import { findModel, type ListedModel, listModels } from '../../app/models.ts';
import { type ApiRoute, sendJson } from './api-routes.ts';
import type { RouteError } from './route-error.ts';

export interface ModelWire {
  describe(model: ListedModel, startedAt: Date): object;
  /** The body of the list. `ids` are those of the models, in the same order. */
  list(data: readonly object[], ids: readonly string[]): object;
  /** `rule`: what the name of a model must be. */
  unknown(rule: string): RouteError;
}

/** All models count as created when the server started. */
export function modelRoutes(
  wire: ModelWire,
  { modelsOf }: { modelsOf(owner: string): ModelsOfOwner },
): ApiRoute[] {
  const startedAt = new Date();
  return [
    {
      path: /^\/v1\/models$/,
      methods: {
        async GET({ response, owner }) {
          const models = await listModels(modelsOf(owner).providers);
          const data = models.map((model) => wire.describe(model, startedAt));
          const ids = models.map(({ id }) => id);
          sendJson(response, wire.list(data, ids));
        },
      },
    },
    {
      // The slash of an id comes as it is, or as %2F.
      path: /^\/v1\/models\/(.+)$/,
      methods: {
        async GET({ response, owner, params: [id = ''] }) {
          const model = await findModel(modelsOf(owner).providers, id);
          const shown = JSON.stringify(id.slice(0, 100));
          if (!model) throw wire.unknown(`must be one that GET /v1/models lists, not ${shown}`);
          sendJson(response, wire.describe(model, startedAt));
        },
      },
    },
  ];
}
