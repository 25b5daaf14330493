/** The variables of probes and metrics, and of how a process ends. */
import { z } from 'zod';
import { bool, integer, optionalInteger } from './kinds.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const operatorVariables = {
  METRICS_PORT: variable(
    'A port of its own for probes and metrics, on `HOST`, in every role; 0 for any free port. It serves no data and needs no keys.',
    optionalInteger(0, 65_535),
  ),
  SHUTDOWN_DELAY_MS: variable(
    'Milliseconds after SIGTERM in which everything is served as before, while `/readyz` answers 503.',
    integer(0, 0, 600_000),
  ),
  METRICS: variable(
    '`off`: nothing is counted, and `/metrics` is not there.',
    bool(true, 'on', 'off'),
  ),
  METRICS_TOKEN: variable(
    '`/metrics` needs `Authorization: Bearer` and this token, on both ports.',
    z
      .string()
      .regex(/^[\w~.+/=-]{1,512}$/, 'must be at most 512 URL-safe characters')
      .optional(),
    { values: 'at most 512 URL-safe characters' },
  ),
  METRICS_BY_OWNER: variable(
    '`on`: items, costs and refused requests have the label `owner`.',
    bool(false, 'on', 'off'),
  ),
  OTEL_SEMCONV_STABILITY_OPT_IN: variable(
    "`gen_ai_latest_experimental`: metrics and spans of calls to models have OpenTelemetry's names of 2026.",
    z.string().default(''),
    { values: 'words with commas between' },
  ),
};

/** Problems of variables that were read, as they stand beside each other. */
export function operatorProblems({
  METRICS_PORT: own,
  PORT: main,
  ROLE: role,
}: {
  METRICS_PORT?: number | undefined;
  PORT: number;
  ROLE: string;
}): string[] {
  if (own === undefined || own === 0 || own !== main || role === 'worker') return [];
  return ['METRICS_PORT must be another port than PORT'];
}

/** The values of these variables. */
export interface OperatorSettings {
  /** The port of probes and metrics alone, in every role; null: only the main port has them. */
  metricsPort: number | null;
  /** Between the signal to stop and the first request that is refused. */
  shutdownDelayMs: number;
  /** True where anything is counted. */
  metrics: boolean;
  /** The token that the metrics are shown for; null: no token is asked for. */
  metricsToken: string | null;
  /** Owners are labels. */
  metricsByOwner: boolean;
  /** Which conventions of OpenTelemetry are wanted, with commas between. */
  genAiConventions: string;
}

/** The settings in variables that were read. */
export function operatorSettings(
  data: z.output<z.ZodObject<typeof operatorVariables>>,
): OperatorSettings {
  return {
    metricsPort: data.METRICS_PORT ?? null,
    shutdownDelayMs: data.SHUTDOWN_DELAY_MS,
    metrics: data.METRICS,
    metricsToken: data.METRICS_TOKEN ?? null,
    metricsByOwner: data.METRICS_BY_OWNER,
    genAiConventions: data.OTEL_SEMCONV_STABILITY_OPT_IN,
  };
}
