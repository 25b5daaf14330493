/** `POST /v1/messages` (https://platform.claude.com/docs/en/api/messages/create). */
import type { LiveWire } from '../http/live-route.ts';
import { badInput } from '../http/route-error.ts';

export const messagesWire: LiveWire = {
  dialect: 'anthropic',
  path: /^\/v1\/messages$/,
  check({ model, messages, max_tokens: maxTokens, stream }) {
    if (typeof model !== 'string' || model === '') throw badInput('model: must be a name');
    if (!Array.isArray(messages)) throw badInput('messages: must be an array');
    if (messages.length === 0) throw badInput('messages: must hold at least one message');
    if (!Number.isInteger(maxTokens) || Number(maxTokens) < 1) {
      throw badInput('max_tokens: must be a whole number of at least 1');
    }
    if (stream != null && typeof stream !== 'boolean') {
      throw badInput('stream: must be true or false');
    }
  },
  event: ({ type, data }) => `event: ${type}\ndata: ${data}\n\n`,
  last: '',
  alive: 'event: ping\ndata: {"type": "ping"}\n\n',
};
