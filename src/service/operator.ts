/** Routes for the operator's machines, on the main port and on one of their own. */
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { metricsRoute } from '../faces/operator/metrics-route.ts';
import { openOperatorPort } from '../faces/operator/port.ts';
import type { ReadinessChecks } from '../faces/operator/readiness.ts';
import { type OperatorRoute, probeRoutes } from '../faces/operator/routes.ts';
import type { Events } from '../telemetry/events.ts';
import type { Metrics } from '../telemetry/metrics/metrics.ts';
import { genAiNames } from '../telemetry/names.ts';
import type { Ending } from './ending.ts';

export interface Operator {
  /**
   * Routes of the main port, which shows metrics without a token while it is open: it has no keys.
   */
  routesOf(isOpen: () => boolean): readonly OperatorRoute[];
  /** Where METRICS_PORT is reached; null where it is not set. */
  url: string | null;
  /** Null: nothing is counted. */
  metrics: Metrics | null;
}

/** Begins to count. Throws StartFailure where METRICS_PORT is in the way. */
export async function openOperator(
  config: Config,
  ending: Ending,
  { readiness, events, log }: { readiness: ReadinessChecks; events: Events; log: Log },
): Promise<Operator> {
  const { host, metricsPort: port } = config;
  const metrics = config.metrics ? await openMetrics(config, events) : null;
  metrics?.gauges(['ready'], async (set) => {
    const { status } = await readiness.look();
    set('ready', [], status === 'ready' ? 1 : 0);
  });
  const routesOf = (isShown: () => boolean): OperatorRoute[] => [
    ...probeRoutes(readiness),
    ...(metrics ? [metricsRoute({ text: metrics.text, token: config.metricsToken, isShown })] : []),
  ];
  if (port === null) return { routesOf, url: null, metrics };
  const own = await openOperatorPort({ host, port, routes: routesOf(() => true), log });
  ending.addLast(own.close);
  return { routesOf, url: own.url, metrics };
}

/** Loaded only where something is counted. */
async function openMetrics(config: Config, events: Events): Promise<Metrics> {
  const { createMetrics } = await import('../telemetry/metrics/metrics.ts');
  const { metricsByOwner: byOwner, genAiConventions } = config;
  return createMetrics({ events, names: genAiNames(genAiConventions), byOwner });
}
