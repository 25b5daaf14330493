/** Routes for an operator's machines: probes and figures. None needs the key of an owner. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RouteError } from '../http/route-error.ts';
import type { ReadinessChecks } from './readiness.ts';

export interface OperatorRoute {
  path: string;
  /** A RouteError that it throws is the answer. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** `GET /healthz`: 200 while the event loop answers. `GET /readyz`: 200, or 503 and the reason. */
export function probeRoutes(readiness: Pick<ReadinessChecks, 'look'>): OperatorRoute[] {
  return [
    {
      path: '/healthz',
      async answer(request, response) {
        sendText(request, response, { status: 200, type: json, body: `{"status":"ok"}\n` });
      },
    },
    {
      path: '/readyz',
      async answer(request, response) {
        onlyRead(request, response);
        const found = await readiness.look();
        const status = found.status === 'ready' ? 200 : 503;
        sendText(request, response, { status, type: json, body: `${JSON.stringify(found)}\n` });
      },
    },
  ];
}

const json = 'application/json; charset=utf-8';

/** Throws RouteError 405 for other methods than GET and HEAD. */
function onlyRead({ method }: IncomingMessage, response: ServerResponse): void {
  if (method === 'GET' || method === 'HEAD') return;
  response.setHeader('allow', 'GET, HEAD');
  throw new RouteError(405, 'METHOD_NOT_ALLOWED', 'This address can only be read: GET');
}

/** A whole answer that no cache keeps. Throws RouteError 405 like `onlyRead`. */
export function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body }: { status: number; type: string; body: string },
): void {
  onlyRead(request, response);
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}
