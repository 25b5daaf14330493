/** Tells of each request by the template of its path: whose ids and names differ. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Asking } from '../../core/log.ts';
import type { FaceName, Telling } from '../../telemetry/events.ts';

/** Known forms of a path. Nothing else of a path is told: anybody may make one up. */
const templates: readonly [RegExp, string][] = [
  [/^\/graphql\/?$/, '/graphql'],
  [/^\/files$/, '/files'],
  [/^\/batches\/[^/]+\/output$/, '/batches/{id}/output'],
  [/^\/(health|healthz|readyz|metrics)$/, '/{probe}'],
  [/^\/$/, '/'],
  [/^\/console(\/.*)?$/, '/console'],
  [/^\/graphiql(\/.*)?$/, '/graphiql'],
  [/^\/v1\/files$/, '/v1/files'],
  [/^\/v1\/files\/[^/]+$/, '/v1/files/{id}'],
  [/^\/v1\/files\/[^/]+\/content$/, '/v1/files/{id}/content'],
  [/^\/v1\/batches$/, '/v1/batches'],
  [/^\/v1\/batches\/[^/]+$/, '/v1/batches/{id}'],
  [/^\/v1\/batches\/[^/]+\/cancel$/, '/v1/batches/{id}/cancel'],
  [/^\/v1\/chat\/completions$/, '/v1/chat/completions'],
  [/^\/v1\/models$/, '/v1/models'],
  [/^\/v1\/models\/.+$/, '/v1/models/{id}'],
  [/^\/v1\/messages$/, '/v1/messages'],
  [/^\/v1\/messages\/batches$/, '/v1/messages/batches'],
  [/^\/v1\/messages\/batches\/[^/]+$/, '/v1/messages/batches/{id}'],
  [/^\/v1\/messages\/batches\/[^/]+\/cancel$/, '/v1/messages/batches/{id}/cancel'],
  [/^\/v1\/messages\/batches\/[^/]+\/results$/, '/v1/messages/batches/{id}/results'],
];
const longestPath = 300;

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Whose answers are outputs of batches. */
const outputs: Readonly<Record<string, FaceName>> = {
  'GET /batches/{id}/output': 'rest',
  'GET /v1/files/{id}/content': 'openai',
  'GET /v1/messages/batches/{id}/results': 'anthropic',
};

interface Told {
  request: IncomingMessage;
  response: ServerResponse;
  asking: Asking;
  /** Address of the client. */
  address: string;
}

/** Bytes of a connection that requests before have been told with. */
const toldBytes = new WeakMap<Socket, number>();

/** Tells of the request once its answer is closed. */
export function tellRequest(events: Telling, { request, response, asking, address }: Told): void {
  if (!events.has('http.request')) return;
  const { socket } = request;
  const begunAt = performance.now();
  const written = socket.bytesWritten;
  response.once('close', () => {
    const route = templateOf(request.url ?? '');
    const method = methods.has(request.method ?? '') ? (request.method ?? '') : 'other';
    // The head has been read before this was called, often with the whole body.
    const read = toldBytes.get(socket) ?? 0;
    toldBytes.set(socket, socket.bytesRead);
    events.emit('http.request', {
      method,
      route,
      statusCode: response.statusCode,
      seconds: (performance.now() - begunAt) / 1_000,
      bytesIn: socket.bytesRead - read,
      bytesOut: socket.bytesWritten - written,
      address,
      asking,
      outputBy: outputs[`${method} ${route}`] ?? null,
    });
  });
}

function templateOf(url: string): string {
  const path = (url.split('?', 1)[0] ?? '').slice(0, longestPath);
  const [, template] = templates.find(([pattern]) => pattern.test(path)) ?? [];
  return template === '/{probe}' ? path : (template ?? 'other');
}
