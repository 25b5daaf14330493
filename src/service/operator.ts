/** What the operator's machines ask, on the main port and on one of their own. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { openOperatorPort } from '../faces/operator/port.ts';
import type { ReadinessChecks } from '../faces/operator/readiness.ts';
import { type OperatorRoute, probeRoutes } from '../faces/operator/routes.ts';
import type { Ending } from './ending.ts';

export interface Operator {
  /** Of every port. */
  routes: readonly OperatorRoute[];
  /** Where METRICS_PORT is reached; null where it is not set. */
  url: string | null;
}

/** Throws StartFailure where METRICS_PORT is in the way. */
export async function openOperator(
  { host, metricsPort: port }: Config,
  ending: Ending,
  { readiness, log }: { readiness: ReadinessChecks; log: Log },
): Promise<Operator> {
  const routes = probeRoutes(readiness);
  if (port === null) return { routes, url: null };
  const own = await openOperatorPort({ host, port, routes, log });
  ending.addLast(own.close);
  return { routes, url: own.url };
}
