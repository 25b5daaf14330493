/** The variables of probes and metrics, and of how a process ends. */
import { z } from 'zod';
import { bool, integer, optionalInteger } from './kinds.ts';

/** The variables, each with its kind. */
export const operatorVariables = {
  METRICS_PORT: optionalInteger(0, 65_535),
  SHUTDOWN_DELAY_MS: integer(0, 0, 600_000),
  METRICS: bool(true, 'on', 'off'),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\w~.+/=-]{1,512}$/, 'must be at most 512 URL-safe characters')
    .optional(),
  METRICS_BY_OWNER: bool(false, 'on', 'off'),
  OTEL_SEMCONV_STABILITY_OPT_IN: z.string().default(''),
};

/** What these variables say. */
export interface OperatorSettings {
  /** Of probes and metrics alone, in every role; null: only the main port has them. */
  metricsPort: number | null;
  /** Between the signal to stop and the first request that is refused. */
  shutdownDelayMs: number;
  /** Whether anything is counted. */
  metrics: boolean;
  /** What the metrics are shown for; null: no token is asked for. */
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
