/** `POST /v1/chat/completions` (https://platform.openai.com/docs/api-reference/chat/create). */
import type { LiveWire } from '../http/live-route.ts';
import { RouteError } from '../http/route-error.ts';

export const chatWire: LiveWire = {
  dialect: 'openai',
  path: /^\/v1\/chat\/completions$/,
  check({ model, messages, stream }) {
    if (model == null) throw refused('model', 'must be given', 'missing_required_parameter');
    if (typeof model !== 'string' || model === '') {
      throw refused('model', 'must be a name', 'invalid_type');
    }
    if (messages == null) throw refused('messages', 'must be given', 'missing_required_parameter');
    if (!Array.isArray(messages)) throw refused('messages', 'must be an array', 'invalid_type');
    if (messages.length === 0) {
      throw refused('messages', 'must hold at least one message', 'invalid_value');
    }
    if (stream != null && typeof stream !== 'boolean') {
      throw refused('stream', 'must be true or false', 'invalid_type');
    }
  },
  event: ({ data }) => `data: ${data}\n\n`,
  last: 'data: [DONE]\n\n',
  alive: ': alive\n\n',
};

function refused(param: string, rule: string, code: string): RouteError {
  const details = { param, code };
  return new RouteError(400, 'BAD_USER_INPUT', `${param} ${rule}`, { details });
}
