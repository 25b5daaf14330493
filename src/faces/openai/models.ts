/** `GET /v1/models` and one of them, as OpenAI writes a model. */
import { findModel, listModels } from '../../app/models.ts';
import type { Providers } from '../../model/providers.ts';
import { type ApiRoute, sendJson } from '../http/api-routes.ts';
import { RouteError } from '../http/route-error.ts';

export function modelRoutes(providers: Providers): ApiRoute[] {
  const created = Math.floor(Date.now() / 1_000);
  const describe = ({ id, provider }: { id: string; provider: string }) => ({
    id,
    object: 'model',
    created,
    owned_by: provider,
  });
  return [
    {
      path: /^\/v1\/models$/,
      methods: {
        async GET({ response }) {
          const data = (await listModels(providers)).map(describe);
          sendJson(response, { object: 'list', data });
        },
      },
    },
    {
      // The slash of an id comes as it is, or as %2F.
      path: /^\/v1\/models\/(.+)$/,
      methods: {
        async GET({ response, params: [id = ''] }) {
          const model = await findModel(providers, id);
          if (!model) throw unknownModel(id);
          sendJson(response, describe(model));
        },
      },
    },
  ];
}

function unknownModel(id: string): RouteError {
  const shown = JSON.stringify(id.slice(0, 100));
  return new RouteError(
    404,
    'NOT_FOUND',
    `model must be one that GET /v1/models lists, not ${shown}`,
    {
      details: { param: 'model', code: 'model_not_found' },
    },
  );
}
