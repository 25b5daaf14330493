/** Models as OpenAI writes them. */
import type { ModelWire } from '../http/model-routes.ts';
import { RouteError } from '../http/route-error.ts';

export const modelsWire: ModelWire = {
  describe: ({ id, provider }, startedAt) => ({
    id,
    object: 'model',
    created: Math.floor(startedAt.getTime() / 1_000),
    owned_by: provider,
  }),
  list: (data) => ({ object: 'list', data }),
  unknown: (rule) =>
    new RouteError(404, 'NOT_FOUND', `model ${rule}`, {
      details: { param: 'model', code: 'model_not_found' },
    }),
};
