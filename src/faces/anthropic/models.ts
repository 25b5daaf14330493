/** Models as Anthropic writes them. */
import type { ModelWire } from '../http/model-routes.ts';
import { RouteError } from '../http/route-error.ts';

export const modelsWire: ModelWire = {
  describe: ({ id }, startedAt) => ({
    type: 'model',
    id,
    display_name: id,
    created_at: startedAt.toISOString(),
    lifecycle: 'active',
    line: null,
    capabilities: null,
    max_input_tokens: null,
    max_tokens: null,
    deprecated_at: null,
    retires_at: null,
  }),
  list: (data, ids) => ({
    data,
    has_more: false,
    first_id: ids[0] ?? null,
    last_id: ids.at(-1) ?? null,
  }),
  unknown: (rule) => new RouteError(404, 'NOT_FOUND', `model: ${rule}`),
};
