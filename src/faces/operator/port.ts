/** A port for the operator's machines alone: it has no data of owners, so it needs no keys. */
import { createServer } from 'node:http';
import type { Log } from '../../core/log.ts';
import { listen } from '../http/listen.ts';
import { nothingAt } from '../http/missing-path.ts';
import { requestIdOf } from '../http/request-id.ts';
import { sendRouteError } from '../http/route-error.ts';
import type { OperatorRoute } from './routes.ts';

export interface OperatorPort {
  /** Where it is reached, without a trailing slash. */
  url: string;
  close(): Promise<void>;
}

/** Throws StartFailure where the port of METRICS_PORT cannot be had. */
export async function openOperatorPort({
  host,
  port,
  routes,
  log,
}: {
  host: string;
  port: number;
  routes: readonly OperatorRoute[];
  log: Log;
}): Promise<OperatorPort> {
  const http = createServer((request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/s, '');
    const asking = { requestId: requestIdOf(request.headers) };
    response.setHeader('x-request-id', asking.requestId);
    const route = routes.find((one) => one.path === path);
    const answered = route
      ? route.answer(request, response)
      : Promise.reject(nothingAt(path, { otherwise: 'Probes are at /healthz and /readyz' }));
    void answered.catch((error: unknown) => sendRouteError(response, error, { asking, log }));
  });
  const url = await listen(http, { host, port, variable: 'METRICS_PORT' });
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}
