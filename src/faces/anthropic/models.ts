/** `GET /v1/models` and one of them, as Anthropic writes a model. */
import { findModel, listModels } from '../../app/models.ts';
import type { Providers } from '../../model/providers.ts';
import { type ApiRoute, sendJson } from '../http/api-routes.ts';
import { RouteError } from '../http/route-error.ts';

export function modelRoutes(providers: Providers): ApiRoute[] {
  const createdAt = new Date().toISOString();
  const describe = ({ id }: { id: string }) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: createdAt,
    lifecycle: 'active',
    line: null,
    capabilities: null,
    max_input_tokens: null,
    max_tokens: null,
    deprecated_at: null,
    retires_at: null,
  });
  return [
    {
      path: /^\/v1\/models$/,
      methods: {
        async GET({ response }) {
          const data = (await listModels(providers)).map(describe);
          const [first, last] = [data.at(0), data.at(-1)];
          sendJson(response, {
            data,
            has_more: false,
            first_id: first?.id ?? null,
            last_id: last?.id ?? null,
          });
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
    `model: must be one that GET /v1/models lists, not ${shown}`,
  );
}
